import type { Readable } from 'node:stream';
import type { Digest } from '@desp/model';

/** What the control plane asks of the container engine: confined builds and confined jobs. */
export interface Builder {
  /** Builds and pushes to `target` in quarantine. Throws with a sentence for the log when the build fails. */
  build(request: BuildRequest): Promise<{ digest: Digest }>;
  /** Runs a job's script to its end. */
  run(request: RunRequest): Promise<{ exitCode: number; reason: string }>;
}

export interface BuildRequest {
  /** Letters, digits and dashes; a former build of this id is cleared away. */
  readonly id: string;
  /** A tar of the repository at the commit. */
  readonly context: Readable;
  readonly folder: string;
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target: { readonly repository: string; readonly tag: string };
  readonly onLog: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface RunRequest {
  readonly id: string;
  readonly project: string;
  readonly before: readonly string[];
  readonly script: readonly string[];
  readonly after: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  /** A tar of the repository at the commit. */
  readonly source: Readable;
  readonly socket: string;
  readonly timeoutSeconds: number;
  readonly onLog: (text: string) => void;
  readonly signal: AbortSignal;
}
