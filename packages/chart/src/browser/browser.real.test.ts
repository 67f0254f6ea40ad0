import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleForBrowser } from '../../test-browser/bundle.ts';
import type { PageCase, PageFile, PageFunctions, PageOutcome } from '../../test-browser/page.ts';
import {
  type GoldenCase,
  jsonPathValues,
  type Outcome,
  readChartsGolden,
  readGolden,
  readJsonPathGolden,
  readSchemaGolden,
  schemaChart,
  sortReport,
  tables,
} from '../../test-data/cases.ts';
import { readChartFolder } from '../node/folder.ts';
import type { ProfileName } from '../profile.ts';

/** Every table of cases, whose results real Helm made, in a headless Chromium, without Node. */

const browserPath = '/usr/bin/chromium';
const missing = existsSync(browserPath) ? '' : ` (skipped: no ${browserPath}; apt-get install chromium)`;
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'];

/** Bytes, minified; the README states what it is. */
const largest = 600_000;
const largestPacked = 195_000;

/** A key that no kept library makes in a browser. */
const inNodeOnly = /genPrivateKey "dsa"/;

/** RSA keys in plain JavaScript take a second and more; what makes them is one for both Helms. */
const isSlow = /\b(genCA|genSelfSignedCert|genSignedCert|bcrypt|htpasswd|derivePassword)/;

const encoded = (name: string, data: Uint8Array): PageFile => ({ name, base64: Buffer.from(data).toString('base64') });
const chart = readChartFolder(new URL('../../test-data/golden', import.meta.url).pathname).map(({ name, data }) => encoded(name, data));
const caseOf = (template: string, profile: ProfileName): PageCase => ({
  files: [...chart, encoded('templates/_case.tpl', Buffer.from(template))],
  profile,
});

function outcomeOf(result: PageOutcome): Outcome {
  if ('error' in result) return result;
  return { out: JSON.parse(/^out: (.*)$/m.exec(result.printed)?.[1] as string) as string };
}

describe.skipIf(missing !== '')(`in a headless Chromium${missing}`, () => {
  let browser: Browser | undefined;
  let page: Page;
  let folder = '';

  beforeAll(async () => {
    const bundle = await bundleForBrowser('./page.ts');
    folder = mkdtempSync(join(tmpdir(), 'chart-browser-'));
    writeFileSync(join(folder, 'page.js'), bundle.code);
    writeFileSync(join(folder, 'page.html'), '<!doctype html><meta charset="utf-8"><script src="page.js"></script>');
    // The results were made in this zone.
    browser = await chromium.launch({ executablePath: browserPath, args: flags, env: { ...process.env, TZ: 'UTC' } });
    page = await browser.newPage({ timezoneId: 'UTC' });
    await page.goto(pathToFileURL(join(folder, 'page.html')).href);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  const run = (cases: readonly PageCase[]): Promise<PageOutcome[]> =>
    page.evaluate((given) => (globalThis as unknown as PageFunctions).runCases(given), cases);

  test.each(['helm3', 'helm4'] as const)(
    'schemas as %s: the same words',
    async (profile) => {
      const { cases } = readSchemaGolden();
      const filesOf = (item: (typeof cases)[number]): PageFile[] =>
        Object.entries(schemaChart(item)).map(([name, text]) => encoded(name, Buffer.from(text)));
      const results = await run(cases.map((item) => ({ files: filesOf(item), profile })));
      const said = results.map((result, index) => {
        const error = 'error' in result ? result.error : '';
        return cases[index]?.[profile].isUnordered ? sortReport(error) : error;
      });
      expect(said).toEqual(cases.map((item) => item[profile].error));
    },
    60_000,
  );

  test.each(['helm3', 'helm4'] as const)('whole charts as %s: the same bytes', async (profile) => {
    const { cases } = readChartsGolden();
    const filesOf = (files: Readonly<Record<string, string>>): PageFile[] =>
      Object.entries(files).map(([name, text]) => encoded(name, Buffer.from(text)));
    const results = await run(cases.map(({ files }) => ({ files: filesOf(files), profile })));
    expect(results.map((result) => ('error' in result ? result : { out: result.printed }))).toEqual(cases.map((item) => item[profile]));
  });

  test('jsonpath: the same bytes', async () => {
    const { cases } = readJsonPathGolden();
    const results = await page.evaluate(([values, expressions]) => (globalThis as unknown as PageFunctions).askAll(values, expressions), [
      jsonPathValues(),
      cases.map(({ expression }) => expression),
    ] as const);
    expect(results.map((result) => ('error' in result ? result : { out: result.printed }))).toEqual(cases.map(({ helm4 }) => helm4));
  });

  describe.each(tables)('%s', (table) => {
    const steady = readGolden(table).cases.filter(({ template }) => !inNodeOnly.test(template));
    test.each(['helm3', 'helm4'] as const)(
      'as %s: the same bytes',
      async (profile) => {
        const cases = profile === 'helm4' ? steady : steady.filter(({ template }) => !isSlow.test(template));
        const results = await run(cases.map(({ template }) => caseOf(template, profile)));
        expect(results.map((result, index) => ({ template: cases[index]?.template, outcome: outcomeOf(result) }))).toEqual(
          cases.map((item: GoldenCase) => ({ template: item.template, outcome: item[profile] })),
        );
      },
      240_000,
    );
  });
});

test('the core and what a browser needs take nothing of Node, and stay small', async () => {
  const core = await bundleForBrowser('../src/index.ts');
  const whole = await bundleForBrowser('../src/browser/index.ts');
  console.log(`browser bundle: core ${core.size} bytes, ${core.gzip} packed; with cryptography ${whole.size}, ${whole.gzip} packed`);
  expect(whole.size).toBeLessThan(largest);
  expect(whole.gzip).toBeLessThan(largestPacked);
  expect(core.size).toBeLessThan(whole.size);
}, 60_000);
