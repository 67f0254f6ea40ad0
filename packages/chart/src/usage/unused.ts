import type { SourcePlace } from '../errors.ts';
import { functionsOf } from '../functions/registry.ts';
import { nearNames } from '../hints/near.ts';
import type { Tree } from '../language/nodes.ts';
import { parseTemplate } from '../language/parser.ts';
import { defaultLimits } from '../limits.ts';
import type { Chart } from '../loader/chart.ts';
import { processDependencies } from '../loader/dependencies.ts';
import { WorkChart } from '../loader/work-chart.ts';
import { type ProfileName, profileOf } from '../profile.ts';
import { Budget, limitOf } from '../render/budget.ts';
import { formatPath, type ValuePath } from '../trace/paths.ts';
import { type HeldValue, Provenance, type ValueOrigin, type ValueSource } from '../trace/provenance.ts';
import type { Value, ValueMap } from '../value/kinds.ts';
import { coalesceValues } from '../values/coalesce.ts';
import { ofScope, type Scope } from './abstract.ts';
import { UsageReader } from './reader.ts';
import { UsageNode } from './usage-tree.ts';

/** A value that is set, and that no template of the chart reads, on any branch. */
export interface UnusedValue {
  /** From the values of the chart: a whole block where nothing in it is read. */
  readonly path: ValuePath;
  readonly name: string;
  readonly origin: ValueOrigin;
  /** Names beside it that templates do read, and where: what may have been meant. */
  readonly near: readonly { readonly name: string; readonly readAt: SourcePlace | undefined }[];
}

export interface UnusedOptions {
  /** The user's values, merged. */
  readonly values?: ValueMap;
  readonly sources?: readonly ValueSource[];
  readonly profile?: ProfileName;
}

/**
 * Values that nobody reads: typing errors, and what is left of older versions.
 *
 * Reads templates, conditions of dependencies and templates inside values, and does not run them, so a value that only
 * another branch reads is not called unused. Where it cannot know (computed keys), it takes the value for used.
 *
 * @returns those of the user's sources first, then those of the charts' own values.yaml
 * @throws ChartError where the dependencies cannot be worked out, or LIMIT_EXCEEDED
 */
export function findUnused(chart: Chart, options: UnusedOptions = {}): UnusedValue[] {
  try {
    return find(chart, options);
  } catch (error) {
    const limit = limitOf(error);
    throw limit ? limit.toChartError(chart.metadata.name) : error;
  }
}

function find(chart: Chart, options: UnusedOptions): UnusedValue[] {
  const profile = profileOf(options.profile ?? 'helm4');
  const work = new WorkChart(chart);
  const coalesce = { profile, warn: () => {}, budget: new Budget(defaultLimits) };
  const given = options.values ?? new Map();
  processDependencies(work, given, coalesce);
  const values = coalesceValues(work, given, coalesce);
  const functions = functionsOf(profile);
  const parse = (name: string, text: string): ReadonlyMap<string, Tree> => {
    try {
      return parseTemplate(name, text, (word) => functions.has(word));
    } catch {
      // What cannot be parsed reads nothing; rendering says why.
      return new Map();
    }
  };
  const root = new UsageNode();
  const scopes = new Map<WorkChart, Scope>();
  const files = new Map<string, Scope>();
  const templates = new Map<string, Tree>();
  const enter = (one: WorkChart, node: UsageNode): void => {
    const scope = { chart: one, values: node };
    scopes.set(one, scope);
    for (const { name, text } of one.templates) {
      const path = `${one.path}/${name}`;
      for (const [defined, tree] of parse(path, text)) if (defined === path || !templates.has(defined)) templates.set(defined, tree);
      files.set(path, scope);
    }
    for (const child of one.dependencies) enter(child, node.child(child.name));
  };
  enter(work, root);
  const reader = new UsageReader({ templates, parse: (text) => parse('gotpl', text), root, scopes });
  for (const [path, scope] of files) {
    const tree = templates.get(path);
    if (tree) reader.run(tree, ofScope(scope));
  }
  for (const [one, scope] of scopes) readTexts(scope.values === root ? values : valuesOf(one, values), reader, scope);
  for (const scope of scopes.values()) readDependencies(scope);
  return report(new Provenance(work, options.sources ?? [], profile.multiDocumentValues), root, work);
}

const valuesOf = (chart: WorkChart, values: ValueMap): Value => {
  const names = chart.path.split('/charts/').slice(1);
  return names.reduce<Value>((value, name) => (value instanceof Map ? value.get(name) : undefined), values);
};

/** Texts in values that are templates themselves: what they read is read by whoever runs them. */
function readTexts(value: Value, reader: UsageReader, scope: Scope): void {
  if (typeof value === 'string') reader.runText(value, ofScope(scope));
  else if (value instanceof Map) for (const item of value.values()) readTexts(item, reader, scope);
  else if (Array.isArray(value)) for (const item of value) readTexts(item, reader, scope);
}

/** What Chart.yaml reads: conditions, tags, what subcharts export; and values of charts that take no part now. */
function readDependencies({ chart, values }: Scope): void {
  const place = { file: `${chart.path}/Chart.yaml` };
  const touch = (from: UsageNode, path: string): UsageNode => {
    const node = path.split('.').reduce((at, key) => at.child(key), from);
    node.read(place);
    return node;
  };
  for (const { name, alias, condition, importValues } of chart.chart.metadata.dependencies ?? []) {
    const called = alias || name;
    for (const path of condition.split(',')) if (path.trim() !== '') touch(values, path.trim());
    for (const item of importValues ?? [])
      touch(values.child(called), typeof item === 'string' ? `exports.${item}` : item.child).isWhole = true;
    if (!chart.dependencies.some((child) => child.name === called)) touch(values, called).isWhole = true;
  }
  touch(values, 'tags').isWhole = true;
}

/** Values that are looked at for names near theirs: where so many are unused, no letter is wrong. */
const mostNear = 200;

function report(provenance: Provenance, root: UsageNode, work: WorkChart): UnusedValue[] {
  const unused: UnusedValue[] = [];
  for (const held of provenance.held()) {
    for (const path of unusedBelow(held, root, work)) {
      const own = held.lineOf(path);
      unused.push({ path, name: formatPath(path), origin: own, near: unused.length < mostNear ? near(path, root) : [] });
    }
  }
  return unused;
}

/** The highest paths of one source that templates know nothing of. */
function unusedBelow({ leaves }: HeldValue, root: UsageNode, work: WorkChart): ValuePath[] {
  const isUsed = (path: ValuePath): boolean => root.covers(normal(path, work));
  const found = new Map<string, ValuePath>();
  for (const path of leaves) {
    if (isUsed(path)) continue;
    let length = 1;
    while (length < path.length && root.at(normal(path.slice(0, length), work))) length++;
    const highest = path.slice(0, length);
    found.set(JSON.stringify(highest), highest);
  }
  return [...found.values()];
}

/** Globals are one table for all charts. */
function normal(path: ValuePath, work: WorkChart): ValuePath {
  let chart: WorkChart | undefined = work;
  for (let at = 0; chart && at < path.length; at++) {
    if (path[at] === 'global') return path.slice(at);
    const name = path[at];
    chart = chart.dependencies.find((child) => child.name === name);
  }
  return path;
}

function near(path: ValuePath, root: UsageNode): UnusedValue['near'] {
  const above = root.at(path.slice(0, -1));
  const last = path.at(-1);
  if (!above || typeof last !== 'string') return [];
  return nearNames(last, above.names).map((name) => ({
    name: formatPath([...path.slice(0, -1), name]),
    readAt: above.child(name).anyPlace,
  }));
}
