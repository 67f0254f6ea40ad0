import { formatJsonNumber } from './float.ts';
import { GoInt, type GoObject, TypedList, TypedMap, type Value, type ValueMap } from './kinds.ts';
import { sortedKeys } from './print.ts';
import { quote, toBytes } from './text.ts';

/** encoding/json's failure; the message is Go's. */
export class JsonError extends Error {
  /** What was read beside a number that does not fit: encoding/json goes on after it. */
  readonly partial: Value;
  /** Characters read, the wrong one included; undefined where the text is JSON but not what was wanted. */
  readonly offset: number | undefined;

  constructor(message: string, partial?: Value, offset?: number) {
    super(message);
    this.partial = partial;
    this.offset = offset;
  }
}

/** Our bounds, where Go would have read on. */
export class JsonLimit extends JsonError {}

/** Members of a struct: written in their own order, where a map's are sorted. */
class OrderedMap extends Map<string, Value> {}

const maxDepth = 1000;
/** Most objects and arrays of a text that is read. */
const maxContainers = 300_000;

/** The value as JSON has it: only maps, lists, strings, numbers (GoInt or float), booleans and null. */
export function toJsonValue(value: Value): Value {
  // Bytes that are no UTF-8 become the replacement character.
  return jsonTree(value, (text) => (/[\ud800-\udfff]/.test(text) ? text.toWellFormed() : text), 0);
}

function jsonTree(value: Value, textOf: (text: string) => string, depth: number): Value {
  if (depth > maxDepth) throw new JsonError('json: unsupported value: encountered a cycle');
  switch (typeof value) {
    case 'string':
      return textOf(value);
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw new JsonError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
    case 'object':
      break;
    default:
      return null;
  }
  if (value === null || value instanceof GoInt) return value;
  if (value instanceof Map) {
    if (value instanceof TypedMap && value.isNil) return null;
    const out: ValueMap = new Map();
    for (const [key, item] of value) out.set(key, jsonTree(item, textOf, depth + 1));
    return out;
  }
  if (Array.isArray(value)) return value.map((item) => jsonTree(item, textOf, depth + 1));
  if (value instanceof TypedList) {
    if (value.isNil) return null;
    if (value.type === '[]uint8') return btoa(value.items.map((item) => String.fromCharCode(Number((item as GoInt).value))).join(''));
    return value.items.map((item) => jsonTree(item, textOf, depth + 1));
  }
  const json = jsonTree((value as GoObject).json(), textOf, depth + 1);
  return json instanceof Map ? new OrderedMap(json) : json;
}

export interface JsonStyle {
  /** Escape `<`, `>` and `&`, as encoding/json does by default. */
  readonly escapeHtml: boolean;
  /** Spaces per level; none writes on one line. */
  readonly indent?: number;
}

/** encoding/json's Marshal or MarshalIndent. @throws JsonError */
export function writeJson(value: Value, style: JsonStyle): string {
  return write(
    jsonTree(value, (text) => text, 0),
    style,
    '\n',
  );
}

function write(value: Value, style: JsonStyle, lead: string): string {
  if (typeof value === 'string') return writeText(value, style.escapeHtml);
  if (typeof value === 'number') return formatJsonNumber(value);
  if (value instanceof Map) {
    const colon = style.indent === undefined ? ':' : ': ';
    const inner = style.indent === undefined ? lead : lead + ' '.repeat(style.indent);
    return wrapped(
      '{}',
      keysOf(value).map((key) => writeText(key, style.escapeHtml) + colon + write(value.get(key), style, inner)),
      style,
      lead,
    );
  }
  if (Array.isArray(value)) {
    const inner = style.indent === undefined ? lead : lead + ' '.repeat(style.indent);
    return wrapped(
      '[]',
      value.map((item) => write(item, style, inner)),
      style,
      lead,
    );
  }
  return value === null || value === undefined ? 'null' : String(value);
}

const keysOf = (map: ValueMap): string[] => (map instanceof OrderedMap ? [...map.keys()] : sortedKeys(map));

function wrapped(brackets: string, items: readonly string[], style: JsonStyle, lead: string): string {
  if (items.length === 0) return brackets;
  if (style.indent === undefined) return `${brackets[0]}${items.join(',')}${brackets[1]}`;
  const inner = lead + ' '.repeat(style.indent);
  return `${brackets[0]}${inner}${items.join(`,${inner}`)}${lead}${brackets[1]}`;
}

const escaped = /["\\\0-\x1f\u2028\u2029]/g;
const escapedHtml = /["\\\0-\x1f\u2028\u2029<>&]/g;
const names: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

const byteAlone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function writeText(text: string, escapeHtml: boolean): string {
  const shown = text.replace(escapeHtml ? escapedHtml : escaped, (c) => names[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  // A byte that is no UTF-8 is written as an escape; a replacement character that was there before is not.
  return `"${/[\ud800-\udfff]/.test(text) ? shown.replace(byteAlone, '\\ufffd') : shown}"`;
}

/** encoding/json's Unmarshal into an interface{}: numbers are float64. @throws JsonError with Go's message */
export function readJson(text: string): Value {
  return new JsonReader(text, toFloat).document();
}

/** A number as the text has it: encoding/json's Number. */
export class JsonNumber {
  readonly literal: string;

  constructor(literal: string) {
    this.literal = literal;
  }
}

/** A value of JSON whose numbers are not rounded. */
export type ExactJson = null | boolean | string | JsonNumber | readonly ExactJson[] | ReadonlyMap<string, ExactJson>;

/** encoding/json's Decoder with UseNumber, and the first value only. @param spend pays for it @throws JsonError with Go's message */
export function readExactJson(text: string, spend: (steps: number) => void = () => {}): ExactJson {
  const quick = readQuickly(text, spend);
  if (quick !== undefined) return quick;
  spend(text.length >> 3);
  if (/^[ \t\r\n]*$/.test(text)) throw new JsonError('EOF');
  try {
    return new JsonReader(text, (literal) => new JsonNumber(literal)).only();
  } catch (error) {
    if (error instanceof JsonError && error.message === 'unexpected end of JSON input') throw new JsonError('unexpected EOF');
    throw error;
  }
}

/** Numbers that JavaScript would write otherwise, and characters that Go replaces; what looks like them in a text, too. */
const unusual = /(?:^|[:[,])\s*-?(?:\d+[.eE]|\d{16}|0\d)|[:[,]\s*-0|[\ud800-\udfff]|\\u[dD]/;

/** The same by JavaScript's own reader, which is much faster before ours is warm; undefined where it may differ. */
function readQuickly(text: string, spend: (steps: number) => void): ExactJson | undefined {
  if (unusual.test(text)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  return exactly(parsed, 0, spend);
}

function exactly(value: unknown, depth: number, spend: (steps: number) => void): ExactJson {
  if (depth > maxDepth) throw new JsonLimit(`JSON that is nested more than ${maxDepth} deep`);
  if (typeof value === 'number') return new JsonNumber(String(value));
  if (typeof value !== 'object' || value === null) return value as ExactJson;
  if (Array.isArray(value)) {
    spend(1 + value.length);
    return value.map((item) => exactly(item, depth + 1, spend));
  }
  const map = new Map<string, ExactJson>();
  const keys = Object.keys(value);
  spend(2 + keys.length);
  for (const key of keys) map.set(key, exactly((value as Record<string, unknown>)[key], depth + 1, spend));
  return map;
}

type Tree<N> = null | boolean | string | N | Tree<N>[] | Map<string, Tree<N>>;

/** @throws JsonError for a number that float64 does not hold */
function toFloat(literal: string): number {
  const value = Number(literal);
  if (Number.isFinite(value)) return value;
  throw new JsonError(`json: cannot unmarshal number ${literal} into Go value of type float64`);
}

class JsonReader<N> {
  readonly #text: string;
  readonly #numberOf: (literal: string) => N;
  #at = 0;
  #depth = 0;
  #containers = 0;
  #overflow: JsonError | undefined;

  /** @param numberOf may throw a JsonError, which comes when the rest was read */
  constructor(text: string, numberOf: (literal: string) => N) {
    this.#text = text;
    this.#numberOf = numberOf;
  }

  document(): Tree<N> {
    const value = this.#value('looking for beginning of value');
    this.#space();
    if (this.#at < this.#text.length) this.#unexpected('after top-level value');
    if (this.#overflow) throw new JsonError(this.#overflow.message, value as Value);
    return value;
  }

  /** One value; what follows must be white space, and Go says nothing of what it is. */
  only(): Tree<N> {
    const value = this.#value('looking for beginning of value');
    this.#space();
    if (this.#at < this.#text.length) throw new JsonError('invalid character after top-level value');
    return value;
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? '!')) this.#at++;
  }

  #unexpected(context: string): never {
    const [byte] = toBytes(this.#text.slice(this.#at, this.#at + 2));
    if (byte === undefined) throw new JsonError('unexpected end of JSON input');
    // Go takes a byte for a character.
    throw new JsonError(`invalid character ${quote(String.fromCharCode(byte), "'")} ${context}`, undefined, this.#at + 1);
  }

  #value(context: string): Tree<N> {
    this.#space();
    const character = this.#text[this.#at];
    switch (character) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        if (character !== undefined && /[-0-9]/.test(character)) return this.#number();
        return this.#unexpected(context);
    }
  }

  #word<T>(word: string, value: T): T {
    for (let i = 0; i < word.length; i++, this.#at++) {
      if (this.#text[this.#at] !== word[i]) this.#unexpected(`in literal ${word} (expecting '${word[i]}')`);
    }
    return value;
  }

  #number(): N | null {
    const start = this.#at;
    const digit = (): boolean => /[0-9]/.test(this.#text[this.#at] ?? '');
    if (this.#text[this.#at] === '-') {
      this.#at++;
      if (!digit()) this.#unexpected('in numeric literal');
    }
    if (this.#text[this.#at] === '0') this.#at++;
    else while (digit()) this.#at++;
    if (this.#text[this.#at] === '.') {
      this.#at++;
      if (!digit()) this.#unexpected('after decimal point in numeric literal');
      while (digit()) this.#at++;
    }
    if (/[eE]/.test(this.#text[this.#at] ?? '')) {
      this.#at++;
      if (/[+-]/.test(this.#text[this.#at] ?? '')) this.#at++;
      if (!digit()) this.#unexpected('in exponent of numeric literal');
      while (digit()) this.#at++;
    }
    const literal = this.#text.slice(start, this.#at);
    try {
      return this.#numberOf(literal);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      this.#overflow ??= error;
      return null;
    }
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw new JsonError('unexpected end of JSON input');
      if (character === '"') break;
      if (character < ' ') this.#unexpected('in string literal');
      if (character === '\\') this.#escape();
      else this.#at++;
    }
    this.#at++;
    // A byte that is no UTF-8 must not become the other half of an escaped surrogate.
    return (JSON.parse(this.#text.slice(start, this.#at).toWellFormed()) as string).toWellFormed();
  }

  #escape(): void {
    this.#at++;
    const kind = this.#text[this.#at];
    if (kind === undefined) throw new JsonError('unexpected end of JSON input');
    if (!'"\\/bfnrtu'.includes(kind)) this.#unexpected('in string escape code');
    this.#at++;
    if (kind !== 'u') return;
    for (let i = 0; i < 4; i++, this.#at++) {
      if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? '')) this.#unexpected('in \\u hexadecimal character escape');
    }
  }

  #object(): Map<string, Tree<N>> {
    const map = new Map<string, Tree<N>>();
    this.#enter();
    this.#space();
    if (this.#text[this.#at] === '}') return this.#leave(map);
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#unexpected('looking for beginning of object key string');
      const key = this.#string();
      this.#space();
      if (this.#text[this.#at] !== ':') this.#unexpected('after object key');
      this.#at++;
      map.set(key, this.#value('looking for beginning of value'));
      this.#space();
      if (this.#text[this.#at] === '}') return this.#leave(map);
      if (this.#text[this.#at] !== ',') this.#unexpected('after object key:value pair');
      this.#at++;
    }
  }

  #array(): Tree<N>[] {
    const items: Tree<N>[] = [];
    this.#enter();
    this.#space();
    if (this.#text[this.#at] === ']') return this.#leave(items);
    for (;;) {
      items.push(this.#value('looking for beginning of value'));
      this.#space();
      if (this.#text[this.#at] === ']') return this.#leave(items);
      if (this.#text[this.#at] !== ',') this.#unexpected('after array element');
      this.#at++;
    }
  }

  #enter(): void {
    this.#at++;
    if (++this.#containers > maxContainers) throw new JsonLimit(`JSON of more than ${maxContainers} objects and arrays`);
    if (++this.#depth > maxDepth) throw new JsonLimit(`JSON that is nested more than ${maxDepth} deep`);
  }

  #leave<T>(value: T): T {
    this.#at++;
    this.#depth--;
    return value;
  }
}

/** What json.Unmarshal calls a value that is not null. */
export function kindInJson(value: Value): 'array' | 'object' | 'string' | 'bool' | 'number' {
  if (Array.isArray(value)) return 'array';
  if (value instanceof Map) return 'object';
  if (typeof value === 'string') return 'string';
  return typeof value === 'boolean' ? 'bool' : 'number';
}

/** What json.Unmarshal says when the text holds another kind of value than the target takes. */
export function mismatch(value: Value, target: string): JsonError {
  return new JsonError(`json: cannot unmarshal ${kindInJson(value)} into Go value of type ${target}`);
}
