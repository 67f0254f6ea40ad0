import type { Crypto } from '../../functions/crypto.ts';
import type { Statements } from '../../language/statements.ts';
import type { Value, ValueMap } from '../../value/kinds.ts';
import type { Budget } from '../budget.ts';
import { type Changes, own, update } from './changes.ts';
import { FileStatements } from './file-statements.ts';
import { addHolders, reaches } from './holders.ts';
import { isFilledAsThen, isTouched, type MapReads, Reads } from './reads.ts';
import { Run } from './run.ts';
import { SharedTemplates } from './shared-templates.ts';
import { changesBetween, hungMaps, type Write } from './writes.ts';

/** What a file printed and set, and what that depended on. */
interface KnownFile {
  readonly text: string;
  readonly reads: Map<ValueMap, MapReads>;
  readonly writes: readonly Write[];
  /** With what it took: a later render is charged the same, so that limits do not move. */
  readonly run: Run;
}

/** What is kept of a chart's last render. */
interface Kept {
  /** As no template has changed them. */
  readonly values: ValueMap;
  /** All maps of the values that are in no list, and the dots. */
  readonly owned: Set<ValueMap>;
  /** How many these were at first: what templates set comes to them, and is not taken out again. */
  readonly atFirst: number;
  /** The size of all values that have come since: those that went are known yet. */
  added: number;
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
 * changed. Of others, the statements for which that holds (file-statements.ts); and templates that files share run once
 * (shared-templates.ts).
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
    const kept = isKnown && this.#kept && isWorthKeeping(this.#kept) ? this.#kept : undefined;
    const changes = kept && update(kept.values, values, kept.owned);
    if (kept && changes) {
      const hung = hungMaps(kept.writes.values());
      if (hung.size > 0) addHolders(changes, [kept.values, ...kept.dots.values()], hung);
      for (const [map, keys] of changes) for (const key of keys) kept.added += sizeOf(map.get(key));
      const touched = takeTouched(kept.files, changes);
      return new AgainRender(kept, changes, touched);
    }
    this.#key = key;
    const owned = new Set<ValueMap>();
    own(values, owned);
    this.#kept = { values, owned, atFirst: owned.size, added: 0, dots: new Map(), files: new Map(), writes: new Map() };
    return new AgainRender(this.#kept, new Map(), new Map());
  }

  /** Nothing is kept. */
  forget(): void {
    this.#kept = undefined;
  }
}

/** Takes out files that have to run, at least in part. */
function takeTouched(files: Map<string, KnownFile>, changes: Changes): Map<string, KnownFile> {
  const touched = new Map<string, KnownFile>();
  for (const [path, file] of files) if (isTouched(file.reads, changes)) touched.set(path, file);
  for (const path of touched.keys()) files.delete(path);
  return touched;
}

/** Maps that templates may have made and hung into the values, and the size of values that came, before all is forgotten. */
const mostMade = 10_000;
const mostAdded = 500_000;

const isWorthKeeping = ({ owned, atFirst, added }: Kept): boolean => owned.size < 4 * atFirst + mostMade && added < mostAdded;

/** Values of which one is made; a long text counts as some. */
function sizeOf(value: Value): number {
  if (typeof value === 'string') return 1 + (value.length >> 5);
  let size = 1;
  if (value instanceof Map || Array.isArray(value)) for (const item of value.values()) size += sizeOf(item);
  return size;
}

/** One render that takes what it can from those before it. */
export class AgainRender {
  /** To be the evaluator's watcher. */
  readonly reads: Reads;
  readonly #kept: Kept;
  readonly #changes: Changes;
  /** Files that have to run, as they ran the last time. */
  readonly #touched: Map<string, KnownFile>;
  /** Templates that files of a chart share. */
  readonly shared: SharedTemplates;
  readonly #visited = new Set<string>();
  readonly #dots = new Set<ValueMap>();
  /** What stood in the values before each change of this render. */
  readonly #undo: Before[] = [];
  /** Keys that the file at hand has changed, and whether they came to the end of their map. */
  #changing = new Map<ValueMap, Map<string, boolean>>();
  /** Maps beside the values that templates changed, but for those that files have hung into the values since. */
  readonly #others = new Set<ValueMap>();
  /** What stood in all of them before. */
  readonly #undoOthers: Before[] = [];
  #tellings = 0;
  #isReused = false;
  #statements: FileStatements | undefined;
  /** The file at hand has asked something outside. */
  #hasAsked = false;

  constructor(kept: Kept, changes: Changes, touched: Map<string, KnownFile>) {
    this.#kept = kept;
    this.#changes = changes;
    this.#touched = touched;
    this.reads = new Reads(kept.owned, this.#dots);
    this.shared = new SharedTemplates(this.reads, this.#dots);
  }

  /** To render with. */
  get values(): ValueMap {
    return this.#kept.values;
  }

  /** Whether something was taken from an earlier render, or from another file of this one. */
  get isReused(): boolean {
    return this.#isReused || this.shared.isUsed || (this.#statements?.isReused ?? false);
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
    this.#isReused = true;
    if (known.run.spent) budget.spend(known.run.spent);
    if (known.writes.length > 0) this.shared.clear();
    for (const { map, key, isThere, isLast, value } of known.writes) {
      remember(this.#undo, map, key);
      if (!isThere || isLast) map.delete(key);
      if (isThere) map.set(key, value);
    }
    return known.text;
  }

  /** Runs a file, or those of its statements that do not print what they printed, and keeps what it prints. */
  run(path: string, budget: Budget, execute: (statements: Statements) => string): string {
    const { files, owned, writes: known } = this.#kept;
    const { reads } = this;
    const touched = this.#touched.get(path);
    const run = new Run();
    reads.begin(touched?.reads);
    reads.open(run);
    this.#changing = new Map();
    this.#hasAsked = false;
    const statements = new FileStatements({ reads, budget, changes: this.#changes, owned }, touched);
    this.#statements = statements;
    const before = budget.spent;
    const text = execute(statements);
    run.spent = budget.spentSince(before);
    reads.close();
    this.#isReused ||= statements.isReused;
    const writes = this.#writes();
    this.#tellLaterFiles(known.get(path) ?? [], writes);
    known.set(path, writes);
    if (!this.#hasAsked && reads.isComplete) files.set(path, { text, reads: reads.maps, writes, run });
    return text;
  }

  /** What the file at hand has set, and left so. */
  #writes(): Write[] {
    const writes: Write[] = [];
    for (const [map, keys] of this.#changing) {
      for (const [key, isLast] of keys) {
        const value = map.get(key);
        writes.push({ map, key, isThere: map.has(key), isLast, value });
        // What hangs in the values from now on is watched like them.
        own(value, this.#kept.owned, (made) => this.#others.delete(made));
      }
    }
    return writes;
  }

  /** Files behind this one that read what it sets otherwise than the last time have to run. */
  #tellLaterFiles(before: readonly Write[], now: readonly Write[]): void {
    const changes = changesBetween(before, now);
    const later = [this.#kept.files, this.#touched].map((files) => ({
      files,
      paths: [...files.keys()].filter((path) => !this.#visited.has(path)),
    }));
    if (changes.size === 0 || later.every(({ paths }) => paths.length === 0)) return;
    const isTooOften = ++this.#tellings > mostTellings;
    if (!isTooOften) addHolders(changes, [this.#kept.values, ...this.#dots], hungMaps(this.#kept.writes.values()));
    for (const { files, paths } of later)
      for (const path of paths) if (isTooOften || isTouched((files.get(path) as KnownFile).reads, changes)) files.delete(path);
  }

  /** A template changes a key of a map. */
  readonly changing = (map: ValueMap, key: string): void => {
    this.reads.changing();
    if (!this.#kept.owned.has(map)) {
      this.#others.add(map);
      remember(this.#undoOthers, map, key);
      // Perhaps the file has hung it into the values.
      if (this.#changing.size > 0) this.shared.clear();
      return;
    }
    this.shared.clear();
    this.#statements?.changing(map, key);
    this.reads.spoil();
    remember(this.#undo, map, key);
    const keys = this.#changing.get(map) ?? new Map<string, boolean>();
    this.#changing.set(map, keys);
    const isLast = !map.has(key);
    if (isLast) keys.delete(key);
    if (isLast || !keys.has(key)) keys.set(key, isLast);
  };

  /** The same answers; who asks is noted. */
  watched({ now, crypto, lookup }: Outside): Outside {
    const ask = (): void => {
      this.#hasAsked = true;
      this.reads.spoil();
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
   * @returns false where templates changed something that files share beside the values, which is undone then, too: files
   *   depend on those before them
   */
  end(shared: ReadonlySet<Value>): boolean {
    const isHung = this.#others.size > 0 && reaches(shared, this.#others);
    undo(this.#undo);
    const others = new Set<Value>(this.#undoOthers.map(({ map }) => map));
    if (!isHung && !(others.size > 0 && reaches(shared, others))) return true;
    undo(this.#undoOthers);
    return false;
  }

  /** The render failed: all that templates set is undone. */
  giveUp(): void {
    undo(this.#undo);
    undo(this.#undoOthers);
  }
}

/** How often later files are told what one has set; then they all run. */
const mostTellings = 20;

/** What stood in a map. */
type Before = Pick<Write, 'map' | 'key' | 'isThere' | 'value'>;

function remember(undo: Before[], map: ValueMap, key: string): void {
  undo.push({ map, key, isThere: map.has(key), value: map.get(key) });
}

function undo(before: readonly Before[]): void {
  for (let at = before.length - 1; at >= 0; at--) {
    const { map, key, isThere, value } = before[at] as Before;
    if (isThere) map.set(key, value);
    else map.delete(key);
  }
}
