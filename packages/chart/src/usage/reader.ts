import type { SourcePlace } from '../errors.ts';
import {
  type BranchNode,
  type CommandNode,
  type FieldNode,
  kind,
  type ListNode,
  type Node,
  type Operand,
  type PipeNode,
  type Tree,
  type VariableNode,
} from '../language/nodes.ts';
import type { WorkChart } from '../loader/work-chart.ts';
import { SourceLines } from '../trace/source-lines.ts';
import { type Abstract, bounded, keyOf, ofPlace, ofScope, type Scope, union, unknown } from './abstract.ts';
import { anyKey, type UsageNode } from './usage-tree.ts';

/**
 * Reads templates without running them and notes which values they read, on every branch.
 *
 * Principle: where it cannot know, it takes a value for used. A value wrongly called unused costs more trust than one
 * that is not found.
 */
export class UsageReader {
  readonly #templates: ReadonlyMap<string, Tree>;
  readonly #parse: (text: string) => ReadonlyMap<string, Tree> | undefined;
  readonly #root: UsageNode;
  readonly #scopes: ReadonlyMap<WorkChart, Scope>;
  readonly #seen = new Set<string>();
  readonly #lines = new SourceLines();
  #depth = 0;

  constructor(input: {
    readonly templates: ReadonlyMap<string, Tree>;
    readonly parse: (text: string) => ReadonlyMap<string, Tree> | undefined;
    readonly root: UsageNode;
    readonly scopes: ReadonlyMap<WorkChart, Scope>;
  }) {
    this.#templates = input.templates;
    this.#parse = input.parse;
    this.#root = input.root;
    this.#scopes = input.scopes;
  }

  /** A template run on a value. */
  run(tree: Tree, dot: Abstract, templates: ReadonlyMap<string, Tree> = this.#templates): void {
    const key = `${tree.name}\n${tree.parseName}\n${tree.parseName === 'gotpl' ? tree.source : ''}\n${keyOf(dot)}`;
    if (this.#seen.has(key) || this.#depth > 60) return;
    this.#seen.add(key);
    this.#depth++;
    new TemplateReader(this, tree, dot, templates).list(tree.root, dot);
    this.#depth--;
  }

  /** A text that tpl runs. */
  runText(text: string, dot: Abstract): void {
    if (!text.includes('{{')) return;
    const trees = this.#parse(text);
    const main = trees?.get('gotpl');
    // Nearly all of them define nothing.
    if (trees && main) this.run(main, dot, trees.size === 1 ? this.#templates : new Map([...this.#templates, ...trees]));
  }

  placeOf(tree: Tree, pos: number): SourcePlace {
    return { file: tree.parseName, ...this.#lines.placeOf(tree.source, pos) };
  }

  /** One key below a value; globals are the same for all charts. */
  step(value: Abstract, key: string, place: SourcePlace): Abstract {
    const found: Abstract[] = [];
    for (const scope of value.scopes) {
      if (key === 'Values') found.push(ofPlace(scope.values));
      else if (key === 'Subcharts') {
        const children = scope.chart.dependencies.map((child): [string, Abstract] => [
          child.name,
          ofScope(this.#scopes.get(child) as Scope),
        ]);
        found.push({ places: [], scopes: [], members: new Map(children) });
      }
    }
    for (const node of value.places) {
      const isGlobal = key === 'global' && [...this.#scopes.values()].some((scope) => scope.values === node);
      const child = (isGlobal ? this.#root : node).child(key);
      child.read(place);
      found.push(ofPlace(child));
    }
    const member = value.members?.get(key);
    if (member) found.push(member);
    return union(found);
  }

  /** All of a value is looked at. */
  whole(value: Abstract, place: SourcePlace): void {
    for (const node of value.places) {
      node.isWhole = true;
      node.read(place);
    }
    for (const member of value.members?.values() ?? []) this.whole(member, place);
  }
}

/** Functions whose result is one of their arguments, or made of them and looked at later. */
const passing = new Set(
  'and or default coalesce ternary merge mustMerge mergeOverwrite mustMergeOverwrite deepCopy mustDeepCopy concat append mustAppend prepend mustPrepend reverse mustReverse uniq mustUniq compact mustCompact rest mustRest initial mustInitial without mustWithout required'.split(
    ' ',
  ),
);
/** Functions that look at a value as such, and not at what it holds. */
const asking = new Set('not empty kindIs kindOf typeOf typeIs typeIsLike len eq ne any all'.split(' '));

/** Where a chain of fields begins: like Go's, the node of `.a.b` stands at its second name. */
function startOf({ type, path, pos }: FieldNode | VariableNode): number {
  if (path.length === 1) return pos;
  return pos - (path[0] as string).length - (type === kind.field ? 1 : 0);
}

/** One run of one template. */
class TemplateReader {
  readonly #reader: UsageReader;
  readonly #tree: Tree;
  readonly #templates: ReadonlyMap<string, Tree>;
  #variables: Map<string, Abstract>;
  /** Of the statement at hand. */
  #base = 0;

  constructor(reader: UsageReader, tree: Tree, dot: Abstract, templates: ReadonlyMap<string, Tree>) {
    this.#reader = reader;
    this.#tree = tree;
    this.#templates = templates;
    this.#variables = new Map([['$', dot]]);
  }

  list(list: ListNode, dot: Abstract): void {
    for (const node of list.nodes) this.#node(node, dot);
  }

  #node(node: Node, dot: Abstract): void {
    switch (node.type) {
      case kind.action: {
        this.#base = node.base;
        const value = this.#pipeline(node.pipe, dot);
        if (node.pipe.declared.length === 0) this.#reader.whole(value, this.#place(node.pos - node.base));
        return;
      }
      case kind.if:
      case kind.with:
      case kind.range:
        this.#branch(node, dot);
        return;
      case kind.template:
        this.#base = node.base;
        this.#include(node.name, node.pipe ? this.#pipeline(node.pipe, dot) : unknown, this.#place(node.pos - node.base));
        return;
      case kind.list:
        this.list(node, dot);
    }
  }

  #branch(node: BranchNode, dot: Abstract): void {
    const outer = this.#variables;
    this.#variables = new Map(outer);
    this.#base = node.base;
    const value = this.#pipeline(node.pipe, dot);
    let inner = dot;
    if (node.type === kind.with) inner = value;
    if (node.type === kind.range) {
      inner = this.#items(value, node.pos - node.base);
      const [first, second] = node.pipe.declared;
      const item = second ?? first;
      if (first && second) this.#variables.set(first.path[0] as string, unknown);
      if (item) this.#variables.set(item.path[0] as string, inner);
    }
    this.list(node.list, inner);
    if (node.elseList) this.list(node.elseList, dot);
    // What an outer variable was set to inside is one of the things that it may be.
    for (const [name, before] of outer) outer.set(name, union([before, this.#variables.get(name) ?? before]));
    this.#variables = outer;
  }

  #items(value: Abstract, pos: number): Abstract {
    const items = value.places.map((node) => {
      const child = node.child(anyKey);
      child.read(this.#place(pos));
      return ofPlace(child);
    });
    return union([...items, ...(value.members?.values() ?? [])]);
  }

  #pipeline(pipe: PipeNode, dot: Abstract): Abstract {
    let value: Abstract | undefined;
    for (const command of pipe.commands) value = this.#command(command, dot, value);
    const result = value ?? unknown;
    for (const { path } of pipe.declared) {
      const name = path[0] as string;
      this.#variables.set(name, pipe.isAssign ? union([this.#variables.get(name) ?? unknown, result]) : result);
    }
    return result;
  }

  #command(command: CommandNode, dot: Abstract, piped: Abstract | undefined): Abstract {
    const [first, ...rest] = command.args;
    if (first?.type !== kind.identifier) {
      // Methods of values take arguments; they look at all of them.
      for (const argument of rest) this.#reader.whole(this.#operand(argument, dot), this.#place(argument.pos));
      return first ? this.#operand(first, dot) : unknown;
    }
    const args = rest.map((argument) => this.#operand(argument, dot));
    return this.#call(first.name, piped ? [...args, piped] : args, first.pos);
  }

  #operand(node: Operand, dot: Abstract): Abstract {
    switch (node.type) {
      case kind.dot:
        return dot;
      case kind.field:
        return this.#steps(dot, node.path, startOf(node));
      case kind.variable:
        return this.#steps(this.#variables.get(node.path[0] as string) ?? unknown, node.path.slice(1), startOf(node));
      case kind.chain:
        return this.#steps(this.#operand(node.node, dot), node.path, node.pos);
      case kind.pipe:
        return this.#pipeline(node, dot);
      case kind.identifier:
        return this.#call(node.name, [], node.pos);
      case kind.string:
        return { ...unknown, text: node.text };
      default:
        return unknown;
    }
  }

  #steps(start: Abstract, path: readonly string[], pos: number): Abstract {
    const place = this.#place(pos);
    return path.reduce((value, key) => this.#reader.step(value, key, place), start);
  }

  #call(name: string, args: readonly Abstract[], pos: number): Abstract {
    const place = this.#place(pos);
    if (passing.has(name)) return union(args);
    if (asking.has(name)) return unknown;
    switch (name) {
      case 'include':
        return this.#include(args[0]?.text, args[1] ?? unknown, place);
      case 'tpl':
        return this.#tpl(args, place);
      case 'dict':
        return bounded({ ...unknown, members: this.#pairs(args, place) });
      case 'set':
        return union([args[0] ?? unknown, { ...unknown, members: this.#pairs(args.slice(1), place) }]);
      case 'list':
      case 'tuple':
        return bounded({ ...unknown, members: new Map(args.map((item, index) => [String(index), item])) });
      case 'index':
      case 'get':
      case 'hasKey':
        return this.#lookUp(args[0] ?? unknown, args.slice(1), place);
      case 'dig':
        return union([this.#lookUp(args.at(-1) ?? unknown, args.slice(0, -2), place), args.at(-2) ?? unknown]);
      case 'pluck':
        return union(args.slice(1).map((map) => this.#lookUp(map, args.slice(0, 1), place)));
      case 'first':
      case 'last':
      case 'mustFirst':
      case 'mustLast':
        return this.#items(args[0] ?? unknown, pos);
    }
    for (const argument of args) this.#reader.whole(argument, place);
    return unknown;
  }

  /** Down by keys; a key that is computed may be any. */
  #lookUp(start: Abstract, keys: readonly Abstract[], place: SourcePlace): Abstract {
    let value = start;
    for (const key of keys) {
      if (key.text !== undefined) value = this.#reader.step(value, key.text, place);
      else {
        this.#reader.whole(key, place);
        this.#reader.whole(value, place);
        value = union([unknown, ...(value.members?.values() ?? [])]);
      }
    }
    return value;
  }

  #include(name: string | undefined, value: Abstract, place: SourcePlace): Abstract {
    const tree = name === undefined ? undefined : this.#templates.get(name);
    if (tree) this.#reader.run(tree, value, this.#templates);
    else {
      // A name that is computed: whatever it gets is used, and any definition may be meant.
      this.#reader.whole(value, place);
      if (name === undefined)
        for (const [defined, any] of this.#templates) if (defined !== any.parseName) this.#reader.run(any, value, this.#templates);
    }
    return unknown;
  }

  #tpl(args: readonly Abstract[], place: SourcePlace): Abstract {
    const [text = unknown, value = unknown] = args;
    this.#reader.whole(text, place);
    if (text.text !== undefined) this.#reader.runText(text.text, value);
    return unknown;
  }

  /** Keys and values in turn; what gets a computed key is out of sight, so it is used. */
  #pairs(args: readonly Abstract[], place: SourcePlace): Map<string, Abstract> {
    const members = new Map<string, Abstract>();
    for (let i = 0; i + 1 < args.length; i += 2) {
      const key = args[i]?.text;
      if (key === undefined) this.#reader.whole(args[i + 1] as Abstract, place);
      else members.set(key, args[i + 1] as Abstract);
    }
    return members;
  }

  /** @param pos counted from the statement's base */
  #place(pos: number): SourcePlace {
    return this.#reader.placeOf(this.#tree, this.#base + pos);
  }
}
