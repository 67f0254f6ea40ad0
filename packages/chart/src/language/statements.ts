import { type ActionNode, type BranchNode, kind, type Node, type TemplateNode } from './nodes.ts';
import type { Variables } from './variables.ts';

/** What prints, decides or declares: all but texts and jumps. */
export type StatementNode = ActionNode | BranchNode | TemplateNode;

/**
 * Knows which statements of a file need not run, because what they printed the last time still holds. The evaluator asks it
 * for each that stands in the file itself or in an `if`, not in what a `range` or `with` repeats or gives another dot.
 */
export interface Statements {
  /** What a statement prints, where that is known; what it declares is declared, and what it takes is charged. */
  known(node: StatementNode, variables: Variables): string | undefined;
  /** A statement runs. Nothing is asked or said of those in it, but for those of an `if`. */
  begin(node: StatementNode, variables: Variables): void;
  /** The one that began last has run, and printed a text. A failure leaves it open. */
  end(text: string, variables: Variables): void;
}

/** Whether a statement does enough to be worth knowing: one that prints a field is as soon run. */
export function isWorthKnowing(node: Node): node is StatementNode {
  switch (node.type) {
    case kind.action: {
      const { commands } = node.pipe;
      return commands.length > 1 || (commands[0]?.args.length ?? 0) > 1;
    }
    case kind.if:
    case kind.range:
    case kind.with:
    case kind.template:
      return true;
    default:
      return false;
  }
}
