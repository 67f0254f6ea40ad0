/** One place in the values: keys and indices from the values of the chart that is rendered. */
export type ValuePath = readonly (string | number)[];

/** A path as a tree of nodes, so that each place is one object, whoever reads it. */
export class PathNode {
  readonly parent: PathNode | undefined;
  readonly key: string | number;
  /** How often templates read it. */
  reads = 0;
  #children: Map<string | number, PathNode> | undefined;

  constructor(parent?: PathNode, key: string | number = '') {
    this.parent = parent;
    this.key = key;
  }

  child(key: string | number): PathNode {
    this.#children ??= new Map();
    const known = this.#children.get(key);
    if (known) return known;
    const made = new PathNode(this, key);
    this.#children.set(key, made);
    return made;
  }

  children(): Iterable<PathNode> {
    return this.#children?.values() ?? [];
  }

  get path(): ValuePath {
    const keys: (string | number)[] = [];
    for (let node: PathNode = this; node.parent; node = node.parent) keys.push(node.key);
    return keys.reverse();
  }
}

/** Of some reads, those below which none of the others goes; the values as a whole are none. */
export function deepest<T extends { readonly node: PathNode }>(reads: readonly T[]): T[] {
  const above = new Set<PathNode>();
  for (const { node } of reads) for (let at = node.parent; at && !above.has(at); at = at.parent) above.add(at);
  return reads.filter(({ node }) => node.parent && !above.has(node));
}

/** What templates read beside values: the first key of such a path, which no values begin with. */
export const builtin = ' builtin';

/** `image.tag`, `env[0].name`, `annotations["example.com/x"]`. */
export function formatPath(path: ValuePath): string {
  if (path[0] === builtin) return `.${path.slice(1).join('.')}`;
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w-]+$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}
