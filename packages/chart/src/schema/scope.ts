import { quote } from '../value/text.ts';
import type { CompiledSchema } from './compiled.ts';

/** A schema that is being checked, and what led to it. */
export class Scope {
  readonly schema: CompiledSchema;
  /** The keyword of the reference that led here; empty where the schema stands inside its parent. */
  readonly keyword: string;
  /** How deep the value lies: parents of the same depth check the same value. */
  readonly depth: number;
  readonly parent: Scope | undefined;
  /** The schema of schemas in use, while a schema is checked. */
  readonly meta: CompiledSchema | undefined;
  /** How many parents check the same value. */
  readonly chain: number;

  constructor(schema: CompiledSchema, keyword: string, depth: number, parent: Scope | undefined, meta: CompiledSchema | undefined) {
    this.schema = schema;
    this.keyword = keyword;
    this.depth = depth;
    this.parent = parent;
    this.meta = meta;
    this.chain = parent?.depth === depth ? parent.chain + 1 : 0;
  }

  /** Where references lead back to a schema that checks the same value already: what the library says. */
  cycle(): (() => string) | undefined {
    for (let scope = this.parent; scope && scope.depth === this.depth; scope = scope.parent) {
      if (scope.schema !== this.schema) continue;
      const first = scope;
      return () => `both ${this.#path()} and ${first.#path()} resolve to ${quote(this.schema.location)} causing reference cycle`;
    }
    return undefined;
  }

  /** The keywords from the root to here. */
  #path(): string {
    let path = '';
    for (let scope: Scope = this; scope.parent; scope = scope.parent) {
      const part = scope.keyword === '' ? scope.schema.location.slice(scope.parent.schema.location.length) : `/${scope.keyword}`;
      path = part + path;
    }
    return path;
  }

  /** What `$recursiveRef` means here: the outermost schema in whose resource `$recursiveAnchor` is set. */
  recursive(found: CompiledSchema): CompiledSchema {
    if (!found.isRecursiveAnchor) return found;
    let target = found;
    for (let scope: Scope | undefined = this; scope; scope = scope.parent)
      if (scope.schema.resource.isRecursiveAnchor) target = scope.schema;
    return target;
  }

  /** What `$dynamicRef` means here: the outermost `$dynamicAnchor` of that name. */
  dynamic({ to, anchor }: { readonly to: CompiledSchema; readonly anchor: string }): CompiledSchema {
    if (anchor === '' || to.dynamicAnchor !== anchor) return to;
    let target = to;
    for (let scope: Scope | undefined = this; scope; scope = scope.parent)
      target = scope.schema.resource.dynamicAnchors?.get(anchor) ?? target;
    return target;
  }
}
