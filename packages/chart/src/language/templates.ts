import { isEmptyTree, type Tree } from './nodes.ts';

/**
 * The templates that know one another. `tpl` works on a child set: what it defines is seen inside it alone, as by
 * Go's Clone, without copying.
 */
export class TemplateSet {
  readonly #own = new Map<string, Tree>();
  readonly #parent: TemplateSet | undefined;

  constructor(parent?: TemplateSet) {
    this.#parent = parent;
  }

  lookup(name: string): Tree | undefined {
    return this.#own.get(name) ?? this.#parent?.lookup(name);
  }

  /** Adds trees; an empty one never replaces another of its name. */
  add(trees: ReadonlyMap<string, Tree>): void {
    for (const [name, tree] of trees) {
      if (isEmptyTree(tree.root) && this.lookup(name)) continue;
      this.#own.set(name, tree);
    }
  }
}
