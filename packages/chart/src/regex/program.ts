import { LimitReached } from '../render/budget.ts';
import type { CharacterSet } from './classes.ts';
import { type Assertion, type Expression, maxInstructions, tooLarge } from './syntax.ts';

/** An expression as instructions of a machine that tries all ways at once. */

export type Instruction =
  | { readonly op: 'match' }
  | { readonly op: 'set'; readonly set: CharacterSet; readonly next: number }
  | { readonly op: 'assert'; readonly assertion: Assertion; readonly next: number }
  | { readonly op: 'save'; readonly slot: number; readonly next: number }
  /** Two ways, the first preferred. */
  | { readonly op: 'split'; readonly next: number; readonly other: number };

/** @throws LimitReached */
export function compile(root: Expression): readonly Instruction[] {
  const program: Instruction[] = [];
  const add = (instruction: Instruction): number => {
    if (program.length >= maxInstructions) throw new LimitReached(tooLarge);
    return program.push(instruction) - 1;
  };

  const nullable = new Map<Expression, boolean>();
  /** Whether an expression matches without taking a character, somewhere. Asked of each once, for loops nest. */
  const isNullable = (expression: Expression): boolean => {
    const known = nullable.get(expression);
    if (known !== undefined) return known;
    const answer = findNullable(expression, isNullable);
    nullable.set(expression, answer);
    return answer;
  };

  /** Puts the instructions of an expression before `next`; returns where they begin. */
  const emit = (expression: Expression, next: number): number => {
    switch (expression.kind) {
      case 'empty':
        return next;
      case 'set':
        return add({ op: 'set', set: expression.set, next });
      case 'assert':
        return add({ op: 'assert', assertion: expression.assertion, next });
      case 'concat':
        return expression.items.reduceRight((after, item) => emit(item, after), next);
      case 'alternate':
        return expression.items.map((item) => emit(item, next)).reduceRight((other, start) => add({ op: 'split', next: start, other }));
      case 'capture': {
        const end = add({ op: 'save', slot: 2 * expression.index + 1, next });
        return add({ op: 'save', slot: 2 * expression.index, next: emit(expression.item, end) });
      }
      case 'repeat':
        return emitRepeat(expression, next);
    }
  };

  const split = (first: number, second: number, lazy: boolean): Instruction =>
    lazy ? { op: 'split', next: second, other: first } : { op: 'split', next: first, other: second };

  const emitRepeat = ({ item, least, most, lazy }: Extract<Expression, { kind: 'repeat' }>, next: number): number => {
    let start = next;
    if (most === Number.POSITIVE_INFINITY) {
      // The loop's own split comes first, so that its body can point back to it.
      const loop = add({ op: 'split', next: 0, other: 0 });
      const body = emit(item, loop);
      program[loop] = split(body, next, lazy);
      // Go writes (x+)? for x* where x may be empty, so that an empty round counts as one (golang/go#46123).
      if (least > 0) start = body;
      else start = isNullable(item) ? add(split(body, next, lazy)) : loop;
      return repeated(item, least - 1, start);
    }
    for (let i = least; i < most; i++) start = add(split(emit(item, start), next, lazy));
    return repeated(item, least, start);
  };

  const repeated = (item: Expression, times: number, next: number): number => {
    let start = next;
    for (let i = 0; i < times; i++) {
      const size = program.length;
      start = emit(item, start);
      // What is empty takes no instruction, however often.
      if (program.length === size) break;
    }
    return start;
  };

  const match = add({ op: 'match' });
  const end = add({ op: 'save', slot: 1, next: match });
  const begin = add({ op: 'save', slot: 0, next: emit(root, end) });
  // The machine starts at the last instruction.
  add({ op: 'split', next: begin, other: begin });
  return program;
}

function findNullable(expression: Expression, isNullable: (part: Expression) => boolean): boolean {
  switch (expression.kind) {
    case 'set':
      return false;
    case 'concat':
      return expression.items.every(isNullable);
    case 'alternate':
      return expression.items.some(isNullable);
    case 'capture':
      return isNullable(expression.item);
    case 'repeat':
      return expression.least === 0 || isNullable(expression.item);
    default:
      return true;
  }
}
