import type { Delivery } from '@desp/model';
import { ApiError } from './api-error.ts';
import { createEventParser } from './event-stream.ts';

/** `live`: what is shown is what is. `reconnecting`: it may be old. `ended`: the platform refused; no further try is made. */
export type Liveness = 'connecting' | 'live' | 'reconnecting' | 'ended';

export interface FollowOptions {
  /** Opens the stream; throws ApiError for a refusal. */
  readonly open: (signal: AbortSignal) => Promise<Response>;
  readonly onDelivery: (delivery: Delivery) => void;
  readonly onLiveness: (liveness: Liveness) => void;
  /** Ends after so many milliseconds, or at once when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** 0 (inclusive) to 1: spreads the tries of many browsers. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Trying again cannot help: forbidden, absent, logged out. A fault of the platform may pass. */
const isRefusal = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;
const firstWaitMs = 500;
const longestWaitMs = 15_000;
/** The platform says something every 15 s: three silences in a row mean that the line is dead. */
const silenceMs = 45_000;

/** Follows a delivery until the signal aborts; reconnects with growing waits. `fetch` and not EventSource, which cannot send a token. */
export async function followDelivery(options: FollowOptions): Promise<void> {
  const { signal, onLiveness } = options;
  let waitMs = firstWaitMs;
  onLiveness('connecting');
  while (!signal.aborted) {
    try {
      await readStream(options, () => {
        waitMs = firstWaitMs;
        onLiveness('live');
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && isRefusal(error.status)) return onLiveness('ended');
    }
    if (signal.aborted) return;
    onLiveness('reconnecting');
    await options.wait(waitMs * (0.5 + options.random() / 2), signal);
    waitMs = Math.min(waitMs * 2, longestWaitMs);
  }
}

async function readStream({ open, onDelivery, wait, signal }: FollowOptions, onAlive: () => void): Promise<void> {
  const line = new AbortController();
  const stop = () => line.abort();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const response = await open(line.signal);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (!reader) return;
    const parse = createEventParser();
    for (;;) {
      const heard = new AbortController();
      void wait(silenceMs, heard.signal).then(() => heard.signal.aborted || line.abort());
      const { done, value } = await reader.read().finally(() => heard.abort());
      if (done) return;
      for (const { event, data } of parse(value)) {
        if (event !== 'delivery') continue;
        onDelivery(JSON.parse(data) as Delivery);
        onAlive();
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    line.abort();
  }
}
