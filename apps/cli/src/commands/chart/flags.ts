/** Flags as Helm's command line library (pflag) reads them: `--name value`, `--name=value`, `-n value`, `-nvalue`. */

export type FlagKind = 'bool' | 'text' | 'texts' | 'list';

export interface FlagDefinition {
  readonly kind: FlagKind;
  /** What the flag alone means where it may stand without a value; a value then needs `=`. */
  readonly alone?: string;
  /** One letter. */
  readonly short?: string;
  /** Said on standard error when the flag is used. */
  readonly deprecated?: string;
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

/** @throws FlagError */
export function parseFlags(argv: readonly string[], table: FlagTable): Flags {
  const flags = new Flags();
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
    if (word.startsWith('--')) long(word, table, flags, next);
    else if (word.startsWith('-') && word.length > 1) short(word, table, shorts, flags, next);
    else flags.args.push(word);
  }
  return flags;
}

type Next = (shown: string) => string;

function long(word: string, table: FlagTable, flags: Flags, next: Next): void {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const definition = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!definition) throw new FlagError(`unknown flag: --${name}`);
  if (equals >= 0) flags.add(name, checked(name, definition, word.slice(equals + 1)));
  else flags.add(name, definition.kind === 'bool' ? 'true' : (definition.alone ?? next(`--${name}`)));
}

function short(word: string, table: FlagTable, shorts: ReadonlyMap<string, string>, flags: Flags, next: Next): void {
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
    if (rest.startsWith('=')) flags.add(name, checked(name, definition, rest.slice(1)));
    else flags.add(name, rest === '' ? next(`'${letter}' in ${word}`) : rest);
    return;
  }
}

function checked(name: string, definition: FlagDefinition, value: string): string {
  if (definition.kind === 'bool' && !/^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(value)) {
    throw new FlagError(`invalid argument "${value}" for "--${name}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`);
  }
  return value;
}
