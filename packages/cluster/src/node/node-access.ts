import { PassThrough, type Readable, type Writable } from 'node:stream';
import { messageOf } from '@desp/runtime';
import type { ExecRequest, LogRequest, NodeAccess } from '../node-access.ts';
import type { Engine, EngineContainer } from './engine.ts';
import { NodeError } from './errors.ts';
import { attemptsOf, clusterLabel, podLabel } from './labels.ts';

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
      const follow = request.follow && wanted.state === 'running';
      const source = await engine.logs(
        wanted.id,
        { follow, timestamps: request.timestamps, tail: request.tailLines, since },
        request.signal,
      );
      const output = new PassThrough();
      const limited = limit(output, request.limitBytes);
      const stop = () => {
        source.destroy();
        output.end();
      };
      request.signal.addEventListener('abort', stop, { once: true });
      output.on('close', () => source.destroy());
      source.on('error', () => output.end());
      source.on('close', () => output.end());
      if (wanted.tty) {
        source.on('data', (chunk: Buffer) => limited(chunk));
        source.on('end', () => output.end());
      } else demultiplex(source, limited, limited, () => output.end());
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
        if (request.tty) {
          stream.on('data', to(request.stdout));
          stream.on('end', resolve);
        } else demultiplex(stream, to(request.stdout), to(request.stderr), resolve);
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
export function demultiplex(source: Readable, stdout: (chunk: Buffer) => void, stderr: (chunk: Buffer) => void, onEnd: () => void): void {
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
  source.on('end', onEnd);
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
