/**
 * Sets of paths in an object, in the form in which `metadata.managedFields[].fieldsV1` keeps them: a trie whose keys are path elements
 * `f:name`, `k:{"name":"x"}`, `v:"value"`, `i:0`, and `.` where the item itself is a member (structured-merge-diff, fieldpath).
 */
import { SchemaError } from '../errors.ts';
import { canonical, isObject, type Json, type JsonObject, put } from '../json.ts';

/** A path element in its serialised form; equal elements have equal texts, since keys are sorted and values canonical. */
export type PathElement = string;

const limits = { depth: 128, nodes: 100_000 } as const;

export const fieldElement = (name: string): PathElement => `f:${name}`;
export const valueElement = (value: Json): PathElement => `v:${canonical(value)}`;
export const keyElement = (keys: JsonObject): PathElement => `k:${canonical(keys)}`;

/** How messages print an element: `.name`, `[name="x"]`, `[="value"]`, `[0]`. */
export function elementText(element: PathElement): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${rest}`;
    case 'k':
      return `[${Object.entries(JSON.parse(rest) as JsonObject)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(',')}]`;
    case 'v':
      return `[=${rest}]`;
    default:
      return `[${rest}]`;
  }
}

/** An immutable set of paths; every operation returns a new one (or one of its operands). */
export class FieldSet {
  static readonly empty = new FieldSet(new Set(), new Map());

  /** Members one element long. */
  readonly members: ReadonlySet<PathElement>;
  /** Below an element; never empty. */
  readonly children: ReadonlyMap<PathElement, FieldSet>;

  private constructor(members: ReadonlySet<PathElement>, children: ReadonlyMap<PathElement, FieldSet>) {
    this.members = members;
    this.children = children;
  }

  static of(members: Iterable<PathElement>, children: Iterable<readonly [PathElement, FieldSet]> = []): FieldSet {
    return new FieldSet(new Set(members), new Map([...children].filter(([, set]) => !set.isEmpty)));
  }

  static fromPaths(paths: Iterable<readonly PathElement[]>): FieldSet {
    const builder = new FieldSetBuilder();
    for (const path of paths) builder.add(path);
    return builder.build();
  }

  get isEmpty(): boolean {
    return this.members.size === 0 && this.children.size === 0;
  }

  below(element: PathElement): FieldSet {
    return this.children.get(element) ?? FieldSet.empty;
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    const children = new Map(this.children);
    for (const [element, set] of other.children) children.set(element, this.below(element).union(set));
    return new FieldSet(new Set([...this.members, ...other.members]), children);
  }

  intersection(other: FieldSet): FieldSet {
    return FieldSet.of(
      [...this.members].filter((element) => other.members.has(element)),
      [...this.children].map(([element, set]) => [element, set.intersection(other.below(element))] as const),
    );
  }

  /** Without the exact members of `other`. */
  difference(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    return FieldSet.of(
      [...this.members].filter((element) => !other.members.has(element)),
      [...this.children].map(([element, set]) => [element, set.difference(other.below(element))] as const),
    );
  }

  /** Without the members of `other` and all that lies below them. */
  recursiveDifference(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    return FieldSet.of(
      [...this.members].filter((element) => !other.members.has(element)),
      [...this.children]
        .filter(([element]) => !other.members.has(element))
        .map(([element, set]) => [element, set.recursiveDifference(other.below(element))] as const),
    );
  }

  equals(other: FieldSet): boolean {
    if (this.members.size !== other.members.size || this.children.size !== other.children.size) return false;
    return (
      [...this.members].every((element) => other.members.has(element)) &&
      [...this.children].every(([element, set]) => other.children.has(element) && set.equals(other.below(element)))
    );
  }

  /** All paths, members before what lies below, elements in order. */
  *paths(prefix: readonly PathElement[] = []): Generator<readonly PathElement[]> {
    for (const element of [...this.members].sort()) yield [...prefix, element];
    for (const element of [...this.children.keys()].sort()) yield* this.below(element).paths([...prefix, element]);
  }

  /** The `fieldsV1` form. */
  toFieldsV1(): JsonObject {
    const result: JsonObject = {};
    const elements = [...new Set([...this.members, ...this.children.keys()])].sort();
    for (const element of elements) {
      const below = this.below(element).toFieldsV1();
      put(result, element, this.members.has(element) && this.children.has(element) ? { '.': {}, ...below } : below);
    }
    return result;
  }

  /** Reads the `fieldsV1` form; throws MALFORMED when it is none, TOO_DEEP or TOO_LARGE beyond the limits. */
  static fromFieldsV1(fields: Json): FieldSet {
    let nodes = 0;
    const read = (value: Json, depth: number): { set: FieldSet; self: boolean } => {
      if (!isObject(value)) throw malformedFields('an element holds no object');
      if (depth > limits.depth) throw new SchemaError('TOO_DEEP', `managedFields nests deeper than ${limits.depth} levels.`);
      const members: PathElement[] = [];
      const children: [PathElement, FieldSet][] = [];
      const keys = Object.keys(value);
      nodes += keys.length;
      if (nodes > limits.nodes) throw new SchemaError('TOO_LARGE', `managedFields holds more than ${limits.nodes} elements.`);
      for (const key of keys) {
        if (key === '.') continue;
        const element = normalElement(key);
        const below = read(value[key] as Json, depth + 1);
        if (below.self || below.set.isEmpty) members.push(element);
        children.push([element, below.set]);
      }
      return { set: FieldSet.of(members, children), self: keys.includes('.') };
    };
    return read(fields, 0).set;
  }
}

const malformedFields = (why: string): SchemaError =>
  new SchemaError('MALFORMED', `managedFields cannot be read: ${why}.`, {
    cure: 'Leave metadata.managedFields out, or send what the server gave.',
  });

function normalElement(key: string): PathElement {
  if (key.startsWith('f:')) return key;
  try {
    if (key.startsWith('v:')) return valueElement(JSON.parse(key.slice(2)) as Json);
    if (key.startsWith('k:')) {
      const keys = JSON.parse(key.slice(2)) as Json;
      if (isObject(keys)) return keyElement(keys);
    }
  } catch (cause) {
    throw malformedFields(`${JSON.stringify(key.slice(0, 80))} holds no JSON (${String(cause)})`);
  }
  if (/^i:\d{1,9}$/.test(key)) return key;
  throw malformedFields(`${JSON.stringify(key.slice(0, 80))} is no path element`);
}

/** Collects paths into a set; the one mutable thing of this module. */
export class FieldSetBuilder {
  private readonly members = new Set<PathElement>();
  private readonly children = new Map<PathElement, FieldSetBuilder>();

  add(path: readonly PathElement[], from = 0): void {
    const element = path[from];
    if (element === undefined) return;
    if (from === path.length - 1) {
      this.members.add(element);
      return;
    }
    const child = this.children.get(element) ?? new FieldSetBuilder();
    this.children.set(element, child);
    child.add(path, from + 1);
  }

  build(): FieldSet {
    return FieldSet.of(
      this.members,
      [...this.children].map(([element, child]) => [element, child.build()] as const),
    );
  }
}
