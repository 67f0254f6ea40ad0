import type { WorkChart } from '../loader/work-chart.ts';
import { GoInt, type Value, type ValueMap } from '../value/kinds.ts';
import { fromBytes } from '../value/text.ts';
import { applySet, type SetKind } from '../values/set.ts';
import { type Answer, leavesOf, MarkedValues, none } from './marked-values.ts';
import { builtin, type ValuePath } from './paths.ts';

/** One of the user's sources of values as given: a values file's text, or what stood after `--set` and its kin. */
export type ValueSource =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: SetKind; readonly text: string };

/** Who set a value. Files are named as given, a chart's by its place below the rendered one; lines count from 1. */
export type ValueOrigin =
  /** A values file of the user's. */
  | { readonly kind: 'file'; readonly file: string; readonly line?: number }
  /** `--set a=1` and its kin. */
  | { readonly kind: 'flag'; readonly flag: string; readonly text: string }
  /** values.yaml of the chart that reads the value, or of a subchart that exports it (`importedFrom`). */
  | { readonly kind: 'default'; readonly file: string; readonly line?: number; readonly importedFrom?: ValuePath }
  /** values.yaml of a chart above the one that reads it. */
  | { readonly kind: 'parent'; readonly file: string; readonly line?: number; readonly importedFrom?: ValuePath }
  /** No value at all: the release, the cluster or the chart itself, as `.Release.Name`. */
  | { readonly kind: 'builtin' }
  /** No source holds what was read: a template made or changed it. */
  | { readonly kind: 'computed' }
  /** Nobody set it. */
  | { readonly kind: 'unset' };

interface Layer {
  readonly ask: (path: ValuePath) => Answer;
  readonly origin: (line: number | undefined) => ValueOrigin;
  readonly leaves: () => ValuePath[];
}

/** One source: the paths of its scalars and empty containers, from the root's values, and where each stands. */
export interface HeldValue {
  readonly leaves: readonly ValuePath[];
  readonly lineOf: (path: ValuePath) => ValueOrigin;
}

const originIn = (answer: Answer, origin: Layer['origin']): ValueOrigin =>
  answer.found === 'set' ? origin(answer.line) : { kind: 'unset' };

interface Holder {
  readonly origin: ValueOrigin;
  readonly value: Value;
}

const onLine = (line: number | undefined): { line?: number } => (line === undefined ? {} : { line });

/** Charts that import from charts that import in turn are followed no further than this. */
const maxQuestions = 10_000;
type Questions = { left: number };

/**
 * Tells who set a value.
 *
 * Principle: computed from the sources when asked, by Helm's order of precedence, and never carried along while values
 * are merged: rendering pays nothing for it, and what a template changed shows, because no source holds it.
 */
export class Provenance {
  readonly #root: WorkChart;
  readonly #user: readonly Layer[];
  readonly #multiDocument: boolean;
  readonly #charts = new Map<WorkChart, readonly MarkedValues[]>();

  constructor(root: WorkChart, sources: readonly ValueSource[], multiDocument: boolean) {
    this.#root = root;
    this.#multiDocument = multiDocument;
    // Helm's order whatever the order of flags: files first, then each kind of --set.
    const order: readonly ValueSource['kind'][] = ['file', 'set-json', 'set', 'set-string', 'set-file', 'set-literal'];
    const sorted = order.flatMap((kind) => sources.filter((source) => source.kind === kind));
    this.#user = sorted.reverse().flatMap((source) => userLayers(source, multiDocument));
  }

  /** @param value what was read there; where no source holds it, a template made it */
  originOf(path: ValuePath, value?: Value): ValueOrigin {
    if (path[0] === builtin) return { kind: 'builtin' };
    for (const candidate of this.#candidates(path)) {
      const found = this.#ask(candidate);
      if (!found) continue;
      return value !== undefined && !isSame(found.value, value)
        ? { kind: 'computed' }
        : inherited(found.origin, candidate.length < path.length);
    }
    return { kind: value === undefined || value === null ? 'unset' : 'computed' };
  }

  /** All that hold a path, the one that counts first. */
  holdersOf(path: ValuePath): ValueOrigin[] {
    const out: ValueOrigin[] = [];
    for (const layer of this.#user) {
      const answer = layer.ask(path);
      if (answer.found === 'set') out.push(layer.origin(answer.line));
    }
    let chart: WorkChart | undefined = this.#root;
    for (let rest = path; chart; rest = rest.slice(1)) {
      const found = this.#askChart(chart, rest);
      if (found) out.push(found.origin);
      const name = rest[0];
      chart = chart.dependencies.find((child) => child.name === name);
    }
    return out;
  }

  /** What each source sets: the user's, those that count most first, then the charts' own, from the root down. */
  held(): HeldValue[] {
    const charts: HeldValue[] = [];
    const enter = (chart: WorkChart, above: ValuePath): void => {
      for (const document of this.#documentsOf(chart)) {
        const leaves = document.leaves().map((path) => [...above, ...path]);
        charts.push({ leaves, lineOf: (path) => this.#askChart(chart, path.slice(above.length))?.origin ?? { kind: 'unset' } });
      }
      for (const child of chart.dependencies) enter(child, [...above, child.name]);
    };
    enter(this.#root, []);
    return [
      ...this.#user.map(({ leaves, ask, origin }): HeldValue => ({ leaves: leaves(), lineOf: (path) => originIn(ask(path), origin) })),
      ...charts,
    ];
  }

  /** A subchart's globals are its parents' first. */
  #candidates(path: ValuePath): ValuePath[] {
    const at = path.indexOf('global');
    let chart: WorkChart | undefined = this.#root;
    for (let i = 0; i < at && chart; i++) chart = chart.dependencies.find((child) => child.name === path[i]);
    if (at <= 0 || !chart) return [path];
    return Array.from({ length: at + 1 }, (_, above) => [...path.slice(0, above), ...path.slice(at)]);
  }

  #ask(path: ValuePath): Holder | undefined {
    for (const layer of this.#user) {
      const answer = layer.ask(path);
      if (answer.found === 'set') return { origin: layer.origin(answer.line), value: answer.value };
      if (answer.found === 'cut') return { origin: layer.origin(answer.line), value: null };
    }
    return this.#askBelow(this.#root, [], path, { left: maxQuestions }, true);
  }

  /** The charts' own values, from one chart down to the one whose value it is, and what each imports from below itself. */
  #askBelow(from: WorkChart, fromPath: ValuePath, path: ValuePath, budget: Questions, imports: boolean): Holder | undefined {
    let chart: WorkChart | undefined = from;
    let above = fromPath;
    let takesImports = imports;
    for (let rest = path; chart; rest = rest.slice(1)) {
      if (--budget.left < 0) return undefined;
      const found = this.#askChart(chart, rest) ?? (takesImports ? this.#askImports(chart, above, rest, budget) : undefined);
      if (found) return found;
      const name = rest[0] as string;
      chart = chart.dependencies.find((child) => child.name === name);
      above = [...above, name];
      takesImports = true;
    }
    return undefined;
  }

  #askChart(chart: WorkChart, path: ValuePath): Holder | undefined {
    for (const document of this.#documentsOf(chart)) {
      const answer = document.ask(path);
      if (answer.found !== 'set') continue;
      const below = chart.dependencies.some((child) => child.name === path[0]);
      const origin: ValueOrigin = { kind: below ? 'parent' : 'default', file: `${chart.path}/values.yaml`, ...onLine(answer.line) };
      return { origin, value: answer.value };
    }
    return undefined;
  }

  /** What a subchart exports to this chart (`import-values`): its defaults, whatever the user sets. */
  #askImports(chart: WorkChart, above: ValuePath, path: ValuePath, budget: Questions): Holder | undefined {
    for (const { name, importValues } of chart.declared ?? []) {
      for (const item of importValues ?? []) {
        const child = (typeof item === 'string' ? `exports.${item}` : item.child).split('.');
        const parent = typeof item === 'string' || item.parent === '.' ? [] : item.parent.split('.');
        if (!parent.every((key, index) => path[index] === key)) continue;
        const source = [name, ...child, ...path.slice(parent.length)];
        const found = this.#askBelow(chart, above, source, budget, false);
        if (found && (found.origin.kind === 'default' || found.origin.kind === 'parent'))
          return { ...found, origin: { ...found.origin, importedFrom: [...above, ...source] } };
      }
    }
    return undefined;
  }

  #documentsOf(chart: WorkChart): readonly MarkedValues[] {
    const known = this.#charts.get(chart);
    if (known) return known;
    const file = chart.chart.valuesFile;
    const made = file ? MarkedValues.of(fromBytes(file), this.#multiDocument) : [];
    this.#charts.set(chart, made);
    return made;
  }
}

/** A global that a chart above sets is not the default of the chart that reads it. */
const inherited = (origin: ValueOrigin, isAbove: boolean): ValueOrigin =>
  isAbove && origin.kind === 'default' ? { ...origin, kind: 'parent' } : origin;

function userLayers(source: ValueSource, multiDocument: boolean): Layer[] {
  if (source.kind !== 'file') return [setLayer(source.kind, source.text)];
  return MarkedValues.of(source.text, multiDocument).map((document) => ({
    ask: (path) => document.ask(path),
    origin: (line) => ({ kind: 'file', file: source.name, ...onLine(line) }),
    leaves: () => document.leaves(),
  }));
}

/** A flag alone, on empty values: list items that it does not name are null there. */
function setLayer(kind: SetKind, text: string): Layer {
  let values: ValueMap;
  try {
    values = applySet(kind, text, new Map(), { readFile: () => '', jsonObject: true });
  } catch {
    values = new Map();
  }
  return {
    ask: (path) => askFlag(values, path, kind),
    origin: () => ({ kind: 'flag', flag: `--${kind}`, text }),
    leaves: () => leavesOf(values).filter((path) => askFlag(values, path, kind).found === 'set'),
  };
}

function askFlag(values: ValueMap, path: ValuePath, kind: SetKind): Answer {
  let value: Value = values;
  for (const key of path) {
    if (value instanceof Map) {
      if (!value.has(String(key))) return none;
      value = value.get(String(key));
    } else if (Array.isArray(value)) {
      const item: Value = typeof key === 'number' ? value[key] : undefined;
      if (item === undefined || item === null) return none;
      value = item;
    } else return { found: 'cut', line: undefined };
  }
  // The file's text is not at hand here.
  return { found: 'set', value: kind === 'set-file' ? undefined : value, line: undefined };
}

const numberOf = (value: Value): number | undefined =>
  typeof value === 'number' ? value : value instanceof GoInt ? Number(value.value) : undefined;

/** Containers are not compared: their members are. */
function isSame(held: Value, read: Value): boolean {
  if (held === undefined) return true;
  if (typeof held === 'object' && held !== null && !(held instanceof GoInt)) return typeof read === 'object' && read !== null;
  const [a, b] = [numberOf(held), numberOf(read)];
  if (a !== undefined || b !== undefined) return a === b;
  return held === read;
}
