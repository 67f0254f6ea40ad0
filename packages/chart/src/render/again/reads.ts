import type { Watcher } from '../../language/watcher.ts';
import { GoInt, TypedMap, type Value, type ValueMap } from '../../value/kinds.ts';
import { MapView } from '../../value/view.ts';
import type { Changes } from './changes.ts';
import { allKeys, empty, everything, filled, type Looked, type Run } from './run.ts';

/** What a template's file has read of one map of the values. */
export interface MapReads {
  readonly map: ValueMap;
  /** When it was first looked at: `if`, `with` and `range` see that. */
  wasEmpty: boolean;
  readonly keys: Set<string>;
  /** Every key was looked at in the order of their names, but not further down. */
  all: boolean;
  /** Everything below was looked at. */
  deep: boolean;
}

/**
 * Functions that give their arguments or items of them on, or look only at whether there is something: what is read of them is
 * seen when it is.
 */
const passing = new Set(
  [
    'include tpl dict list tuple default coalesce ternary required empty not kindIs kindOf typeOf typeIs typeIsLike set unset',
    'first mustFirst last mustLast rest mustRest initial mustInitial append mustAppend push mustPush prepend mustPrepend concat slice',
  ].flatMap((names) => names.split(' ')),
);

/** Reads of one render that are kept by runs: memory is bounded, and who reads so much is not run sooner another time. */
const mostKept = 400_000;

/** Values that are gone through because a function sees all of them: some functions do so at no cost of their own. */
const mostSteps = 2_000_000;

/** Notes which values a file's templates read while they run: what the file's output depends on, and that of runs within it. */
export class Reads implements Watcher {
  readonly #owned: ReadonlySet<ValueMap>;
  readonly #dots: ReadonlySet<Value>;
  #maps = new Map<ValueMap, MapReads>();
  #scopes: { readonly value: Value; isGoneOver: boolean }[] = [];
  /** Runs that have begun, the innermost last. */
  #runs: Run[] = [];
  /** Templates that run within one another; the file's own is the first. */
  #depth = 0;
  #left = mostKept;
  /** Maps and lists that the innermost run has gone through since something was last changed. */
  readonly #gone = new Set<Value>();
  #steps = mostSteps;
  #isComplete = true;

  /**
   * @param owned the maps of the values, but for those in lists: a list is read as a whole
   * @param dots those of them that charts' files see as `.`; what hangs below these changes without them
   */
  constructor(owned: ReadonlySet<ValueMap>, dots: ReadonlySet<ValueMap>) {
    this.#owned = owned;
    this.#dots = dots;
  }

  /**
   * A file begins.
   *
   * @param earlier what it read the last time, where some of its statements need not run: is added to, so it may hold more than
   *   is read now
   */
  begin(earlier = new Map<ValueMap, MapReads>()): void {
    for (const read of earlier.values()) read.wasEmpty = read.map.size === 0;
    this.#maps = earlier;
    this.#isComplete = true;
    this.#gone.clear();
    this.#scopes = [];
    this.#runs = [];
    this.#depth = 0;
  }

  /** What is read belongs to a run, until it is closed. */
  open(run: Run): void {
    this.#gone.clear();
    this.#runs.push(run);
    this.#keep();
  }

  close(): void {
    this.#gone.clear();
    const run = this.#runs.pop();
    if (run) this.#runs.at(-1)?.add(run);
  }

  /** What runs now takes over what a run printed. */
  take(run: Run): void {
    this.#runs.at(-1)?.add(run);
    this.#keep();
  }

  /** The same where another file ran it: what it read is read again. */
  repeat(run: Run): void {
    this.take(run);
    run.eachMap((map, looked) => {
      const read = this.#seen(map);
      if (!read) return;
      if (typeof looked === 'string') read.keys.add(looked);
      else if (looked === allKeys) read.all = true;
      else if (looked === everything) read.deep = true;
    });
  }

  /** Something is about to be changed. */
  changing(): void {
    this.#gone.clear();
  }

  /** Whether all that the file reads is known: not where functions see more than can be gone through. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** What runs now does not print the same another time, or does more than to print. */
  spoil(): void {
    const run = this.#runs.at(-1);
    if (run) run.isSpoilt = true;
  }

  /** What has been read since. */
  get maps(): Map<ValueMap, MapReads> {
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
      const read = this.#seen(value);
      if (read) {
        read.keys.add(name);
        this.#note(read.map, name);
      }
      value = value.get(name);
    }
    this.#look(value);
  }

  item(_index: Value, item: Value): void {
    const scope = this.#scopes.at(-1);
    if (scope && !scope.isGoneOver) {
      scope.isGoneOver = true;
      this.#keys(scope.value);
    }
    this.#look(item);
  }

  scope(value: Value): void {
    this.#scopes.push({ value, isGoneOver: false });
    this.#look(value);
  }

  unscope(): void {
    this.#scopes.pop();
  }

  printed(value: Value): void {
    this.#deep(value);
  }

  called(name: string, args: readonly Value[], result: Value): void {
    if (name === 'get' || name === 'hasKey' || name === 'index') this.#below(args[0], args.slice(1));
    else if (name === 'dig') this.#below(args.at(-1), args.slice(0, -2));
    else if (name === 'len') this.#keys(args[0]);
    else if (!passing.has(name)) for (const argument of args) this.#deep(argument);
    this.#look(result);
  }

  #keys(value: Value): void {
    const read = this.#seen(value);
    if (!read) return;
    read.all = true;
    this.#note(read.map, allKeys);
  }

  /** What stands below a value, by keys of maps and places in lists. */
  #below(start: Value, keys: readonly Value[]): void {
    let value = start;
    for (const key of keys) {
      if (value instanceof Map && typeof key === 'string') {
        const read = this.#seen(value);
        if (read) {
          read.keys.add(key);
          this.#note(read.map, key);
        }
        value = value.get(key);
      } else if (Array.isArray(value) && key instanceof GoInt) value = value[Number(key.value)];
      else this.#deep(value);
    }
    this.#look(value);
  }

  enter(): void {
    this.#depth++;
  }

  leave(): void {
    this.#depth--;
  }

  variable(slot: number, value: Value): void {
    if (this.#depth !== 1 || this.#runs.length === 0) return;
    this.#keep();
    this.#runs.at(-1)?.variable(slot, value);
    this.#look(value);
  }

  /** Who sets a variable that was there before it does so each time. */
  bind(slot: number): void {
    if (this.#depth === 1) this.#runs.at(-1)?.sets(slot);
  }

  at(): void {}
  wrote(): void {}
  dot(): void {}
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
    const made = { map, wasEmpty: map.size === 0, keys: new Set<string>(), all: false, deep: false };
    this.#maps.set(map, made);
    return made;
  }

  /** Who sees a map sees whether it is empty. */
  #look(value: Value): void {
    const read = this.#seen(value);
    if (read) this.#note(read.map, read.map.size === 0 ? empty : filled);
  }

  #note(map: ValueMap, looked: Looked): void {
    const run = this.#runs.at(-1);
    if (!run) return;
    this.#keep();
    run.map(map, looked);
    if ((looked === 'Template' || looked === allKeys || looked === everything) && this.#dots.has(map)) run.isOfFile = true;
  }

  #keep(): void {
    if (this.#left-- > 0) return;
    for (const run of this.#runs) run.isSpoilt = true;
    this.#runs = [];
  }

  /** All of a value, and of the values that hang below what templates made. */
  #deep(start: Value): void {
    if (typeof start !== 'object' || start === null || this.#gone.has(start)) return;
    if (Array.isArray(start) || start instanceof Map) this.#gone.add(start);
    const known = new Set<Value>();
    const ahead: Value[] = [start];
    for (let value = ahead.pop(); value !== undefined; value = ahead.pop()) {
      const read = this.#seen(value);
      if (read) {
        read.deep = true;
        this.#note(read.map, everything);
      }
      if (this.#steps-- <= 0) {
        this.#isComplete = false;
        this.spoil();
        return;
      }
      const goesOn = read === undefined || this.#dots.has(value instanceof MapView ? value.target : value);
      if (goesOn && (value instanceof Map || Array.isArray(value)) && !known.has(value)) {
        known.add(value);
        this.#steps -= Array.isArray(value) ? value.length : value.size;
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
