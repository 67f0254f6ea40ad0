import { GoError, Uncallable } from '../functions/define.ts';
import { isAssignable, zeroOf } from '../value/assign.ts';
import { GoObject, isTrue, type Method, type ParamType, TypedMap, typeName, type Value } from '../value/kinds.ts';
import { printValue } from '../value/print.ts';
import { quote } from '../value/text.ts';
import { MapView } from '../value/view.ts';
import type { Environment } from './environment.ts';
import { ExecutionError, placeOf } from './failures.ts';
import { fieldOf } from './fields.ts';
import { constantValue, literalAs, literalValue, notCallable } from './literals.ts';
import {
  type AnyNode,
  type ChainNode,
  type CommandNode,
  type FieldNode,
  type IdentifierNode,
  kind,
  type NumberNode,
  type Operand,
  offsetOf,
  type PipeNode,
  printNode,
  type Tree,
  type VariableNode,
} from './nodes.ts';
import { Variables } from './variables.ts';
import type { Watcher } from './watcher.ts';

/** No previous command in the pipeline: tells "no argument" from an argument that is nil. */
const missing = Symbol('missing');
type Final = Value | typeof missing;

/** What statements print and decide on: pipelines, and all that stands in them, in one run of a template. */
export class Expressions {
  protected readonly environment: Environment;
  protected readonly watcher: Watcher | undefined;
  protected readonly tree: Tree;
  protected readonly variables: Variables;
  protected node: AnyNode | undefined;
  /** Of the statement that `node` stands in. */
  protected base = 0;
  protected dotBoxed = false;

  constructor(environment: Environment, tree: Tree, data: Value) {
    this.environment = environment;
    this.watcher = environment.watcher;
    this.tree = tree;
    this.variables = new Variables(data);
  }

  protected fail(problem: string, wrapped?: Error): never {
    const node = this.node ?? this.tree.root;
    const pos = offsetOf(node, this.base);
    this.watcher?.failed(this.tree, node, pos, problem);
    const place = placeOf(this.tree, pos);
    const at = `${this.tree.parseName}:${place.line}:${place.column}`;
    const message = `template: ${at}: executing ${quote(this.tree.name)} at <${printNode(node)}>: ${problem}`;
    const where = { file: this.tree.parseName, line: place.line, column: place.column + 1 };
    throw new ExecutionError(message, wrapped, where, { tree: this.tree, node, pos, problem });
  }
  protected pipeline(dot: Value, pipe: PipeNode): Value {
    this.node = pipe;
    const { commands, declared } = pipe;
    let value: Value = this.#command(dot, commands[0] as CommandNode, missing);
    if (value === null) value = undefined;
    for (let i = 1; i < commands.length; i++) {
      value = this.#command(dot, commands[i] as CommandNode, value);
      if (value === null) value = undefined;
    }
    for (let i = 0; i < declared.length; i++) {
      const name = (declared[i] as VariableNode).path[0] as string;
      if (pipe.isAssign) this.assign(name, value, false);
      else {
        this.variables.declare(name, value);
        this.watcher?.bind(this.variables.count - 1, value);
      }
    }
    return value;
  }

  #command(dot: Value, command: CommandNode, final: Final): Value {
    const first = command.args[0] as Operand;
    switch (first.type) {
      case kind.field:
        this.node = first;
        return this.#fields(dot, dot, this.dotBoxed, first, first.path, 0, command.args, final);
      case kind.chain:
        return this.#chain(dot, first, command.args, final);
      case kind.identifier:
        return this.#function(dot, first, command, command.args, final);
      case kind.pipe:
        this.#noArguments(command.args, final);
        return this.pipeline(dot, first);
      case kind.variable:
        return this.#variable(dot, first, command.args, final);
    }
    this.node = first;
    this.#noArguments(command.args, final);
    switch (first.type) {
      case kind.bool:
        return first.value;
      case kind.dot:
        this.watcher?.dot(dot);
        return dot;
      case kind.nil:
        return this.fail('nil is not a command');
      case kind.number:
        return this.#constant(first);
      case kind.string:
        return first.text;
    }
  }

  #noArguments(args: readonly Operand[], final: Final): void {
    if (args.length > 1 || final !== missing) this.fail(`can't give argument to non-function ${printNode(args[0] as Operand)}`);
  }

  #constant(node: NumberNode): Value {
    this.node = node;
    return constantValue(node) ?? this.fail(`${node.text} overflows int`);
  }

  #chain(dot: Value, node: ChainNode, args: readonly Operand[], final: Final): Value {
    this.node = node;
    if (node.node.type === kind.nil) this.fail(`indirection through explicit nil in ${printNode(node)}`);
    const receiver = this.#argument(dot, 'value', node.node);
    return this.#fields(dot, receiver, false, node, node.path, 0, args, final);
  }

  #variable(dot: Value, node: VariableNode, args: readonly Operand[], final: Final): Value {
    this.node = node;
    const name = node.path[0] as string;
    const at = this.variables.slotOf(name);
    if (at < 0) this.fail(`undefined variable: ${name}`);
    // Nobody has so many, and looking for them takes time.
    const looked = this.variables.count - at;
    if (looked > 100) this.environment.budget.step(looked >> 7);
    const value = this.variables.valueAt(at);
    this.watcher?.variable(at, value);
    if (node.path.length === 1) {
      this.#noArguments(args, final);
      return value;
    }
    return this.#fields(dot, value, this.variables.isBoxedAt(at), node, node.path, 1, args, final);
  }

  #fields(
    dot: Value,
    start: Value,
    startBoxed: boolean,
    node: FieldNode | ChainNode | VariableNode,
    path: readonly string[],
    from: number,
    args: readonly Operand[],
    final: Final,
  ): Value {
    this.watcher?.read(start, path, from);
    let receiver = start;
    let boxed = startBoxed;
    const last = path.length - 1;
    if (last > 8) this.environment.budget.step(last >> 3);
    for (let i = from; i <= last; i++) {
      const name = path[i] as string;
      const isLast = i === last;
      if (receiver instanceof Map && !(receiver instanceof TypedMap)) {
        if (isLast && (args.length > 1 || final !== missing)) this.fail(`${name} is not a method but has arguments`);
        receiver = receiver.get(name) ?? null;
        boxed = true;
      } else {
        const isGeneric: boolean = receiver instanceof TypedMap && receiver.zero === null;
        receiver = this.#field(dot, receiver, boxed, name, node, isLast ? args : [], isLast ? final : missing);
        boxed = isGeneric;
      }
    }
    return receiver;
  }

  /** A field, key or method of anything but a plain map. */
  #field(dot: Value, receiver: Value, boxed: boolean, name: string, node: AnyNode, args: readonly Operand[], final: Final): Value {
    if (receiver === undefined) return undefined;
    if (receiver === null) return this.fail(`nil pointer evaluating interface {}.${name}`);
    const hasArguments = args.length > 1 || final !== missing;
    if (receiver instanceof TypedMap) {
      const method = receiver.methods && Object.hasOwn(receiver.methods, name) ? receiver.methods[name] : undefined;
      if (method) return this.#method(dot, receiver, method, node, args, final);
      if (hasArguments) this.fail(`${name} is not a method but has arguments`);
      return receiver.has(name) ? (receiver.get(name) ?? null) : receiver.zero;
    }
    if (receiver instanceof GoObject) {
      const method = receiver.method(name);
      if (method) return this.#method(dot, receiver, method, node, args, final);
      const field = fieldOf(receiver, name, hasArguments);
      if (field) return 'problem' in field ? this.fail(field.problem) : field.value;
    }
    return this.fail(`can't evaluate field ${name} in type ${boxed ? 'interface {}' : typeName(receiver)}`);
  }

  #method(dot: Value, receiver: Value, method: Method, node: AnyNode, args: readonly Operand[], final: Final): Value {
    const values = this.#arguments(dot, method.name, method.params, method.variadic, args, final);
    if (method.cost) this.environment.budget.step(Math.ceil(method.cost(receiver, values)));
    try {
      return method.run(receiver, values);
    } catch (error) {
      return this.#failCall(node, method.name, error);
    }
  }

  #function(dot: Value, node: IdentifierNode, command: AnyNode, args: readonly Operand[], final: Final): Value {
    this.node = node;
    const { functions, context } = this.environment;
    const { name } = node;
    const definition = functions.get(name);
    if (!definition) return this.fail(`${quote(name)} is not a defined function`);
    if (name === 'and' || name === 'or') return this.#logic(dot, name, args, final);
    const values = this.#arguments(dot, name, definition.params, definition.variadic, args, final);
    let result: Value;
    try {
      result =
        name === 'call' ? notCallable(args[1] ? printNode(args[1]) : printValue(values[0]), values[0]) : definition.call(context, values);
    } catch (error) {
      return this.#failCall(command, name, error);
    }
    this.watcher?.called(name, values, result);
    return result;
  }

  /** `and` and `or` stop at the first argument that decides. */
  #logic(dot: Value, name: 'and' | 'or', args: readonly Operand[], final: Final): Value {
    const count = args.length - 1 + (final === missing ? 0 : 1);
    if (args.length === 0 ? final === missing : count < 1) this.fail(`wrong number of args for ${name}: want at least 1 got 0`);
    let value: Value;
    this.environment.budget.step(args.length >> 1);
    for (let i = 1; i < args.length; i++) {
      value = this.#argument(dot, 'value', args[i] as Operand);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return final === missing ? value : final;
  }

  #arguments(dot: Value, name: string, params: readonly ParamType[], variadic: boolean, nodes: readonly Operand[], final: Final): Value[] {
    const given = nodes.length > 0 ? nodes.length - 1 : 0;
    const count = given + (final === missing ? 0 : 1);
    const fixed = variadic ? params.length - 1 : params.length;
    if (variadic) {
      if (count < fixed) this.fail(`wrong number of args for ${name}: want at least ${fixed} got ${given}`);
    } else if (count !== fixed) this.fail(`wrong number of args for ${name}: want ${fixed} got ${count}`);
    const values: Value[] = [];
    const rest = params[params.length - 1] as ParamType;
    for (let i = 0; i < given; i++) values.push(this.#argument(dot, i < fixed ? (params[i] as ParamType) : rest, nodes[i + 1] as Operand));
    if (final !== missing) values.push(this.#validate(final, given < fixed ? (params[given] as ParamType) : rest));
    return values;
  }

  #failCall(node: AnyNode, name: string, error: unknown): never {
    if (error instanceof Uncallable) return this.fail(error.message);
    if (!(error instanceof GoError || error instanceof ExecutionError)) throw error;
    this.node = node;
    return this.fail(`error calling ${name}: ${error.message}`, error);
  }

  #validate(value: Value, type: ParamType): Value {
    if (type === 'interface {}') return value instanceof GoObject ? value.boxed() : (value ?? null);
    if (type === 'value') return value;
    if (isAssignable(value, type)) return value instanceof MapView ? value.target : value;
    if (value === undefined) return zeroOf(type) ?? this.fail(`invalid value; expected ${type}`);
    return this.fail(`wrong type for value; expected ${type}; got ${value === null ? 'interface {}' : typeName(value)}`);
  }

  #argument(dot: Value, type: ParamType, node: Operand): Value {
    this.node = node;
    switch (node.type) {
      case kind.dot:
        this.watcher?.dot(dot);
        return this.#validate(dot, type);
      case kind.nil:
        if (type === 'interface {}') return null;
        if (type === 'value') return undefined;
        return zeroOf(type) ?? this.fail(`cannot assign nil to ${type}`);
      case kind.field:
        return this.#validate(this.#fields(dot, dot, this.dotBoxed, node, node.path, 0, [], missing), type);
      case kind.variable:
        return this.#validate(this.#variable(dot, node, [], missing), type);
      case kind.pipe:
        return this.#validate(this.pipeline(dot, node), type);
      case kind.identifier:
        return this.#validate(this.#function(dot, node, node, [], missing), type);
      case kind.chain:
        return this.#validate(this.#chain(dot, node, [], missing), type);
    }
    if (type === 'interface {}' || type === 'value') return node.type === kind.number ? this.#constant(node) : literalValue(node);
    const fitted = literalAs(type, node);
    return 'problem' in fitted ? this.fail(fitted.problem) : fitted.value;
  }

  protected assign(name: string, value: Value, boxed: boolean): void {
    const at = this.variables.slotOf(name);
    if (at < 0) this.fail(`undefined variable: ${name}`);
    this.variables.set(at, value, boxed);
    this.watcher?.bind(at, value);
  }
}
