/** Flags as Helm's command line library (pflag) reads them: `--name value`, `--name=value`, `-n value`, `-nvalue`. */

import type { ProfileName } from '@desp/chart';
import * as values from './flag-values.ts';

export type FlagKind = 'bool' | 'text' | 'texts' | 'list';

/** Looks at a value; gives what is wrong with it. */
export type ReadFlag = (value: string, helm: ProfileName) => string | undefined;

export interface FlagDefinition {
  readonly kind: FlagKind;
  /** What the flag alone means where it may stand without a value; a value then needs `=`. */
  readonly alone?: string;
  /** One letter. */
  readonly short?: string;
  /** The one Helm that has it; the other calls it unknown. */
  readonly only?: ProfileName;
  readonly reads?: ReadFlag;
}

export type FlagTable = Readonly<Record<string, FlagDefinition>>;

/** A wrong use of flags; the message is pflag's. */
export class FlagError extends Error {}

export class Flags {
  readonly #values = new Map<string, string[]>();
  readonly args: string[] = [];

  add(name: string, value: string): void {
    const known = this.#values.get(name);
    if (known) known.push(value);
    else this.#values.set(name, [value]);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  isOn(name: string): boolean {
    return /^(1|t|T|true|TRUE|True)$/.test(this.text(name) ?? '');
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  texts(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Values with commas between them. */
  list(name: string): readonly string[] {
    return this.texts(name).flatMap((text) => (text === '' ? [] : text.split(',')));
  }

  names(): string[] {
    return [...this.#values.keys()];
  }
}

/** Refuses flags that are another subcommand's. @throws FlagError for the first that was given */
export function refuseFlags(flags: Flags, names: readonly string[]): void {
  const unknown = flags.names().find((name) => names.includes(name));
  if (unknown !== undefined) throw new FlagError(`unknown flag: --${unknown}`);
}

/** @throws FlagError */
export function parseFlags(argv: readonly string[], all: FlagTable, helm: ProfileName): Flags {
  const flags = new Flags();
  const table = Object.fromEntries(Object.entries(all).filter(([, { only }]) => only === undefined || only === helm));
  const shorts = new Map(Object.entries(table).flatMap(([name, { short }]) => (short ? [[short, name] as const] : [])));
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    const next = (shown: string): string => {
      const value = argv[++i];
      if (value === undefined) throw new FlagError(`flag needs an argument: ${shown}`);
      return value;
    };
    if (word === '--') {
      flags.args.push(...argv.slice(i + 1));
      break;
    }
    if (word.startsWith('--')) long(word, table, helm, flags, next);
    else if (word.startsWith('-') && word.length > 1) short(word, table, helm, shorts, flags, next);
    else flags.args.push(word);
  }
  return flags;
}

type Next = (shown: string) => string;

function long(word: string, table: FlagTable, helm: ProfileName, flags: Flags, next: Next): void {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const definition = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!definition) throw new FlagError(`unknown flag: --${name}`);
  const value = equals >= 0 ? word.slice(equals + 1) : definition.kind === 'bool' ? 'true' : (definition.alone ?? next(`--${name}`));
  flags.add(name, checked(name, definition, helm, value));
}

function short(word: string, table: FlagTable, helm: ProfileName, shorts: ReadonlyMap<string, string>, flags: Flags, next: Next): void {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at] as string;
    const name = shorts.get(letter);
    const definition = name === undefined ? undefined : table[name];
    if (name === undefined || !definition) throw new FlagError(`unknown shorthand flag: '${letter}' in ${word}`);
    const rest = word.slice(at + 1);
    if (definition.kind === 'bool' && !rest.startsWith('=')) {
      flags.add(name, 'true');
      continue;
    }
    const value = rest.startsWith('=') ? rest.slice(1) : rest === '' ? next(`'${letter}' in ${word}`) : rest;
    flags.add(name, checked(name, definition, helm, value));
    return;
  }
}

function checked(name: string, { kind, short, reads }: FlagDefinition, helm: ProfileName, value: string): string {
  const problem = (reads ?? (kind === 'bool' ? values.bool : undefined))?.(value, helm);
  if (problem === undefined) return value;
  const shown = `${short ? `-${short}, ` : ''}--${name}`;
  throw new FlagError(`invalid argument ${JSON.stringify(value)} for "${shown}" flag: ${problem}`);
}
