import type { CallContext, FunctionDefinition } from '../functions/define.ts';
import type { Budget } from '../render/budget.ts';
import type { Value } from '../value/kinds.ts';
import type { Watcher } from './watcher.ts';

export interface Functions {
  get(name: string): FunctionDefinition | undefined;
}

/** What templates of one render share. */
export interface Environment {
  readonly functions: Functions;
  readonly context: CallContext;
  readonly budget: Budget;
  /** Looks on; absent in a plain render. */
  readonly watcher?: Watcher | undefined;
  /** What a template prints for a dot, where files share it; else it is run. */
  readonly share?: ((name: string, dot: Value, execute: () => string) => string) | undefined;
}

/** Where a template's text goes. */
export interface Writer {
  text: string;
}

/** How a list of nodes ended. */
export type Flow = 0 | 1 | 2;
export const goOn = 0;
export const broke = 1;
export const continued = 2;
