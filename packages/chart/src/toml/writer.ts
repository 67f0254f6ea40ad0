import { GoDuration } from '../time/duration.ts';
import { GoTime } from '../time/time.ts';
import { formatG } from '../value/float.ts';
import { GoInt, GoObject, listItems, type Value } from '../value/kinds.ts';
import { sortedKeys } from '../value/print.ts';

/** TOML as BurntSushi's encoder writes it: two spaces per level of tables, plain keys before tables, both sorted. */
export class TomlError extends Error {}

/** @throws TomlError with the encoder's message */
export function writeToml(value: Value): string {
  const writer = new Writer();
  writer.encode([], value);
  return writer.out;
}

const isNothing = (value: Value): value is null | undefined => value === null || value === undefined;

/** Maps, structs, and lists of nothing but these are tables. */
function isTable(value: Value): boolean {
  return (
    value instanceof Map ||
    (value instanceof GoObject &&
      (value.kind === 'struct' || value.kind === 'ptr' || value.kind === 'map') &&
      marshaled(value) === undefined)
  );
}

function isTableList(value: Value): boolean {
  const items = listItems(value);
  if (!items || items.length === 0) return false;
  if (items.some(isNothing)) throw new TomlError('toml: cannot encode array with nil element');
  return items.every(isTable);
}

const indentOf = (key: readonly string[]): string => '  '.repeat(Math.max(key.length - 1, 0));

const bareKey = /^[A-Za-z0-9_-]+$/;
const keyText = (key: string): string => (bareKey.test(key) ? key : quoted(key));

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
};

const quoted = (text: string): string =>
  `"${text.replace(/["\\\0-\x1f\x7f]/g, (c) => escapes[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;

class Writer {
  out = '';

  encode(key: readonly string[], value: Value): void {
    if (isNothing(value)) return;
    if (isTable(value)) this.#table(key, value);
    else if (isTableList(value)) this.#tables(key, listItems(value) as Value[]);
    else this.#pair(key, value);
  }

  #newLine(): void {
    if (this.out !== '') this.out += '\n';
  }

  #table(key: readonly string[], value: Value): void {
    if (key.length === 1) this.#newLine();
    if (key.length > 0) {
      this.out += `${indentOf(key)}[${key.map(keyText).join('.')}]`;
      this.#newLine();
    }
    this.#members(key, value);
  }

  #tables(key: readonly string[], items: readonly Value[]): void {
    if (key.length === 0) throw new TomlError('toml: top-level values must be Go maps or structs');
    for (const item of items) {
      this.#newLine();
      this.out += `${indentOf(key)}[[${key.map(keyText).join('.')}]]`;
      this.#newLine();
      this.#members(key, item);
    }
  }

  #members(key: readonly string[], value: Value): void {
    const map = asMap(value);
    const keys = keysOf(map);
    const nested = (name: string): boolean => isTable(map.get(name)) || isTableList(map.get(name));
    for (const name of keys) if (!nested(name)) this.encode([...key, name], map.get(name));
    for (const name of keys) if (nested(name)) this.encode([...key, name], map.get(name));
  }

  #pair(key: readonly string[], value: Value): void {
    if (key.length === 0) {
      this.out += element(value);
      return;
    }
    this.out += `${indentOf(key)}${keyText(key.at(-1) as string)} = ${element(value)}`;
    this.#newLine();
  }
}

/** A struct's fields stand in their order. */
class FieldMap extends Map<string, Value> {}

function asMap(value: Value): Map<string, Value> {
  if (value instanceof Map) return value;
  const object = value as GoObject;
  const entries = object.kind === 'map' ? object.entries() : undefined;
  if (entries) return new Map(entries as [string, Value][]);
  return new FieldMap(object.fields().filter(([name]) => !object.isUnexported(name)));
}

const keysOf = (map: Map<string, Value>): string[] => (map instanceof FieldMap ? [...map.keys()] : sortedKeys(map));

/** What a type writes itself as, in TOML; undefined for what has no such method. */
function marshaled(value: GoObject): string | undefined {
  if (value instanceof GoTime) return value.format('2006-01-02T15:04:05.999999999Z07:00');
  const text = value instanceof GoDuration ? value.text() : value.marshaledText();
  if (text !== undefined) return quoted(text);
  if (value.kind === 'complex128') throw new TomlError('unsupported type: complex128');
  return value.integer()?.toString();
}

function element(value: Value): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'boolean' || value instanceof GoInt) return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
    const text = formatG(value);
    return /[.e]/.test(text) ? text : `${text}.0`;
  }
  const own = value instanceof GoObject ? marshaled(value) : undefined;
  if (own !== undefined) return own;
  const items = listItems(value);
  if (items) return `[${items.map(element).join(', ')}]`;
  if (isNothing(value)) throw new TomlError('toml: cannot encode array with nil element');
  return inlineTable(asMap(value));
}

function inlineTable(map: Map<string, Value>): string {
  const keys = keysOf(map);
  const plain = keys.filter((key) => !isTable(map.get(key)));
  const tables = keys.filter((key) => isTable(map.get(key)));
  // As the library: a nil is left out, and the comma before it stays.
  const pairs = (names: readonly string[], isFollowed: boolean): string =>
    names
      .map((key, index) => {
        const value = map.get(key);
        if (isNothing(value)) return '';
        return `${keyText(key)} = ${element(value)}${isFollowed || index < names.length - 1 ? ', ' : ''}`;
      })
      .join('');
  return `{${pairs(plain, tables.length > 0)}${pairs(tables, false)}}`;
}
