import { ChartError } from '../errors.ts';
import { JsonError, readJson } from '../value/json.ts';
import { int64, type Value, type ValueMap } from '../value/kinds.ts';
import { quote, trimSpace } from '../value/text.ts';
import { mergeMaps } from './merge.ts';

/**
 * `--set` and its family: `a.b=1,c[0].d={x,y}` into a tree of values (Helm's strvals).
 *
 * All change the map that they are given, which is the caller's own.
 */
export type SetKind = 'set' | 'set-string' | 'set-json' | 'set-file' | 'set-literal';

export interface SetOptions {
  /** Reads a file for `set-file`. */
  readonly readFile?: (path: string) => string;
  /** `set-json` takes a whole object too, as in Helm 4. */
  readonly jsonObject?: boolean;
  /** An index without its end is the end of the text, as in Helm 4. */
  readonly openIndexEnds?: boolean;
}

/** `--set-json '{…}'`: laid over the values as a file would be. */
function wholeObject(text: string): ValueMap {
  try {
    const value = readJson(trimSpace(text));
    if (value instanceof Map) return value;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  throw new ChartError('VALUES_INVALID', `failed parsing --set-json data JSON: ${text}`, { cure: 'Write one JSON object, or KEY=JSON.' });
}

/** @throws ChartError VALUES_INVALID with Helm's words */
export function applySet(kind: SetKind, text: string, target: ValueMap, options: SetOptions = {}): ValueMap {
  if (kind === 'set-json' && options.jsonObject && trimSpace(text).startsWith('{')) return mergeMaps(target, wholeObject(text));
  try {
    if (kind === 'set-literal') literal(text, target, options);
    else new SetParser(text, readerOf(kind, options), kind, options).run(target);
    return target;
  } catch (error) {
    if (!(error instanceof SetError || error instanceof JsonError || error instanceof EndOfText)) throw error;
    const message = kind === 'set-json' ? `failed parsing --set-json data ${text}` : `failed parsing --${kind} data: ${error.message}`;
    throw new ChartError('VALUES_INVALID', message, { cure: 'Write KEY=VALUE, with commas between several.' });
  }
}

class SetError extends Error {}

/** The end of the text: sometimes an error, mostly not. */
class EndOfText extends Error {
  constructor() {
    super('EOF');
  }
}

type Read = (text: string) => Value;

function readerOf(kind: SetKind, { readFile }: SetOptions): Read {
  if (kind === 'set-string') return (text) => text;
  if (kind !== 'set-file') return typedValue;
  return (path) => {
    if (!readFile) throw new SetError('no files can be read here');
    return readFile(path);
  };
}

function typedValue(text: string): Value {
  switch (text.toLowerCase()) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'null':
      return null;
    case '0':
      return int64(0);
  }
  if (text[0] !== '0' && text.length < 32 && /^[+-]?[0-9]+$/.test(text)) {
    const number = BigInt(text.replace(/^\+/, ''));
    if (BigInt.asIntN(64, number) === number) return int64(number);
  }
  return text;
}

/** Helm's own limits. */
const maxIndex = 65_536;
const maxLevels = 30;

class SetParser {
  readonly #text: string;
  readonly #read: Read;
  readonly #isJson: boolean;
  readonly #openIndexEnds: boolean;
  #at = 0;

  constructor(text: string, read: Read, kind: SetKind, { openIndexEnds = false }: SetOptions) {
    this.#text = text;
    this.#read = read;
    this.#isJson = kind === 'set-json';
    this.#openIndexEnds = openIndexEnds;
  }

  run(target: ValueMap): void {
    try {
      for (;;) this.#key(target, 0);
    } catch (error) {
      if (!(error instanceof EndOfText)) throw error;
    }
  }

  /** Text up to one of the stops, which is taken too; a backslash takes the next character as it is. */
  #until(stops: string): { text: string; stop: string | undefined } {
    let text = '';
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at++] as string;
      if (stops.includes(character)) return { text, stop: character };
      if (character !== '\\') text += character;
      else if (this.#at < this.#text.length) text += this.#text[this.#at++];
    }
    return { text, stop: undefined };
  }

  #key(data: ValueMap, level: number): void {
    const { text: key, stop } = this.#until('=[,.');
    if (stop === undefined) {
      if (key === '') throw new EndOfText();
      throw new SetError(`key ${quote(key)} has no value`);
    }
    if (stop === '[') {
      const index = this.#index();
      const current = data.get(key);
      if (data.has(key) && !Array.isArray(current)) throw new SetError(`unable to parse key: ${conversion(current, '[]interface {}')}`);
      const list = Array.isArray(current) ? current : [];
      let ended = false;
      try {
        this.#item(list, index, level);
      } catch (error) {
        if (!(error instanceof EndOfText)) {
          put(data, key, list);
          throw error;
        }
        ended = true;
      }
      put(data, key, list);
      if (ended) throw new EndOfText();
    } else if (stop === '=') this.#assign((value) => put(data, key, value));
    else if (stop === ',') {
      put(data, key, '');
      throw new SetError(`key ${quote(key)} has no value (cannot end with ,)`);
    } else this.#nested(data, key, level + 1);
  }

  #nested(data: ValueMap, key: string, level: number): void {
    if (level > maxLevels) throw new SetError(`value name nested level is greater than maximum supported nested level of ${maxLevels}`);
    const current = data.get(key);
    if (data.has(key) && !(current instanceof Map))
      throw new SetError(`unable to parse key: ${conversion(current, 'map[string]interface {}')}`);
    const inner: ValueMap = current instanceof Map ? current : new Map();
    let ended: EndOfText | undefined;
    try {
      this.#key(inner, level);
    } catch (error) {
      if (!(error instanceof EndOfText)) throw error;
      ended = error;
    }
    if (!ended && inner.size === 0) throw new SetError(`key map ${quote(key)} has no value`);
    if (inner.size > 0) put(data, key, inner);
    if (ended) throw ended;
  }

  /** What stands after `=`. */
  #assign(store: (value: Value) => void): void {
    if (!this.#isJson && this.#at >= this.#text.length) {
      store('');
      throw new EndOfText();
    }
    if (this.#isJson) this.#json(store);
    else if (this.#text[this.#at] === '{') store(this.#list());
    else store(this.#read(this.#until(',').text));
  }

  #list(): Value[] {
    this.#at++;
    const items: Value[] = [];
    for (;;) {
      const { text, stop } = this.#until(',}');
      if (stop === undefined) throw new SetError("list must terminate with '}'");
      items.push(this.#read(text));
      if (stop === ',') continue;
      if (this.#text[this.#at] === ',') this.#at++;
      return items;
    }
  }

  #json(store: (value: Value) => void): void {
    if (this.#skipEmpty()) {
      store(null);
      return;
    }
    const rest = this.#text.slice(this.#at);
    const length = jsonLength(rest);
    store(readJson(rest.slice(0, length)));
    this.#at += length;
    this.#skipEmpty();
  }

  /** White space up to a comma or the end; true when one of these was met. */
  #skipEmpty(): boolean {
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at] as string;
      if (character === ',') {
        this.#at++;
        return true;
      }
      if (!/\s/.test(character)) return false;
    }
    return true;
  }

  #index(): number {
    const { text, stop } = this.#until(']');
    if (stop === undefined) throw this.#openIndexEnds ? new EndOfText() : new SetError('error parsing index: EOF');
    const fail = (why: string): SetError => new SetError(`error parsing index: strconv.Atoi: parsing ${quote(text)}: ${why}`);
    if (!/^[+-]?[0-9]+$/.test(text)) throw fail('invalid syntax');
    const index = Number(text);
    // Between 2^53 and 2^63 a number is too large for an index anyway.
    if (Math.abs(index) >= 2 ** 63) throw fail('value out of range');
    return index;
  }

  #item(list: Value[], index: number, level: number): void {
    if (index < 0) throw new SetError(`negative ${index} index not allowed`);
    const { text, stop } = this.#until('[.=');
    if (text !== '') throw new SetError(`unexpected data at end of array index: [${[...text].map((one) => quote(one, "'")).join(' ')}]`);
    if (stop === undefined) throw new EndOfText();
    if (stop === '=') {
      let value: Value = '';
      try {
        this.#assign((found) => {
          value = found;
        });
      } catch (error) {
        if (!(error instanceof EndOfText)) throw error;
      }
      setItem(list, index, value);
      return;
    }
    const current = list[index];
    if (stop === '[') {
      const next = this.#index();
      if (current !== undefined && current !== null && !Array.isArray(current)) {
        throw new SetError(`unable to parse key: ${conversion(current, '[]interface {}')}`);
      }
      const inner = Array.isArray(current) ? current : [];
      this.#item(inner, next, level);
      setItem(list, index, inner);
      return;
    }
    const inner: ValueMap = current instanceof Map ? current : new Map();
    if (index < list.length) list[index] = inner;
    this.#key(inner, level);
    setItem(list, index, inner);
  }
}

function put(data: ValueMap, key: string, value: Value): void {
  if (key !== '') data.set(key, value);
}

function setItem(list: Value[], index: number, value: Value): void {
  if (index > maxIndex) throw new SetError(`index of ${index} is greater than maximum supported index of ${maxIndex}`);
  while (list.length <= index) list.push(null);
  list[index] = value;
}

/** Go's words for a failed type assertion. */
function conversion(value: Value, wanted: string): string {
  const types: Readonly<Record<string, string>> = { string: 'string', number: 'float64', boolean: 'bool' };
  const got =
    value === null || value === undefined
      ? 'nil'
      : (types[typeof value] ?? (value instanceof Map ? 'map[string]interface {}' : Array.isArray(value) ? '[]interface {}' : 'int64'));
  return `interface conversion: interface {} is ${got}, not ${wanted}`;
}

/** Length of the JSON value that a text begins with; of what is none, of some text that is none either. */
function jsonLength(text: string): number {
  const scalar = /^\s*(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]?\d*)?)/.exec(text);
  if (scalar) return scalar[0].length;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if (inString) {
      if (character === '\\') i++;
      else if (character === '"') {
        inString = false;
        if (depth === 0) return i + 1;
      }
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') {
      depth--;
      if (depth === 0) return i + 1;
    }
  }
  return text.length;
}

/** `--set-literal`: only `.`, `[` and `=` count in the key, and everything after the first `=` is the value. */
function literal(text: string, target: ValueMap, options: SetOptions): void {
  const equals = text.indexOf('=');
  const key = (equals < 0 ? text : text.slice(0, equals)).replace(/[,\\]/g, '\\$&');
  const value = text.slice(equals + 1);
  // The parser reads a stand-in, and the reader gives the literal for it.
  new SetParser(equals < 0 ? key : `${key}=x`, () => value, 'set-literal', options).run(target);
}
