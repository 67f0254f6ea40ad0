import { defaultLimits } from '../limits.ts';
import type { WorkChart } from '../loader/work-chart.ts';
import { Budget } from '../render/budget.ts';
import { findViolations } from '../schema/chart.ts';
import type { Violation } from '../schema/report.ts';
import type { ValuePath } from '../trace/paths.ts';
import { formatPath } from '../trace/paths.ts';
import type { Value, ValueMap } from '../value/kinds.ts';
import type { Diagnosis, ValueFinding } from './diagnosis.ts';
import { nearNames } from './near.ts';
import type { ValueSearch } from './value-findings.ts';
import { listed, originText } from './words.ts';

/** Values that do not meet a schema: whose they are. */
export function explainSchemas(chart: WorkChart, values: ValueMap, search: ValueSearch): Pick<Diagnosis, 'values' | 'cures'> {
  const found: ValueFinding[] = [];
  const cures: string[] = [];
  for (const { path, text } of violations(chart, values, [])) {
    const finding = search.find(path, valueAt(values, path));
    found.push(finding);
    const place = finding.origin.kind === 'unset' ? '' : ` (${originText(finding.origin)})`;
    cures.push(`${path.length === 0 ? 'The values' : formatPath(path)}${place}: ${text}.`);
  }
  return { values: found.filter(({ name }) => name !== ''), cures };
}

/** The innermost violations of all charts, by paths from the root's values. */
function violations(chart: WorkChart, values: ValueMap, above: ValuePath): { path: ValuePath; text: string }[] {
  const own = chart.schema ? leaves(schemaViolations(chart.schema, values)) : [];
  return [
    ...own.map(({ path, text }) => ({ path: [...above, ...located(values, path)], text: text + nearKeys(values, path, text) })),
    ...chart.dependencies.flatMap((child) => {
      const inner = values.get(child.name);
      return inner instanceof Map ? violations(child, inner, [...above, child.name]) : [];
    }),
  ];
}

function schemaViolations(schema: Uint8Array, values: ValueMap): readonly Violation[] {
  try {
    return findViolations(schema, values, new Budget(defaultLimits));
  } catch {
    // The schema itself is wrong; the message says so.
    return [];
  }
}

const leaves = (all: readonly Violation[]): Violation[] => all.flatMap((one) => (one.causes.length > 0 ? leaves(one.causes) : [one]));

/** Indices are texts in a violation's path. */
function located(values: Value, path: readonly string[]): ValuePath {
  let value = values;
  return path.map((key) => {
    const isList = Array.isArray(value);
    value = value instanceof Map ? value.get(key) : Array.isArray(value) ? value[Number(key)] : undefined;
    return isList ? Number(key) : key;
  });
}

function valueAt(values: Value, path: ValuePath): Value {
  let value = values;
  for (const key of path) value = value instanceof Map ? value.get(String(key)) : Array.isArray(value) ? value[Number(key)] : undefined;
  return value;
}

/** A property that is missing, or one too many, where another has nearly that name. */
function nearKeys(values: Value, path: readonly string[], text: string): string {
  const parent = valueAt(values, located(values, path));
  const named = /'([^']+)'/.exec(text)?.[1];
  if (!(parent instanceof Map) || named === undefined || parent.has(named)) return '';
  const near = nearNames(named, parent.keys());
  return near.length > 0 ? `, but ${listed(near)} is there` : '';
}
