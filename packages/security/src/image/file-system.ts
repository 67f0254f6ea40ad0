import { SecurityError } from '../errors.ts';

/**
 * The file system that a container of the image sees: layers laid over one another, with whiteouts applied (OCI
 * image-spec, layer.md, "Whiteouts"). A file that a later layer deletes does not count, one that is replaced counts once.
 *
 * A node keeps the layer that last wrote it, since a whiteout hides only what lower layers brought.
 */
export interface FileRecord<Fact> {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Index of the layer that wrote it, from 0 at the base. */
  readonly layer: number;
  readonly linkTarget?: string;
  readonly fact?: Fact;
}

interface Node<Fact> {
  record: FileRecord<Fact>;
  children: Map<string, Node<Fact>> | undefined;
}

const whiteoutPrefix = '.wh.';
const opaqueMarker = '.wh..wh..opq';
const maximumLinks = 40;

export class LayeredFileSystem<Fact> {
  readonly #root: Node<Fact> = { record: { kind: 'directory', layer: -1 }, children: new Map() };

  /**
   * Adds one entry of layer `layer`; layers must come in order. A whiteout entry removes instead.
   * Throws ARCHIVE_INVALID when the entry lies beneath a link or file of its own layer: unpackers differ there.
   */
  put(path: string, record: FileRecord<Fact>): void {
    const parts = path === '' ? [] : path.split('/');
    const name = parts.pop();
    if (name === undefined) return;
    const parent = this.#directory(parts, record.layer, path);
    if (name === opaqueMarker) {
      removeOlder(parent, record.layer);
      return;
    }
    if (name.startsWith(whiteoutPrefix)) {
      const hidden = name.slice(whiteoutPrefix.length);
      const child = parent.children?.get(hidden);
      if (!child) return;
      if (child.record.layer < record.layer) {
        // What this very layer put beneath it stays, whichever order the archive has.
        removeOlder(child, record.layer);
        if (!child.children?.size) parent.children?.delete(hidden);
        else child.record = { ...child.record, layer: record.layer };
      }
      return;
    }
    const existing = parent.children?.get(name);
    if (record.kind === 'directory' && existing?.record.kind === 'directory') {
      existing.record = record;
      return;
    }
    parent.children?.set(name, { record, children: record.kind === 'directory' ? new Map() : undefined });
  }

  #directory(parts: readonly string[], layer: number, path: string): Node<Fact> {
    let node = this.#root;
    for (const part of parts) {
      let child = node.children?.get(part);
      if (child && child.record.kind !== 'directory' && child.record.layer === layer) {
        throw new SecurityError(
          'ARCHIVE_INVALID',
          `A layer holds ${JSON.stringify(path.slice(0, 200))}, which lies beneath a link or file of the same layer.`,
        );
      }
      if (child?.record.kind !== 'directory') {
        child = { record: { kind: 'directory', layer }, children: new Map() };
        node.children?.set(part, child);
      }
      node = child;
    }
    return node;
  }

  /** The record at exactly this path, links not followed. */
  at(path: string): FileRecord<Fact> | undefined {
    let node: Node<Fact> | undefined = this.#root;
    for (const part of path === '' ? [] : path.split('/')) node = node?.children?.get(part);
    return node?.record;
  }

  /** The path that a process in the container reaches under this name, links followed as in a chroot; undefined when there is none. */
  resolve(path: string): string | undefined {
    const todo = path.split('/').reverse();
    const done: string[] = [];
    let links = 0;
    while (todo.length > 0) {
      const part = todo.pop() as string;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        done.pop();
        continue;
      }
      const record = this.at([...done, part].join('/'));
      if (!record) return undefined;
      if (record.kind !== 'symlink') {
        done.push(part);
        continue;
      }
      if (++links > maximumLinks) return undefined;
      const target = record.linkTarget ?? '';
      if (target.startsWith('/')) done.length = 0;
      todo.push(...target.split('/').reverse());
    }
    return done.join('/');
  }

  /** Every file, link and directory, in the order of their paths' parts. */
  *entries(): Generator<[path: string, record: FileRecord<Fact>]> {
    const stack: [string, Node<Fact>][] = [['', this.#root]];
    while (stack.length > 0) {
      const [path, node] = stack.pop() as [string, Node<Fact>];
      if (path !== '') yield [path, node.record];
      const children = [...(node.children ?? [])].sort(([a], [b]) => (a < b ? 1 : -1));
      for (const [name, child] of children) stack.push([path === '' ? name : `${path}/${name}`, child]);
    }
  }
}

/** Removes what lies beneath a node and came from a layer below `layer`; directories stay that still hold something. */
function removeOlder<Fact>(node: Node<Fact>, layer: number): void {
  const stack = [node];
  const order: Node<Fact>[] = [];
  while (stack.length > 0) {
    const next = stack.pop() as Node<Fact>;
    order.push(next);
    for (const child of next.children?.values() ?? []) stack.push(child);
  }
  for (const parent of order.reverse()) {
    for (const [name, child] of parent.children ?? []) {
      if (child.record.layer < layer && !child.children?.size) parent.children?.delete(name);
    }
  }
}
