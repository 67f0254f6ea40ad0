import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackage } from '../publish/build.ts';
import { readmeExamples } from '../test-data/readme.ts';

/** The package as others get it: packed, installed into an empty folder, used by plain Node. */

const folder = mkdtempSync(join(tmpdir(), 'chart-published-'));
const user = join(folder, 'user');
/** The machine's own Node, which may be an older one than the project's. */
const others = ['/usr/bin/node', '/usr/local/bin/node'].filter((path) => existsSync(path));

beforeAll(async () => {
  const out = join(folder, 'package');
  await buildPackage(out);
  execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: out, stdio: 'pipe' });
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) as string;
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), '{"type":"module"}');
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, archive)], { cwd: user, stdio: 'pipe' });
  readmeExamples().forEach(({ code }, index) => {
    writeFileSync(join(user, `example${index}.ts`), code);
  });
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true }));

test('nothing else is installed with it', () => {
  expect(readdirSync(join(user, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['@desp']);
  expect(readdirSync(join(user, 'node_modules/@desp'))).toEqual(['chart']);
});

test('its declarations fit the examples', () => {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const options = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--moduleDetection', 'force', '--types', ''];
  const files = readmeExamples().map((_example, index) => `example${index}.ts`);
  execFileSync(process.execPath, [compiler, ...options, '--lib', 'es2023,dom', ...files], { cwd: user, stdio: 'pipe', encoding: 'utf8' });
}, 60_000);

describe.each([process.execPath, ...others])('in %s', (node) => {
  test.each(readmeExamples().map((example, index) => ({ ...example, index })))('$title', ({ code, printed, index }) => {
    // The examples hold no types, so an older Node runs them as JavaScript.
    const file = join(user, `run${index}.js`);
    writeFileSync(file, code.replaceAll(' as const', '').replace('(value: string)', '(value)'));
    expect(execFileSync(node, [file], { encoding: 'utf8' }).trimEnd()).toBe(printed);
  });

  test('with the cryptography of Node', () => {
    const file = join(user, 'crypto.js');
    writeFileSync(
      file,
      `import { loadChart, render } from '@desp/chart';
       import { nodeCrypto } from '@desp/chart/node';
       import { browserCrypto } from '@desp/chart/browser';
       const data = (text) => new TextEncoder().encode(text);
       const files = [{ name: 'Chart.yaml', data: data('apiVersion: v2\\nname: h\\nversion: 1.0.0') },
         { name: 'templates/a.yaml', data: data('sum: {{ sha256sum "x" }}') }];
       for (const crypto of [nodeCrypto, browserCrypto])
         console.log(render(loadChart(files), { release: { name: 'r', namespace: 'n' }, crypto }).manifests[0].content);`,
    );
    const sum = 'sum: 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
    expect(execFileSync(node, [file], { encoding: 'utf8' })).toBe(`${sum}\n${sum}\n`);
  });
});
