import { ChartError } from '../errors.ts';
import type { WorkChart } from '../loader/work-chart.ts';
import type { Profile } from '../profile.ts';
import { type Budget, LimitReached } from '../render/budget.ts';
import { deepCopy } from '../value/copy.ts';
import { TypedMap, type Value, type ValueMap } from '../value/kinds.ts';
import { printValue, sortedKeys } from '../value/print.ts';
import { type Rate, weigh } from '../value/weigh.ts';

/**
 * Lays the user's values over the charts' own, downwards through the subcharts, with Helm's rules for globals and for
 * nulls (which delete a default).
 *
 * `merge` keeps nulls, so that a later pass can still see what was to be deleted.
 */

const globalKey = 'global';

/** Plain tables are maps of any values; chart values' named type counts too. */
const isTable = (value: Value): value is ValueMap => value instanceof Map && (!(value instanceof TypedMap) || value.zero === null);

type Warn = (line: string) => void;

export interface CoalesceOptions {
  readonly profile: Profile;
  readonly warn: Warn;
  /** Pays for values that are copied: from strangers, every subchart's parents can be large. */
  readonly budget?: Budget | undefined;
}

/** Steps for copying and laying values. */
const laying: Rate = { node: 2.5, leaf: 0.25, text: 0 };

/** Charges the copying of values. @throws LimitReached */
export function chargeValues(values: ValueMap, { budget }: CoalesceOptions): void {
  if (budget && !weigh(budget, values, laying)) throw new LimitReached('values hold themselves, or are nested more than 1000 deep');
}

/** Values for a chart and all below it; neither argument changes. */
export function coalesceValues(chart: WorkChart, values: ValueMap, options: CoalesceOptions): ValueMap {
  chargeValues(values, options);
  return coalesce(chart, deepCopy(values), '', false, options);
}

/** The same, keeping nulls. */
export function mergeChartValues(chart: WorkChart, values: ValueMap, options: CoalesceOptions): ValueMap {
  chargeValues(values, options);
  return coalesce(chart, deepCopy(values), '', true, options);
}

const join = (a: string, b: string): string => (a === '' ? b : `${a}.${b}`);

function coalesce(chart: WorkChart, target: ValueMap, prefix: string, merge: boolean, options: CoalesceOptions): ValueMap {
  overChart(chart, target, prefix, merge, options);
  for (const child of chart.dependencies) {
    const own = target.get(child.name);
    if (!target.has(child.name)) target.set(child.name, new Map());
    else if (!isTable(own)) {
      throw new ChartError('VALUES_INVALID', `type mismatch on ${child.name}: ${printBoolVerb(own)}`, {
        cure: `Values under ${child.name} belong to the subchart of that name and must be a map.`,
      });
    }
    const values = target.get(child.name) as ValueMap;
    const childPrefix = join(prefix, chart.name);
    coalesceGlobals(values, target, childPrefix, options);
    target.set(child.name, coalesce(child, values, childPrefix, merge, options));
  }
  return target;
}

/** Go's `%t` of what is no bool. */
function printBoolVerb(value: Value, isInner = false): string {
  if (typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) return isInner ? '<nil>' : '%!t(<nil>)';
  if (Array.isArray(value)) return `[${value.map((item) => printBoolVerb(item, true)).join(' ')}]`;
  if (value instanceof Map) {
    return `map[${sortedKeys(value)
      .map((key) => `${printBoolVerb(key)}:${printBoolVerb(value.get(key), true)}`)
      .join(' ')}]`;
  }
  const type = typeof value === 'string' ? 'string' : typeof value === 'number' ? 'float64' : 'int64';
  return `%!t(${type}=${printValue(value)})`;
}

function coalesceGlobals(target: ValueMap, source: ValueMap, prefix: string, options: CoalesceOptions): void {
  const { warn } = options;
  const into = target.has(globalKey) ? target.get(globalKey) : new Map();
  if (!isTable(into)) {
    warn(`warning: skipping globals because destination ${globalKey} is not a table.`);
    return;
  }
  const from = source.has(globalKey) ? source.get(globalKey) : new Map();
  if (!isTable(from)) {
    warn(`warning: skipping globals because source ${globalKey} is not a table.`);
    return;
  }
  chargeValues(from, options);
  for (const [key, value] of from) {
    const current = into.get(key);
    if (isTable(value)) {
      const copy: ValueMap = new Map(value);
      if (!into.has(key)) into.set(key, copy);
      else if (!isTable(current)) warn(`Conflict: cannot merge map onto non-map for "${key}". Skipping.`);
      else {
        // The parent's globals win over the subchart's.
        coalesceTables(copy, current, join(prefix, key), true, warn);
        into.set(key, copy);
      }
    } else if (into.has(key) && isTable(current)) warn(`key ${key} is table. Skipping`);
    else into.set(key, value);
  }
  target.set(globalKey, into);
}

function overChart(chart: WorkChart, target: ValueMap, prefix: string, merge: boolean, options: CoalesceOptions): void {
  const { profile, warn } = options;
  const path = join(prefix, chart.name);
  const dropsNulls = profile.dropChartNulls;
  chargeValues(chart.values, options);
  for (const [key, value] of deepCopy(chart.values)) {
    const current = target.get(key);
    if (!target.has(key)) {
      if (!merge && dropsNulls) {
        if (value === null) continue;
        if (isTable(value)) dropNulls(value);
      }
      target.set(key, value);
    } else if (current === null && !merge) target.delete(key);
    else if (isTable(current)) {
      if (isTable(value)) {
        // A subchart's own pass removes nulls of its table.
        const keepNulls = merge || chart.dependencies.some((child) => child.name === key);
        if (!keepNulls && dropsNulls) dropNulls(value);
        coalesceTables(current, value, join(path, key), keepNulls, warn);
      } else if (value !== null) warn(`warning: skipped value for ${path}.${key}: Not a table.`);
    }
  }
}

/** Adds to `target` what only `source` has, deeply. */
export function coalesceTables(target: ValueMap, source: ValueMap, prefix: string, merge: boolean, warn: Warn): ValueMap {
  const given = new Set<string>();
  for (const [key, value] of source) if (value !== null) given.add(key);
  for (const [key, value] of target) if (value === null) source.set(key, null);
  for (const [key, value] of source) {
    const path = join(prefix, key);
    const current = target.get(key);
    if (target.has(key) && !merge && current === null && given.has(key)) target.delete(key);
    else if (!target.has(key)) target.set(key, value);
    else if (isTable(value)) {
      if (isTable(current)) coalesceTables(current, value, path, merge, warn);
      else warn(`warning: cannot overwrite table with non table for ${path} (${printValue(value)})`);
    } else if (isTable(current) && value !== null) {
      warn(`warning: destination for ${path} is a table. Ignoring non-table value (${printValue(value)})`);
    }
  }
  return target;
}

function dropNulls(map: ValueMap): void {
  for (const [key, value] of map) {
    if (value === null) map.delete(key);
    else if (isTable(value)) dropNulls(value);
  }
}
