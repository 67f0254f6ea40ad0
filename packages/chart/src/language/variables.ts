import type { Value } from '../value/kinds.ts';

/** The variables of a running template, the innermost last. Slot 0 is `$`. */
export class Variables {
  readonly #names: string[] = ['$'];
  readonly #values: Value[];
  /** Whether a value came out of an interface{} slot unopened, as range's do. */
  readonly #boxed: boolean[] = [false];

  constructor(data: Value) {
    this.#values = [data];
  }

  get count(): number {
    return this.#names.length;
  }

  /** The innermost slot of a name; -1 where there is none. */
  slotOf(name: string): number {
    const names = this.#names;
    let slot = names.length - 1;
    while (slot >= 0 && names[slot] !== name) slot--;
    return slot;
  }

  valueAt(slot: number): Value {
    return this.#values[slot];
  }

  isBoxedAt(slot: number): boolean {
    return this.#boxed[slot] as boolean;
  }

  declare(name: string, value: Value): void {
    this.#names.push(name);
    this.#values.push(value);
    this.#boxed.push(false);
  }

  set(slot: number, value: Value, boxed: boolean): void {
    this.#values[slot] = value;
    this.#boxed[slot] = boxed;
  }

  /** Those from a slot on are gone. */
  forget(slot: number): void {
    if (this.#names.length === slot) return;
    this.#names.length = slot;
    this.#values.length = slot;
    this.#boxed.length = slot;
  }
}
