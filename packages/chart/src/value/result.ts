import { fail, nilPointer } from '../functions/define.ts';
import { GoObject, type Method } from './kinds.ts';

/** A result of Go's type `error`, nil too: a method that has no other gives it to the template. */
export class GoResult extends GoObject {
  readonly type = '*errors.errorString';
  readonly kind = 'ptr';
  /** Undefined where nothing failed. */
  readonly problem: string | undefined;

  constructor(problem?: string) {
    super();
    this.problem = problem;
  }

  override text(): string {
    return this.problem ?? '<nil>';
  }

  override truth(): boolean {
    return this.problem !== undefined;
  }

  override method(name: string): Method | undefined {
    if (name !== 'Error') return undefined;
    return { name, params: [], variadic: false, run: () => this.problem ?? fail(nilPointer) };
  }
}
