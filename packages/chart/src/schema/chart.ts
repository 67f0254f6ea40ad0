import { ChartError } from '../errors.ts';
import type { WorkChart } from '../loader/work-chart.ts';
import { type Budget, limitOf } from '../render/budget.ts';
import { JsonError, readJson } from '../value/json.ts';
import { typeName, type Value, type ValueMap } from '../value/kinds.ts';
import { fromBytes } from '../value/text.ts';
import { printViolations } from './report.ts';
import { validate } from './validate.ts';

/** Checks the values of a chart and its subcharts against their schemas. @throws ChartError with Helm's words */
export function checkSchemas(chart: WorkChart, values: ValueMap, budget: Budget): void {
  const problems = collect(chart, values, budget);
  if (problems === '') return;
  throw new ChartError(
    'SCHEMA_VIOLATION',
    `values don't meet the specifications of the schema(s) in the following chart(s):\n${problems}`,
    {
      cure: 'Mend the named values, or pass --skip-schema-validation.',
    },
  );
}

/** Schemas as read, by their bytes: the same chart is often rendered again. */
const parsed = new WeakMap<Uint8Array, Value>();

function schemaOf(data: Uint8Array): Value {
  const known = parsed.get(data);
  if (known !== undefined) return known;
  const schema = readJson(fromBytes(data));
  parsed.set(data, schema);
  return schema;
}

function collect(chart: WorkChart, values: ValueMap, budget: Budget): string {
  let problems = '';
  if (chart.schema) {
    const own = describeViolations(chart.schema, values, budget);
    if (own !== '') problems += `${chart.name}:\n${own}`;
  }
  for (const child of chart.dependencies) {
    const own = values.get(child.name);
    if (own === undefined || own === null) continue;
    if (own instanceof Map) problems += collect(child, own, budget);
    else problems += `${child.name}:\ninvalid type for values: expected object (map), got ${typeName(own)}\n`;
  }
  return problems;
}

/** The violations of one schema, in the words of the library that Helm uses; empty where there are none. */
export function describeViolations(schema: Uint8Array, values: ValueMap, budget: Budget): string {
  try {
    const violations = validate(schemaOf(schema), values, budget);
    return violations.length === 0 ? '' : `${printViolations(violations)}\n`;
  } catch (error) {
    if (error instanceof JsonError) return error.message;
    const limit = limitOf(error);
    if (limit) throw limit.toChartError('values.schema.json');
    throw error;
  }
}
