import type { Budget } from '../render/budget.ts';
import { GoInt, GoObject, TypedList, type Value } from './kinds.ts';

/** What work on values costs, in steps. */
export interface Rate {
  /** For each map, list, number or text that is visited. */
  readonly node: number;
  /** For numbers, texts and the like, where they take less. */
  readonly leaf?: number;
  /** For 1,024 characters of text. */
  readonly text: number;
}

/** Steps for a text alone. */
export const textCost = (text: string, rate: Rate): number => Math.floor((text.length * rate.text) / 1024);

/** Deepest nesting that is followed; deeper is a value that holds itself, or as good as one. */
const maxDepth = 1000;

/**
 * Charges work on a whole value before it is done: all that hangs below it, a value that hangs at two places twice,
 * because whoever prints or copies it does so twice.
 *
 * @returns false for a value that holds itself or is nested as deeply
 * @throws LimitReached
 */
export function weigh(budget: Budget, value: Value, rate: Rate): boolean {
  return weighAt(budget, value, rate, 0);
}

function weighAt(budget: Budget, value: Value, rate: Rate, depth: number): boolean {
  if (typeof value === 'string') {
    budget.step((rate.leaf ?? rate.node) + textCost(value, rate));
    return true;
  }
  if (typeof value !== 'object' || value === null || value instanceof GoInt) {
    budget.step(rate.leaf ?? rate.node);
    return true;
  }
  if (depth > maxDepth) return false;
  if (value instanceof Map) {
    budget.step(rate.node);
    for (const [key, item] of value) {
      if (key.length > 64) budget.step(textCost(key, rate));
      if (!weighAt(budget, item, rate, depth + 1)) return false;
    }
    return true;
  }
  if (value instanceof GoObject) {
    budget.step(rate.node * value.weight());
    return value.fields().every(([, field]) => weighAt(budget, field, rate, depth + 1));
  }
  if (value instanceof TypedList && value.type === '[]uint8') {
    budget.step(rate.node * (1 + value.items.length));
    return true;
  }
  budget.step(rate.node);
  for (const item of Array.isArray(value) ? value : value.items) if (!weighAt(budget, item, rate, depth + 1)) return false;
  return true;
}

/** How many maps, lists and plain values a value is made of, counted up to a bound. */
export function countNodes(value: Value, most: number): number {
  if (typeof value !== 'object' || value === null || value instanceof GoInt || value instanceof GoObject) return 1;
  let count = 1;
  const items = value instanceof Map ? value.values() : Array.isArray(value) ? value : value.items;
  for (const item of items) {
    if (count >= most) return most;
    count += countNodes(item, most - count);
  }
  return count;
}
