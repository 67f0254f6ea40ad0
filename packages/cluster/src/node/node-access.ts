import { PassThrough, type Readable, type Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '@desp/runtime';
import type { ExecRequest, LogRequest, NodeAccess } from '../node-access.ts';
import type { Engine, EngineContainer } from './engine.ts';
import { NodeError } from './errors.ts';
import { attemptsOf, clusterLabel, podLabel } from './labels.ts';

/** Milliseconds between two looks at the log of a container that is being stopped. */
const stoppingPause = 100;

/** Logs and commands for the API server, by the engine's API; people's commands are few, so what they leave behind is bounded. */
export function createNodeAccess(engine: Engine, cluster: string): NodeAccess {
  async function find(namespace: string, pod: string, container: string): Promise<EngineContainer[]> {
    const containers = await engine.list({ [clusterLabel]: cluster, [podLabel]: `${namespace}/${pod}` });
    return attemptsOf(containers, container);
  }

  return {
    async logs(request: LogRequest): Promise<Readable> {
      const [latest, previous] = await find(request.namespace, request.pod, request.container);
      const wanted = request.previous ? previous : latest;
      if (wanted === undefined) {
        const which = request.previous ? 'previous terminated container' : 'container';
        throw new NodeError('NOT_RUNNING', `${which} "${request.container}" in pod "${request.pod}" not found`);
      }
      const since = request.sinceSeconds === undefined ? undefined : Math.floor(Date.now() / 1000) - request.sinceSeconds;
      const output = new PassThrough();
      const limited = limit(output, request.limitBytes);
      const open = (follow: boolean): Promise<Readable> =>
        engine.logs(wanted.id, { follow, timestamps: request.timestamps, tail: request.tailLines, since }, request.signal);
      let delivered = 0;
      /** Gives what the engine tells, but for what was given before. */
      const give = async (source: Readable): Promise<void> => {
        const take = after(delivered, (chunk) => {
          delivered += chunk.length;
          limited(chunk);
        });
        await new Promise<void>((resolve) => {
          const stop = () => void source.destroy();
          request.signal.addEventListener('abort', stop, { once: true });
          output.once('close', stop);
          for (const event of ['end', 'close', 'error']) {
            source.on(event, () => {
              request.signal.removeEventListener('abort', stop);
              output.off('close', stop);
              resolve();
            });
          }
          if (wanted.tty) source.on('data', take);
          else demultiplex(source, take, take);
        });
      };
      const isOver = (): boolean => request.signal.aborted || output.destroyed || output.writableEnded;
      const giveAll = async (source: Readable): Promise<void> => {
        let isRunning = wanted.state === 'running';
        await give(source);
        // The engine gives no more than there is of a container that is being stopped, which still has its last words.
        while (request.follow && request.tailLines === undefined && isRunning && !isOver()) {
          await pause(stoppingPause);
          const [now] = (await find(request.namespace, request.pod, request.container)).filter(({ id }) => id === wanted.id);
          if (now === undefined || isOver()) break;
          isRunning = now.state === 'running';
          await give(await open(isRunning));
        }
      };
      giveAll(await open(request.follow && wanted.state === 'running'))
        .catch(() => {})
        .finally(() => output.end());
      return output;
    },

    async exec(request: ExecRequest): Promise<number> {
      const [latest] = await find(request.namespace, request.pod, request.container);
      if (latest?.state !== 'running') throw new NodeError('NOT_RUNNING', `container not found ("${request.container}")`);
      const exec = await engine.exec(latest.id, { command: [...request.command], tty: request.tty, stdin: request.stdin !== undefined });
      const { stream } = exec;
      request.signal.addEventListener('abort', () => stream.destroy(), { once: true });
      request.stdin?.on('data', (chunk: Buffer) => stream.write(chunk));
      request.stdin?.on('end', () => stream.end());
      if (request.resize !== undefined) followSize(request.resize, exec.resize);
      await new Promise<void>((resolve) => {
        const to = (target: Writable | undefined) => (chunk: Buffer) => void target?.write(chunk);
        stream.on('close', resolve);
        stream.on('error', () => resolve());
        stream.on('end', resolve);
        if (request.tty) stream.on('data', to(request.stdout));
        else demultiplex(stream, to(request.stdout), to(request.stderr));
      });
      return exec.exitCode();
    },
  };
}

async function followSize(
  sizes: AsyncIterable<{ width: number; height: number }>,
  resize: (size: { width: number; height: number }) => Promise<void>,
) {
  try {
    for await (const size of sizes) await resize(size);
  } catch (error) {
    // The command ended while its window changed.
    void messageOf(error);
  }
}

/** Splits the engine's frames (one byte of stream, three of nothing, four of length) into standard output and error. */
export function demultiplex(source: Readable, stdout: (chunk: Buffer) => void, stderr: (chunk: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  source.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 8) {
      const length = rest.readUInt32BE(4);
      if (rest.length < 8 + length) return;
      (rest[0] === 2 ? stderr : stdout)(rest.subarray(8, 8 + length));
      rest = rest.subarray(8 + length);
    }
  });
}

/** Leaves out what was given before. */
function after(bytes: number, take: (chunk: Buffer) => void): (chunk: Buffer) => void {
  let known = bytes;
  return (chunk) => {
    const old = Math.min(known, chunk.length);
    known -= old;
    if (old < chunk.length) take(chunk.subarray(old));
  };
}

function limit(output: PassThrough, bytes: number | undefined): (chunk: Buffer) => void {
  let left = bytes ?? Number.POSITIVE_INFINITY;
  return (chunk) => {
    if (left <= 0 || output.writableEnded) return;
    output.write(chunk.subarray(0, Math.min(chunk.length, left)));
    left -= chunk.length;
    if (left <= 0) output.end();
  };
}
