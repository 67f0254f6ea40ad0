import { isEmpty, toText } from '../value/convert.ts';
import { deepCopy } from '../value/copy.ts';
import { strings, TypedMap, typeName, type Value, type ValueMap } from '../value/kinds.ts';
import { chargePrinting } from './costs.ts';
import { type CallContext, contextual, type FunctionGroup, fail, fn } from './define.ts';

/** Dictionary functions of sprig. `set`, `unset`, `merge` and `mergeOverwrite` change their argument, as Go's do. */

function dict(parts: readonly Value[]): ValueMap {
  const out: ValueMap = new Map();
  for (let i = 0; i < parts.length; i += 2) out.set(toText(parts[i]), i + 1 < parts.length ? (parts[i + 1] as Value) : '');
  return out;
}

function set({ changing }: CallContext, map: ValueMap, key: string, value: Value): ValueMap {
  if (map instanceof TypedMap && map.isNil) fail('assignment to entry in nil map');
  changing?.(map, key);
  map.set(key, value === undefined ? null : value);
  return map;
}

function dig(parts: readonly Value[]): Value {
  if (parts.length < 3) return fail('dig needs at least three arguments');
  const start = parts.at(-1);
  const path = parts.slice(0, -2).map((key) => (typeof key === 'string' ? key : assertion(key, 'string')));
  const otherwise = parts.at(-2);
  let step: Value = start;
  for (const key of path) {
    // A type assertion in Go: a named map type (chart values themselves) does not pass it.
    if (!(step instanceof Map) || step instanceof TypedMap) return assertion(step, 'map[string]interface {}');
    if (!step.has(key)) return otherwise;
    step = step.get(key);
  }
  return step;
}

function assertion(value: Value, wanted: string): never {
  const got = value === null || value === undefined ? 'nil' : typeName(value);
  return fail(`interface conversion: interface {} is ${got}, not ${wanted}`);
}

type MergeContext = Pick<CallContext, 'budget' | 'changing'>;

/**
 * mergo's map merge into `target`: maps merge deeper, and other values are set where the target has none or an empty
 * one, or always with `overwrite`. A null in the source counts only with `overwrite`.
 */
export function mergeInto(target: ValueMap, source: ValueMap, overwrite: boolean, context: MergeContext, depth = 0): void {
  if (depth > 1000) fail('merge of maps that are nested too deeply');
  const { budget, changing } = context;
  for (const [key, value] of source) {
    budget.step(2);
    if (value === null || value === undefined) {
      if (overwrite) {
        changing?.(target, key);
        target.set(key, null);
      }
      continue;
    }
    const current = target.get(key);
    const bothMaps = value instanceof Map && current instanceof Map;
    if (bothMaps && current !== value) mergeInto(current, value, overwrite, context, depth + 1);
    const keeps = target.has(key) && !isEmpty(current) && (bothMaps || !overwrite);
    if (keeps) continue;
    changing?.(target, key);
    target.set(key, value);
  }
}

const merge = (overwrite: boolean) =>
  contextual(['map', '...map'], (context, target, ...sources) => {
    const result: ValueMap = target instanceof TypedMap && target.isNil ? new Map() : target;
    for (const source of sources) mergeInto(result, source, overwrite, context);
    return result;
  });

const deepCopyFunction = fn(['any'], (value) => {
  if (value === null || value === undefined) return fail('reflect: call of reflect.Value.Type on zero Value');
  return deepCopy(value);
});

export const dictFunctions: FunctionGroup = {
  deepCopy: deepCopyFunction,
  mustDeepCopy: deepCopyFunction,
  dict: contextual(['...any'], ({ budget }, ...parts) => {
    // A map or list as a key is printed.
    for (let i = 0; i < parts.length; i += 2) if (typeof parts[i] !== 'string') chargePrinting(budget, parts[i]);
    return dict(parts);
  }),
  dig: fn(['...any'], (...parts) => dig(parts)),
  get: fn(['map', 'string'], (map, key) => (map.has(key) ? (map.get(key) ?? null) : '')),
  hasKey: fn(['map', 'string'], (map, key) => map.has(key)),
  /** Go's order is random; ours is that of insertion, one of the possible ones. */
  keys: fn(['...map'], (...maps) => strings(maps.flatMap((map) => [...map.keys()]))),
  merge: merge(false),
  mustMerge: merge(false),
  mergeOverwrite: merge(true),
  mustMergeOverwrite: merge(true),
  omit: fn(['map', '...string'], (map, ...keys) => {
    const out: ValueMap = new Map();
    const omitted = new Set(keys);
    for (const [key, value] of map) if (!omitted.has(key)) out.set(key, value);
    return out;
  }),
  pick: fn(['map', '...string'], (map, ...keys) => {
    const out: ValueMap = new Map();
    for (const key of keys) if (map.has(key)) out.set(key, map.get(key));
    return out;
  }),
  pluck: fn(['string', '...map'], (key, ...maps) => maps.filter((map) => map.has(key)).map((map) => map.get(key))),
  set: contextual(['map', 'string', 'any'], set),
  unset: contextual(['map', 'string'], ({ changing }, map, key) => {
    changing?.(map, key);
    map.delete(key);
    return map;
  }),
  values: fn(['map'], (map) => [...map.values()]),
};
