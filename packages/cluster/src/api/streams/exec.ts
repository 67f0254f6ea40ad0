import type { Readable, Writable } from 'node:stream';
import { messageOf } from '@desp/runtime';
import type { NodeAccess } from '../../node-access.ts';
import type { Status } from '../errors.ts';
import { fromNodeError } from '../http/pod-handler.ts';

/** The streams of one exec, whichever protocol carries them. */
export interface Channels {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly resize?: AsyncIterable<{ width: number; height: number }>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Tells how it ended and closes the connection, after all output. */
  finish(status: Status): Promise<void>;
}

/** Which channels a client asked for. */
export interface WantedChannels {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface ExecTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly tty: boolean;
}

/** Runs the command on the node and reports its exit code as the real server does. */
export async function runExec(node: NodeAccess, channels: Channels, target: ExecTarget, closing: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([channels.signal, closing]);
  let status: Status;
  try {
    const { stdin, stdout, stderr, resize } = channels;
    const code = await node.exec({
      ...target,
      ...(stdin === undefined ? {} : { stdin }),
      ...(stdout === undefined ? {} : { stdout }),
      ...(stderr === undefined ? {} : { stderr }),
      ...(resize === undefined ? {} : { resize }),
      signal,
    });
    status = code === 0 ? { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 200 } : exitStatus(code);
  } catch (error) {
    status = { ...fromNodeError(error).toStatus(), message: messageOf(error) };
  }
  await channels.finish(status);
}

const exitStatus = (code: number): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  reason: 'NonZeroExitCode',
  message: `command terminated with non-zero exit code: exit status ${code}`,
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  code: 500,
});

/** Ends an output and waits until all of it is on its way, so that the status comes after it. */
export function flushed(output: Writable | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (output === undefined || output.writableFinished || output.destroyed) return resolve();
    output.once('finish', resolve);
    output.once('close', resolve);
    output.once('error', () => resolve());
    output.end();
  });
}

const maxWaiting = 64;

/** Terminal sizes from a channel of JSON texts (`{"Width":80,"Height":24}`); what is no size is left out. */
export class ResizeQueue implements AsyncIterable<{ width: number; height: number }> {
  #waiting: { width: number; height: number }[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(text: string): void {
    let size: { Width?: unknown; Height?: unknown };
    try {
      size = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    } catch {
      return;
    }
    const { Width: width, Height: height } = size ?? {};
    if (!Number.isInteger(width) || !Number.isInteger(height) || (width as number) <= 0 || (height as number) <= 0) return;
    if (this.#waiting.length >= maxWaiting) this.#waiting.shift();
    this.#waiting.push({ width: width as number, height: height as number });
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<{ width: number; height: number }> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
