import { type ActionNode, kind } from '../../language/nodes.ts';
import type { StatementNode, Statements } from '../../language/statements.ts';
import type { Variables } from '../../language/variables.ts';
import type { ValueMap } from '../../value/kinds.ts';
import type { Budget, Spent } from '../budget.ts';
import type { Changes } from './changes.ts';
import { type Patience, reaches } from './holders.ts';
import type { Reads } from './reads.ts';
import { allKeys, empty, everything, type IsOther, isPlainVariable, type Looked, Run } from './run.ts';
import { noteChange, type Write } from './writes.ts';

/** What a render knows while a file runs. */
interface Around {
  readonly reads: Reads;
  readonly budget: Budget;
  readonly changes: Changes;
  readonly owned: ReadonlySet<ValueMap>;
}

/** How a file ran the last time. */
interface Earlier {
  readonly run: Run;
  readonly writes: readonly Write[];
}

/**
 * The statements of a file that runs again: those that read nothing that has changed print what they printed. Those that set
 * something always run, and so does who reads what they set, now or the last time.
 */
export class FileStatements implements Statements {
  readonly #around: Around;
  readonly #open: { readonly run: Run; readonly earlier: Run | undefined; readonly before: Spent }[] = [];
  /** What runs now, as it ran the last time. */
  #earlier: Run | undefined;
  readonly #written: Changes = new Map();
  readonly #patience: Patience = { left: 100_000 };
  #isReused = false;

  constructor(around: Around, earlier: Earlier | undefined) {
    this.#around = around;
    this.#earlier = earlier?.run;
    for (const write of earlier?.writes ?? []) noteChange(this.#written, write);
  }

  /** Whether one of them need not run. */
  get isReused(): boolean {
    return this.#isReused;
  }

  known(node: StatementNode, variables: Variables): string | undefined {
    const run = this.#earlier?.part(node);
    if (!run?.isRepeatable || !run.spent || run.variables !== variables.count) return undefined;
    if (!run.holds(this.#isOther, variables)) return undefined;
    const { reads, budget } = this.#around;
    this.#isReused = true;
    budget.spend(run.spent);
    reads.take(run);
    if (declares(node)) variables.declare(node.pipe.declared[0]?.path[0] as string, run.declared);
    return run.text;
  }

  begin(node: StatementNode, variables: Variables): void {
    const run = new Run(node, variables.count);
    this.#open.push({ run, earlier: this.#earlier, before: this.#around.budget.spent });
    this.#earlier = this.#earlier?.part(node);
    this.#around.reads.open(run);
  }

  end(text: string, variables: Variables): void {
    const ended = this.#open.pop();
    if (!ended) return;
    const { run, earlier, before } = ended;
    const { reads, budget, owned } = this.#around;
    reads.close();
    run.text = text;
    run.spent = budget.spentSince(before);
    this.#earlier = earlier;
    const isDeclared = run.node !== undefined && declares(run.node);
    // One more where a pipeline in parentheses declares another.
    if (variables.count !== run.variables + (isDeclared ? 1 : 0)) run.isSpoilt = true;
    if (!isDeclared) return;
    run.declared = variables.valueAt(variables.count - 1);
    run.isSpoilt ||= !isPlainVariable(run.declared, owned);
  }

  /** The file is about to change a key of a map that others may read. */
  changing(map: ValueMap, key: string): void {
    noteChange(this.#written, { map, key });
  }

  readonly #isOther: IsOther = (map, looked) =>
    isOther(map, looked, this.#around.changes) || (this.#written.size > 0 && isOtherHere(map, looked, this.#written, this.#patience));
}

/** Whether what was looked at is not as it was. */
function isOther(map: ValueMap, looked: Looked, changes: Changes): boolean {
  if (typeof looked === 'string') return changes.get(map)?.has(looked) ?? false;
  if (looked === everything) return changes.has(map);
  if (looked === allKeys) return (changes.get(map)?.size ?? 0) > 0;
  return (map.size === 0) !== (looked === empty);
}

/** The same for what a file sets, of which only the maps themselves are noted, not those above. */
const isOtherHere = (map: ValueMap, looked: Looked, written: Changes, patience: Patience): boolean =>
  looked === everything ? reaches([map], written, patience) : isOther(map, looked, written);

const declares = (node: StatementNode): node is ActionNode =>
  node.type === kind.action && node.pipe.declared.length > 0 && !node.pipe.isAssign;
