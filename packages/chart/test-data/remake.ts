/**
 * Makes the expected results of functions.txt and language.txt anew with real Helm:
 *
 *   node packages/chart/test-data/remake.ts HELM3 VERSION3 HELM4 VERSION4
 *
 * for instance `… helm3 3.22.0 helm4 4.3.1`. Each case is the partial `_case.tpl` of the chart golden/, rendered alone.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Case, type GoldenCase, type Outcome, readCases, tables } from './cases.ts';

const run = promisify(execFile);
const [helm3, version3, helm4, version4] = process.argv.slice(2);
if (!helm3 || !version3 || !helm4 || !version4) throw new Error('usage: remake.ts HELM3 VERSION3 HELM4 VERSION4');

const folder = mkdtempSync(join(tmpdir(), 'helm-cases-'));
const workers = 2;

async function outcome(helm: string, chart: string): Promise<Outcome> {
  try {
    const { stdout } = await run(helm, ['template', 'demo', chart, '--kube-version', '1.34.1'], { env: { ...process.env, TZ: 'UTC' } });
    const found = /^out: (.*)$/m.exec(stdout);
    if (!found) throw new Error(`no result in ${stdout}`);
    return { out: JSON.parse(found[1] as string) as string };
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    if (stderr === undefined) throw error;
    return {
      error: stderr
        .replace(/^Error: /, '')
        .replace(/\n\nUse --debug flag to render out invalid YAML\n$/, '')
        .replace(/\n$/, ''),
    };
  }
}

async function make(item: Case, chart: string): Promise<GoldenCase> {
  writeFileSync(join(chart, 'templates', '_case.tpl'), item.template);
  return { ...item, helm3: await outcome(helm3 as string, chart), helm4: await outcome(helm4 as string, chart) };
}

for (const table of tables) {
  const cases = readCases(table);
  const results: GoldenCase[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: workers }, async (_item, worker) => {
      const chart = join(folder, `${table}-${worker}`, 'golden');
      cpSync(new URL('golden', import.meta.url), chart, { recursive: true });
      for (let index = next++; index < cases.length; index = next++) results[index] = await make(cases[index] as Case, chart);
    }),
  );
  const golden = { madeBy: { helm3: `Helm ${version3}`, helm4: `Helm ${version4}` }, cases: results };
  writeFileSync(new URL(`goldens/${table}.json`, import.meta.url), `${JSON.stringify(golden, null, 1)}\n`);
  console.log(`${table}: ${results.length} cases`);
}
rmSync(folder, { recursive: true });
