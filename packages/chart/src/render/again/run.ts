import type { StatementNode } from '../../language/statements.ts';
import type { Variables } from '../../language/variables.ts';
import { GoInt, type Value, type ValueMap } from '../../value/kinds.ts';
import { MapView } from '../../value/view.ts';
import type { Spent } from '../budget.ts';

/** What is looked at of a map beside one key: whether it holds something, all keys, or all that hangs below. */
export const filled = Symbol('filled');
export const empty = Symbol('empty');
export const allKeys = Symbol('all keys');
export const everything = Symbol('everything');

/** A key of a map, or one of the above. */
export type Looked = string | typeof filled | typeof empty | typeof allKeys | typeof everything;

/** Whether what was looked at is not as it was; one for each time that a file runs. */
export type IsOther = (map: ValueMap, looked: Looked) => boolean;

/**
 * A statement of a file, or a template that one includes, as it ran: what it printed, and what that depended on, in the order
 * in which it was read.
 */
export class Run {
  readonly node: StatementNode | undefined;
  /** Variables that the file had before it: those from this one on are its own. */
  readonly variables: number;
  /** Runs within it. */
  readonly parts: Run[] = [];
  /** Whether it does not print the same another time, or does more than to print. */
  isSpoilt = false;
  /** Whether it asked for the file's own name. */
  isOfFile = false;
  /** The lowest slot of a variable that it sets. */
  #lowest = Number.POSITIVE_INFINITY;
  text = '';
  spent: Spent | undefined;
  /** Of a statement that declares a variable: its value. */
  declared: Value;
  /** By turns what was read, a map or the slot of a variable, and what of it: what was looked at, or the variable's value. */
  readonly #reads: (ValueMap | number | Looked | Value)[] = [];
  #byNode: Map<StatementNode | undefined, Run> | undefined;
  #other: IsOther | undefined;

  constructor(node?: StatementNode, variables = 0) {
    this.node = node;
    this.variables = variables;
  }

  /** Whether it need not run where it would read the same: it sets no variable that was there before it. */
  get isRepeatable(): boolean {
    return !this.isSpoilt && this.#lowest >= this.variables;
  }

  /** A run within it is over. */
  add(part: Run): void {
    this.parts.push(part);
    this.isSpoilt ||= part.isSpoilt;
    this.isOfFile ||= part.isOfFile;
    this.sets(part.#lowest);
  }

  sets(slot: number): void {
    if (slot < this.#lowest) this.#lowest = slot;
  }

  map(map: ValueMap, looked: Looked): void {
    this.#reads.push(map, looked);
  }

  variable(slot: number, value: Value): void {
    this.#reads.push(slot, value);
  }

  /** The statement within it. */
  part(node: StatementNode): Run | undefined {
    this.#byNode ??= new Map(this.parts.map((part) => [part.node, part]));
    return this.#byNode.get(node);
  }

  /** Whether all that it read is as it was then. What was found to be other is not looked at again: a part, by who holds it. */
  holds(isOther: IsOther, variables: Variables, count = variables.count): boolean {
    if (this.#other === isOther) return false;
    const holds = this.#readsHold(isOther, variables, count) && this.parts.every((part) => part.holds(isOther, variables, count));
    if (!holds) this.#other = isOther;
    return holds;
  }

  #readsHold(isOther: IsOther, variables: Variables, count: number): boolean {
    const reads = this.#reads;
    for (let i = 0; i < reads.length; i += 2) {
      const subject = reads[i] as ValueMap | number;
      const then = reads[i + 1];
      if (typeof subject === 'number') {
        if (subject < count && !isSameVariable(variables.valueAt(subject), then as Value)) return false;
      } else if (isOther(subject, then as Looked)) return false;
    }
    return true;
  }

  /** Visits what it read of maps. */
  eachMap(visit: (map: ValueMap, looked: Looked) => void): void {
    const reads = this.#reads;
    for (let i = 0; i < reads.length; i += 2) if (typeof reads[i] !== 'number') visit(reads[i] as ValueMap, reads[i + 1] as Looked);
    for (const part of this.parts) part.eachMap(visit);
  }
}

/** Whether a variable is worth keeping: what templates make is made anew each time. */
export const isPlainVariable = (value: Value, owned: ReadonlySet<ValueMap>): boolean =>
  typeof value !== 'object' || value === null || value instanceof GoInt || (value instanceof Map && owned.has(value));

function isSameVariable(now: Value, then: Value): boolean {
  if (Object.is(now, then)) return true;
  if (now instanceof GoInt) return then instanceof GoInt && now.kind === then.kind && now.value === then.value;
  return now instanceof MapView && then instanceof MapView && now.target === then.target && now.type === then.type;
}
