import type { CompiledSchema } from './compiled.ts';
import type { Instance } from './values.ts';

/** Properties and items of one value that no schema has looked at yet; kept only where a schema asks for them. */
export class Unevaluated {
  keys: Set<string> | undefined;
  items: Set<number> | undefined;

  /** @param isAsked whether whoever refers to the schema wants to know */
  static of(value: Instance, schema: CompiledSchema, isAsked: boolean): Unevaluated {
    if (value instanceof Map) {
      if (schema.additionalProperties === undefined && (isAsked || schema.unevaluatedProperties)) {
        const left = new Unevaluated();
        left.keys = new Set(value.keys());
        return left;
      }
    } else if (Array.isArray(value)) {
      const from = schema.firstItems.length;
      if (schema.otherItems === undefined && (isAsked || schema.unevaluatedItems) && from < value.length) {
        const left = new Unevaluated();
        left.items = new Set(Array.from({ length: value.length - from }, (_item, index) => from + index));
        return left;
      }
    }
    return nothing;
  }

  get size(): number {
    return (this.keys?.size ?? 0) + (this.items?.size ?? 0);
  }

  /** What another has looked at needs no look any more. */
  merge(other: Unevaluated): void {
    if (this.keys) for (const key of this.keys) if (!other.keys?.has(key)) this.keys.delete(key);
    if (this.items) for (const item of this.items) if (!other.items?.has(item)) this.items.delete(item);
  }
}

/** Never changed: there is nothing in it to take away. */
const nothing = new Unevaluated();
