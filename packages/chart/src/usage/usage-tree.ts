import type { SourcePlace } from '../errors.ts';
import type { ValuePath } from '../trace/paths.ts';

/** Any key of a map, or any item of a list: what `range` and computed keys read. */
export const anyKey = '*';

/** Which values templates read, as a tree of keys. */
export class UsageNode {
  readonly #children = new Map<string, UsageNode>();
  /** Where a template reads it first. */
  place: SourcePlace | undefined;
  /** All below it is used too: it is printed, or given to a function that looks at all of it. */
  isWhole = false;

  child(key: string): UsageNode {
    const known = this.#children.get(key);
    if (known) return known;
    const made = new UsageNode();
    this.#children.set(key, made);
    return made;
  }

  /** Keys that templates name; not those they go over. */
  get names(): string[] {
    return [...this.#children.keys()].filter((key) => key !== anyKey);
  }

  read(place: SourcePlace): void {
    this.place ??= place;
  }

  /** The first place at which this, or anything below it, is read. */
  get anyPlace(): SourcePlace | undefined {
    if (this.place) return this.place;
    for (const child of this.#children.values()) {
      const found = child.anyPlace;
      if (found) return found;
    }
    return undefined;
  }

  /** Whether a template reads what stands at a path, as a whole or as part of something. */
  covers(path: ValuePath, from = 0): boolean {
    if (this.isWhole) return true;
    const key = path[from];
    if (key === undefined) return this.place !== undefined;
    const named = typeof key === 'string' ? this.#children.get(key) : undefined;
    return (named?.covers(path, from + 1) ?? false) || (this.#children.get(anyKey)?.covers(path, from + 1) ?? false);
  }

  /** The node of a path, where templates name it. */
  at(path: ValuePath): UsageNode | undefined {
    let node: UsageNode | undefined = this;
    for (const key of path) node = node?.next(key);
    return node;
  }

  /** One key down; by the name if templates name it, else as one of all. */
  next(key: string | number): UsageNode | undefined {
    return (typeof key === 'string' ? this.#children.get(key) : undefined) ?? this.#children.get(anyKey);
  }
}
