/**
 * Makes the expected results of functions.txt, language.txt, charts.txt, schemas.txt and
 * jsonpath.txt anew with real Helm:
 *
 *   node packages/chart/test-data/remake.ts HELM3 VERSION3 HELM4 VERSION4
 *
 * for instance `… helm3 3.22.0 helm4 4.3.1`. Each case of a template is the partial `_case.tpl` of the chart golden/,
 * rendered alone; each of a chart or schema is a chart of its own; each expression is asked of one chart's values. A last argument names one table to remake.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  type Case,
  type ChartFilesCase,
  type GoldenCase,
  type JsonPathCase,
  jsonPathValues,
  type Outcome,
  readCases,
  readChartCases,
  readJsonPathCases,
  readSchemaCases,
  type SchemaCase,
  type SchemaOutcome,
  schemaChart,
  sortReport,
  tables,
} from './cases.ts';

const run = promisify(execFile);
const [helm3 = '', version3, helm4 = '', version4, only] = process.argv.slice(2);
if (!helm3 || !version3 || !helm4 || !version4) throw new Error('usage: remake.ts HELM3 VERSION3 HELM4 VERSION4');

const folder = mkdtempSync(join(tmpdir(), 'helm-cases-'));
const workers = 2;

/** What `helm template` prints, or the message of its failure. */
const template = (helm: string, chart: string): Promise<Outcome> => runHelm(helm, ['template', 'demo', chart, '--kube-version', '1.34.1']);

async function runHelm(helm: string, args: readonly string[]): Promise<Outcome> {
  try {
    const { stdout } = await run(helm, args, { env: { ...process.env, TZ: 'UTC' } });
    return { out: stdout };
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    if (stderr === undefined) throw error;
    return {
      error: stderr
        .replace(/^[\s\S]*?Error: /, '')
        .replace(/\n\nUse --debug flag to render out invalid YAML\n$/, '')
        .replace(/\n$/, ''),
    };
  }
}

async function outcome(helm: string, chart: string): Promise<Outcome> {
  const result = await template(helm, chart);
  if ('error' in result) return result;
  const found = /^out: (.*)$/m.exec(result.out);
  if (!found) throw new Error(`no result in ${result.out}`);
  return { out: JSON.parse(found[1] as string) as string };
}

async function make(item: Case, chart: string): Promise<GoldenCase> {
  writeFileSync(join(chart, 'templates', '_case.tpl'), item.template);
  return { ...item, helm3: await outcome(helm3, chart), helm4: await outcome(helm4, chart) };
}

/** Runs of a case whose lines Go may mix; that none of them differs by chance is one in 64 and less. */
const runs = 7;

async function schemaOutcome(helm: string, chart: string): Promise<SchemaOutcome> {
  const once = async (): Promise<string> => {
    const result = await template(helm, chart);
    return 'error' in result ? result.error : '';
  };
  const error = await once();
  const mayMix = error.split('- at ').length > 2 || /additional properties .*,|duplicate/.test(error);
  for (let i = 1; mayMix && i < runs; i++) if ((await once()) !== error) return { error: sortReport(error), isUnordered: true };
  return { error };
}

function writeChart(chart: string, files: Readonly<Record<string, string>>): void {
  rmSync(chart, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(chart, path)), { recursive: true });
    writeFileSync(join(chart, path), text);
  }
}

async function makeChartCase(item: ChartFilesCase, chart: string) {
  writeChart(chart, item.files);
  return { ...item, helm3: await template(helm3, chart), helm4: await template(helm4, chart) };
}

async function makeSchemaCase(item: SchemaCase, chart: string) {
  writeChart(chart, schemaChart(item));
  return { ...item, helm3: await schemaOutcome(helm3, chart), helm4: await schemaOutcome(helm4, chart) };
}

async function makeJsonPathCase(item: JsonPathCase, chart: string) {
  writeChart(chart, { 'Chart.yaml': 'apiVersion: v2\nname: asked\nversion: 1.0.0\n', 'values.yaml': jsonPathValues() });
  const ask = (helm: string): Promise<Outcome> => runHelm(helm, ['show', 'values', chart, '--jsonpath', item.expression]);
  return { ...item, helm3: await ask(helm3), helm4: await ask(helm4) };
}

async function remake<T>(table: string, cases: readonly T[], makeCase: (item: T, chart: string) => Promise<object>): Promise<void> {
  if (only !== undefined && only !== table) return;
  const results: object[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: workers }, async (_item, worker) => {
      const chart = join(folder, `${table}-${worker}`, 'golden');
      cpSync(new URL('golden', import.meta.url), chart, { recursive: true });
      for (let index = next++; index < cases.length; index = next++) results[index] = await makeCase(cases[index] as T, chart);
    }),
  );
  const golden = { madeBy: { helm3: `Helm ${version3}`, helm4: `Helm ${version4}` }, cases: results };
  writeFileSync(new URL(`goldens/${table}.json`, import.meta.url), `${JSON.stringify(golden, null, 1)}\n`);
  console.log(`${table}: ${results.length} cases`);
}

for (const table of tables) await remake(table, readCases(table), make);
await remake('charts', readChartCases(), makeChartCase);
await remake('schemas', readSchemaCases(), makeSchemaCase);
await remake('jsonpath', readJsonPathCases(), makeJsonPathCase);
rmSync(folder, { recursive: true });
