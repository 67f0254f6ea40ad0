/** Flags as Helm's command line library (pflag) reads them: `--name value`, `--name=value`, `-n value`, `-nvalue`. */

import type { ProfileName } from '@desp/chart';
import { readCsvRecord } from './csv.ts';
import * as values from './flag-values.ts';

export type FlagKind = 'bool' | 'text' | 'texts' | 'list';

/** Looks at a value; gives what there is to say of it. */
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
  /** What is said on standard error when it is given. */
  readonly says?: ReadFlag;
}

export type FlagTable = Readonly<Record<string, FlagDefinition>>;

/** A wrong use of flags; the message is pflag's. */
export class FlagError extends Error {}

export class Flags {
  readonly #values = new Map<string, string[]>();
  readonly args: string[] = [];
  /** What there is to say of flags that were given; of wrong ones only that they are wrong. */
  readonly notices: string[] = [];

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
    return this.texts(name).flatMap((text) => {
      const record = readCsvRecord(text);
      return 'fields' in record ? record.fields : [];
    });
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
export const parseFlags = (argv: readonly string[], table: FlagTable, helm: ProfileName): Flags => new Reader(argv, table, helm).read();

class Reader {
  readonly #argv: readonly string[];
  readonly #helm: ProfileName;
  readonly #table: ReadonlyMap<string, FlagDefinition>;
  /** Names by their letters. */
  readonly #shorts: ReadonlyMap<string, string>;
  readonly #flags = new Flags();
  #at = 0;

  constructor(argv: readonly string[], table: FlagTable, helm: ProfileName) {
    const known = Object.entries(table).filter(([, { only }]) => only === undefined || only === helm);
    this.#argv = argv;
    this.#helm = helm;
    this.#table = new Map(known);
    this.#shorts = new Map(known.flatMap(([name, { short }]) => (short ? [[short, name] as const] : [])));
  }

  read(): Flags {
    while (this.#at < this.#argv.length) {
      const word = this.#argv[this.#at++] as string;
      if (word === '--') {
        this.#flags.args.push(...this.#argv.slice(this.#at));
        break;
      }
      if (word.startsWith('--')) this.#long(word);
      else if (word.startsWith('-') && word.length > 1) this.#short(word);
      else this.#flags.args.push(word);
    }
    return this.#flags;
  }

  #next(shown: string): string {
    const value = this.#argv[this.#at++];
    if (value === undefined) throw new FlagError(`flag needs an argument: ${shown}`);
    return value;
  }

  #long(word: string): void {
    if (/^--[-=]/.test(word)) throw new FlagError(`bad flag syntax: ${word}`);
    const equals = word.indexOf('=');
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const definition = this.#table.get(name);
    if (!definition) throw new FlagError(`unknown flag: --${name}`);
    const { kind, alone } = definition;
    this.#add(name, definition, equals >= 0 ? word.slice(equals + 1) : kind === 'bool' ? 'true' : (alone ?? this.#next(`--${name}`)));
  }

  /** Letters one after the other: those before the last stand without a value. */
  #short(word: string): void {
    for (let letters = word.slice(1); letters !== ''; letters = letters.slice(1)) {
      const letter = letters[0] as string;
      const name = this.#shorts.get(letter) ?? '';
      const definition = this.#table.get(name);
      if (!definition) throw new FlagError(`unknown shorthand flag: '${letter}' in -${letters}`);
      const rest = letters.slice(1);
      const isGiven = rest.length > 1 && rest.startsWith('=');
      if (definition.kind === 'bool' && !isGiven) {
        this.#add(name, definition, 'true');
        continue;
      }
      this.#add(name, definition, isGiven ? rest.slice(1) : rest === '' ? this.#next(`'${letter}' in -${letters}`) : rest);
      return;
    }
  }

  #add(name: string, { kind, short, reads, says }: FlagDefinition, value: string): void {
    const problem = (reads ?? readers[kind])?.(value, this.#helm);
    if (problem !== undefined) {
      const shown = `${short ? `-${short}, ` : ''}--${name}`;
      throw new FlagError(`invalid argument ${JSON.stringify(value)} for "${shown}" flag: ${problem}`);
    }
    const line = says?.(value, this.#helm);
    if (line !== undefined) this.#flags.notices.push(line);
    this.#flags.add(name, value);
  }
}

/** How values of a kind are looked at that have no other way. */
const readers: Readonly<Partial<Record<FlagKind, ReadFlag>>> = { bool: values.bool, list: values.list };
