import { ChartError } from '../errors.ts';
import type { WorkChart } from '../loader/work-chart.ts';
import { type Budget, LimitReached, limitOf } from '../render/budget.ts';
import { JsonError, JsonLimit, readExactJson } from '../value/json.ts';
import { lineInJson } from '../value/json-line.ts';
import { typeName, type ValueMap } from '../value/kinds.ts';
import { fromBytes } from '../value/text.ts';
import { SchemaCompiler } from './compile.ts';
import type { CompiledSchema } from './compiled.ts';
import { SchemaError } from './document.ts';
import { judge } from './judge.ts';
import { printViolations, type Violation } from './report.ts';
import { SchemaLimit, validate } from './validate.ts';

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

function collect(chart: WorkChart, values: ValueMap, budget: Budget): string {
  let problems = '';
  if (chart.schema) {
    const own = describeViolations(chart.schema, values, budget, `${chart.path}/values.schema.json`);
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

interface Prepared {
  readonly schema: CompiledSchema;
  /** Steps that it took to prepare. */
  readonly cost: number;
}

/** Schemas ready for use, by their bytes: the same chart is often rendered again. */
const prepared = new WeakMap<Uint8Array, Prepared>();

const url = 'file:///values.schema.json';

/** @throws JsonError, SchemaError, LimitReached */
function prepare(data: Uint8Array, budget: Budget): CompiledSchema {
  const known = prepared.get(data);
  if (known) {
    budget.step(known.cost);
    return known.schema;
  }
  let cost = 0;
  const charge = (steps: number): void => {
    cost += steps;
    budget.step(steps);
  };
  const compiler = new SchemaCompiler({ charge, judge: (document, part, pointer) => judge(document, part, pointer, budget) });
  try {
    const schema = compiler.compile(url, readExactJson(fromBytes(data), charge));
    prepared.set(data, { schema, cost });
    return schema;
  } catch (error) {
    const limit = limitOf(error);
    throw limit && !(limit instanceof SchemaLimit) ? new SchemaLimit(limit.message, compiler.pointer) : error;
  }
}

/** The violations of one schema. @throws JsonError, SchemaError, LimitReached where the schema cannot be used */
export const findViolations = (data: Uint8Array, values: ValueMap, budget: Budget): readonly Violation[] =>
  validate(prepare(data, budget), values, budget);

/** The same in the words of the library that Helm uses; empty where there are none. */
export function describeViolations(data: Uint8Array, values: ValueMap, budget: Budget, file = 'values.schema.json'): string {
  try {
    const violations = findViolations(data, values, budget);
    return violations.length === 0 ? '' : `${printViolations(violations, budget)}\n`;
  } catch (error) {
    const limit = error instanceof JsonLimit ? new LimitReached(error.message) : limitOf(error);
    if (limit) {
      const path = limit instanceof SchemaLimit ? limit.pointer.split('/').slice(1) : [];
      const line = lineInJson(
        fromBytes(data),
        path.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')),
      );
      throw limit.toChartError(file, line, undefined, 'Make the schema smaller, or pass --skip-schema-validation.');
    }
    if (error instanceof JsonError || error instanceof SchemaError) return error.message;
    throw error;
  }
}
