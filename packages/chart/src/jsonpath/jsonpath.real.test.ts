import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonPathValues } from '../../test-data/cases.ts';
import { makeExpression } from '../../test-data/random-jsonpath.ts';
import { ChartError } from '../errors.ts';
import { readValues } from '../loader/load.ts';
import { parseJsonPath } from './parser.ts';
import { printJsonPath } from './print.ts';

/**
 * Random expressions, asked of the Helm that is installed and of this package. `HELM` names another binary;
 * `EXPRESSIONS` and `SEED` make the run longer or another.
 */

const helm = process.env['HELM'] ?? 'helm';
const isInstalled = spawnSync(helm, ['version']).status === 0;
const count = Number(process.env['EXPRESSIONS'] ?? 60);
const first = Number(process.env['SEED'] ?? 1);

let chart = '';
beforeAll(() => {
  chart = mkdtempSync(join(tmpdir(), 'chart-jsonpath-'));
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: asked\nversion: 1.0.0\n');
  writeFileSync(join(chart, 'values.yaml'), jsonPathValues());
});
afterAll(() => rmSync(chart, { recursive: true, force: true }));

/** Helm walks maps in any order, and its process ends where there is nothing to index or to range over. */
const unordered = (text: string): string => [...text].sort().join('');

function theirs(expression: string): string {
  const { status, stdout, stderr } = spawnSync(helm, ['show', 'values', chart, '--jsonpath', expression], { encoding: 'utf8' });
  if (stderr.startsWith('panic: reflect')) return '';
  return unordered(status === 0 ? stdout : stderr.replace(/^Error: /, '').replace(/\n$/, ''));
}

function ours(expression: string): string {
  try {
    return unordered(printJsonPath(parseJsonPath(expression), readValues(jsonPathValues(), true)).text);
  } catch (error) {
    if (error instanceof ChartError) return unordered(error.message);
    throw error;
  }
}

describe.skipIf(!isInstalled)(`random expressions against ${helm}${isInstalled ? '' : ' (skipped: Helm is not on this machine)'}`, () => {
  test.each(Array.from({ length: count }, (_item, index) => first + index))('seed %i', (seed) => {
    const expression = makeExpression(seed);
    expect({ expression, prints: ours(expression) }).toEqual({ expression, prints: theirs(expression) });
  });
});
