import type { Readable, Writable } from 'node:stream';

/**
 * What the API server asks of a node, as the real one asks a kubelet: logs and commands of a container.
 * The API server knows nothing of container engines; a cluster without a node has none and answers 501.
 */
export interface NodeAccess {
  /** The container's log, oldest first; the stream ends when the log does, or never with `follow` until `signal` aborts. */
  logs(request: LogRequest): Promise<Readable>;
  /** Runs a command in the container and resolves with its exit code once all its output was written. */
  exec(request: ExecRequest): Promise<number>;
}

export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly limitBytes?: number;
  readonly signal: AbortSignal;
}

export interface ExecRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Terminal sizes as they change; only with `tty`. */
  readonly resize?: AsyncIterable<{ width: number; height: number }>;
  readonly signal: AbortSignal;
}
