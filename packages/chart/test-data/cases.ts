import { readFileSync } from 'node:fs';

/** A text of template code, and the function or rule that it is about. */
export interface Case {
  readonly about: string;
  readonly template: string;
}

/** What Helm said to a case: what the template printed, or the message of its failure. */
export type Outcome = { readonly out: string } | { readonly error: string };

export interface GoldenCase extends Case {
  readonly helm3: Outcome;
  readonly helm4: Outcome;
}

export interface Golden {
  readonly madeBy: { readonly helm3: string; readonly helm4: string };
  readonly cases: readonly GoldenCase[];
}

/** A schema, and values for it. */
export interface SchemaCase {
  readonly about: string;
  /** values.schema.json, which need not be right. */
  readonly schema: string;
  /** The schema of a subchart named `sub`. */
  readonly subchart?: string;
  /** values.yaml. */
  readonly values: string;
}

export interface SchemaGoldenCase extends SchemaCase {
  readonly helm3: SchemaOutcome;
  readonly helm4: SchemaOutcome;
}

/** What Helm said: nothing where the values are right. */
export interface SchemaOutcome {
  readonly error: string;
  /** Helm's lines come in any order, as Go walks maps; these are sorted. */
  readonly isUnordered?: true;
}

export interface SchemaGolden {
  readonly madeBy: Golden['madeBy'];
  readonly cases: readonly SchemaGoldenCase[];
}

/** A whole chart: its files by their path. */
export interface ChartFilesCase {
  readonly about: string;
  readonly files: Readonly<Record<string, string>>;
}

export interface ChartsGolden {
  readonly madeBy: Golden['madeBy'];
  readonly cases: readonly (ChartFilesCase & { readonly helm3: Outcome; readonly helm4: Outcome })[];
}

/** An expression of `show values --jsonpath`; the values are jsonpath.yaml. */
export interface JsonPathCase {
  readonly about: string;
  readonly expression: string;
}

export interface JsonPathGolden {
  readonly madeBy: Golden['madeBy'];
  readonly cases: readonly (JsonPathCase & { readonly helm3: Outcome; readonly helm4: Outcome })[];
}

export const tables = ['functions', 'language', 'methods'] as const;
export type Table = (typeof tables)[number];

/** The lines of a table, each with what it is about: `## NAME` stands before those about NAME. */
function readLines(table: string): { about: string; line: string }[] {
  const lines: { about: string; line: string }[] = [];
  let about = '';
  for (const line of readFileSync(new URL(`${table}.txt`, import.meta.url), 'utf8').split('\n')) {
    if (line.startsWith('## ')) about = line.slice(3);
    else if (line !== '' && !line.startsWith('# ')) lines.push({ about, line });
  }
  return lines;
}

/** Reads a table of cases: one template a line. */
export const readCases = (table: Table): Case[] => readLines(table).map(({ about, line }) => ({ about, template: line }));

/** Reads the table of whole charts: the files of one a line. */
export const readChartCases = (): ChartFilesCase[] =>
  readLines('charts').map(({ about, line }) => ({ about, files: JSON.parse(line) as Record<string, string> }));

/** Reads the table of expressions: one a line. */
export const readJsonPathCases = (): JsonPathCase[] => readLines('jsonpath').map(({ about, line }) => ({ about, expression: line }));

/** The values.yaml of all of them. */
export const jsonPathValues = (): string => readFileSync(new URL('jsonpath.yaml', import.meta.url), 'utf8');

export function readJsonPathGolden(): JsonPathGolden {
  return JSON.parse(readFileSync(new URL('goldens/jsonpath.json', import.meta.url), 'utf8')) as JsonPathGolden;
}

export function readChartsGolden(): ChartsGolden {
  return JSON.parse(readFileSync(new URL('goldens/charts.json', import.meta.url), 'utf8')) as ChartsGolden;
}

export function readGolden(table: Table): Golden {
  return JSON.parse(readFileSync(new URL(`goldens/${table}.json`, import.meta.url), 'utf8')) as Golden;
}

/**
 * Reads the table of schemas: a schema a line, and below it, indented, values to check against it, each a case.
 * `sub SCHEMA`, indented too, gives a subchart its schema for the values that follow.
 */
export function readSchemaCases(): SchemaCase[] {
  const cases: SchemaCase[] = [];
  let schema = '';
  let subchart: string | undefined;
  for (const { about, line } of readLines('schemas')) {
    if (!line.startsWith('  ')) [schema, subchart] = [line === 'nothing' ? '' : line, undefined];
    else if (line.startsWith('  sub ')) subchart = line.slice('  sub '.length);
    else cases.push({ about, schema, ...(subchart === undefined ? {} : { subchart }), values: line.trimStart() });
  }
  return cases;
}

export function readSchemaGolden(): SchemaGolden {
  return JSON.parse(readFileSync(new URL('goldens/schemas.json', import.meta.url), 'utf8')) as SchemaGolden;
}

/** Files of the chart of a schema case, by their path. */
export function schemaChart({ schema, subchart, values }: SchemaCase): Readonly<Record<string, string>> {
  const files = {
    'Chart.yaml': 'apiVersion: v2\nname: checked\nversion: 1.0.0\n',
    'values.schema.json': schema,
    'values.yaml': `${values}\n`,
  };
  if (subchart === undefined) return files;
  return {
    ...files,
    'charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n',
    'charts/sub/values.schema.json': subchart,
  };
}

/** Lines of a report in one order, whatever the order in which Go walked the maps. */
export function sortReport(error: string): string {
  const lines = error
    .replace(/(?<=additional properties )'.*'(?= not allowed)/g, (names) => names.split(', ').sort().join(', '))
    .replace(/(?<=duplicate .* at )"(.*)" and "(.*)"/g, (_pair, ...places: string[]) => places.slice(0, 2).sort().join(' and '));
  return lines.split('\n').sort().join('\n');
}
