import { type Methods, TypedMap, type Value, type ValueMap } from './kinds.ts';

/**
 * A map seen as another type: chart values are the same storage as the parent's table of that name, so what one
 * changes the other sees.
 */
export class MapView extends TypedMap {
  readonly #target: ValueMap;

  constructor(type: string, target: ValueMap, methods?: Methods) {
    super(type, null, undefined, methods);
    this.#target = target;
  }

  /** The storage itself, as a map[string]interface{}: what Go converts to where such a map is wanted. */
  get target(): ValueMap {
    return this.#target;
  }

  override get size(): number {
    return this.#target.size;
  }

  override get(key: string): Value {
    return this.#target.get(key);
  }

  override has(key: string): boolean {
    return this.#target.has(key);
  }

  override set(key: string, value: Value): this {
    this.#target.set(key, value);
    return this;
  }

  override delete(key: string): boolean {
    return this.#target.delete(key);
  }

  override clear(): void {
    this.#target.clear();
  }

  override keys(): MapIterator<string> {
    return this.#target.keys();
  }

  override values(): MapIterator<Value> {
    return this.#target.values();
  }

  override entries(): MapIterator<[string, Value]> {
    return this.#target.entries();
  }

  override [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.#target.entries();
  }

  override forEach(visit: (value: Value, key: string, map: Map<string, Value>) => void): void {
    this.#target.forEach(visit);
  }
}
