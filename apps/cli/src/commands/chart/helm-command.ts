import { ChartError, type ProfileName } from '@desp/chart';
import { DespError, mask } from '@desp/runtime';
import type { Io } from '../../command.ts';
import { FlagError, type Flags, type FlagTable, parseFlags, refuseFlags } from './flags.ts';

/** What all verbs of `desp chart` share: Helm's way of taking arguments, failing and exiting. */

export type Output = Pick<Io, 'out' | 'err'> & Partial<Pick<Io, 'env' | 'terminal' | 'errorTerminal'>>;

/** A failure in Helm's words: `Error: MESSAGE` on standard error, exit code 1. */
export class HelmError extends Error {
  /** What stands below Helm's words, on standard error too. */
  readonly below: string;

  constructor(message: string, below = '') {
    super(message);
    this.below = below;
  }
}

/** Where Helm tells what a registry did: its third version on standard error. */
export const registryOutput = (helm: ProfileName, io: Output): Output => (helm === 'helm3' ? { out: io.err, err: io.err } : io);

export interface HelmInvocation {
  readonly helm: ProfileName;
  readonly flags: Flags;
  readonly io: Output;
}

export interface HelmVerb {
  readonly flags: FlagTable;
  readonly help: string;
  /** Arguments as Helm counts them, for its message of wrong use. */
  readonly use: { readonly path: string; readonly line: string; readonly least?: number; readonly most?: number };
  /** Flags that other subcommands have, and this one has not. */
  readonly foreign?: (subcommand: string) => readonly string[];
  readonly run: (invocation: HelmInvocation) => Promise<void> | void;
}

const tlsFlags = ['ca-file', 'cert-file', 'key-file'] as const;

/**
 * Runs one verb on what follows it.
 *
 * @param argv without the verb
 * @returns Helm's exit code: 0 or 1
 */
export async function runVerb(verb: HelmVerb, helm: ProfileName, argv: readonly string[], io: Output): Promise<number> {
  try {
    const flags = parseFlags(argv, verb.flags, helm);
    for (const line of flags.notices) io.err(`${line}\n`);
    if (flags.isOn('help')) {
      io.out(verb.help);
      return 0;
    }
    refuseFlags(flags, verb.foreign?.(flags.args[0] ?? '') ?? []);
    countArguments(verb, helm, flags);
    if (tlsFlags.some((name) => flags.has(name))) (await import('./remote/tls-files.ts')).checkTlsFlags(flags, helm);
    await verb.run({ helm, flags, io });
    return 0;
  } catch (error) {
    return reportFailure(error, io);
  }
}

/** Prints a failure as Helm does; what is no failure of a user or of another part is thrown on. */
export function reportFailure(error: unknown, io: Output): number {
  if (!(error instanceof HelmError || error instanceof FlagError || error instanceof DespError || isSystemError(error))) throw error;
  if (error instanceof DespError && error.kind === 'bug') throw error;
  if (error instanceof ChartError) for (const line of error.log) io.err(`${line}\n`);
  io.err(`Error: ${mask(describeFailure(error))}\n`);
  if (error instanceof HelmError && error.below !== '') io.err(mask(error.below));
  return 1;
}

export function describeFailure(error: Error): string {
  if (isSystemError(error)) return `${systemCalls[error.syscall ?? ''] ?? error.syscall} ${error.path ?? ''}: ${systemReason(error)}`;
  return error.message;
}

export const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error;

const systemCalls: Readonly<Record<string, string>> = { scandir: 'open', read: 'read' };

/** The operating system's words for a failure, as Go prints them. */
export const systemReason = (error: NodeJS.ErrnoException): string => systemReasons[error.code ?? ''] ?? error.message;

const systemReasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EEXIST: 'file exists',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
  ELOOP: 'too many levels of symbolic links',
};

function countArguments({ use }: HelmVerb, _helm: ProfileName, { args }: Flags): void {
  const { path, line, least = 0, most = Number.POSITIVE_INFINITY } = use;
  if (args.length >= least && args.length <= most) return;
  const amount = (count: number): string => `${count} argument${count === 1 ? '' : 's'}`;
  const rule =
    least === most
      ? least === 0
        ? 'accepts no arguments'
        : `requires ${amount(least)}`
      : args.length < least
        ? `requires at least ${amount(least)}`
        : `accepts at most ${amount(most)}`;
  throw new HelmError(`"helm ${path}" ${rule}\n\nUsage:  helm ${line}`);
}

/** Splits what stands behind `desp chart` into the version of Helm, the verb and the rest. */
export function takeVerb(
  argv: readonly string[],
  takesValue: (word: string) => boolean,
): { helm: ProfileName; verb: string | undefined; rest: string[] } {
  const rest: string[] = [];
  let helm: ProfileName = 'helm4';
  let verb: string | undefined;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    const version = word === '--helm' ? argv[++at] : word.startsWith('--helm=') ? word.slice('--helm='.length) : undefined;
    if (word === '--helm' || version !== undefined) {
      if (version !== '3' && version !== '4') throw new HelmError(`--helm takes 3 or 4, not ${JSON.stringify(version ?? '')}`);
      helm = `helm${version}`;
    } else if (verb === undefined && !word.startsWith('-')) verb = word;
    else {
      rest.push(word);
      // Before the verb, a flag's value must not be taken for it.
      if (verb === undefined && takesValue(word) && at + 1 < argv.length) rest.push(argv[++at] as string);
    }
  }
  return { helm, verb, rest };
}
