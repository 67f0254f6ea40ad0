import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeChart } from '../test-data/charts.ts';
import { helmArguments, ourOutcome, theirOutcome, writeCase } from '../test-data/outcome.ts';
import { makeProgram } from '../test-data/programs.ts';
import { ChartError } from './errors.ts';
import { nodeCrypto } from './node/crypto.ts';
import { loadChartFrom } from './node/folder.ts';
import { formatTemplateOutput } from './render/output.ts';
import { render } from './render/render.ts';

/**
 * Random programs, rendered by the Helm that is installed and by this package. `HELM` names another binary;
 * `PROGRAMS` and `SEED` make the run longer or another.
 */

const helm = process.env['HELM'] ?? 'helm';
const version = /v([34])\./.exec(spawnSync(helm, ['version', '--template', '{{ .Version }}'], { encoding: 'utf8' }).stdout ?? '')?.[1];
const profile = version === '3' ? 'helm3' : 'helm4';
const count = Number(process.env['PROGRAMS'] ?? 40);
const first = Number(process.env['SEED'] ?? 1);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chart-differential-'));
  mkdirSync(join(folder, 'f', 'templates'), { recursive: true });
  writeFileSync(join(folder, 'f', 'Chart.yaml'), 'apiVersion: v2\nname: f\nversion: 1.0.0\n');
  writeFileSync(join(folder, 'f', 'templates', 'out.yaml'), 'out: {{ include (print .Template.BasePath "/_case.tpl") . | toJson }}\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Addresses of pointers are random in Go. */
const masked = (text: string): string => text.replace(/0xc?[0-9a-f]{9,}/g, '0xADDRESS');

function theirs(chart: string): string {
  const { status, stdout, stderr } = spawnSync(helm, ['template', 'r', chart, '--kube-version', '1.34.1'], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
  });
  return masked(status === 0 ? stdout : stderr.replace(/^Error: /, '').replace(/\n\nUse --debug flag to render out invalid YAML\n$/, ''));
}

function ours(chart: string): string {
  try {
    const release = { name: 'r', namespace: 'default' };
    return masked(formatTemplateOutput(render(loadChartFrom(chart), { release, profile, kubeVersion: '1.34.1', crypto: nodeCrypto })));
  } catch (error) {
    if (error instanceof ChartError) return masked(error.message);
    throw error;
  }
}

describe.skipIf(version === undefined)(`random charts against ${helm} (skipped where Helm is not installed)`, () => {
  test.each(Array.from({ length: count }, (_item, index) => first + index))('seed %i', (seed) => {
    process.env['TZ'] = 'UTC';
    const chart = makeChart(seed);
    const own = join(folder, 'charts');
    writeCase(own, chart);
    const { status, stdout, stderr } = spawnSync(helm, helmArguments(own, chart), { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
    expect(ourOutcome(own, chart, profile)).toBe(theirOutcome({ status: status ?? -1, stdout, stderr }));
  });
});

describe.skipIf(version === undefined)(`random programs against ${helm} (skipped where Helm is not installed)`, () => {
  test.each(Array.from({ length: count }, (_item, index) => first + index))('seed %i', (seed) => {
    process.env['TZ'] = 'UTC';
    const program = makeProgram(seed);
    const chart = join(folder, 'f');
    writeFileSync(join(chart, 'values.yaml'), program.values);
    writeFileSync(join(chart, 'templates', '_case.tpl'), program.template);
    expect(ours(chart)).toBe(theirs(chart));
  });
});
