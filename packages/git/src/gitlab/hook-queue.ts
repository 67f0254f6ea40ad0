import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Clock, type Logger, messageOf } from '@desp/runtime';
import { z } from 'zod';
import type { Directory, EventRow, HookRow } from './directory.ts';

export interface HookQueueOptions {
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: Logger;
  /** The host's address; webhooks carry it. */
  readonly url: string;
  /** Milliseconds for one call; GitLab's default is 10,000. */
  readonly timeoutMs: number;
}

const firstPauseMs = 250;
const longestPauseMs = 60_000;
const batch = 50;
/** Milliseconds that a call under way has to end when the host stops; one that is cut is made again at the next start. */
const graceMs = 1_000;
const maxAnswerBytes = 64 * 1024;
const maxLines = 20;

/**
 * Lines for the pusher's terminal, from the receiver's answer. GitLab itself reads no answer of a webhook; a receiver that gives
 * none loses nothing.
 */
const Answer = z.object({ messages: z.array(z.string().max(500)).max(maxLines) });

/**
 * Calls of webhooks, at least once each: a call is on disk before it is made, and goes when the receiver said 2xx. What failed
 * is tried again with growing pauses, whatever the receiver answered, until it is taken or the webhook is removed; so an event
 * outlives both ends, and a receiver must be ready to hear one twice (`X-Gitlab-Event-UUID` is the same each time).
 */
export class HookQueue {
  readonly #options: HookQueueOptions;
  readonly #stopping = new AbortController();
  readonly #cutting = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: HookQueueOptions) {
    this.#options = options;
  }

  /** Takes up what a former process left; call once. */
  start(): void {
    const { directory } = this.#options;
    const now = this.#now();
    for (const event of directory.dueEvents(Number.MAX_SAFE_INTEGER, 1_000_000)) directory.putOffEvent(event.id, event.attempts, now);
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The Git host stops.'));
    const cut = setTimeout(() => this.#cutting.abort(new Error('The Git host stops.')), graceMs);
    await this.#running;
    clearTimeout(cut);
  }

  /**
   * Keeps the calls; they are durable when this returns.
   *
   * @param by `caller`: they are the caller's to make, by `callNow`, and the queue makes those that this leaves. `queue`: the queue
   * makes them by itself.
   */
  add(calls: readonly { hook: HookRow; kind: string; body: string }[], by: 'caller' | 'queue'): EventRow[] {
    const { directory, timeoutMs } = this.#options;
    const due = this.#now() + (by === 'caller' ? timeoutMs * calls.length : 0);
    this.#wake.abort();
    return directory.transaction(() =>
      calls.map(({ hook, kind, body }) => directory.addEvent({ hook: hook.id, uuid: randomUUID(), kind, body, due })),
    );
  }

  /** Makes kept calls now, in order. @returns the receivers' lines; what failed is tried again later */
  async callNow(events: readonly EventRow[]): Promise<string[]> {
    const lines: string[] = [];
    for (const event of events) lines.push(...(await this.#attempt(event)));
    return lines.slice(0, maxLines);
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }

  async #run(): Promise<void> {
    const { directory, clock, log } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        // In order for each webhook; one that hangs holds up no other.
        const due = Map.groupBy(directory.dueEvents(this.#now(), batch), ({ hook }) => hook);
        await Promise.all([...due.values()].map((events) => this.#attemptAll(events)));
      } catch (error) {
        log.error({ error: messageOf(error) }, 'The webhooks that are due could not be called.');
      }
      this.#wake = new AbortController();
      const due = directory.nextDue();
      const pause = due === undefined ? longestPauseMs : Math.min(longestPauseMs, Math.max(firstPauseMs / 5, due - this.#now()));
      await clock.sleep(pause, AbortSignal.any([this.#wake.signal, this.#stopping.signal])).catch(() => {});
    }
  }

  async #attemptAll(events: readonly EventRow[]): Promise<void> {
    for (const event of events) if (!this.#stopping.signal.aborted) await this.#attempt(event);
  }

  async #attempt(event: EventRow): Promise<string[]> {
    const { directory, log } = this.#options;
    const hook = directory.hook(event.hook);
    if (!hook) return [];
    try {
      const lines = await this.#post(hook, event);
      directory.removeEvent(event.id);
      return lines;
    } catch (error) {
      const attempts = event.attempts + 1;
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempts - 1, 20));
      directory.putOffEvent(event.id, attempts, this.#now() + pause);
      this.#wake.abort();
      const level = attempts === 1 ? 'debug' : 'warn';
      log[level](
        { hook: hook.id, project: hook.project, attempts, error: messageOf(error) },
        'A webhook was not taken; it is called again.',
      );
      return [];
    }
  }

  /** One POST. @throws unless the receiver answered 2xx in time */
  #post(hook: HookRow, event: EventRow): Promise<string[]> {
    const { timeoutMs, url: instance } = this.#options;
    const url = new URL(hook.url);
    const secure = url.protocol === 'https:';
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(event.body),
      'user-agent': 'DESP-Git-Host',
      'x-gitlab-event': event.kind,
      'x-gitlab-instance': instance,
      'x-gitlab-event-uuid': event.uuid,
      'idempotency-key': event.uuid,
      ...(hook.token === '' ? {} : { 'x-gitlab-token': hook.token }),
    };
    return new Promise((resolve, reject) => {
      const request = (secure ? httpsRequest : httpRequest)(
        url,
        {
          method: 'POST',
          headers,
          signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#cutting.signal]),
          ...(secure ? { rejectUnauthorized: hook.verifyTls } : {}),
        },
        (response) => {
          const pieces: Buffer[] = [];
          let total = 0;
          response.on('error', reject);
          response.on('data', (piece: Buffer) => {
            total += piece.length;
            if (total <= maxAnswerBytes) pieces.push(piece);
            else request.destroy(new Error('the answer is too long'));
          });
          response.on('end', () => {
            const { statusCode = 0 } = response;
            if (statusCode < 200 || statusCode > 299) reject(new Error(`${url.origin} answered ${statusCode}`));
            else resolve(readLines(Buffer.concat(pieces).toString('utf8')));
          });
        },
      );
      request.on('error', reject);
      request.end(event.body);
    });
  }
}

function readLines(text: string): string[] {
  try {
    const answer = Answer.safeParse(JSON.parse(text));
    return answer.success ? answer.data.messages : [];
  } catch {
    return [];
  }
}
