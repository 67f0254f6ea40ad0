import type { Crypto } from '../../functions/crypto.ts';
import type { Value, ValueMap } from '../../value/kinds.ts';
import { MapView } from '../../value/view.ts';
import type { Budget, Spent } from '../budget.ts';
import { type Changes, isSame, own, update } from './changes.ts';
import { isFilledAsThen, isTouched, type MapReads, Reads } from './reads.ts';

/** A key of the values, or of what files see as `.`, that a file's templates set, or took out. */
interface Write {
  readonly map: ValueMap;
  readonly key: string;
  readonly isThere: boolean;
  readonly value: Value;
}

/** What a file printed and set, and what that depended on. */
interface KnownFile {
  readonly text: string;
  readonly reads: ReadonlyMap<ValueMap, MapReads>;
  readonly writes: readonly Write[];
  /** What it took: a later render is charged the same, so that limits do not move. */
  readonly spent: Spent;
}

/** What is kept of a chart's last render. */
interface Kept {
  /** As no template has changed them. */
  readonly values: ValueMap;
  /** All maps of the values that are in no list, and the dots. */
  readonly owned: Set<ValueMap>;
  /** How many these were at first: what templates set comes to them, and is not taken out again. */
  readonly atFirst: number;
  /** What files see as `.`, by the paths of charts. */
  readonly dots: Map<string, ValueMap>;
  readonly files: Map<string, KnownFile>;
  /** What each file set when it last ran, whether it is known or not. */
  readonly writes: Map<string, readonly Write[]>;
}

/** What files may ask that is not in the values: an answer may be another one the next time. */
export interface Outside {
  readonly now: () => Date;
  readonly crypto: Crypto;
  readonly lookup: (apiVersion: string, kind: string, namespace: string, name: string) => ValueMap;
}

/**
 * Files that need not run again when a chart is rendered with other values: those whose templates read nothing that has
 * changed.
 *
 * Principle: the tree of values of the last render is kept, and made equal to the next one's in its place. So maps are known by
 * their identity, however templates got hold of them, and a file's reads are keys of maps. What a file sets in the values is done
 * again for it, and all is undone when the render is over. So it is for `.` itself, which some charts give other values.
 * Templates that change something else that files share (a map in a list, the release) say so, and then nothing is kept. What
 * asks the clock, for random bytes or the cluster always runs.
 *
 * Rejected: paths instead of maps, which are lost in `dict`, `with` and variables; hashes of the values, which any change turns.
 */
export class Again {
  #key: readonly unknown[] = [];
  #kept: Kept | undefined;

  /**
   * A render begins.
   *
   * @param key all that output depends on beside the values and the chart's files; compared item by item
   * @param values of this render; kept where there are none yet, else left as they are
   */
  begin(key: readonly unknown[], values: ValueMap): AgainRender {
    const isKnown = key.length === this.#key.length && key.every((part, index) => Object.is(part, this.#key[index]));
    const kept = isKnown && this.#kept && this.#kept.owned.size < 4 * this.#kept.atFirst + mostMade ? this.#kept : undefined;
    const changes = kept && update(kept.values, values, kept.owned);
    if (kept && changes) {
      const hung = hungMaps(kept);
      if (hung.size > 0) addHolders(changes, kept, kept.dots.values(), hung);
      for (const [path, { reads }] of kept.files) if (isTouched(reads, changes)) kept.files.delete(path);
      return new AgainRender(kept);
    }
    this.#key = key;
    const owned = new Set<ValueMap>();
    own(values, owned);
    this.#kept = { values, owned, atFirst: owned.size, dots: new Map(), files: new Map(), writes: new Map() };
    return new AgainRender(this.#kept);
  }

  /** Nothing is kept. */
  forget(): void {
    this.#kept = undefined;
  }
}

/** Maps that templates may have made and hung into the values before all is forgotten. */
const mostMade = 10_000;

/** One render that takes what it can from those before it. */
export class AgainRender {
  /** To be the evaluator's watcher. */
  readonly reads: Reads;
  readonly #kept: Kept;
  readonly #visited = new Set<string>();
  readonly #dots = new Set<ValueMap>();
  /** What stood in the values before each change of this render. */
  readonly #undo: Write[] = [];
  /** Keys that the file at hand has changed. */
  #changing = new Map<ValueMap, Set<string>>();
  /** Maps beside the values that templates changed. */
  readonly #others = new Set<ValueMap>();
  #isReused = false;
  /** The file at hand has asked something outside. */
  #hasAsked = false;

  constructor(kept: Kept) {
    this.#kept = kept;
    this.reads = new Reads(kept.owned, this.#dots);
  }

  /** To render with. */
  get values(): ValueMap {
    return this.#kept.values;
  }

  /** Whether a file was taken from an earlier render. */
  get isReused(): boolean {
    return this.#isReused;
  }

  /** An empty map to be the `.` of a chart's files: the same in each render; for a path that two charts share a new one. */
  dot(path: string): ValueMap {
    const dot = this.#kept.dots.get(path) ?? new Map<string, Value>();
    if (this.#dots.has(dot)) return new Map();
    dot.clear();
    this.#kept.dots.set(path, dot);
    this.#kept.owned.add(dot);
    this.#dots.add(dot);
    return dot;
  }

  /** What a file printed, where that is still so; what it set is set. */
  known(path: string, budget: Budget): string | undefined {
    this.#visited.add(path);
    const known = this.#kept.files.get(path);
    if (!known || !isFilledAsThen(known.reads)) return undefined;
    budget.spend(known.spent);
    this.#isReused = true;
    for (const { map, key, isThere, value } of known.writes) {
      this.#remember(map, key);
      if (isThere) map.set(key, value);
      else map.delete(key);
    }
    return known.text;
  }

  /** Runs a file, and keeps what it prints. */
  run(path: string, budget: Budget, execute: () => string): string {
    const { files, writes: known } = this.#kept;
    this.reads.begin();
    this.#changing = new Map();
    this.#hasAsked = false;
    const before = budget.spent;
    const text = execute();
    const writes = this.#writes();
    this.#tellLaterFiles(known.get(path) ?? [], writes);
    known.set(path, writes);
    if (!this.#hasAsked) files.set(path, { text, reads: this.reads.maps, writes, spent: budget.spentSince(before) });
    return text;
  }

  /** What the file at hand has set, and left so. */
  #writes(): Write[] {
    const writes: Write[] = [];
    for (const [map, keys] of this.#changing) {
      for (const key of keys) {
        const value = map.get(key);
        writes.push({ map, key, isThere: map.has(key), value });
        // What hangs in the values from now on is watched like them.
        own(value, this.#kept.owned, (made) => this.#others.delete(made));
      }
    }
    return writes;
  }

  /** Files behind this one that read what it sets otherwise than the last time have to run. */
  #tellLaterFiles(before: readonly Write[], now: readonly Write[]): void {
    const changes: Changes = new Map();
    const [indexBefore, indexNow] = [byKey(before), byKey(now)];
    const note = (write: Write, others: WritesByKey): void => {
      const other = others.get(write.map)?.get(write.key);
      if (other && other.isThere === write.isThere && isEqual(other.value, write.value)) return;
      const keys = changes.get(write.map) ?? new Set();
      changes.set(write.map, keys.add(write.key));
    };
    for (const write of before) note(write, indexNow);
    for (const write of now) note(write, indexBefore);
    if (changes.size === 0) return;
    addHolders(changes, this.#kept, this.#dots, hungMaps(this.#kept));
    for (const [path, { reads }] of this.#kept.files)
      if (!this.#visited.has(path) && isTouched(reads, changes)) this.#kept.files.delete(path);
  }

  /** A template changes a key of a map. */
  readonly changing = (map: ValueMap, key: string): void => {
    if (!this.#kept.owned.has(map)) {
      this.#others.add(map);
      return;
    }
    this.#remember(map, key);
    const keys = this.#changing.get(map);
    if (keys) keys.add(key);
    else this.#changing.set(map, new Set([key]));
  };

  #remember(map: ValueMap, key: string): void {
    this.#undo.push({ map, key, isThere: map.has(key), value: map.get(key) });
  }

  /** The same answers; who asks is noted. */
  watched({ now, crypto, lookup }: Outside): Outside {
    const ask = (): void => {
      this.#hasAsked = true;
    };
    return {
      now: () => {
        ask();
        return now();
      },
      lookup: (...what) => {
        ask();
        return lookup(...what);
      },
      crypto: {
        ...crypto,
        randomBytes(length) {
          ask();
          return crypto.randomBytes(length);
        },
        get certificates() {
          ask();
          return crypto.certificates;
        },
      },
    };
  }

  /**
   * The render is over: what templates set in the values is undone.
   *
   * @param shared what each file was given
   * @returns false where templates changed something that files share beside the values; then files depend on those before them
   */
  end(shared: Iterable<Value>): boolean {
    const isTrue = this.#others.size === 0 || !reaches(shared, this.#others);
    for (let at = this.#undo.length - 1; at >= 0; at--) {
      const { map, key, isThere, value } = this.#undo[at] as Write;
      if (isThere) map.set(key, value);
      else map.delete(key);
    }
    return isTrue;
  }
}

type WritesByKey = ReadonlyMap<ValueMap, ReadonlyMap<string, Write>>;

function byKey(writes: readonly Write[]): WritesByKey {
  const maps = new Map<ValueMap, Map<string, Write>>();
  for (const write of writes) {
    const keys = maps.get(write.map) ?? new Map<string, Write>();
    maps.set(write.map, keys.set(write.key, write));
  }
  return maps;
}

/** A map or list that was made anew is another one, whatever is in it: it may hold itself. */
const isEqual = (a: Value, b: Value): boolean => a === b || (!isCollection(a) && !isCollection(b) && isSame(a, b));

type Collection = ValueMap | Value[];

const isCollection = (value: Value): value is Collection => value instanceof Map || Array.isArray(value);

function reaches(start: Iterable<Value>, wanted: ReadonlySet<Value>): boolean {
  const known = new Set<Value>();
  const ahead: Value[] = [...start];
  for (let value = ahead.pop(); value !== undefined; value = ahead.pop()) {
    if (typeof value !== 'object' || value === null || known.has(value)) continue;
    if (wanted.has(value instanceof MapView ? value.target : value)) return true;
    known.add(value);
    if (value instanceof Map || Array.isArray(value))
      for (const item of value.values()) if (typeof item === 'object' && item !== null) ahead.push(item);
  }
  return false;
}

/** Maps and lists that files hang into maps of the values. */
type Hung = ReadonlyMap<Collection, readonly Value[]>;

/** All of them, of files before and behind the one at hand. */
function hungMaps({ writes }: Kept): Hung {
  const hung = new Map<Collection, Value[]>();
  for (const ofFile of writes.values())
    for (const { map, value } of ofFile) {
      if (!isCollection(value)) continue;
      const others = hung.get(map);
      if (others) others.push(value);
      else hung.set(map, [value]);
    }
  return hung;
}

/** Adds the maps that hold changed ones: who looked at all of these looked at those. */
function addHolders(changes: Changes, { values }: Kept, dots: Iterable<ValueMap>, hung: Hung): void {
  const holders = new Map<Collection, Collection[]>();
  const ahead: Collection[] = [values, ...dots, ...hung.keys()];
  const known = new Set<Collection>(ahead);
  for (let holder = ahead.pop(); holder; holder = ahead.pop()) {
    for (const found of [...holder.values(), ...(hung.get(holder) ?? [])]) {
      const item = found instanceof MapView ? found.target : found;
      if (!isCollection(item)) continue;
      const others = holders.get(item);
      if (others) others.push(holder);
      else holders.set(item, [holder]);
      if (known.has(item)) continue;
      known.add(item);
      ahead.push(item);
    }
  }
  const changed: Collection[] = [...changes.keys()];
  const above = new Set(changed);
  for (let item = changed.pop(); item; item = changed.pop()) {
    for (const holder of holders.get(item) ?? []) {
      if (above.has(holder)) continue;
      above.add(holder);
      changed.push(holder);
      if (holder instanceof Map && !changes.has(holder)) changes.set(holder, new Set());
    }
  }
}
