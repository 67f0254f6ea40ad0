import type { Readable, Writable } from 'node:stream';
import type { ExecRequest, LogRequest, NodeAccess } from '../node-access.ts';
import { openLog } from './container-log.ts';
import type { Engine } from './engine.ts';
import { NodeError } from './errors.ts';
import { frameSplitter } from './frames.ts';
import { attemptsOf, clusterLabel, podLabel } from './labels.ts';

/** Logs and commands for the API server, by the engine's API; people's commands are few, so what they leave behind is bounded. */
export function createNodeAccess(engine: Engine, cluster: string): NodeAccess {
  async function find({ namespace, pod, container }: Pick<LogRequest, 'namespace' | 'pod' | 'container'>) {
    const containers = await engine.list({ [clusterLabel]: cluster, [podLabel]: `${namespace}/${pod}` });
    return attemptsOf(containers, container);
  }

  return {
    async logs(request: LogRequest): Promise<Readable> {
      const [latest, previous] = await find(request);
      const wanted = request.previous ? previous : latest;
      if (wanted === undefined) {
        const which = request.previous ? 'previous terminated container' : 'container';
        throw new NodeError('NOT_RUNNING', `${which} "${request.container}" in pod "${request.pod}" not found`);
      }
      return openLog(engine, wanted, request);
    },

    async exec(request: ExecRequest): Promise<number> {
      const [latest] = await find(request);
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
        else {
          const split = frameSplitter();
          const [out, err] = [to(request.stdout), to(request.stderr)];
          stream.on('data', (chunk: Buffer) => {
            for (const { isError, data } of split(chunk)) (isError ? err : out)(data);
          });
        }
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
  } catch {
    // The command ended while its window changed.
  }
}
