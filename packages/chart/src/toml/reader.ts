import type { Value, ValueMap } from '../value/kinds.ts';
import { quote } from '../value/text.ts';
import { readScalar } from './scalars.ts';
import { TomlError } from './writer.ts';

/** Reads TOML 1.0 into maps: integers are int64, dates times. @throws TomlError */
export function readToml(text: string): ValueMap {
  return new Reader(text).document();
}

const maxDepth = 500;

const controls = /[\0-\x08\v\f\r\x0e-\x1f\x7f]/;
const hexOf = (character = ''): string => character.charCodeAt(0).toString(16).padStart(2, '0');

class Reader {
  /** All up to the first control character: whoever comes there has met it. */
  readonly #text: string;
  readonly #control: string | undefined;
  #at = 0;
  #lastKey = '';
  /** The table around, as messages name it. */
  #context: readonly string[] = [];
  #depth = 0;
  /** Tables that a header or an inline form has closed. */
  readonly #defined = new Set<Value>();
  readonly #lists = new Set<Value>();

  constructor(text: string) {
    const whole = text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
    const control = controls.exec(whole);
    this.#text = control ? whole.slice(0, control.index) : whole;
    this.#control = control?.[0];
  }

  document(): ValueMap {
    const root: ValueMap = new Map();
    let table = root;
    for (;;) {
      this.#blank(true);
      const character = this.#text[this.#at];
      if (character === undefined && this.#control === undefined) return root;
      if (character === undefined) this.#fail('unexpected EOF');
      if (character === '[') table = this.#header(root);
      else {
        this.#pair(table);
        this.#lastKey = this.#context.join('.');
      }
      this.#endOfLine();
    }
  }

  #fail(wrong: string): never {
    const isControl = this.#control !== undefined && this.#at >= this.#text.length;
    const problem = isControl ? `TOML files cannot contain control characters: '0x${hexOf(this.#control)}'` : wrong;
    const lines = this.#text.slice(0, this.#at).split('\n');
    // What is missed at the end is missed on the last line, not on the empty one behind it.
    const line = lines.length - (!isControl && this.#at >= this.#text.length && this.#text.endsWith('\n') ? 1 : 0);
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
    const parent = this.#descend(root, above);
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
  #descend(from: ValueMap, path: readonly string[]): ValueMap {
    let table = from;
    for (const name of path) {
      let next = table.get(name);
      if (Array.isArray(next) && this.#lists.has(next)) next = next.at(-1);
      if (next === undefined) {
        next = new Map();
        table.set(name, next);
      }
      if (!(next instanceof Map)) this.#fail(`Key '${path.join('.')}' has already been defined.`);
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
    if (character === '"' || character === "'") return this.#string(false);
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
    const target = this.#descend(table, path.slice(0, -1));
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
    const scalar = readScalar(this.#text, this.#at, (problem) => this.#fail(problem));
    if (scalar) {
      this.#at = scalar.end;
      return scalar.value;
    }
    if (character === undefined) return this.#fail('unexpected EOF; expected value');
    return this.#fail(`expected value but found ${describe(character)} instead`);
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
    for (;;) {
      this.#blank(true);
      if (this.#text[this.#at] === ',') this.#fail('unexpected comma');
      if (this.#text[this.#at] === '}') break;
      this.#pair(table);
      this.#blank(true);
      const character = this.#text[this.#at];
      if (character === '}') break;
      if (character !== ',') this.#fail(`expected a comma or an inline table terminator '}', but got ${describeOrEnd(character)} instead`);
      this.#at++;
    }
    this.#at++;
    this.#depth--;
    this.#defined.add(table);
    return table;
  }

  #string(mayBeLong = true): string {
    const mark = this.#text[this.#at] as string;
    const long = mark.repeat(3);
    const isLong = mayBeLong && this.#text.startsWith(long, this.#at);
    let at = this.#at + (isLong ? 3 : 1);
    if (isLong && this.#text[at] === '\n') at++;
    const start = at;
    for (; ; at++) {
      const character = this.#text[at];
      if (character === undefined) {
        this.#at = this.#text.length;
        const shown = isLong ? long : mark;
        this.#fail(`unexpected EOF; expected ${mark === '"' ? `'${shown}'` : `"${shown}"`}`);
      }
      if (character === '\n' && !isLong) this.#fail('strings cannot contain newlines');
      if (character === '\\' && mark === '"' && !isLong && this.#text[at + 1] === '\n') {
        this.#at = at + 2;
        this.#fail("invalid escape in string '\\\n'");
      }
      if (character === '\\' && mark === '"') at++;
      else if (isLong ? this.#text.startsWith(long, at) : character === mark) break;
    }
    // Up to two more marks belong to the text.
    while (isLong && this.#text[at + 3] === mark) at++;
    const raw = this.#text.slice(start, at);
    this.#at = at + (isLong ? 3 : 1);
    return mark === "'" ? raw : this.#unescape(raw, start);
  }

  #character(hex: string): string {
    const code = Number.parseInt(hex, 16);
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) this.#fail(`Escaped character '\\u${hex}' is not valid UTF-8.`);
    return String.fromCodePoint(code);
  }

  #unescape(raw: string, start: number): string {
    return raw.replace(
      /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([ \t]*\n\s*)|([\s\S]))/g,
      (_whole, u, long, x, fold, letter, at: number) => {
        const hex = (u ?? long ?? x) as string | undefined;
        if (hex !== undefined) return this.#character(hex);
        return fold === undefined ? (letters[letter as string] ?? this.#wrongEscape(letter as string, start, start + at + 2)) : '';
      },
    );
  }

  /** @param at where what follows the letter stands */
  #wrongEscape(letter: string, start: number, at: number): never {
    if (letter === ' ' || letter === '\t') this.#fail(`invalid escape: '\\${letter}'`);
    const count = hexDigits[letter];
    if (count === undefined) this.#fail(`invalid escape in string '\\${letter}'`);
    let end = at;
    while (/^[0-9a-fA-F]$/.test(this.#text[end] ?? '')) end++;
    this.#fail(`expected ${count} hexadecimal digits after '\\${letter}', but got ${quote(this.#text.slice(start, end + 1))} instead`);
  }
}

const hexDigits: Readonly<Record<string, string>> = { x: 'two', u: 'four', U: 'eight' };
const letters: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\x1b', '"': '"', '\\': '\\' };

/** A character as Go quotes it; the end of the text is a zero. */
const describe = (character: string | undefined): string => quote(character ?? '\0', "'");
const describeOrEnd = (character: string | undefined): string => (character === undefined ? 'end of file' : `'${character}'`);
