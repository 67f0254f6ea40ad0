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
  return new Scale(budget, rate).weigh(value, 0);
}

/** Steps that may be due before they are charged: a call for each text would cost more than many texts do. */
const chargedAtOnce = 64;

class Scale {
  readonly #budget: Budget;
  readonly #rate: Rate;
  readonly #leaf: number;

  constructor(budget: Budget, rate: Rate) {
    this.#budget = budget;
    this.#rate = rate;
    this.#leaf = rate.leaf ?? rate.node;
  }

  weigh(value: Value, depth: number): boolean {
    if (typeof value !== 'object' || value === null || value instanceof GoInt) {
      this.#budget.step(this.#leafSteps(value));
      return true;
    }
    if (depth > maxDepth) return false;
    if (value instanceof GoObject) {
      this.#budget.step(this.#rate.node * value.weight());
      return value.fields().every(([, field]) => this.weigh(field, depth + 1));
    }
    if (value instanceof TypedList && value.type === '[]uint8') {
      this.#budget.step(this.#rate.node * (1 + value.items.length));
      return true;
    }
    return value instanceof Map ? this.#map(value, depth) : this.#list(Array.isArray(value) ? value : value.items, depth);
  }

  #map(map: ReadonlyMap<string, Value>, depth: number): boolean {
    let due = this.#rate.node;
    for (const [key, item] of map) {
      if (key.length > 64) due += textCost(key, this.#rate);
      due = this.#item(item, due, depth);
      if (due < 0) return false;
    }
    this.#budget.step(due);
    return true;
  }

  #list(items: readonly Value[], depth: number): boolean {
    let due = this.#rate.node;
    for (const item of items) {
      due = this.#item(item, due, depth);
      if (due < 0) return false;
    }
    this.#budget.step(due);
    return true;
  }

  /** @returns the steps that are due after an item; below zero for one that holds itself */
  #item(item: Value, before: number, depth: number): number {
    let due = before;
    if (typeof item !== 'object' || item === null) due += this.#leafSteps(item);
    else if (!this.weigh(item, depth + 1)) return -1;
    if (due <= chargedAtOnce) return due;
    this.#budget.step(due);
    return 0;
  }

  #leafSteps(value: Value): number {
    return typeof value === 'string' ? this.#leaf + textCost(value, this.#rate) : this.#leaf;
  }
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
