import { addAbortSignal, PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { LogRequest } from '../node-access.ts';
import type { Engine, EngineContainer } from './engine.ts';
import { frameSplitter } from './frames.ts';

/** Milliseconds between two looks at the log of a container that is being stopped. */
const stoppingPause = 100;

/**
 * A container's log, read no faster than it is taken.
 *
 * The engine ends a followed log early when the container is being stopped, which then still has its last words. So it
 * is asked again until the container has ended, and what it tells twice is left out: it always tells all from the
 * first byte on.
 *
 * @throws NodeError when the engine refuses; a failure after that ends the stream
 */
export async function openLog(
  engine: Pick<Engine, 'logs' | 'inspect'>,
  container: Pick<EngineContainer, 'id' | 'state' | 'tty'>,
  request: LogRequest,
): Promise<Readable> {
  const { timestamps, tailLines, sinceSeconds, limitBytes = Number.POSITIVE_INFINITY } = request;
  const since = sinceSeconds === undefined ? undefined : Math.floor(Date.now() / 1000) - sinceSeconds;
  const closed = new AbortController();
  const signal = AbortSignal.any([request.signal, closed.signal]);
  const ask = async (follow: boolean, tail?: number): Promise<AsyncIterable<Buffer>> => {
    const source = addAbortSignal(signal, await engine.logs(container.id, { follow, timestamps, tail, since }, signal));
    return container.tty ? source : payloads(source);
  };
  const isFollowed = request.follow && container.state === 'running';
  // Whose last lines these are is settled once: each time the engine is asked it would count from another end.
  let given = isFollowed && tailLines !== undefined ? startOfLast(tailLines, await textOf(await ask(false))) : 0;
  const first = await ask(isFollowed, isFollowed ? undefined : tailLines);

  async function* parts(): AsyncGenerator<Buffer> {
    let isRunning = isFollowed;
    for (let source = first; ; source = await ask(isRunning)) {
      let at = 0;
      for await (const part of source) {
        const fresh = part.subarray(Math.max(0, given - at));
        at += part.length;
        given = Math.max(given, at);
        if (fresh.length > 0) yield fresh;
      }
      if (!isRunning) return;
      await pause(stoppingPause, undefined, { signal });
      const now = await engine.inspect(container.id);
      if (now === undefined) return;
      isRunning = now.state === 'running';
    }
  }

  async function* log(): AsyncGenerator<Buffer> {
    let left = limitBytes;
    try {
      for await (const part of parts()) {
        yield part.subarray(0, left);
        left -= part.length;
        if (left <= 0) return;
      }
    } catch {
      // The reader has gone, or the engine: there is no more to give.
    }
  }

  const output = new PassThrough().once('close', () => closed.abort());
  pipeline(log(), output).catch(() => {});
  return output;
}

async function* payloads(source: Readable): AsyncGenerator<Buffer> {
  const split = frameSplitter();
  for await (const chunk of source as AsyncIterable<Buffer>) for (const { data } of split(chunk)) yield data;
}

/** Logs are kept small (`logBytes`). */
async function textOf(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(parts));
}

/** The byte at which the last lines of a text begin. */
export function startOfLast(lines: number, text: Buffer): number {
  const newline = 10;
  let start = text.length;
  for (let left = lines; left > 0 && start > 0; left--) start = start < 2 ? 0 : text.lastIndexOf(newline, start - 2) + 1;
  return start;
}
