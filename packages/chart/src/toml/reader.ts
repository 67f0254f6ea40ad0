import { parseTime } from '../time/parse-time.ts';
import { utc } from '../time/zone.ts';
import { GoInt, type Value, type ValueMap } from '../value/kinds.ts';
import { quote } from '../value/text.ts';
import { TomlError } from './writer.ts';

/** Reads TOML 1.0 into maps: integers are int64, dates times. @throws TomlError */
export function readToml(text: string): ValueMap {
  return new Reader(text).document();
}

const maxDepth = 500;

class Reader {
  readonly #text: string;
  #at = 0;
  #lastKey = '';
  /** The table around, as messages name it. */
  #context: readonly string[] = [];
  #depth = 0;
  /** Tables that a header or an inline form has closed. */
  readonly #defined = new Set<Value>();
  readonly #lists = new Set<Value>();

  constructor(text: string) {
    this.#text = text.replaceAll('\r\n', '\n');
  }

  document(): ValueMap {
    const root: ValueMap = new Map();
    let table = root;
    for (;;) {
      this.#blank(true);
      const character = this.#text[this.#at];
      if (character === undefined) return root;
      if (character === '[') table = this.#header(root);
      else {
        this.#pair(table);
        this.#lastKey = this.#context.join('.');
      }
      this.#endOfLine();
    }
  }

  #fail(problem: string): never {
    const lines = this.#text.slice(0, this.#at).split('\n');
    // What is missed at the end is missed on the last line, not on the empty one behind it.
    const line = lines.length - (this.#at >= this.#text.length && this.#text.endsWith('\n') ? 1 : 0);
    throw new TomlError(`toml: line ${line}${this.#lastKey === '' ? '' : ` (last key ${JSON.stringify(this.#lastKey)})`}: ${problem}`);
  }

  /** Over white space and comments, and over line breaks where allowed. */
  #blank(breaks: boolean): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === ' ' || character === '\t' || (breaks && character === '\n')) this.#at++;
      else if (character === '#') {
        const end = this.#text.indexOf('\n', this.#at);
        this.#at = end < 0 ? this.#text.length : end;
      } else return;
    }
  }

  #endOfLine(): void {
    this.#blank(false);
    const character = this.#text[this.#at];
    if (character !== undefined && character !== '\n') {
      this.#fail(`expected a top-level item to end with a newline, comment, or EOF, but got ${describe(character)} instead`);
    }
  }

  #header(root: ValueMap): ValueMap {
    const isList = this.#text.startsWith('[[', this.#at);
    this.#at += isList ? 2 : 1;
    const path = this.#path(']');
    const end = this.#text[this.#at++];
    if (end !== ']') this.#fail(`expected '.' or ']' to end table name, but got ${describe(end)} instead`);
    if (isList && this.#text[this.#at++] !== ']')
      this.#fail(`expected end of table array name delimiter ']', but got ${describe(this.#text[this.#at - 1])} instead`);
    const above = path.slice(0, -1);
    this.#lastKey = above.join('.');
    const parent = this.#descend(root, above, true);
    this.#context = path;
    const name = path.at(-1) as string;
    const current = parent.get(name);
    if (isList) {
      const list = current ?? [];
      if (!Array.isArray(list) || (current !== undefined && !this.#lists.has(list)))
        this.#fail(`Key '${path.join('.')}' was already created and cannot be used as an array.`);
      this.#lists.add(list);
      const table: ValueMap = new Map();
      list.push(table);
      parent.set(name, list);
      this.#lastKey = path.join('.');
      return table;
    }
    if (current === undefined) {
      this.#lastKey = path.join('.');
      const table: ValueMap = new Map();
      parent.set(name, table);
      this.#defined.add(table);
      return table;
    }
    if (!(current instanceof Map) || this.#defined.has(current)) this.#fail(`Key '${path.join('.')}' has already been defined.`);
    this.#defined.add(current);
    this.#lastKey = path.join('.');
    return current as ValueMap;
  }

  /** Goes down a path, making tables; a list of tables stands for its last one. */
  #descend(from: ValueMap, path: readonly string[], throughDefined: boolean): ValueMap {
    let table = from;
    for (const name of path) {
      let next = table.get(name);
      if (Array.isArray(next) && this.#lists.has(next)) next = next.at(-1);
      if (next === undefined) {
        next = new Map();
        table.set(name, next);
      }
      if (!(next instanceof Map) || (!throughDefined && this.#defined.has(next)))
        this.#fail(`Key '${path.join('.')}' has already been defined.`);
      table = next as ValueMap;
    }
    return table;
  }

  #path(stop: '=' | ']'): string[] {
    const path: string[] = [];
    for (;;) {
      this.#blank(false);
      path.push(stop === '=' ? this.#keyName(path.length === 0) : this.#tableName());
      this.#blank(false);
      if (this.#text[this.#at] !== '.') return path;
      this.#at++;
    }
  }

  #keyName(isFirst: boolean): string {
    const character = this.#text[this.#at];
    if (character === '=' || character === undefined) this.#fail(`unexpected '='${isFirst ? ': key name appears blank' : ''}`);
    if (character === '.') this.#fail(`unexpected '.'${isFirst ? ": keys cannot start with a '.'" : ''}`);
    return this.#name(character);
  }

  #tableName(): string {
    const character = this.#text[this.#at];
    if (character === ']' || character === undefined) this.#fail('unexpected end of table name (table names cannot be empty)');
    if (character === '.') this.#fail('unexpected table separator (table names cannot be empty)');
    return this.#name(character);
  }

  /** A name, which is empty where something else stands: what follows it is wrong then. */
  #name(character: string): string {
    if (character === '"' || character === "'") return this.#string();
    const found = this.#match(/[A-Za-z0-9_-]*/y);
    this.#at += found.length;
    return found;
  }

  /** What matches a sticky expression here. */
  #match(form: RegExp): string {
    form.lastIndex = this.#at;
    return form.exec(this.#text)?.[0] ?? '';
  }

  #pair(table: ValueMap): void {
    const path = this.#path('=');
    // The reader of the library has not seen a key yet, and names the table around it.
    if (this.#at >= this.#text.length) this.#fail("unexpected EOF; expected key separator '='");
    if (this.#text[this.#at] !== '=') this.#fail(`expected '.' or '=', but got ${describe(this.#text[this.#at])} instead`);
    this.#at++;
    this.#blank(false);
    this.#lastKey = [...this.#context, ...path].join('.');
    const target = this.#descend(table, path.slice(0, -1), false);
    const name = path.at(-1) as string;
    const around = this.#context;
    this.#context = [...around, ...path];
    const value = this.#value();
    this.#context = around;
    this.#lastKey = [...around, ...path].join('.');
    if (target.has(name)) this.#fail(`Key '${this.#lastKey}' has already been defined.`);
    target.set(name, value);
  }

  #value(): Value {
    const character = this.#text[this.#at];
    if (character === '"' || character === "'") return this.#string();
    if (character === '[') return this.#array();
    if (character === '{') return this.#inlineTable();
    const word = this.#match(/[^\s,\]}#=]+(?: \d\d:\d\d[^\s,\]}#]*)?/y);
    if (character === undefined) return this.#fail('unexpected EOF; expected value');
    if (character === '.') return this.#fail("floats must start with a digit, not '.'");
    if (word === '' || !/[\p{L}\d+-]/u.test(character)) return this.#fail(`expected value but found ${describe(character)} instead`);
    const value = scalar(word);
    if (value === undefined) return this.#fail(`expected value but found ${JSON.stringify(word)} instead`);
    this.#at += word.length;
    return value;
  }

  #enter(): void {
    if (++this.#depth > maxDepth) this.#fail('nested too deeply');
    this.#at++;
  }

  #array(): Value[] {
    const items: Value[] = [];
    this.#enter();
    for (;;) {
      this.#blank(true);
      if (this.#text[this.#at] === ']') break;
      if (this.#text[this.#at] === ',') this.#fail('unexpected comma');
      items.push(this.#value());
      this.#blank(true);
      if (this.#text[this.#at] === ',') this.#at++;
      else if (this.#text[this.#at] !== ']')
        this.#fail(`expected a comma (',') or array terminator (']'), but got ${describeOrEnd(this.#text[this.#at])}`);
    }
    this.#at++;
    this.#depth--;
    return items;
  }

  #inlineTable(): ValueMap {
    const table: ValueMap = new Map();
    this.#enter();
    this.#blank(false);
    if (this.#text[this.#at] === '}') this.#at++;
    else {
      for (;;) {
        this.#blank(false);
        if (this.#text[this.#at] === ',') this.#fail('unexpected comma');
        this.#pair(table);
        this.#blank(false);
        const character = this.#text[this.#at++];
        if (character === '}') break;
        if (character !== ',')
          this.#fail(`expected a comma or an inline table terminator '}', but got ${describeOrEnd(character)} instead`);
      }
    }
    this.#depth--;
    this.#defined.add(table);
    return table;
  }

  #string(): string {
    const mark = this.#text[this.#at] as string;
    const long = mark.repeat(3);
    const isLong = this.#text.startsWith(long, this.#at);
    let at = this.#at + (isLong ? 3 : 1);
    if (isLong && this.#text[at] === '\n') at++;
    const start = at;
    for (; ; at++) {
      const character = this.#text[at];
      if (character === undefined) this.#fail(`unexpected EOF; expected '${mark}'`);
      if (character === '\n' && !isLong) this.#fail('strings cannot contain newlines');
      if (character === '\\' && mark === '"') at++;
      else if (isLong ? this.#text.startsWith(long, at) : character === mark) break;
    }
    // Up to two more marks belong to the text.
    while (isLong && this.#text[at + 3] === mark) at++;
    const raw = this.#text.slice(start, at);
    this.#at = at + (isLong ? 3 : 1);
    return mark === "'" ? raw : this.#unescape(raw);
  }

  #character(hex: string): string {
    const code = Number.parseInt(hex, 16);
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) this.#fail(`Escaped character '\\u${hex}' is not valid UTF-8.`);
    return String.fromCodePoint(code);
  }

  #unescape(raw: string): string {
    return raw.replace(
      /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([ \t]*\n\s*)|([\s\S]))/g,
      (_whole, u, long, x, fold, letter) => {
        const hex = (u ?? long ?? x) as string | undefined;
        if (hex !== undefined) return this.#character(hex);
        if (fold !== undefined) return '';
        const known = letters[letter as string];
        return (
          known ??
          this.#fail(
            `invalid escape character '${letter}'; only the following escape characters are allowed: \\b, \\t, \\n, \\f, \\r, \\", \\\\, \\uXXXX, and \\UXXXXXXXX`,
          )
        );
      },
    );
  }
}

const letters: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\x1b', '"': '"', '\\': '\\' };

/** A character as Go quotes it; the end of the text is a zero. */
const describe = (character: string | undefined): string => quote(character ?? '\0', "'");
const describeOrEnd = (character: string | undefined): string => (character === undefined ? 'end of file' : `'${character}'`);

function scalar(word: string): Value {
  if (word === 'true' || word === 'false') return word === 'true';
  const plain = word.replaceAll('_', '');
  if (/^[+-]?(0|[1-9](_?\d)*)$/.test(word) || /^0(x[0-9a-fA-F](_?[0-9a-fA-F])*|o[0-7](_?[0-7])*|b[01](_?[01])*)$/.test(word)) {
    const negative = plain[0] === '-';
    const digits = plain.replace(/^[+-]/, '');
    const number = digits.length > 100 ? 2n ** 100n : BigInt(digits);
    return new GoInt('int64', negative ? -number : number);
  }
  if (/^[+-]?(0|[1-9](_?\d)*)(\.\d(_?\d)*)?([eE][+-]?\d(_?\d)*)?$/.test(word)) return Number(plain);
  if (/^[+-]?(inf|nan)$/.test(word)) return word.endsWith('nan') ? Number.NaN : word[0] === '-' ? -Infinity : Infinity;
  return date(word);
}

function date(word: string): Value {
  const found = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d(?:\.\d+)?)([Zz]|[+-]\d\d:\d\d)?)?$/.exec(word);
  if (!found) return undefined;
  const [, day, time = '00:00:00', zone = 'Z'] = found;
  try {
    return parseTime('2006-01-02T15:04:05.999999999Z07:00', `${day}T${time}${zone.toUpperCase()}`, utc);
  } catch {
    return undefined;
  }
}
