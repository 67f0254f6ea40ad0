import { ChartError } from '../errors.ts';
import type { Profile } from '../profile.ts';
import { limitOf } from '../render/budget.ts';
import { isCompatible } from '../semver/constraint.ts';
import { deepCopy } from '../value/copy.ts';
import type { Value, ValueMap } from '../value/kinds.ts';
import { logValue, quote } from '../value/text.ts';
import { type CoalesceOptions, chargeValues, coalesceTables, coalesceValues, mergeChartValues } from '../values/coalesce.ts';
import type { Chart } from './chart.ts';
import { lineOfKey } from './documents.ts';
import type { Dependency } from './metadata.ts';
import type { WorkChart } from './work-chart.ts';

/** Which subcharts take part, under which names, and what they export to their parents: Helm's ProcessDependencies. */
export function processDependencies(chart: WorkChart, values: ValueMap, options: CoalesceOptions): void {
  try {
    enable(chart, values, '', options);
    importAll(chart, options);
  } catch (error) {
    if (!(error instanceof ChartError) || error.code === 'LIMIT_EXCEEDED' || !options.profile.namesDependencyFailures) throw error;
    const log = `level=ERROR msg="chart dependencies processing failed" error=${quote(error.message)}`;
    throw new ChartError(error.code, `chart dependencies processing failed: ${error.message}`, { log: [log], cure: error.cure ?? '' });
  }
}

/** What Chart.yaml names and charts/ lacks. */
export const missingDependencies = (chart: WorkChart): Dependency[] =>
  (chart.declared ?? []).filter((wanted) => !chart.dependencies.some((child) => child.metadata.name === wanted.name));

/** Fails where Chart.yaml names charts that charts/ lacks. */
export function checkDependencies(chart: WorkChart, profile: Profile): void {
  const missing = missingDependencies(chart);
  if (missing.length === 0) return;
  const command = profile.name === 'helm3' ? '`helm dependency build`' : "'helm dependency build'";
  const names = missing.map((wanted) => wanted.name).join(', ');
  throw new ChartError(
    'DEPENDENCY_MISSING',
    `${profile.name === 'helm3' ? 'An' : 'an'} error occurred while checking for chart dependencies. You may need to run ${command} to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: ${names}`,
    { cure: 'Fetch the dependencies into charts/.' },
  );
}

/** Fails for a chart of another format than those that can be installed, where this Helm looks at it. @throws ChartError with Helm's message */
export function checkApiVersion({ metadata, dependencies }: Chart, profile: Profile): void {
  const { apiVersion } = metadata;
  if (!profile.checksApiVersion || apiVersion === 'v1' || apiVersion === 'v2') return;
  const isUndeclared = dependencies.length > (metadata.dependencies?.length ?? 0);
  const problem =
    apiVersion !== 'v3'
      ? 'unsupported chart version'
      : isUndeclared
        ? "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: unsupported chart dependency type"
        : 'invalid chart apiVersion';
  throw new ChartError('CHART_INVALID', problem, { cure: 'Set apiVersion to v2 in Chart.yaml.', where: { file: 'Chart.yaml' } });
}

/** Steps for a chart that takes part, those below it apart. */
const stepsPerChart = 100;

/** A limit that is met where a chart's dependencies are worked on names their place. */
function within(chart: WorkChart, run: () => void): void {
  try {
    run();
  } catch (error) {
    const limit = limitOf(error);
    if (!limit) throw error;
    const file = chart.chart.metadata.apiVersion === 'v1' ? 'requirements.yaml' : 'Chart.yaml';
    const line = lineOfKey(chart.chart.dependenciesFile, 'dependencies');
    throw limit.toChartError(`${chart.path}/${file}`, line, undefined, 'Take out dependencies, aliases or import-values.');
  }
}

function enable(chart: WorkChart, values: ValueMap, path: string, options: CoalesceOptions): void {
  within(chart, () => enableBelow(chart, values, path, options));
}

function enableBelow(chart: WorkChart, values: ValueMap, path: string, options: CoalesceOptions): void {
  if (!chart.declared) return;
  const { declared } = chart;
  const isDeclared = (child: WorkChart): boolean => declared.some((wanted) => matches(child, wanted));
  const children = chart.dependencies.filter((child) => !isDeclared(child));
  for (const wanted of declared) {
    const child = chart.dependencies.find((candidate) => matches(candidate, wanted));
    options.budget?.step(child ? stepsPerChart * countCharts(child) : 1);
    if (child) children.push(child.standIn(wanted.alias, options.profile));
    if (wanted.alias !== '') wanted.name = wanted.alias;
  }
  for (const wanted of declared) wanted.enabled = true;
  chart.adopt(children);
  const all = coalesceValues(chart, values, options);
  for (const wanted of declared) wanted.enabled = isEnabled(wanted, all, path, options);
  const off = new Set(declared.filter((wanted) => !wanted.enabled).map((wanted) => wanted.name));
  const kept = children.filter((child) => !off.has(child.name));
  const left = declared.filter((wanted) => !off.has(wanted.name));
  for (const child of kept) enable(child, all, `${path}${child.name}.`, options);
  // Where none is left there is nothing to import either, and the chart's values stay as they are.
  chart.declared = left.length > 0 ? left : undefined;
  chart.adopt(kept);
}

const countCharts = (chart: WorkChart): number => chart.dependencies.reduce((sum, child) => sum + countCharts(child), 1);

const matches = (child: WorkChart, wanted: Dependency): boolean =>
  child.name === wanted.name && isCompatible(wanted.version, child.metadata.version);

/** Tags decide first, then the first condition that is set to a boolean. */
function isEnabled(wanted: Dependency, values: ValueMap, path: string, { profile, warn }: CoalesceOptions): boolean {
  let enabled = byTags(wanted, values, profile, warn);
  for (const condition of wanted.condition.trim().split(',')) {
    if (condition === '') continue;
    const value = valueAt(values, path + condition);
    if (value === undefined) continue;
    if (typeof value === 'boolean') {
      enabled = value;
      break;
    }
    warn(
      profile.name === 'helm3'
        ? `Warning: Condition path '${condition}' for chart ${wanted.name} returned non-bool value`
        : `level=WARN msg="returned non-bool value" path=${logValue(condition)} chart=${logValue(wanted.name)}`,
    );
  }
  return enabled;
}

function byTags(wanted: Dependency, values: ValueMap, profile: Profile, warn: (line: string) => void): boolean {
  const tags = values.get('tags');
  if (!(tags instanceof Map)) return true;
  let on = false;
  let off = false;
  for (const tag of wanted.tags ?? []) {
    if (!tags.has(tag)) continue;
    const value = tags.get(tag);
    if (value === true) on = true;
    else if (value === false) off = true;
    else {
      warn(
        profile.name === 'helm3'
          ? `Warning: Tag '${tag}' for chart ${wanted.name} returned non-bool value`
          : `level=WARN msg="returned non-bool value" tag=${logValue(tag)} chart=${logValue(wanted.name)}`,
      );
    }
  }
  return on || !off;
}

/** The value at a dotted path; undefined where there is none or where a table stands. */
function valueAt(values: ValueMap, path: string): Value {
  let current: Value = values;
  for (const key of path.split('.')) {
    if (!(current instanceof Map) || !current.has(key)) return undefined;
    current = current.get(key);
  }
  return current instanceof Map ? undefined : current;
}

export function tableAt(values: ValueMap, path: string): ValueMap | undefined {
  let current: Value = values;
  for (const key of path.split('.')) {
    if (!(current instanceof Map)) return undefined;
    current = current.get(key);
  }
  return current instanceof Map ? current : undefined;
}

function importAll(chart: WorkChart, options: CoalesceOptions): void {
  for (const child of chart.dependencies) importAll(child, options);
  within(chart, () => importValues(chart, options));
}

function importValues(chart: WorkChart, options: CoalesceOptions): void {
  if (!chart.declared) return;
  // Nulls are kept: a later pass must still see what they delete.
  const all = mergeChartValues(chart, new Map(), options);
  let imported: ValueMap = new Map();
  for (const wanted of chart.declared) {
    const { name } = wanted;
    // A dependency that charts under several aliases share is imported from by the first of them.
    if (wanted.isImported) wanted.importValues = undefined;
    wanted.isImported = true;
    for (const item of wanted.importValues ?? []) {
      const child = typeof item === 'string' ? `exports.${item}` : item.child;
      const parent = typeof item === 'string' ? '.' : item.parent;
      options.budget?.step(1 + ((child.length + parent.length) >> 4));
      const table = tableAt(all, `${name}.${child}`);
      if (!table) {
        warnOfMissingTable(name, missingKey(all, `${name}.${child}`), typeof item === 'string', options);
        continue;
      }
      chargeValues(table, options);
      imported = coalesceTables(imported, placedAt(parent, table), '', true, options.warn);
    }
  }
  chargeValues(all, options);
  chargeValues(imported, options);
  chart.values = coalesceTables(deepCopy(all), imported, '', true, options.warn);
}

/** The first key of a dotted path under which no table stands. */
export function missingKey(values: ValueMap, path: string): string {
  const keys = path.split('.');
  const depth = keys.findIndex((_key, index) => !tableAt(values, keys.slice(0, index + 1).join('.')));
  return keys[depth] ?? path;
}

function warnOfMissingTable(chart: string, key: string, isExport: boolean, { profile, warn }: CoalesceOptions): void {
  const problem = `${quote(key)} is not a table`;
  if (profile.name === 'helm4') {
    const what = isExport ? '"ImportValues missing table"' : `"ImportValues missing table from chart" chart=${logValue(chart)}`;
    warn(`level=WARN msg=${what} error=${logValue(problem)}`);
  } else
    warn(
      isExport ? `Warning: ImportValues missing table: ${problem}` : `Warning: ImportValues missing table from chart ${chart}: ${problem}`,
    );
}

/** The table below the parent's dotted path; `.` is the top. */
function placedAt(path: string, table: ValueMap): ValueMap {
  if (path === '.') return table;
  return path.split('.').reduceRight<ValueMap>((inner, key) => new Map([[key, inner]]), table);
}
