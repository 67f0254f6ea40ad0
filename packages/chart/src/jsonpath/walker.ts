import type { Budget } from '../render/budget.ts';
import { bytes, GoInt, int, listItems, typeName, type Value } from '../value/kinds.ts';
import { compareText, toBytes } from '../value/text.ts';
import type { FilterNode, Node, SliceNode } from './nodes.ts';

/**
 * Follows an expression through values. `undefined` stands for Go's value that is not even nil, which a loop over nothing
 * or over a nil has.
 */

/** An expression that does not fit the values. */
export class PathFailure extends Error {
  /** What the step that failed hands on nevertheless: a filter asks whether something is there without minding failures. */
  readonly left: readonly Value[];

  constructor(problem: string, left: readonly Value[] = []) {
    super(problem);
    this.left = left;
  }
}

/** One walk; it counts the loops that are open, so another needs another. */
export class Walker {
  readonly #nodes: readonly Node[];
  readonly #budget: Budget;
  /** Of `range` and `end`: those just met, and the loops around. */
  #begun = 0;
  #ended = 0;
  #open = 0;
  #lastEnd = -1;

  constructor(nodes: readonly Node[], budget: Budget) {
    this.#nodes = nodes;
    this.#budget = budget;
  }

  /**
   * What each part finds, in order.
   *
   * @param start the first part of a loop's body
   * @throws PathFailure, LimitReached
   */
  find(data: Value, start = 0): Value[][] {
    const results: Value[][] = [];
    for (let at = start; at < this.#nodes.length; at++) {
      const found = this.#walk([data], this.#nodes[at] as Node);
      if (this.#ended > 0 && this.#ended <= this.#open) {
        this.#ended--;
        this.#lastEnd = at;
        break;
      }
      if (this.#begun > 0) {
        this.#begun--;
        this.#loop(found, at + 1, results);
        at = Math.max(at, this.#lastEnd);
      } else results.push([...found]);
    }
    return results;
  }

  #loop(values: readonly Value[], body: number, results: Value[][]): void {
    this.#open++;
    this.#budget.enter();
    for (const value of values) {
      if (value === undefined) throw new PathFailure('there is nothing to range over');
      for (const found of this.find(value ?? undefined, body)) results.push(found);
    }
    // To know where the loop ends, its body is walked even for nothing, and fails where it names a field.
    if (values.length === 0) this.find(undefined, body);
    this.#budget.leave();
    this.#open--;
  }

  #follow(input: readonly Value[], nodes: readonly Node[]): readonly Value[] {
    return nodes.reduce((values, node) => this.#walk(values, node), input);
  }

  #walk(input: readonly Value[], node: Node): readonly Value[] {
    this.#budget.step(1 + input.length / 2);
    switch (node.kind) {
      case 'action':
        return this.#follow(input, node.nodes);
      case 'text':
        return [node.text];
      case 'integer':
        return input.map(() => int(node.value));
      case 'float':
      case 'bool':
        return input.map(() => node.value);
      case 'field':
        return fieldOf(input, node.name);
      case 'wildcard':
        return this.#collect(input, (value, found) => {
          for (const child of this.#childrenOf(value)) found.push(child);
        });
      case 'recursive':
        return this.#collect(input, (value, found) => this.#descend(value, found));
      case 'slice':
        return this.#slice(input, node);
      case 'union':
        return this.#union(input, node.members);
      case 'filter':
        return this.#filter(input, node);
      case 'word':
        return this.#word(input, node.word);
    }
  }

  #word(input: readonly Value[], word: string): readonly Value[] {
    if (word === 'range') {
      this.#begun++;
      return input;
    }
    if (word !== 'end') throw new PathFailure(`unrecognized identifier ${word}`, input);
    if (this.#open === 0) throw new PathFailure('not in range, nothing to end');
    this.#ended++;
    return [];
  }

  #collect(input: readonly Value[], each: (value: Value, found: Value[]) => void): Value[] {
    const found: Value[] = [];
    for (const value of input) each(value, found);
    return found;
  }

  /** What is in a map, a list or, byte by byte, a text. */
  #childrenOf(value: Value): readonly Value[] {
    const children =
      value instanceof Map ? [...value.values()] : typeof value === 'string' ? bytes(toBytes(value)).items : (listItems(value) ?? []);
    this.#budget.step(1 + children.length / 4);
    return children;
  }

  /** A value and all below it that have children. */
  #descend(value: Value, found: Value[]): void {
    const children = this.#childrenOf(value);
    if (children.length === 0) return;
    this.#budget.enter();
    found.push(value);
    if (typeof value !== 'string') for (const child of children) this.#descend(child, found);
    this.#budget.leave();
  }

  #slice(input: readonly Value[], { from = 0n, to, isSingle, step }: SliceNode): readonly Value[] {
    const found: Value[] = [];
    for (const value of input) {
      if (value === null) continue;
      const items = listItems(value);
      if (!items) throw new PathFailure(`${typeName(value)} is not array or slice`, input);
      const length = BigInt(items.length);
      const start = from < 0n ? from + length : from;
      const end = to === undefined ? length : to < 0n || (to === 0n && isSingle) ? to + length : to;
      if (start === end) return found;
      const outside = start >= length || start < 0n ? start : end > length || end < 0n ? end - 1n : undefined;
      if (outside !== undefined) throw new PathFailure(`array index out of bounds: index ${outside}, length ${length}`, input);
      if (start > end) throw new PathFailure(`starting index ${start} is greater than ending index ${end}`, input);
      if (step !== undefined && step <= 0n) throw new PathFailure('step must be > 0', input);
      this.#budget.step(Number(end - start) / 4);
      for (let index = start; index < end; index += step ?? 1n) found.push(items[Number(index)]);
    }
    return found;
  }

  #union(input: readonly Value[], members: readonly (readonly Node[])[]): readonly Value[] {
    try {
      return members.flatMap((member) => this.#follow(input, member));
    } catch (error) {
      if (error instanceof PathFailure) throw new PathFailure(error.message, input);
      throw error;
    }
  }

  #filter(input: readonly Value[], filter: FilterNode): readonly Value[] {
    const found: Value[] = [];
    for (const value of input) {
      const items = listItems(value);
      if (!items) throw new PathFailure(`${typeName(value)} is not array or slice and cannot be filtered`, input);
      for (const item of items) if (this.#passes(item, filter, input, found)) found.push(item);
    }
    return found;
  }

  #passes(item: Value, { left, operator, right }: FilterNode, input: readonly Value[], found: readonly Value[]): boolean {
    if (operator === undefined) return this.#isThere(item, left);
    const only = (nodes: readonly Node[]): readonly Value[] => {
      const values = this.#within(input, () => this.#follow([item], nodes));
      if (values.length > 1) throw new PathFailure('can only compare one element at a time', input);
      return values;
    };
    const lefts = only(left);
    if (lefts.length === 0) return false;
    const rights = only(right);
    if (rights.length === 0) return false;
    const [a, b] = [lefts[0], rights[0]];
    // One long text may be compared with another for each item.
    if (typeof a === 'string' && typeof b === 'string') this.#budget.step(Math.min(a.length, b.length) >> 9);
    return this.#within(found, () => compare(a, operator, b));
  }

  #isThere(item: Value, nodes: readonly Node[]): boolean {
    try {
      return this.#follow([item], nodes).length > 0;
    } catch (error) {
      if (error instanceof PathFailure) return error.left.length > 0;
      throw error;
    }
  }

  /** A failure inside a step hands on what the step does. */
  #within<T>(left: readonly Value[], run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw error instanceof PathFailure ? new PathFailure(error.message, [...left]) : error;
    }
  }
}

function fieldOf(input: readonly Value[], name: string): readonly Value[] {
  const found: Value[] = [];
  for (const value of input) if (value instanceof Map && value.has(name)) found.push(value.get(name));
  if (found.length === 0 && input.length > 0) throw new PathFailure(`${name} is not found`);
  return found;
}

function compare(left: Value, operator: string, right: Value): boolean {
  switch (operator) {
    case '==':
      return isEqual(left, right);
    case '!=':
      return !isEqual(left, right);
    case '<':
      return isLess(left, right);
    case '<=':
      return isLess(left, right) || isEqual(left, right);
    case '>':
      return !(isLess(left, right) || isEqual(left, right));
    case '>=':
      return !isLess(left, right);
    default:
      throw new PathFailure(`unrecognized filter operator ${operator}`);
  }
}

/** Two values of one kind; a whole number in an expression is none of values.yaml's, whose numbers are all floats. */
function checkKinds(left: Value, right: Value): void {
  const [a, b] = [basicKind(left), basicKind(right)];
  if (a !== b) throw new PathFailure(`incompatible types for comparison: ${typeName(left)} and ${typeName(right)}`);
}

function basicKind(value: Value): string {
  if (value instanceof GoInt) return 'integer';
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return typeof value;
  throw new PathFailure(`invalid type for comparison: ${typeName(value)}`);
}

function isEqual(left: Value, right: Value): boolean {
  checkKinds(left, right);
  return left instanceof GoInt && right instanceof GoInt ? left.value === right.value : left === right;
}

function isLess(left: Value, right: Value): boolean {
  checkKinds(left, right);
  if (left instanceof GoInt && right instanceof GoInt) return left.value < right.value;
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right) < 0;
  if (typeof left === 'number' && typeof right === 'number') return left < right;
  throw new PathFailure('invalid type for comparison: bool');
}
