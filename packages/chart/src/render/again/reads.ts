import type { Watcher } from '../../language/watcher.ts';
import { TypedMap, type Value, type ValueMap } from '../../value/kinds.ts';
import { MapView } from '../../value/view.ts';
import type { Changes } from './changes.ts';

/** What a template's file has read of one map of the values. */
export interface MapReads {
  /** When it was first looked at: `if`, `with` and `range` see that. */
  readonly wasEmpty: boolean;
  readonly keys: Set<string>;
  /** Every key was looked at in the order of their names, but not further down. */
  all: boolean;
  /** Everything below was looked at. */
  deep: boolean;
}

/** Functions that give their arguments on, or look only at whether there is something: what is read of them is seen when it is. */
const passing = new Set(
  'include tpl dict list tuple default coalesce ternary required empty not kindIs kindOf typeOf typeIs typeIsLike set'.split(' '),
);

/** Notes which values a file's templates read while they run: what the file's output depends on. */
export class Reads implements Watcher {
  readonly #owned: ReadonlySet<ValueMap>;
  readonly #dots: ReadonlySet<Value>;
  #maps = new Map<ValueMap, MapReads>();
  #scopes: Value[] = [];

  /**
   * @param owned the maps of the values, but for those in lists: a list is read as a whole
   * @param dots those of them that charts' files see as `.`; what hangs below these changes without them
   */
  constructor(owned: ReadonlySet<ValueMap>, dots: ReadonlySet<ValueMap>) {
    this.#owned = owned;
    this.#dots = dots;
  }

  /** A file begins. */
  begin(): void {
    this.#maps = new Map();
    this.#scopes = [];
  }

  /** What has been read since. */
  get maps(): ReadonlyMap<ValueMap, MapReads> {
    return this.#maps;
  }

  read(start: Value, names: readonly string[], from: number): void {
    let value = start;
    for (let i = from; i < names.length && value instanceof Map; i++) {
      const name = names[i] as string;
      // A method looks at all.
      if (value instanceof TypedMap && value.methods && Object.hasOwn(value.methods, name)) {
        this.#deep(value);
        return;
      }
      this.#seen(value)?.keys.add(name);
      value = value.get(name);
    }
    this.#seen(value);
  }

  item(_index: Value, item: Value): void {
    const read = this.#seen(this.#scopes.at(-1));
    if (read) read.all = true;
    this.#seen(item);
  }

  scope(value: Value): void {
    this.#scopes.push(value);
    this.#seen(value);
  }

  unscope(): void {
    this.#scopes.pop();
  }

  printed(value: Value): void {
    this.#deep(value);
  }

  called(name: string, args: readonly Value[], result: Value): void {
    if (name === 'get' || name === 'hasKey' || name === 'index') {
      const keys = args.slice(1);
      this.read(args[0], keys.filter(isText), 0);
      if (!keys.every(isText)) for (const argument of args) this.#deep(argument);
    } else if (!passing.has(name)) for (const argument of args) this.#deep(argument);
    this.#seen(result);
  }

  enter(): void {}
  leave(): void {}
  at(): void {}
  wrote(): void {}
  dot(): void {}
  variable(): void {}
  bind(): void {}
  failed(): void {}
  abandoned(): void {}

  /** What is known of a map of the values, for a reader to add to; undefined for what is none. */
  #seen(value: Value): MapReads | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    const map = value instanceof MapView ? value.target : value;
    if (!(map instanceof Map)) return undefined;
    const known = this.#maps.get(map);
    if (known) return known;
    if (!this.#owned.has(map)) return undefined;
    const made = { wasEmpty: map.size === 0, keys: new Set<string>(), all: false, deep: false };
    this.#maps.set(map, made);
    return made;
  }

  /** All of a value, and of the values that hang below what templates made. */
  #deep(start: Value): void {
    if (typeof start !== 'object' || start === null) return;
    const known = new Set<Value>();
    const ahead: Value[] = [start];
    for (let value = ahead.pop(); value !== undefined; value = ahead.pop()) {
      const read = this.#seen(value);
      if (read) read.deep = true;
      const goesOn = read === undefined || this.#dots.has(value instanceof MapView ? value.target : value);
      if (goesOn && (value instanceof Map || Array.isArray(value)) && !known.has(value)) {
        known.add(value);
        for (const item of value.values()) if (typeof item === 'object' && item !== null) ahead.push(item);
      }
    }
  }
}

/** Whether values have changed in something that was read. */
export function isTouched(reads: ReadonlyMap<ValueMap, MapReads>, changes: Changes): boolean {
  for (const [map, keys] of changes) {
    const read = reads.get(map);
    if (!read) continue;
    if (read.deep || (read.all && keys.size > 0)) return true;
    for (const key of keys) if (read.keys.has(key)) return true;
  }
  return false;
}

/** Whether each map that was read is empty as it was then. */
export function isFilledAsThen(reads: ReadonlyMap<ValueMap, MapReads>): boolean {
  for (const [map, { wasEmpty }] of reads) if (wasEmpty !== (map.size === 0)) return false;
  return true;
}

const isText = (value: Value): value is string => typeof value === 'string';
