import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogRequest } from '../node-access.ts';
import { openLog, startOfLast } from './container-log.ts';
import type { Engine, EngineContainer } from './engine.ts';
import { frameSplitter } from './frames.ts';

const frame = (stream: number, data: string): Buffer => {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(Buffer.byteLength(data), 4);
  return Buffer.concat([head, Buffer.from(data)]);
};

test('the engine’s frames are split however they arrive', () => {
  const bytes = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, ''), frame(1, 'put')]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }), (cuts) => {
      const split = frameSplitter();
      let offset = 0;
      const frames = [...cuts, bytes.length].flatMap((cut) => {
        offset += cut;
        return split(bytes.subarray(offset - cut, offset));
      });
      expect(frames.map(({ isError, data }) => `${isError ? 'err' : 'out'}:${data}`)).toEqual(['out:out', 'err:err', 'out:', 'out:put']);
    }),
    { numRuns: 50 },
  );
});

test('the last lines of a text begin where its lines say', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '\n') }), fc.nat(6), (all, count) => {
      const lines = all.match(/[^\n]*\n|[^\n]+/g) ?? [];
      const last = count === 0 ? '' : lines.slice(-count).join('');
      expect(all.slice(startOfLast(count, Buffer.from(all)))).toBe(last);
    }),
    { numRuns: 200 },
  );
});

describe('a log', () => {
  const request = (more: Partial<LogRequest> = {}): LogRequest => ({
    namespace: 'n',
    pod: 'p',
    container: 'c',
    follow: true,
    previous: false,
    timestamps: false,
    signal: new AbortController().signal,
    ...more,
  });
  const container = { id: 'c1', state: 'running', tty: false } as EngineContainer;

  /**
   * A container that is being stopped: the engine gives what there is and no more, followed or not.
   *
   * @param said what the container had said before each look at it; with the last one it has ended
   */
  function stopping(...said: string[]): Pick<Engine, 'logs' | 'inspect'> {
    let looks = 0;
    return {
      logs: async (_id, { tail }) => {
        const all = said.slice(0, looks + 1).join('');
        const stream = new PassThrough();
        for (const line of all.slice(tail === undefined ? 0 : startOfLast(tail, Buffer.from(all))).match(/.*\n/g) ?? [])
          stream.write(frame(1, line));
        stream.end();
        return stream;
      },
      inspect: async () => ({ ...container, state: ++looks < said.length - 1 ? 'running' : 'exited' }),
    };
  }

  test.each<[string, Partial<LogRequest>, string]>([
    ['all', {}, 'one\ntwo\nthree\nlast words\n'],
    ['from the last line that there was', { tailLines: 1 }, 'two\nthree\nlast words\n'],
    ['from now on', { tailLines: 0 }, 'three\nlast words\n'],
    ['from more lines than there are', { tailLines: 9 }, 'one\ntwo\nthree\nlast words\n'],
    ['as many bytes as are wanted', { tailLines: 1, limitBytes: 7 }, 'two\nthr'],
    ['only what there is, where nobody follows', { follow: false, tailLines: 1 }, 'two\n'],
  ])('of a container that is being stopped is followed to its last words: %s', async (_what, more, expected) => {
    const log = await openLog(stopping('one\ntwo\n', 'three\n', 'last words\n'), container, request(more));
    expect(await text(log)).toBe(expected);
  });

  test.each(['the reader goes', 'the request ends'])('lets the engine go when %s', async (how) => {
    const source = new PassThrough();
    source.write(frame(1, 'one\n'));
    const stop = new AbortController();
    const engine = { logs: async () => source, inspect: async () => container };
    const log = await openLog(engine, container, request({ signal: stop.signal }));
    expect(String((await log[Symbol.asyncIterator]().next()).value)).toBe('one\n');
    if (how === 'the reader goes') log.destroy();
    else stop.abort();
    await expect.poll(() => source.destroyed).toBe(true);
  });

  test('is read no faster than it is taken', async () => {
    const source = new PassThrough();
    let sent = 0;
    const send = (): void => {
      while (sent < 1000 && source.write(frame(1, 'x'.repeat(10_000)))) sent++;
    };
    source.on('drain', send);
    send();
    const log = await openLog({ logs: async () => source, inspect: async () => undefined }, container, request());
    await expect.poll(() => log.readableLength).toBeGreaterThan(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBeLessThan(100);
    log.destroy();
  });
});
