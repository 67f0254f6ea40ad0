import { deepEqual, isEmpty, toInt64 } from '../value/convert.ts';
import { kindName, listItems, TypedList, type Value } from '../value/kinds.ts';
import { type CallContext, contextual, type FunctionDefinition, type FunctionGroup, fail, fn } from './define.ts';

/** List functions of sprig. None changes its argument; most have a twin `mustX`, which fails with the same words. */

function itemsOf(list: Value, doing: string): Value[] {
  const items = listItems(list);
  if (items) return items;
  if (list === null || list === undefined) return fail('runtime error: invalid memory address or nil pointer dereference');
  return fail(`Cannot ${doing} type ${kindName(list)}`);
}

/** A function under its own name and under `mustX`. */
function twins(name: string, definition: FunctionDefinition): Record<string, FunctionDefinition> {
  return { [name]: definition, [`must${name[0]?.toUpperCase()}${name.slice(1)}`]: definition };
}

const boxed = (items: readonly Value[]): Value[] => items.map((item) => (item === undefined ? null : item));

function inList({ budget }: CallContext, list: readonly Value[], needle: Value): boolean {
  const charge = (steps: number): void => budget.step(steps);
  return list.some((item) => deepEqual(needle, item, charge));
}

function has(context: CallContext, needle: Value, haystack: Value): boolean {
  if (haystack === null || haystack === undefined) return false;
  return inList(context, itemsOf(haystack, 'find has on'), needle);
}

/** By the library's own arithmetic, which for sizes below one is no chunking at all. */
function chunk(size: bigint, list: Value): Value {
  const items = itemsOf(list, 'chunk');
  const step = Number(size);
  const count = Math.floor((items.length - 1) / step) + 1;
  const chunks: Value[] = [];
  if (!(count >= 0 && count < Number.POSITIVE_INFINITY)) return fail('runtime error: makeslice: len out of range');
  for (let at = 0; at < count; at++) {
    const length = at === count - 1 ? items.length % step || step : step;
    if (length < 0) return fail('runtime error: makeslice: len out of range');
    chunks.push(boxed(items.slice(at * step, at * step + length)));
  }
  return new TypedList('[][]interface {}', chunks);
}

function slice(list: Value, indices: readonly Value[]): Value {
  const items = listItems(list);
  if (!items) {
    if (list === null || list === undefined) return fail('runtime error: invalid memory address or nil pointer dereference');
    return fail(`list should be type of slice or array but ${kindName(list)}`);
  }
  if (items.length === 0) return null;
  const start = indices.length > 0 ? Number(toInt64(indices[0])) : 0;
  const end = indices.length > 1 ? Number(toInt64(indices[1])) : items.length;
  if (start < 0 || start > end || end > items.length) return fail('reflect.Value.Slice: slice index out of bounds');
  const part = items.slice(start, end);
  return list instanceof TypedList ? new TypedList(list.type, part) : part;
}

function concat(lists: readonly Value[]): Value {
  const out: Value[] = [];
  for (const list of lists) {
    const items = listItems(list);
    if (items) for (const item of items) out.push(item);
    else if (list === null || list === undefined) fail('runtime error: invalid memory address or nil pointer dereference');
    else fail(`Cannot concat type ${kindName(list)} as list`);
  }
  return out.length === 0 ? new TypedList('[]interface {}', [], true) : out;
}

/** Go's nil []interface{}: what some functions yield for an empty list; marshals as null. */
const nilList = new TypedList('[]interface {}', [], true);

const list = fn(['...any'], (...values) => values);
const append = fn(['any', 'any'], (list, value) => [...itemsOf(list, 'push on'), value]);

export const listFunctions: FunctionGroup = {
  ...twins('append', append),
  ...twins('push', append),
  ...twins(
    'chunk',
    fn(['int', 'any'], (size, list) => chunk(size.value, list)),
  ),
  ...twins(
    'compact',
    fn(['any'], (list) => itemsOf(list, 'compact on').filter((item) => !isEmpty(item))),
  ),
  concat: fn(['...any'], (...lists) => concat(lists)),
  ...twins(
    'first',
    fn(['any'], (list) => itemsOf(list, 'find first on')[0] ?? null),
  ),
  ...twins('has', contextual(['any', 'any'], has)),
  ...twins(
    'initial',
    fn(['any'], (list) => {
      const items = itemsOf(list, 'find initial on');
      return items.length === 0 ? nilList : items.slice(0, -1);
    }),
  ),
  ...twins(
    'last',
    fn(['any'], (list) => itemsOf(list, 'find last on').at(-1) ?? null),
  ),
  list,
  tuple: list,
  ...twins(
    'prepend',
    fn(['any', 'any'], (list, value) => [value, ...itemsOf(list, 'prepend on')]),
  ),
  ...twins(
    'rest',
    fn(['any'], (list) => {
      const items = itemsOf(list, 'find rest on');
      return items.length === 0 ? nilList : items.slice(1);
    }),
  ),
  ...twins(
    'reverse',
    fn(['any'], (list) => [...itemsOf(list, 'find reverse on')].reverse()),
  ),
  ...twins(
    'slice',
    fn(['any', '...any'], (list, ...indices) => slice(list, indices)),
  ),
  ...twins(
    'uniq',
    contextual(['any'], (context, list) => {
      const out: Value[] = [];
      for (const item of itemsOf(list, 'find uniq on')) if (!inList(context, out, item)) out.push(item);
      return out;
    }),
  ),
  ...twins(
    'without',
    contextual(['any', '...any'], (context, list, ...omit) => {
      const items = itemsOf(list, 'find without on');
      return items.filter((item) => !inList(context, omit, item));
    }),
  ),
};
