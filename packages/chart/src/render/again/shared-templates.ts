import type { Value, ValueMap } from '../../value/kinds.ts';
import { MapView } from '../../value/view.ts';
import type { Budget } from '../budget.ts';
import type { Reads } from './reads.ts';
import { Run } from './run.ts';

interface Shared {
  readonly run: Run;
  /** How many templates it ran within. */
  readonly depth: number;
}

/** How many templates a shared one runs within, at most: what includes itself without end needs all of the stack. */
const deepest = 20;

/** Templates that files of a chart run with their `.`, as those for names and labels: each runs once, until something is set. */
export class SharedTemplates {
  readonly #reads: Reads;
  readonly #dots: ReadonlySet<ValueMap>;
  readonly #known = new Map<ValueMap, Map<string, Shared>>();
  #isUsed = false;

  /** @param dots what files see as `.` */
  constructor(reads: Reads, dots: ReadonlySet<ValueMap>) {
    this.#reads = reads;
    this.#dots = dots;
  }

  /** Whether one was not run a second time. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** What a template prints for a dot. @param execute runs it */
  print(name: string, dot: Value, budget: Budget, execute: () => string): string {
    const scope = dot instanceof MapView ? dot.target : undefined;
    if (!scope || !this.#dots.has(scope) || budget.depth > deepest) return execute();
    const known = this.#known.get(scope)?.get(name);
    // Deeper down a limit may be met.
    if (known?.run.spent && budget.depth <= known.depth) {
      this.#isUsed = true;
      budget.spend(known.run.spent);
      this.#reads.repeat(known.run);
      return known.run.text;
    }
    const run = new Run();
    const { depth, spent } = budget;
    this.#reads.open(run);
    run.text = execute();
    this.#reads.close();
    run.spent = budget.spentSince(spent);
    if (run.isRepeatable && !run.isOfFile) this.#of(scope).set(name, { run, depth });
    return run.text;
  }

  /** Something was set that they may have read. */
  clear(): void {
    this.#known.clear();
  }

  #of(scope: ValueMap): Map<string, Shared> {
    const known = this.#known.get(scope) ?? new Map<string, Shared>();
    this.#known.set(scope, known);
    return known;
  }
}
