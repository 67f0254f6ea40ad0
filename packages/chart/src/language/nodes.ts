import type { GoComplex } from '../value/complex.ts';
import { quote } from '../value/text.ts';

/**
 * The parsed form of a template. Positions are UTF-16 offsets; errors turn them into Go's.
 *
 * Texts, lists and statements have their place in the tree's text. What stands in a statement (its pipeline and all in
 * it) counts from the statement's `base`, for equal actions share it: see phrases.ts.
 */

export const kind = {
  text: 0,
  action: 1,
  if: 2,
  range: 3,
  with: 4,
  template: 5,
  break: 6,
  continue: 7,
  list: 8,
  pipe: 9,
  command: 10,
  identifier: 11,
  variable: 12,
  dot: 13,
  nil: 14,
  field: 15,
  chain: 16,
  bool: 17,
  number: 18,
  string: 19,
  end: 20,
  else: 21,
} as const;

type Kind = typeof kind;

export interface ListNode {
  readonly type: Kind['list'];
  readonly pos: number;
  readonly nodes: Node[];
}

export interface TextNode {
  readonly type: Kind['text'];
  readonly pos: number;
  readonly text: string;
}

export interface ActionNode {
  readonly type: Kind['action'];
  readonly pos: number;
  readonly base: number;
  readonly pipe: PipeNode;
}

export interface BranchNode {
  readonly type: Kind['if'] | Kind['with'] | Kind['range'];
  readonly pos: number;
  readonly base: number;
  readonly pipe: PipeNode;
  readonly list: ListNode;
  readonly elseList: ListNode | undefined;
}

export interface TemplateNode {
  readonly type: Kind['template'];
  readonly pos: number;
  readonly base: number;
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}

export interface JumpNode {
  readonly type: Kind['break'] | Kind['continue'];
  readonly pos: number;
}

/** `{{end}}` and `{{else}}`: they end a list and never stand in a tree. */
export interface StopNode {
  readonly type: Kind['end'] | Kind['else'];
  readonly pos: number;
}

export interface PipeNode {
  readonly type: Kind['pipe'];
  readonly pos: number;
  isAssign: boolean;
  readonly declared: VariableNode[];
  readonly commands: CommandNode[];
}

export interface CommandNode {
  readonly type: Kind['command'];
  readonly pos: number;
  readonly args: Operand[];
}

export interface IdentifierNode {
  readonly type: Kind['identifier'];
  readonly pos: number;
  readonly name: string;
}

export interface VariableNode {
  readonly type: Kind['variable'];
  readonly pos: number;
  /** `$x.a.b` is `['$x', 'a', 'b']`. */
  readonly path: readonly string[];
}

export interface DotNode {
  readonly type: Kind['dot'];
  readonly pos: number;
}

export interface NilNode {
  readonly type: Kind['nil'];
  readonly pos: number;
}

export interface FieldNode {
  readonly type: Kind['field'];
  readonly pos: number;
  readonly path: readonly string[];
}

export interface ChainNode {
  readonly type: Kind['chain'];
  readonly pos: number;
  readonly node: Operand;
  readonly path: readonly string[];
}

export interface BoolNode {
  readonly type: Kind['bool'];
  readonly pos: number;
  readonly value: boolean;
}

/** A number in all the forms that its text can take, as Go's NumberNode. */
export interface NumberNode {
  readonly type: Kind['number'];
  readonly pos: number;
  readonly text: string;
  readonly integer: bigint | undefined;
  readonly unsigned: bigint | undefined;
  readonly float: number | undefined;
  /** Of a literal that ends with `i`. */
  readonly complex?: GoComplex;
}

export interface StringNode {
  readonly type: Kind['string'];
  readonly pos: number;
  readonly quoted: string;
  readonly text: string;
}

export type Operand =
  | PipeNode
  | IdentifierNode
  | VariableNode
  | DotNode
  | NilNode
  | FieldNode
  | ChainNode
  | BoolNode
  | NumberNode
  | StringNode;

export type Node = ListNode | TextNode | ActionNode | BranchNode | TemplateNode | JumpNode;

export type AnyNode = Node | Operand | CommandNode | StopNode;

/** One template: a file, or a `define` in it. */
export interface Tree {
  readonly name: string;
  /** The file (or enclosing template) that it was written in. */
  readonly parseName: string;
  readonly source: string;
  root: ListNode;
}

/** The place in the tree's text of a node that stands in a statement, or is one. */
export function offsetOf({ type, pos }: AnyNode, base: number): number {
  return type >= kind.pipe && type <= kind.string ? base + pos : pos;
}

/** A tree that prints only white space: such a definition never replaces another. */
export function isEmptyTree(list: ListNode): boolean {
  return list.nodes.every((node) =>
    node.type === kind.text ? /^[\s\u0085]*$/.test(node.text) : node.type === kind.list && isEmptyTree(node),
  );
}

/** A node as Go prints it in errors. */
export function printNode(node: AnyNode): string {
  switch (node.type) {
    case kind.text:
      return node.text;
    case kind.list:
      return node.nodes.map(printNode).join('');
    case kind.action:
      return `{{${printPipe(node.pipe)}}}`;
    case kind.if:
      return printBranch('if', node);
    case kind.with:
      return printBranch('with', node);
    case kind.range:
      return printBranch('range', node);
    case kind.template:
      return `{{template ${quote(node.name)}${node.pipe ? ` ${printPipe(node.pipe)}` : ''}}}`;
    case kind.break:
      return '{{break}}';
    case kind.continue:
      return '{{continue}}';
    case kind.end:
      return '{{end}}';
    case kind.else:
      return '{{else}}';
    case kind.pipe:
      return printPipe(node);
    case kind.command:
      return node.args.map((arg) => (arg.type === kind.pipe ? `(${printPipe(arg)})` : printNode(arg))).join(' ');
    case kind.identifier:
      return node.name;
    case kind.variable:
      return node.path.join('.');
    case kind.dot:
      return '.';
    case kind.nil:
      return 'nil';
    case kind.field:
      return `.${node.path.join('.')}`;
    case kind.chain:
      return `${node.node.type === kind.pipe ? `(${printPipe(node.node)})` : printNode(node.node)}.${node.path.join('.')}`;
    case kind.bool:
      return String(node.value);
    case kind.number:
      return node.text;
    case kind.string:
      return node.quoted;
  }
}

function printPipe(pipe: PipeNode): string {
  const declared = pipe.declared.length > 0 ? `${pipe.declared.map(printNode).join(', ')} ${pipe.isAssign ? '=' : ':='} ` : '';
  return declared + pipe.commands.map(printNode).join(' | ');
}

function printBranch(word: string, node: BranchNode): string {
  const other = node.elseList ? `{{else}}${printNode(node.elseList)}` : '';
  return `{{${word} ${printPipe(node.pipe)}}}${printNode(node.list)}${other}{{end}}`;
}
