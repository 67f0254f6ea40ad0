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
    const kept = isKnown && this.#kept && this.#kept.owned.size < 4 * this.#kept.atFirst + mostMade ? this.#kept : undefined;
    const changes = kept && update(kept.values, values, kept.owned);
    if (kept && changes) {
      const hung = hungMaps(kept.writes.values());
      if (hung.size > 0) addHolders(changes, [kept.values, ...kept.dots.values()], hung);
      const touched = takeTouched(kept.files, changes);
      return new AgainRender(kept, changes, touched);
    }
    this.#key = key;
    const owned = new Set<ValueMap>();
    own(values, owned);
    this.#kept = { values, owned, atFirst: owned.size, dots: new Map(), files: new Map(), writes: new Map() };
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

/** Maps that templates may have made and hung into the values before all is forgotten. */
const mostMade = 10_000;

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
  readonly #undo: Write[] = [];
  /** Keys that the file at hand has changed. */
  #changing = new Map<ValueMap, Set<string>>();
  /** Maps beside the values that templates changed. */
  readonly #others = new Set<ValueMap>();
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

  /** Whether something was taken from an earlier render. */
  get isReused(): boolean {
    return this.#isReused || (this.#statements?.isReused ?? false);
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
    if (known.run.spent) budget.spend(known.run.spent);
    this.#isReused = true;
    if (known.writes.length > 0) this.shared.clear();
    for (const { map, key, isThere, value } of known.writes) {
      this.#remember(map, key);
      if (isThere) map.set(key, value);
      else map.delete(key);
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
    if (!this.#hasAsked) files.set(path, { text, reads: reads.maps, writes, run });
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
    const changes = changesBetween(before, now);
    if (changes.size === 0) return;
    addHolders(changes, [this.#kept.values, ...this.#dots], hungMaps(this.#kept.writes.values()));
    for (const files of [this.#kept.files, this.#touched])
      for (const [path, { reads }] of files) if (!this.#visited.has(path) && isTouched(reads, changes)) files.delete(path);
  }

  /** A template changes a key of a map. */
  readonly changing = (map: ValueMap, key: string): void => {
    if (!this.#kept.owned.has(map)) {
      this.#others.add(map);
      return;
    }
    this.shared.clear();
    this.#statements?.changing(map, key);
    this.reads.spoil();
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
