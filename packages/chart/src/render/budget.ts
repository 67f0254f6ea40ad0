import { ChartError } from '../errors.ts';
import type { Limits } from '../limits.ts';

/** What a render may still spend. Everything that loops, copies or grows charges it. */
export class Budget {
  readonly limits: Limits;
  #steps: number;
  #output: number;
  #depth = 0;

  constructor(limits: Limits) {
    this.limits = limits;
    this.#steps = limits.steps;
    this.#output = limits.outputLength;
  }

  /** One node of a template, or a unit of a function's work. */
  step(units = 1): void {
    this.#steps -= units;
    if (this.#steps < 0) throw new LimitReached(`the template takes more than ${this.limits.steps} steps`);
  }

  /** Text that is written or made. */
  text(length: number): void {
    this.#output -= length;
    if (this.#output < 0) throw new LimitReached(`the templates produce more than ${this.limits.outputLength} characters`);
  }

  /** Refuses a size before it is allocated. */
  size(length: number): void {
    if (length > this.limits.outputLength || length > this.#output) {
      throw new LimitReached(`a value of ${length} characters or items is larger than the limit of ${this.limits.outputLength}`);
    }
    this.step(Math.ceil(length / 64));
  }

  /** Steps that are left. */
  get left(): number {
    return this.#steps;
  }

  enter(): void {
    if (++this.#depth > this.limits.depth) throw new LimitReached(`templates are nested more than ${this.limits.depth} deep`);
  }

  leave(): void {
    this.#depth--;
  }
}

/** Thrown where a limit is passed; the evaluator adds the place and makes a {@link ChartError} of it. */
export class LimitReached extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = 'LimitReached';
  }

  toChartError(file: string, line?: number, column?: number): ChartError {
    const where = { file, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
    const place = [file, line, column].filter((part) => part !== undefined).join(':');
    return new ChartError('LIMIT_EXCEEDED', `render stopped at (${place}): ${this.message}`, {
      where,
      cure: 'Look for a template that includes itself or a range over too large a number.',
    });
  }
}
