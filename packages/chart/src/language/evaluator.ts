import { chargePrinting } from '../functions/costs.ts';
import { limitOf } from '../render/budget.ts';
import { countTo, GoObject, int, isTrue, listItems, TypedMap, type Value } from '../value/kinds.ts';
import { printValue, sortedKeys } from '../value/print.ts';
import { quote } from '../value/text.ts';
import { broke, continued, type Environment, type Flow, goOn, type Writer } from './environment.ts';
import { Expressions } from './expressions.ts';
import { ExecutionError, placeOf } from './failures.ts';
import { printable } from './literals.ts';
import {
  type ActionNode,
  type BranchNode,
  kind,
  type ListNode,
  type Node,
  offsetOf,
  type PipeNode,
  type TemplateNode,
  type TextNode,
  type Tree,
} from './nodes.ts';
import { isWorthKnowing, type StatementNode, type Statements } from './statements.ts';
import type { TemplateSet } from './templates.ts';

/**
 * Runs parsed templates with the semantics of Go's text/template (exec.go), option missingkey=zero: statements here,
 * what stands in them in expressions.ts.
 *
 * Principle: a plain walk over the tree that keeps the node it is at, because Go's messages name that very node.
 * Go's reflect.Value of kind Interface matters only for messages and is tracked beside the value (`boxed`).
 */

/** Runs the template of a name on data. Returns what it printed. @param statements of it that need not run */
export function executeTemplate(
  environment: Environment,
  templates: TemplateSet,
  name: string,
  data: Value,
  statements?: Statements,
): string {
  const tree = templates.lookup(name);
  if (!tree) throw new ExecutionError(`template: no template ${quote(name)} associated with template "gotpl"`);
  const writer: Writer = { text: '' };
  // A nil that goes through a function's `any` is no value at all on the other side.
  const dot = data === null ? undefined : data;
  new State(environment, templates, tree, writer, dot, statements).run(dot);
  return writer.text;
}

class State extends Expressions {
  readonly #templates: TemplateSet;
  #writer: Writer;
  #statements: Statements | undefined;

  constructor(environment: Environment, templates: TemplateSet, tree: Tree, writer: Writer, data: Value, statements?: Statements) {
    super(environment, tree, data);
    this.#templates = templates;
    this.#writer = writer;
    this.#statements = statements;
  }

  run(dot: Value): void {
    const { budget } = this.environment;
    budget.enter();
    this.watcher?.enter(this.tree, dot, this.#writer);
    try {
      this.#walkList(dot, this.tree.root);
    } catch (error) {
      const limit = limitOf(error);
      if (limit) {
        // A text of tpl has no file: the template that calls it has.
        if (this.tree.parseName === 'gotpl') throw limit;
        const place = placeOf(this.tree, this.node ? offsetOf(this.node, this.base) : 0);
        throw limit.toChartError(this.tree.parseName, place.line, place.column);
      }
      throw error;
    } finally {
      budget.leave();
    }
    this.watcher?.leave();
  }

  #walkList(dot: Value, list: ListNode): Flow {
    this.node = list;
    const { nodes } = list;
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as Node;
      const flow = this.#statements && isWorthKnowing(node) ? this.#statement(dot, node, this.#statements) : this.#walk(dot, node);
      if (flow !== goOn) return flow;
    }
    return goOn;
  }

  /** Runs a statement unless what it prints is known. */
  #statement(dot: Value, node: StatementNode, statements: Statements): Flow {
    const outer = this.#writer;
    const known = statements.known(node, this.variables);
    if (known !== undefined) {
      outer.text += known;
      return goOn;
    }
    statements.begin(node, this.variables);
    this.#writer = { text: '' };
    if (node.type !== kind.if) this.#statements = undefined;
    const flow = this.#walk(dot, node);
    this.#statements = statements;
    statements.end(this.#writer.text, this.variables);
    outer.text += this.#writer.text;
    this.#writer = outer;
    return flow;
  }

  #walk(dot: Value, node: Node): Flow {
    this.node = node;
    this.environment.budget.node();
    this.watcher?.at(node);
    switch (node.type) {
      case kind.text:
        this.#write(node, node.text);
        return goOn;
      case kind.action: {
        this.base = node.base;
        const value = this.pipeline(dot, node.pipe);
        if (node.pipe.declared.length === 0) {
          this.node = node;
          if (typeof value === 'object' && value !== null) {
            chargePrinting(this.environment.budget, value);
            this.watcher?.printed(value);
          }
          this.#write(node, printable(value));
        }
        return goOn;
      }
      case kind.if:
      case kind.with:
        return this.#branch(dot, node);
      case kind.range:
        return this.#range(dot, node);
      case kind.template:
        this.#template(dot, node);
        return goOn;
      case kind.break:
        return broke;
      case kind.continue:
        return continued;
      case kind.list:
        return this.#walkList(dot, node);
    }
  }

  #write(node: TextNode | ActionNode, text: string): void {
    this.environment.budget.text(text.length);
    this.watcher?.wrote(node, text);
    this.#writer.text += text;
  }

  #branch(dot: Value, node: BranchNode): Flow {
    const mark = this.variables.count;
    this.base = node.base;
    const value = this.pipeline(dot, node.pipe);
    let flow: Flow = goOn;
    if (isTrue(value)) {
      if (node.type === kind.with) {
        const boxed = this.dotBoxed;
        this.dotBoxed = false;
        this.watcher?.scope(value);
        flow = this.#walkList(value, node.list);
        this.watcher?.unscope();
        this.dotBoxed = boxed;
      } else flow = this.#walkList(dot, node.list);
    } else if (node.elseList) flow = this.#walkList(dot, node.elseList);
    this.variables.forget(mark);
    return flow;
  }

  #range(dot: Value, node: BranchNode): Flow {
    const outer = this.variables.count;
    const boxed = this.dotBoxed;
    this.base = node.base;
    const value = this.pipeline(dot, node.pipe);
    const mark = this.variables.count;
    this.watcher?.scope(value);
    let any = false;
    let flow: Flow = goOn;
    /** Returns true when the range is over. */
    const iterate = (index: Value, item: Value, isBoxed: boolean): boolean => {
      any = true;
      this.environment.budget.node();
      this.dotBoxed = isBoxed;
      this.watcher?.item(index, item);
      this.#bindRange(node.pipe, index, item, isBoxed);
      flow = this.#walkList(item, node.list);
      this.variables.forget(mark);
      return flow === broke;
    };
    const items = listItems(value);
    const numbers = countTo(value);
    if (items) {
      const isBoxed = Array.isArray(value);
      for (let i = 0; i < items.length; i++) if (iterate(int(i), items[i], isBoxed)) break;
    } else if (value instanceof Map) {
      const isBoxed = !(value instanceof TypedMap) || value.zero === null;
      const pairs = sortedKeys(value).map((key) => [key, value.get(key)] as const);
      for (const [key, item] of pairs) if (iterate(key, item, isBoxed)) break;
    } else if (numbers) {
      if (node.pipe.declared.length > 1) this.fail(`can't use ${printValue(value)} to iterate over more than one variable`);
      for (const number of numbers) {
        this.environment.budget.step();
        if (iterate(undefined, number, false)) break;
      }
    } else if (value instanceof GoObject && value.entries()) {
      for (const [key, item] of value.entries() ?? []) if (iterate(key, item, false)) break;
    } else if (value !== undefined && value !== null) {
      this.fail(`range can't iterate over ${printValue(value)}`);
    }
    this.dotBoxed = boxed;
    this.watcher?.unscope();
    flow = any || !node.elseList ? goOn : this.#walkList(dot, node.elseList);
    this.variables.forget(outer);
    return flow;
  }

  #bindRange(pipe: PipeNode, index: Value, item: Value, boxed: boolean): void {
    const { declared } = pipe;
    if (declared.length === 0) return;
    const top = this.variables.count;
    if (pipe.isAssign) {
      const [first, second] = declared;
      this.assign(first?.path[0] as string, second ? index : item, second ? false : boxed);
      if (second) this.assign(second.path[0] as string, item, boxed);
      return;
    }
    this.variables.set(top - 1, item, boxed);
    this.watcher?.bind(top - 1, item);
    if (declared.length > 1) {
      this.variables.set(top - 2, index, this.variables.isBoxedAt(top - 2));
      this.watcher?.bind(top - 2, index);
    }
  }

  #template(dot: Value, node: TemplateNode): void {
    const tree = this.#templates.lookup(node.name);
    if (!tree) this.fail(`template ${quote(node.name)} not defined`);
    this.base = node.base;
    const data = node.pipe ? this.pipeline(dot, node.pipe) : undefined;
    const { share } = this.environment;
    // Each text of tpl has that name.
    if (share && tree.parseName !== 'gotpl') this.#writer.text += share(node.name, data, () => this.#printed(tree, data));
    else new State(this.environment, this.#templates, tree, this.#writer, data).run(data);
  }

  #printed(tree: Tree, data: Value): string {
    const writer: Writer = { text: '' };
    new State(this.environment, this.#templates, tree, writer, data).run(data);
    return writer.text;
  }
}
