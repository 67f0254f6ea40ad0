import { deepCopy } from '../../value/copy.ts';
import { GoInt, GoObject, TypedList, TypedMap, type Value, type ValueMap } from '../../value/kinds.ts';

/**
 * Maps that differ between two renders, be it only further down, and the keys whose value is another, was not there or is gone.
 * Not those whose value is the same map with changes in it.
 */
export type Changes = Map<ValueMap, Set<string>>;

/**
 * Makes the tree of values `kept` equal to `wanted` in its place, so that who knows its maps still knows them.
 *
 * Charts share maps below `global` with their subcharts, and what is set in one place shows in the other: maps that are one in
 * one of the two must be one in the other.
 *
 * @param kept is changed; maps in lists are replaced, not changed
 * @param wanted stays as it is and shares nothing with `kept` afterwards
 * @param owned all maps of `kept` that are in no list; kept up to date
 * @returns what has changed, by the maps of `kept`; undefined where they cannot be made equal, and `kept` is of no use any more
 */
export function update(kept: ValueMap, wanted: ValueMap, owned: Set<ValueMap>): Changes | undefined {
  const updating = new Update(owned);
  return updating.map(kept, wanted) === undefined ? undefined : updating.changes;
}

class Update {
  readonly changes: Changes = new Map();
  readonly #owned: Set<ValueMap>;
  readonly #wantedOf = new Map<ValueMap, ValueMap>();
  /** Maps of `wanted` that have a counterpart. */
  readonly #taken = new Set<ValueMap>();

  constructor(owned: Set<ValueMap>) {
    this.#owned = owned;
  }

  /** Whether the map differed; undefined where it cannot be made equal. */
  map(kept: ValueMap, wanted: ValueMap): boolean | undefined {
    const counterpart = this.#wantedOf.get(kept);
    if (counterpart) return counterpart === wanted ? this.changes.has(kept) : undefined;
    if (this.#taken.has(wanted)) return undefined;
    this.#wantedOf.set(kept, wanted);
    this.#taken.add(wanted);
    const keys = new Set<string>();
    let isChanged = false;
    for (const [key, value] of wanted) {
      const known = kept.get(key);
      if (isPlain(known) && isPlain(value)) {
        const isOther = this.map(known, value);
        if (isOther === undefined) return undefined;
        isChanged ||= isOther;
        continue;
      }
      if (kept.has(key) && isSame(known, value)) continue;
      if (!this.#take(value)) return undefined;
      const copy = deepCopy(value);
      kept.set(key, copy);
      own(copy, this.#owned);
      keys.add(key);
    }
    for (const key of kept.keys()) {
      if (wanted.has(key)) continue;
      kept.delete(key);
      keys.add(key);
    }
    if (!isInOrder(kept, wanted)) {
      const items = [...wanted.keys()].map((key) => [key, kept.get(key)] as const);
      kept.clear();
      for (const [key, value] of items) kept.set(key, value);
      // Only who looks at all of the map can tell.
      isChanged = true;
    }
    isChanged ||= keys.size > 0;
    if (isChanged) this.changes.set(kept, keys);
    return isChanged;
  }

  /** Notes the maps of a value that is copied; false where one of them stands elsewhere, too. */
  #take(value: Value): boolean {
    if (!isPlain(value)) return true;
    if (this.#taken.has(value)) return false;
    this.#taken.add(value);
    for (const item of value.values()) if (!this.#take(item)) return false;
    return true;
  }
}

const isPlain = (value: Value): value is ValueMap => value instanceof Map && !(value instanceof TypedMap);

function isInOrder(a: ValueMap, b: ValueMap): boolean {
  const others = b.keys();
  for (const key of a.keys()) if (others.next().value !== key) return false;
  return true;
}

/** Notes a value's maps, those in lists left out. @param isNew told of those that were not known */
export function own(value: Value, owned: Set<ValueMap>, isNew: (map: ValueMap) => void = () => {}): void {
  if (!isPlain(value) || owned.has(value)) return;
  owned.add(value);
  isNew(value);
  for (const item of value.values()) own(item, owned, isNew);
}

/** Whether two values are one to every template: types, order of keys and all. */
export function isSame(a: Value, b: Value): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof GoInt) return b instanceof GoInt && a.kind === b.kind && a.value === b.value;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  if (a instanceof GoObject || a instanceof TypedList || b instanceof GoObject || b instanceof TypedList) return false;
  if (!isPlain(a) || !isPlain(b) || a.size !== b.size) return false;
  const others = b.entries();
  for (const [key, item] of a) {
    const [otherKey, otherItem] = others.next().value as [string, Value];
    if (key !== otherKey || !isSame(item, otherItem)) return false;
  }
  return true;
}
