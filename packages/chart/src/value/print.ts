import { formatG } from './float.ts';
import { GoInt, GoObject, TypedList, TypedMap, typeName, type Value } from './kinds.ts';
import { quote, sortText } from './text.ts';

/** How to print: `%v`, `%+v` or `%#v`. */
export type PrintStyle = 'plain' | 'names' | 'syntax';

/** What `fmt` prints for a value: `%v`. */
export function printValue(value: Value, style: PrintStyle = 'plain'): string {
  switch (typeof value) {
    case 'string':
      return style === 'syntax' ? quote(value) : value;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      return formatG(value);
    case 'object':
      if (value === null) return '<nil>';
      if (value instanceof GoInt) return printInt(value, style);
      if (value instanceof Map) return printMap(value, style);
      if (Array.isArray(value) || value instanceof TypedList) return printList(value, style);
      return printObject(value, style);
    default:
      return '<nil>';
  }
}

function printInt(value: GoInt, style: PrintStyle): string {
  return style === 'syntax' && value.kind.startsWith('u') ? `0x${value.value.toString(16)}` : value.value.toString();
}

/** Keys of a map in the order in which Go prints, ranges and marshals them. */
export function sortedKeys(map: ReadonlyMap<string, Value>): string[] {
  return sortText([...map.keys()]);
}

function printMap(map: Map<string, Value>, style: PrintStyle): string {
  if (style === 'syntax') {
    if (map instanceof TypedMap && map.isNil) return `${map.type}(nil)`;
    const items = sortedKeys(map).map((key) => `${quote(key)}:${nested(map.get(key), style)}`);
    return `${typeName(map)}{${items.join(', ')}}`;
  }
  return `map[${sortedKeys(map)
    .map((key) => `${key}:${nested(map.get(key), style)}`)
    .join(' ')}]`;
}

function printList(list: Value[] | TypedList, style: PrintStyle): string {
  const items = Array.isArray(list) ? list : list.items;
  if (style !== 'syntax') return `[${items.map((item) => nested(item, style)).join(' ')}]`;
  if (list instanceof TypedList && list.isNil) return `${list.type}(nil)`;
  return `${typeName(list)}{${items.map((item) => nested(item, style)).join(', ')}}`;
}

/** Stands for the address that Go prints for a pointer inside another value: random there, fixed here. */
export const somewhere = '0xc000000000';

const nested = (value: Value, style: PrintStyle): string =>
  value instanceof GoObject && value.kind === 'ptr' && value.text() === undefined
    ? style === 'syntax'
      ? `(${value.type})(${somewhere})`
      : somewhere
    : printNested(value, style);

const printNested = (value: Value, style: PrintStyle): string =>
  style === 'syntax' && (value === null || value === undefined) ? 'interface {}(nil)' : printValue(value, style);

function printObject(value: GoObject, style: PrintStyle): string {
  if (style !== 'syntax' || value.kind === 'complex128') {
    const text = value.text();
    if (text !== undefined) return text;
  }
  const pointer = value.kind === 'ptr' ? '&' : '';
  const parts = value.fields().map(([name, field]) => {
    if (style === 'plain') return printValue(field, style);
    return `${name}:${nested(field, style)}`;
  });
  if (style === 'syntax') return `${pointer}${value.type.replace(/^\*/, '')}{${parts.join(', ')}}`;
  return `${pointer}{${parts.join(' ')}}`;
}

/** Of a pointer what it points to, as a template prints it; of what prints itself that. */
export function printPointee(value: Value): string {
  const text = printValue(value);
  return value instanceof GoObject && value.kind === 'ptr' && value.text() === undefined ? text.replace(/^&/, '') : text;
}

/** fmt.Sprint: a space stands between two operands that are both no strings. */
export function sprint(values: readonly Value[]): string {
  let out = '';
  for (let i = 0; i < values.length; i++) {
    if (i > 0 && typeof values[i] !== 'string' && typeof values[i - 1] !== 'string') out += ' ';
    out += printValue(values[i]);
  }
  return out;
}

/** fmt.Sprintln. */
export function sprintln(values: readonly Value[]): string {
  return `${values.map((value) => printValue(value)).join(' ')}\n`;
}
