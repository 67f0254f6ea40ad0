import type { Value, ValueMap } from '../../value/kinds.ts';
import { MapView } from '../../value/view.ts';
import type { Changes } from './changes.ts';

/** What holds other values. */
export type Collection = ValueMap | Value[];

export const isCollection = (value: Value): value is Collection => value instanceof Map || Array.isArray(value);

/** Maps and lists that files hang into maps of the values. */
export type Hung = ReadonlyMap<Collection, readonly Value[]>;

/** What may be looked at yet. */
export interface Patience {
  left: number;
}

/** Whether one of the wanted is among some values, or hangs below one. Who has no patience left is told that it does. */
export function reaches(
  start: Iterable<Value>,
  wanted: { has(value: Value): boolean },
  patience: Patience = { left: Number.POSITIVE_INFINITY },
): boolean {
  const known = new Set<Value>();
  const ahead: Value[] = [...start];
  for (let value = ahead.pop(); value !== undefined; value = ahead.pop()) {
    if (typeof value !== 'object' || value === null || known.has(value)) continue;
    if (patience.left-- <= 0 || wanted.has(value instanceof MapView ? value.target : value)) return true;
    known.add(value);
    if (value instanceof Map || Array.isArray(value))
      for (const item of value.values()) if (typeof item === 'object' && item !== null) ahead.push(item);
  }
  return false;
}

/** Adds the maps that hold changed ones: who looked at all of these looked at those. */
export function addHolders(changes: Changes, values: Iterable<ValueMap>, hung: Hung): void {
  const holders = new Map<Collection, Collection[]>();
  const ahead: Collection[] = [...values, ...hung.keys()];
  const known = new Set<Collection>(ahead);
  for (let holder = ahead.pop(); holder; holder = ahead.pop()) {
    for (const found of [...holder.values(), ...(hung.get(holder) ?? [])]) {
      const item = found instanceof MapView ? found.target : found;
      if (!isCollection(item)) continue;
      const others = holders.get(item);
      if (others) others.push(holder);
      else holders.set(item, [holder]);
      if (known.has(item)) continue;
      known.add(item);
      ahead.push(item);
    }
  }
  const changed: Collection[] = [...changes.keys()];
  const above = new Set(changed);
  for (let item = changed.pop(); item; item = changed.pop()) {
    for (const holder of holders.get(item) ?? []) {
      if (above.has(holder)) continue;
      above.add(holder);
      changed.push(holder);
      if (holder instanceof Map && !changes.has(holder)) changes.set(holder, new Set());
    }
  }
}
