import type { Value } from '../value/kinds.ts';
import type { ActionNode, AnyNode, Node, TextNode, Tree } from './nodes.ts';

/**
 * Sees a render from inside: which node writes what, and which values it reads. `trace/` implements it.
 *
 * Principle: the evaluator tells what only it knows (the node, the receiver of a field, the slot of a variable) and
 * draws no conclusions. Without a watcher that costs one test per node. Nothing here can change what is rendered.
 *
 * A failure leaves calls unclosed; who catches it says `abandoned`.
 */
export interface Watcher {
  /** A template begins to run on `dot` and writes into `writer`: a new one for a file, include and tpl, the caller's for `{{template}}`. */
  enter(tree: Tree, dot: Value, writer: { readonly text: string }): void;
  leave(): void;
  /** The node that runs now. */
  at(node: Node): void;
  /** A node's text goes to the writer. */
  wrote(node: TextNode | ActionNode, text: string): void;
  /** Names after `from` are about to be looked up below a value: `.a.b` from the dot, `$x.a` from a variable. */
  read(start: Value, names: readonly string[], from: number): void;
  /** The dot itself is read. */
  dot(value: Value): void;
  /** A variable is read. Slots count from 0 within the running template; 0 is `$`. */
  variable(slot: number, value: Value): void;
  /** An action prints a value that is no text. */
  printed(value: Value): void;
  /** What has been read since the action began goes into a variable. */
  bind(slot: number, value: Value): void;
  /** `with` makes a value the dot, until `unscope`; `range` takes the collection whose items become the dot. */
  scope(value: Value): void;
  /** `range` goes on to an item of the collection that it took. */
  item(index: Value, item: Value): void;
  unscope(): void;
  called(name: string, args: readonly Value[], result: Value): void;
  /** The running template fails at a node, `pos` in its text; called for the innermost first, then for each that includes it. */
  failed(tree: Tree, node: AnyNode, pos: number, problem: string): void;
  /** A file's render was given up; the next begins anew. */
  abandoned(): void;
}
