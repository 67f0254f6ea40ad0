import { ChartError } from '../errors.ts';
import type { Limits } from '../limits.ts';

/** Nodes of a template for one step. */
const nodesPerStep = 4;

/** A part of a budget. */
export interface Spent {
  readonly nodes: number;
  readonly output: number;
  readonly certificates: number;
}

/** What a render may still spend. Everything that loops, copies or grows charges it. */
export class Budget {
  readonly limits: Limits;
  /** Steps times the nodes for one. */
  #nodes: number;
  #output: number;
  #certificates: number;
  #depth = 0;

  constructor(limits: Limits) {
    this.limits = limits;
    this.#nodes = limits.steps * nodesPerStep;
    this.#output = limits.outputLength;
    this.#certificates = limits.certificates;
  }

  /** Units of a function's work; quarters count. */
  step(units = 1): void {
    this.#nodes -= units * nodesPerStep;
    if (this.#nodes < 0) this.#exhausted();
  }

  /** One node of a template. */
  node(): void {
    if (--this.#nodes < 0) this.#exhausted();
  }

  #exhausted(): never {
    throw new LimitReached(`it takes more than ${this.limits.steps} steps`);
  }

  /** Text that is written or made. */
  text(length: number): void {
    this.#output -= length;
    if (length > 128) this.step(length >> 7);
    if (this.#output < 0) throw new LimitReached(`the templates produce more than ${this.limits.outputLength} characters`);
  }

  /** A certificate with a key of its own. */
  certificate(): void {
    if (--this.#certificates < 0) throw new LimitReached(`it makes more than ${this.limits.certificates} certificates`);
  }

  /** Refuses a text or list before it is made; what is made is charged by the function's cost. */
  size(length: number): void {
    if (length > this.#output || length / 64 > this.left) {
      throw new LimitReached(`a value of ${length} characters or items is larger than the limit of ${this.limits.outputLength}`);
    }
  }

  /** Steps that are left. */
  get left(): number {
    return this.#nodes / nodesPerStep;
  }

  /** All that has been spent until now. */
  get spent(): Spent {
    const { steps, outputLength, certificates } = this.limits;
    return {
      nodes: steps * nodesPerStep - this.#nodes,
      output: outputLength - this.#output,
      certificates: certificates - this.#certificates,
    };
  }

  spentSince(before: Spent): Spent {
    const { nodes, output, certificates } = this.spent;
    return { nodes: nodes - before.nodes, output: output - before.output, certificates: certificates - before.certificates };
  }

  /** What took so much another time is charged the same. */
  spend({ nodes, output, certificates }: Spent): void {
    this.#nodes -= nodes;
    this.#output -= output;
    this.#certificates -= certificates;
    if (this.#nodes < 0) this.#exhausted();
    this.text(0);
  }

  /** What was spent after a moment is given back: the work begins anew. */
  backTo({ nodes, output, certificates }: Spent): void {
    this.#nodes = this.limits.steps * nodesPerStep - nodes;
    this.#output = this.limits.outputLength - output;
    this.#certificates = this.limits.certificates - certificates;
    this.#depth = 0;
  }

  /** A template begins. */
  enter(): void {
    this.step(2);
    if (++this.#depth > this.limits.depth) throw new LimitReached(`templates are nested more than ${this.limits.depth} deep`);
  }

  /** Templates that run within one another. */
  get depth(): number {
    return this.#depth;
  }

  leave(): void {
    this.#depth--;
  }

  /** A file's render was given up half way; the next begins at the top. */
  abandon(): void {
    this.#depth = 0;
  }
}

/** The limit behind an error: one of ours, or one of JavaScript's own (the depth of its stack, the length of a text). */
export function limitOf(error: unknown): LimitReached | undefined {
  if (error instanceof LimitReached) return error;
  if (!(error instanceof RangeError)) return undefined;
  return new LimitReached(error.message.includes('call stack') ? 'templates or values are nested too deeply' : error.message);
}

/** Thrown where a limit is passed; the evaluator adds the place and makes a {@link ChartError} of it. */
export class LimitReached extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = 'LimitReached';
  }

  toChartError(
    file: string,
    line?: number,
    column?: number,
    cure = 'Look for a template that includes itself or a range over too large a number.',
  ): ChartError {
    const where = { file, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
    const place = [file, line, column].filter((part) => part !== undefined).join(':');
    return new ChartError('LIMIT_EXCEEDED', `render stopped at (${place}): ${this.message}`, { where, cure });
  }
}
