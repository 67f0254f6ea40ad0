import { contains, isWord } from './classes.ts';
import type { Instruction } from './program.ts';
import type { Assertion } from './syntax.ts';

/**
 * Runs a program over a text: all threads in step, in order of preference, so time is linear in the text (Pike's
 * machine). Finds the leftmost match and, of these, the one that Perl would find.
 *
 * @returns starts and ends of the match and its groups (-1 where a group took no part), or undefined
 */
export function execute(
  program: readonly Instruction[],
  text: string,
  from: number,
  { slots, prefix, isAnchored }: { readonly slots: number; readonly prefix: string; readonly isAnchored: boolean },
  meter: Meter,
): Int32Array | undefined {
  const machine = new Machine(program, text, slots, prefix, meter);
  // What must begin at the text's beginning is looked for nowhere else.
  const found = machine.run(from, isAnchored ? 0 : text.length);
  machine.settle();
  return found;
}

/** What a search charges its work to: time is linear in the text, but text and program may both be large. */
export interface Meter {
  step(units: number): void;
  /** Refuses a text before it is made. */
  size(length: number): void;
}

/** Steps for letting JavaScript look for a text over so many characters. */
export const searchCost = (length: number): number => 1 + (length >> 10);

/** Threads that are followed for one step. */
const threadsPerStep = 4;
/** Work is charged in portions. */
const portion = 4096;

interface Threads {
  readonly at: Int32Array;
  readonly captures: (Int32Array | undefined)[];
  count: number;
}

class Machine {
  readonly #program: readonly Instruction[];
  readonly #text: string;
  readonly #slots: number;
  readonly #prefix: string;
  /** The step in which an instruction was last reached. */
  readonly #marks: Int32Array;
  readonly #meter: Meter;
  #step = 0;
  #work: number;

  constructor(program: readonly Instruction[], text: string, slots: number, prefix: string, meter: Meter) {
    this.#prefix = prefix;
    this.#meter = meter;
    // Its arrays are as long as the program.
    this.#work = program.length >> 2;
    this.#program = program;
    this.#text = text;
    this.#slots = slots;
    this.#marks = new Int32Array(program.length).fill(-1);
  }

  /** Charges what has been done since the last time. */
  settle(): void {
    this.#meter.step(Math.ceil(this.#work / threadsPerStep));
    this.#work = 0;
  }

  /** @param last where the match may begin at the latest */
  run(from: number, last: number): Int32Array | undefined {
    const size = this.#program.length;
    const fresh = (): Threads => ({ at: new Int32Array(size), captures: new Array<Int32Array | undefined>(size), count: 0 });
    let current = fresh();
    let next = fresh();
    let found: Int32Array | undefined;
    const start = size - 1;
    for (let at = from; ; ) {
      if (!found && at <= last) {
        if (current.count === 0) {
          this.#step++;
          if (this.#prefix !== '') {
            const begin = this.#text.indexOf(this.#prefix, at);
            this.#work += threadsPerStep * searchCost(begin < 0 ? this.#text.length - at : begin - at);
            if (begin < 0) break;
            at = begin;
          }
        }
        this.#follow(current, start, at, new Int32Array(this.#slots).fill(-1));
      }
      // Where no thread begins, another may further on: at a line's or a word's beginning.
      if (current.count === 0 && (found || at >= last)) break;
      const code = at < this.#text.length ? (this.#text.codePointAt(at) as number) : -1;
      const after = at + (code > 0xffff ? 2 : 1);
      this.#step++;
      this.#work += 2 + current.count;
      if (this.#work > portion) this.settle();
      next.count = 0;
      for (let i = 0; i < current.count; i++) {
        const instruction = this.#program[current.at[i] as number] as Instruction;
        if (instruction.op === 'match') {
          // Threads after this one are less preferred.
          found = current.captures[i];
          break;
        }
        if (instruction.op !== 'set' || code < 0) continue;
        this.#work += instruction.set.weight >> 2;
        if (contains(instruction.set, code)) this.#follow(next, instruction.next, after, current.captures[i] as Int32Array);
      }
      [current, next] = [next, current];
      if (code < 0) break;
      at = after;
    }
    return found;
  }

  /** Adds a thread, through all that takes no character. An explicit stack: expressions may be long. */
  #follow(threads: Threads, start: number, at: number, captures: Int32Array): void {
    const stack: [number, Int32Array][] = [[start, captures]];
    for (let top = stack.pop(); top; top = stack.pop()) {
      const [pc, saved] = top;
      if (this.#marks[pc] === this.#step) continue;
      this.#marks[pc] = this.#step;
      this.#work++;
      const instruction = this.#program[pc] as Instruction;
      switch (instruction.op) {
        case 'split':
          if (instruction.other !== instruction.next) stack.push([instruction.other, saved]);
          stack.push([instruction.next, saved]);
          break;
        case 'save': {
          const copy = saved.slice();
          copy[instruction.slot] = at;
          this.#work += 4 + (this.#slots >> 2);
          if (this.#work > portion) this.settle();
          stack.push([instruction.next, copy]);
          break;
        }
        case 'assert':
          if (this.#holds(instruction.assertion, at)) stack.push([instruction.next, saved]);
          break;
        default:
          threads.at[threads.count] = pc;
          threads.captures[threads.count++] = saved;
      }
    }
  }

  #holds(assertion: Assertion, at: number): boolean {
    const text = this.#text;
    switch (assertion) {
      case 'textStart':
        return at === 0;
      case 'textEnd':
        return at === text.length;
      case 'lineStart':
        return at === 0 || text[at - 1] === '\n';
      case 'lineEnd':
        return at === text.length || text[at] === '\n';
      default: {
        const before = at > 0 && isWord(text.charCodeAt(at - 1));
        const after = at < text.length && isWord(text.charCodeAt(at));
        return (before !== after) === (assertion === 'word');
      }
    }
  }
}
