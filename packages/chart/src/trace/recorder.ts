import { type ActionNode, type AnyNode, type BranchNode, kind, type Node, type TextNode, type Tree } from '../language/nodes.ts';
import type { Watcher } from '../language/watcher.ts';
import type { WorkChart } from '../loader/work-chart.ts';
import type { Value, ValueMap } from '../value/kinds.ts';
import { type Call, type Made, type Piece, type Read, type Site, TextTrace } from './pieces.ts';
import { replaced, transformed } from './transforms.ts';
import { newest, ValuePaths } from './value-paths.ts';

/** One run of a template. */
interface Frame {
  readonly call: Call;
  readonly outer: Frame | undefined;
  readonly writer: { readonly text: string };
  /** Of all that its writer has got, its callers' parts included. */
  readonly out: TextTrace;
  node: AnyNode;
  /** Of the action that runs. */
  reads: Read[];
  made: Made[];
  /** What stands behind the dot where that is no map or list, which are known by themselves. */
  dot: Origins;
  readonly scopes: Scope[];
  readonly slots: Origins[];
  /** Of the `if`s that ran lately, the newest last. */
  conditions: Condition[];
}

interface Origins {
  readonly reads: readonly Read[];
  readonly made: readonly Made[];
}

interface Scope {
  readonly outer: Origins;
  readonly collection: Value;
  /** Of the collection. */
  readonly origins: Origins;
}

const nothing: Origins = { reads: [], made: [] };
/** An action's lists are emptied by replacing them unless they are empty, so an empty one must not be kept. */
const kept = <T>(list: readonly T[]): readonly T[] => (list.length === 0 ? [] : list);
/** How many reads one piece names; a checksum over a whole file may have thousands. */
const maxReads = 40;
/** How many texts a variable or the dot stands for: those that it was made of in a loop may double at each turn. */
const maxMade = 40;
const maxConditions = 64;
/** Five times what the largest charts need; what a runaway chart prints after that has no place of its own. */
const maxRuns = 500_000;

/** Why and where a file's render failed, as seen from inside. */
export interface FailedSite {
  readonly site: Site;
  /** The node's offset in its template's text. */
  readonly pos: number;
  readonly problem: string;
  readonly reads: readonly Read[];
  /** What runs: the action, or the `range` whose collection is the failure. */
  readonly statement: AnyNode;
  /** What the `if`s around it were decided by. */
  readonly conditions: readonly Read[];
}

interface Condition {
  readonly node: BranchNode;
  readonly reads: readonly Read[];
}

/**
 * Watches a render and keeps where each written character came from.
 *
 * Principle: a text that an action makes (include, toYaml, a variable) carries its trace until the action ends, found
 * again by the text itself: strings have no identity, but within one action equal texts are as good as the same one.
 */
export class Recorder implements Watcher {
  readonly paths: ValuePaths;
  /** By template path: what each file wrote, as it wrote it. */
  readonly files = new Map<string, Made>();
  readonly failures: FailedSite[] = [];
  #frame: Frame | undefined;
  #closed: Made | undefined;
  #failed = false;
  /** Runs that were recorded, in all texts. */
  #runs = 0;
  #rest: Piece | undefined;

  constructor(values: ValueMap, chart: WorkChart) {
    this.paths = new ValuePaths(values, chart);
  }

  enter(tree: Tree, dot: Value, writer: { readonly text: string }): void {
    const outer = this.#frame;
    const origins = outer ? { reads: outer.reads.filter((read) => read.value === dot), made: kept(outer.made) } : nothing;
    const call: Call = {
      tree,
      caller: outer && { call: outer.call, node: outer.node },
      ...(outer && tree.parseName === 'gotpl' ? { text: sourceOf(outer, tree.source) } : {}),
    };
    this.#frame = {
      call,
      outer,
      writer,
      out: outer?.writer === writer ? outer.out : new TextTrace(),
      node: tree.root,
      reads: [],
      made: [],
      dot: typeof dot === 'object' ? nothing : origins,
      scopes: [],
      slots: [],
      conditions: [],
    };
  }

  leave(): void {
    const frame = this.#frame as Frame;
    this.#frame = frame.outer;
    if (frame.outer?.writer === frame.writer) return;
    const made = { text: frame.writer.text, trace: frame.out };
    if (frame.outer) this.#closed = made;
    else this.files.set(frame.call.tree.name, made);
  }

  abandoned(): void {
    this.#frame = undefined;
    this.#failed = false;
  }

  at(node: Node): void {
    const frame = this.#frame as Frame;
    if (frame.node.type === kind.if && frame.reads.length > 0) {
      if (frame.conditions.length > maxConditions) frame.conditions = frame.conditions.slice(-maxConditions / 2);
      frame.conditions.push({ node: frame.node, reads: frame.reads });
    }
    frame.node = node;
    if (frame.reads.length > 0) frame.reads = [];
    if (frame.made.length > 0) frame.made = [];
  }

  wrote(node: TextNode | ActionNode, text: string): void {
    if (text === '') return;
    const frame = this.#frame as Frame;
    if (this.#runs > maxRuns) {
      this.#rest ??= { call: frame.call, node, text: '', reads: [], exact: false, isRest: true };
      frame.out.push(text.length, this.#rest, 0);
      return;
    }
    const made = find(frame.made, text);
    this.#runs += made?.trace.starts.length ?? 1;
    if (made) frame.out.append(made.trace);
    else frame.out.push(text.length, this.#piece(frame, node, text), 0);
  }

  read(start: Value, names: readonly string[], from: number): void {
    const frame = this.#frame as Frame;
    const found = this.paths.walk(start, names, from);
    if (!found) return;
    if ('text' in found) frame.made.push(found);
    else {
      found.node.reads++;
      frame.reads.push(found);
    }
  }

  dot(value: Value): void {
    const frame = this.#frame as Frame;
    this.#recall(frame, value, frame.dot);
  }

  variable(slot: number, value: Value): void {
    const frame = this.#frame as Frame;
    if (slot === 0) this.#recall(frame, value, nothing);
    else this.#recall(frame, value, frame.slots[slot] ?? nothing);
  }

  bind(slot: number, value: Value): void {
    const frame = this.#frame as Frame;
    frame.slots[slot] = { reads: kept(frame.reads), made: typeof value === 'string' ? frame.made.slice(-maxMade) : [] };
  }

  scope(value: Value): void {
    const frame = this.#frame as Frame;
    const origins = { reads: kept(frame.reads), made: frame.made.slice(-maxMade) };
    frame.scopes.push({ outer: frame.dot, collection: value, origins });
    frame.dot = origins;
  }

  item(index: Value, item: Value): void {
    const frame = this.#frame as Frame;
    const { collection, origins } = frame.scopes.at(-1) ?? { collection: undefined, origins: nothing };
    const found = this.paths.item(collection, index, item);
    if (found) found.node.reads++;
    // Not what the turn before has left: its last action is none of this one's origins.
    frame.reads = found ? [found] : origins.reads.slice(0, maxReads);
    frame.made = [...origins.made];
    frame.dot = { reads: kept(frame.reads), made: [] };
  }

  unscope(): void {
    const frame = this.#frame as Frame;
    frame.dot = frame.scopes.pop()?.outer ?? nothing;
  }

  called(name: string, args: readonly Value[], result: Value): void {
    const frame = this.#frame as Frame;
    for (const read of this.paths.called(name, args, result, frame)) {
      read.node.reads++;
      frame.reads.push(read);
    }
    if (typeof result !== 'string') return;
    const closed = this.#closed;
    this.#closed = undefined;
    const made =
      (name === 'include' || name === 'tpl') && closed ? this.#returned(frame, closed, result) : this.#made(frame, name, args, result);
    if (made) frame.made.push(made);
  }

  printed(): void {}

  failed(tree: Tree, node: AnyNode, pos: number, problem: string): void {
    const frame = this.#frame;
    if (this.#failed || !frame || frame.call.tree !== tree) return;
    this.#failed = true;
    const around = frame.conditions.filter((condition) => holds(condition.node, frame.node));
    const conditions = around.flatMap((condition) => condition.reads);
    this.failures.push({ site: { call: frame.call, node }, pos, problem, reads: frame.reads, statement: frame.node, conditions });
  }

  /** What the dot or a variable stands for is read again. */
  #recall(frame: Frame, value: Value, origins: Origins): void {
    const known = this.paths.nodeOf(value);
    if (known) {
      known.reads++;
      frame.reads.push({ node: known, value });
      return;
    }
    if (origins.reads.length > 0) frame.reads.push(...origins.reads.slice(0, maxReads));
    if (origins.made.length > 0) frame.made.push(...origins.made);
  }

  /** include takes the text as it is; tpl takes `<no value>` out of it. */
  #returned(frame: Frame, closed: Made, result: string): Made | undefined {
    if (closed.text === result) return closed;
    const trace = replaced(closed, '<no value>', 0, this.#filler(frame, ''));
    return trace?.length === result.length ? { text: result, trace } : undefined;
  }

  #made(frame: Frame, name: string, args: readonly Value[], result: string): Made | undefined {
    if (result === '') return undefined;
    if (/^(must)?toYaml(Pretty)?$/i.test(name)) {
      const node = this.paths.nodeOf(args[0]);
      return node && { text: result, trace: TextTrace.of({ ...this.#piece(frame, frame.node, result), yaml: node, exact: true }) };
    }
    if (frame.made.length === 0) return undefined;
    for (const argument of args) {
      const made = typeof argument === 'string' ? find(frame.made, argument) : undefined;
      const trace = made && transformed(name, args, made, result, this.#filler(frame, result));
      this.#runs += trace?.starts.length ?? 0;
      if (trace) return { text: result, trace };
    }
    return undefined;
  }

  /** What a function adds to a text: indentation, quotes. */
  #filler(frame: Frame, text: string): Piece {
    return { call: frame.call, node: frame.node as ActionNode, text, reads: [], exact: true };
  }

  /** What an action prints by itself: it has read what it has read, and what its texts have. */
  #piece(frame: Frame, node: AnyNode, text: string): Piece {
    let reads = kept(frame.reads);
    let exact = true;
    if (frame.made.length > 0) {
      const all = new Set(reads);
      for (const made of frame.made) {
        for (const piece of made.trace.pieces) {
          if (all.size >= maxReads) break;
          for (const read of piece.reads) all.add(read);
        }
      }
      reads = [...all];
      exact = false;
    }
    return { call: frame.call, node: node as TextNode | ActionNode, text, reads, exact };
  }
}

/** Whether a node stands inside a branch. */
function holds(branch: BranchNode, wanted: AnyNode): boolean {
  const inside = (nodes: readonly Node[]): boolean =>
    nodes.some((node) => {
      if (node === wanted) return true;
      if (node.type !== kind.if && node.type !== kind.with && node.type !== kind.range) return false;
      return holds(node, wanted);
    });
  return inside(branch.list.nodes) || inside(branch.elseList?.nodes ?? []);
}

/** The newest text that is equal. */
const find = (texts: readonly Made[], text: string): Made | undefined => newest(texts, (made) => made.text === text);

/** Where the text that tpl runs came from: a text of the action, or a value. */
function sourceOf(frame: Frame, text: string): Made | Read | undefined {
  return find(frame.made, text) ?? newest(frame.reads, (read) => read.value === text);
}
