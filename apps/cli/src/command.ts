import type { ParseArgsOptionDescriptor } from 'node:util';

/**
 * A command is data plus one function. To add one: a file `commands/<noun>/<verb>.ts` that exports `command`, and its line
 * in `commands/index.ts`. Help, `--json` and wrong use are done here, the same for all.
 */
export const exitCodes = { done: 0, no: 1, usage: 2, broken: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Where a command reads and writes; a test gives its own. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly terminal: boolean;
  /** Standard error is a terminal: what is said there is read by a person. */
  readonly errorTerminal?: boolean;
}

export interface OptionSpec extends ParseArgsOptionDescriptor {
  readonly help: string;
  /** What stands for the value in help, as `FILE`. */
  readonly value?: string;
}

export interface Invocation {
  readonly positionals: readonly string[];
  /** Values of string options; a repeated one keeps its last. */
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly flags: Readonly<Record<string, boolean | undefined>>;
  readonly io: Io;
}

export interface Command {
  /** As typed, without `desp`: `release verify`. */
  readonly name: string;
  readonly summary: string;
  /** Positionals in order; `[X]` may be left out, `X…` takes the rest. */
  readonly arguments: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly example: string;
  /** What else the reader should know. */
  readonly notes?: string;
  readonly run: (invocation: Invocation) => Promise<ExitCode>;
}

/** A command that reads its own arguments, because they are another tool's. */
export interface RawCommand {
  readonly name: string;
  readonly summary: string;
  readonly runRaw: (argv: readonly string[], io: Io) => Promise<number>;
}
