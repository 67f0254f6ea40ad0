import type { WorkChart } from '../loader/work-chart.ts';
import { GoInt, GoObject, type Value, type ValueMap } from '../value/kinds.ts';
import { MapView } from '../value/view.ts';
import { builtin, PathNode } from './paths.ts';
import type { Made, Read } from './pieces.ts';

/** The `.` that a file is run on. */
const isScope = (value: Value): value is ValueMap => value instanceof MapView && value.has('Capabilities') && value.has('Release');
const isBuiltin = (name: string): boolean => name === 'Release' || name === 'Chart' || name === 'Capabilities' || name === 'Template';

type Container = ValueMap | Value[];

/**
 * Knows which place of the values a map or list is, by its identity, and what functions make of them.
 *
 * Principle: values carry nothing; a side table of their containers does, filled on the way down from `.Values`. A
 * number or text is known by its container and key at the moment it is read.
 */
export class ValuePaths {
  readonly root = new PathNode();
  readonly #builtins = new PathNode(new PathNode(), builtin);
  readonly #nodes = new WeakMap<object, PathNode>();
  /** Members of maps and lists that templates made (`dict`, `list`), where they were read or made. */
  readonly #members = new WeakMap<object, Map<string | number, Read | Made>>();
  /** Maps that were merged from others, the strongest first. */
  readonly #blends = new WeakMap<object, readonly ValueMap[]>();

  constructor(values: ValueMap, chart: WorkChart) {
    this.#knowCharts(values, chart, this.root);
  }

  /** A subchart's values are its parent's table of its name: its templates start there. */
  #knowCharts(values: ValueMap, chart: WorkChart, node: PathNode): void {
    this.#know(values, node);
    for (const child of chart.dependencies) {
      const own = values.get(child.name);
      if (own instanceof Map) this.#knowCharts(own, child, node.child(child.name));
    }
  }

  nodeOf(value: Value): PathNode | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    return this.#nodes.get(value instanceof MapView ? value.target : value);
  }

  /** Goes down from a value; undefined where nothing on the way is known. */
  walk(start: Value, names: readonly string[], from: number): Read | Made | undefined {
    let value = start;
    let node = this.nodeOf(start);
    for (let i = from; i < names.length; i++) {
      if (!node && isScope(value) && isBuiltin(names[i] as string)) return this.#builtin(value, names.slice(i));
      if (!(value instanceof Map)) break;
      const name = names[i] as string;
      const next = value.get(name);
      const found: PathNode | Made | undefined = this.#member(value, node, name, next);
      if (found && 'text' in found) return found;
      node = found;
      value = next;
    }
    return node && { node, value };
  }

  /** `.Release.Name` and the like: always leaves, for what lies between is the same for all. */
  #builtin(scope: ValueMap, names: readonly string[]): Read {
    let node = this.#builtins;
    let value: Value = scope;
    for (const name of names) {
      node = node.child(name);
      value = value instanceof Map ? value.get(name) : value instanceof GoObject ? value.field(name)?.value : undefined;
    }
    return { node, value };
  }

  /** An item that range goes over. */
  item(collection: Value, index: Value, item: Value): Read | undefined {
    const key = typeof index === 'string' ? index : index instanceof GoInt ? Number(index.value) : undefined;
    if (key === undefined || typeof collection !== 'object' || collection === null) return undefined;
    const found = this.#member(collection, this.nodeOf(collection), key, item);
    return found && !('text' in found) ? { node: found, value: item } : undefined;
  }

  /**
   * Learns from a function's call what its result consists of.
   *
   * @param action what was read and made in the action before the call
   * @returns what the call itself reads
   */
  called(
    name: string,
    args: readonly Value[],
    result: Value,
    action: { readonly reads: readonly Read[]; readonly made: readonly Made[] },
  ): Read[] {
    switch (name) {
      case 'index':
        return this.#reads(args[0], args.slice(1));
      case 'get':
        return this.#reads(args[0], [args[1]]);
      case 'dig':
        return this.#reads(args.at(-1), args.slice(0, -2));
      case 'first':
        return this.#reads(args[0], [new GoInt('int', 0n)]);
      case 'dict':
        if (result instanceof Map)
          for (let i = 0; i + 1 < args.length; i += 2)
            if (typeof args[i] === 'string') this.#keep(result, args[i] as string, args[i + 1], action);
        break;
      case 'set':
        if (args[0] instanceof Map && typeof args[1] === 'string')
          this.#keep(args[0] instanceof MapView ? args[0].target : args[0], args[1], args[2], action);
        break;
      case 'list':
      case 'tuple':
        if (Array.isArray(result)) for (const [index, item] of args.entries()) this.#keep(result, index, item, action);
        break;
      case 'deepCopy':
      case 'mustDeepCopy': {
        const node = this.nodeOf(args[0]);
        if (node) this.#know(result, node);
        break;
      }
      case 'merge':
      case 'mustMerge':
        this.#blend(result, args);
        break;
      case 'mergeOverwrite':
      case 'mustMergeOverwrite':
        this.#blend(result, [...args].reverse());
        break;
    }
    return [];
  }

  #know(value: Value, node: PathNode): void {
    if (typeof value !== 'object' || value === null) return;
    const object = value instanceof MapView ? value.target : value;
    if ((object instanceof Map || Array.isArray(object)) && !this.#nodes.has(object)) this.#nodes.set(object, node);
  }

  /** One step down; whatever is known of the member itself comes before what its place says. */
  #member(container: object, node: PathNode | undefined, key: string | number, value: Value): PathNode | Made | undefined {
    const known = this.nodeOf(value);
    if (known) return known;
    const object = container instanceof MapView ? container.target : container;
    const kept = this.#members.get(object)?.get(key);
    if (kept) {
      if ('text' in kept) return kept.text === value ? kept : undefined;
      if (kept.value === value) return kept.node;
    }
    if (node) {
      const child = node.child(key);
      this.#know(value, child);
      return child;
    }
    return typeof key === 'string' ? this.#fromBlend(object, key, value) : undefined;
  }

  #fromBlend(container: object, key: string, value: Value): PathNode | undefined {
    const sources = this.#blends.get(container);
    if (!sources) return undefined;
    if (value instanceof Map) {
      const inner = sources.map((source) => source.get(key)).filter((item) => item instanceof Map);
      if (inner.length > 1) {
        this.#blends.set(value, inner);
        return undefined;
      }
    }
    for (const source of sources) {
      if (source === container || source.get(key) !== value) continue;
      const found = this.#member(source, this.nodeOf(source), key, value);
      if (found && !('text' in found)) return found;
    }
    return undefined;
  }

  #blend(result: Value, sources: readonly Value[]): void {
    if (!(result instanceof Map) || this.nodeOf(result)) return;
    const maps = sources.flatMap((source) =>
      source instanceof MapView ? [source.target] : source instanceof Map && source !== result ? [source] : [],
    );
    this.#blends.set(result, [...maps, ...(this.#blends.get(result) ?? [])]);
  }

  #keep(
    container: Container,
    key: string | number,
    value: Value,
    action: { readonly reads: readonly Read[]; readonly made: readonly Made[] },
  ): void {
    if (typeof value === 'object' && value !== null && !(value instanceof GoInt)) return;
    const found = newest(action.made, (made) => made.text === value) ?? newest(action.reads, (read) => read.value === value);
    if (!found) return;
    const known = this.#members.get(container);
    if (known) known.set(key, found);
    else this.#members.set(container, new Map([[key, found]]));
  }

  #reads(start: Value, keys: readonly Value[]): Read[] {
    let value = start;
    let node = this.nodeOf(start);
    for (const key of keys) {
      if (typeof value !== 'object' || value === null) break;
      const at = typeof key === 'string' ? key : key instanceof GoInt ? Number(key.value) : undefined;
      if (at === undefined) return [];
      const next: Value = value instanceof Map ? value.get(String(at)) : Array.isArray(value) ? value[at as number] : undefined;
      const found = this.#member(value, node, at, next);
      if (found && 'text' in found) return [];
      node = found;
      value = next;
    }
    return node ? [{ node, value }] : [];
  }
}

/** How far back a text or value is looked for: one action may read thousands, and make a list of them. */
const mostLooked = 1000;

/** The newest that a test holds for. */
export function newest<T>(all: readonly T[], isIt: (one: T) => boolean): T | undefined {
  for (let i = all.length - 1; i >= 0 && i >= all.length - mostLooked; i--) if (isIt(all[i] as T)) return all[i];
  return undefined;
}
