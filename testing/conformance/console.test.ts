import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Delivery } from '@desp/model';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { blockedDelivery, buildingDelivery, deployingDelivery, failedDelivery, passedDelivery, releaseRecord } from './console-answers.ts';
import { type ConsolePlatform, password, startConsolePlatform } from './console-platform.ts';

/** The built console in a real Chromium: against a double of the platform for states that a run reaches slowly, and against the platform. */
const browserPath = '/usr/bin/chromium';
const missing = existsSync(browserPath) ? '' : ` (skipped: no ${browserPath}; apt-get install chromium)`;
const project = join(import.meta.dirname, '../..');
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const call = promisify(execFile);
const wide = { width: 1280, height: 900 };
const narrow = { width: 390, height: 844 };

/** A rehearsal takes some sixty ports in a row: the first row that nobody on this machine listens on. */
async function freeRow(): Promise<number> {
  const isFree = (port: number) =>
    new Promise<boolean>((done) => {
      const server = createServer().once('error', () => done(false));
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
    });
  for (let first = 12_000 + (process.pid % 100) * 100; first < 32_000; first += 100) {
    const free = await Promise.all(Array.from({ length: 60 }, (_, offset) => isFree(first + offset)));
    if (free.every(Boolean)) return first;
  }
  throw new Error('No sixty free ports in a row between 12000 and 32000.');
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

describe.skipIf(missing)(`console in Chromium${missing}`, () => {
  let browser: Browser;
  let files: string;

  beforeAll(async () => {
    files = mkdtempSync(join(tmpdir(), 'desp-console-'));
    // In a process of its own: under this test's NODE_ENV it would be React's development build.
    const vite = join(project, 'node_modules/vite/bin/vite.js');
    await call(process.execPath, [vite, 'build', '--outDir', files, '--emptyOutDir', '--logLevel', 'warn'], {
      cwd: join(project, 'apps/console'),
      env: { ...process.env, NODE_ENV: 'production' },
    });
    browser = await chromium.launch({ executablePath: browserPath, args: flags });
  });
  afterAll(async () => {
    await browser?.close();
    if (files) rmSync(files, { recursive: true, force: true });
  });

  /** A page of a browser that has never been here; whatever it logs as an error, or loads from elsewhere, fails the test. */
  async function visit(options: BrowserContextOptions = {}): Promise<{ page: Page; faults: string[] }> {
    const context = await browser.newContext({ viewport: wide, ...options });
    onTestFinished(() => context.close());
    context.setDefaultTimeout(10_000);
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      // Answers of status 4xx and 5xx are the tests' own; the content policy's refusals are not.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text());
    });
    page.on('request', (request) => {
      if (!/^(data:|blob:|http:\/\/127\.0\.0\.1:)/.test(request.url())) faults.push(`left the machine: ${request.url()}`);
    });
    return { page, faults };
  }

  async function platformWith(delivery: Delivery | undefined): Promise<ConsolePlatform> {
    const platform = await startConsolePlatform(files, delivery);
    onTestFinished(() => platform.close());
    return platform;
  }

  async function signIn(page: Page, url: string, path = '/', person = 'provider', secret = password): Promise<void> {
    await page.goto(url + path);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Name').fill(person);
    await page.getByLabel('Password', { exact: true }).fill(secret);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
  }

  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(readFileSync(axePath, 'utf8'));
    const found = await page.evaluate(
      async () => (await (globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe.run()).violations,
    );
    return found.flatMap((violation) =>
      violation.nodes.map((node) => `${violation.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`),
    );
  }

  test('login: a wrong password is told, the right one leads to where one wanted to go, signing out forgets', async () => {
    const platform = await platformWith(failedDelivery());
    const { page, faults } = await visit();
    await page.goto(`${platform.url}/deliveries/d-1?stop=push`);
    await page.getByText('/srv/desp/credentials').waitFor();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Name').fill('provider');
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('There is nobody with this name and password.').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 2, name: 'Push' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/deliveries/d-1');
    expect(await page.title()).toBe('First version of the sample service · sample-app · DESP');
    expect(page.url()).not.toContain('desp_token');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    expect(await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]))).not.toContain('desp_token');
    expect(faults).toEqual([]);
  });

  test('an answer to a login that this tab did not begin is refused', async () => {
    const platform = await platformWith(undefined);
    const { page } = await visit();
    await page.goto(`${platform.url}/login/callback?code=stolen&state=guessed`);
    await page.getByText('This answer is not to a login that was begun in this tab.').waitFor();
    expect(platform.asked.filter((path) => path.includes('token'))).toEqual([]);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
  });

  test('a login page never leads to another site', async () => {
    const platform = await platformWith(undefined);
    const { page } = await visit();
    await signIn(page, platform.url, '/login?to=%2F%2Fexample.org%2F');
    expect(page.url()).toBe(`${platform.url}/`);
    await page.getByRole('heading', { name: 'No delivery yet' }).waitFor();
  });

  test('one delivery, live: stops change without a reload, and are announced', async () => {
    const platform = await platformWith(buildingDelivery());
    const { page, faults } = await visit();
    await signIn(page, platform.url, '/deliveries/d-1');
    await page.getByRole('link', { name: /^Build running/ }).waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await page.evaluate(() => {
      (globalThis as unknown as { kept: boolean }).kept = true;
    });
    const opened = () => platform.asked.filter((asked) => asked.endsWith('/events')).length;
    const before = opened();
    platform.tell(failedDelivery());
    await page.getByRole('link', { name: /^Gate failed/ }).waitFor();
    await page.getByRole('heading', { level: 2, name: 'Gate' }).waitFor();
    const told = await page.locator('[aria-live=polite]').textContent();
    expect(told).toContain('Build passed.');
    expect(told).toContain('Gate failed. sample-app/image-a:1.0.0: minimist 1.2.5');
    expect(await page.evaluate(() => (globalThis as unknown as { kept?: boolean }).kept)).toBe(true);
    expect(opened(), 'by the stream that was open').toBe(before);
    expect(faults).toEqual([]);
  });

  test('a lost line is told, and found again by itself with what was missed', async () => {
    const platform = await platformWith(buildingDelivery());
    const { page } = await visit();
    await signIn(page, platform.url, '/deliveries/d-1');
    await page.getByText('live', { exact: true }).waitFor();
    platform.breakStreams(true);
    await page.getByText('reconnecting', { exact: true }).waitFor();
    platform.tell(passedDelivery());
    platform.breakStreams(false);
    await page.getByRole('link', { name: /^Pods passed/ }).waitFor();
    await page.getByText('live', { exact: true }).waitFor();
  });

  test('the gate says which, where, by what, and what to do', async () => {
    const platform = await platformWith(failedDelivery());
    const { page } = await visit();
    await signIn(page, platform.url, '/deliveries/d-1');
    const image = page.getByRole('region', { name: 'Verdicts on sample-app/image-a:1.0.0' });
    const finding = image.getByRole('article').first();
    await finding.waitFor();
    for (const part of [
      'CVE-2021-44906',
      'minimist 1.2.5',
      'app/node_modules/minimist/package.json',
      '9.8 · CVSS 3.1, GitHub Advisory Database',
      'as of 27 Feb 2023',
      '1.2.6',
      'Raise minimist to 1.2.6 or later',
    ])
      expect(await finding.textContent()).toContain(part);
    await image.getByText('1 item that nobody could assess').first().click();
    expect(await image.textContent()).toContain('usr/bin/node');
    expect(await page.getByText('Provider acts next.').count()).toBe(1);
  });

  test('a log opens, grows while its job runs, and follows only when it shall', async () => {
    const platform = await platformWith(buildingDelivery());
    platform.log('build-image-a', `${Array.from({ length: 80 }, (_, line) => `\u001b[32mstep ${line}\u001b[0m`).join('\n')}\n`);
    const { page } = await visit();
    await signIn(page, platform.url, '/deliveries/d-1?stop=build');
    await page.getByRole('button', { name: 'Open the log of build-image-a' }).click();
    const log = page.getByRole('region', { name: 'Log of build-image-a' });
    await log.getByText('step 79').waitFor();
    expect(await log.textContent()).not.toContain('[32m');
    const atEnd = () => log.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight < 2);
    expect(await atEnd()).toBe(true);
    platform.log('build-image-a', 'Pushed to quarantine\n');
    await log.getByText('Pushed to quarantine').waitFor();
    expect(await atEnd()).toBe(true);
    await page.getByRole('switch', { name: 'Follow' }).click();
    await log.evaluate((box) => {
      box.scrollTop = 0;
    });
    platform.log('build-image-a', 'Gate, e2e: pass\n');
    await log.getByText('Gate, e2e: pass').waitFor();
    expect(await log.evaluate((box) => box.scrollTop)).toBe(0);
    expect(new URL(page.url()).searchParams.get('log')).toBe('build-image-a');
  });

  test('a job waits for a hand: the button starts it, and a refusal is told with its reason', async () => {
    const platform = await platformWith(blockedDelivery());
    const { page } = await visit();
    await signIn(page, platform.url, '/deliveries/d-1');
    platform.refuseNext(403, {
      code: 'NOT_ALLOWED',
      message: 'This is not yours to do: delivery.play is for provider, operator.',
      kind: 'user',
      retryable: false,
    });
    await page.getByRole('button', { name: 'Start release-e2e-image-a' }).click();
    await page.getByRole('alert').getByText('delivery.play is for provider, operator').waitFor();
    await page.getByRole('button', { name: 'Start release-e2e-image-a' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    // The refusal goes when the button is pressed; what is asked arrives a little later.
    await expect.poll(() => platform.asked.filter((asked) => asked === 'POST /api/deliveries/d-1/play').length).toBe(2);
  });

  test('the record is downloaded byte by byte, with the command that verifies it', async () => {
    const platform = await platformWith(passedDelivery());
    const { page } = await visit();
    await signIn(page, platform.url, '/deliveries/d-1?stop=release');
    await page.getByText('desp release verify sample-app-1.0.0.json --key platform.pub').waitFor();
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download sample-app-1.0.0.json' }).click(),
    ]);
    expect(saved.suggestedFilename()).toBe('sample-app-1.0.0.json');
    expect(readFileSync(await saved.path(), 'utf8')).toBe(releaseRecord);
  });

  test('everything by keyboard alone: in, to the delivery, along the stops, into a log, and out', async () => {
    const platform = await platformWith(failedDelivery());
    const { page } = await visit();
    await page.goto(platform.url);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    const focused = () =>
      page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');
    const tabTo = async (name: RegExp, key = 'Tab') => {
      for (let step = 0; step < 60; step++) {
        await page.keyboard.press(key);
        if (name.test(await focused())) return;
      }
      throw new Error(`${key} never came to ${name}; last ${await focused()}`);
    };
    await tabTo(/^Sign in/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.keyboard.type('provider');
    await page.keyboard.press('Tab');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Deliveries' }).waitFor();
    await page.reload();
    await page.getByRole('link', { name: 'First version of the sample service' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    await tabTo(/^First version/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 2, name: 'Gate' }).waitFor();
    expect(await focused()).toBe('First version of the sample service');
    await tabTo(/^Push/);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toMatch(/^Build/);
    expect(await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)).toBe('solid');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 2, name: 'Build' }).waitFor();
    await tabTo(/^Open the log of build-image-a/);
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Log of build-image-a' }).waitFor();
    await tabTo(/^Log of build-image-a|^The job has written nothing/);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'By keyboard' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await tabTo(/^Sign out/, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  test('what is not there says so, with the cure', async () => {
    const platform = await platformWith(failedDelivery());
    const { page } = await visit();
    await signIn(page, platform.url, '/deliveries/d-9');
    await page.getByText('There is no delivery d-9.').waitFor();
    await page.getByText('desp delivery list shows them.').waitFor();
    await page.goto(`${platform.url}/nowhere`);
    await page.getByRole('heading', { name: 'There is nothing at this address' }).waitFor();
  });

  test.each([
    ['login', '/login', undefined],
    ['no delivery', '/', undefined],
    ['deliveries', '/', failedDelivery],
    ['services', '/services', failedDelivery],
    ['service', '/services/sample-app', failedDelivery],
    ['building, with log', '/deliveries/d-1?stop=build&log=build-image-a', buildingDelivery],
    ['failed', '/deliveries/d-1', failedDelivery],
    ['blocked', '/deliveries/d-1', blockedDelivery],
    ['deploying', '/deliveries/d-1', deployingDelivery],
    ['passed', '/deliveries/d-1?stop=release', passedDelivery],
  ] as const)('axe finds nothing, light and dark, wide and narrow: %s', async (_name, path, delivery) => {
    const platform = await platformWith(delivery?.());
    platform.log('build-image-a', 'STEP 1/7: FROM base\n');
    const { page, faults } = await visit({ reducedMotion: 'reduce' });
    if (path === '/login') await page.goto(platform.url + path);
    else await signIn(page, platform.url, path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    for (const viewport of [wide, narrow]) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor();
        await expect.poll(() => page.locator('[aria-label^="Loading"]').count()).toBe(0);
        expect(await violations(page), `${colorScheme}, ${viewport.width} wide`).toEqual([]);
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
          `sticks out sideways at ${viewport.width}`,
        ).toBeLessThanOrEqual(0);
      }
    }
    expect(faults).toEqual([]);
  });

  test('the platform itself: a person logs in, creates a service on the command line, pushes, and sees the delivery live', {
    timeout: 180_000,
  }, async () => {
    const home = mkdtempSync(join(tmpdir(), 'desp-console-home-'));
    const data = join(home, 'data');
    const env = {
      ...process.env,
      HOME: home,
      XDG_CONFIG_HOME: join(home, '.config'),
      PATH: `${join(project, 'node_modules/.bin')}:${process.env['PATH']}`,
      DESP_FROM_SOURCE: '1',
    };
    delete (env as Record<string, string | undefined>)['DESP_CONFIG'];
    const desp = async (...args: string[]) => (await call(join(project, 'node_modules/.bin/desp'), args, { cwd: home, env })).stdout;
    const git = (...args: string[]) => call('git', args, { cwd: home, env });
    onTestFinished(async () => {
      await desp('down', '--purge').catch(() => {});
      rmSync(home, { recursive: true, force: true });
    });
    const port = await freeRow();
    const address = `http://127.0.0.1:${port}`;
    await desp('up', '--data', data, '--port', String(port), '--detach');
    const secret = /^provider (\S+)$/m.exec(readFileSync(join(data, 'credentials'), 'utf8'))?.[1] ?? '';
    const { page, faults } = await visit();
    // The console as built for this test, so that it is today's whatever lies in the project's own folder.
    await page.route(`${address}/**`, async (route) => {
      const { pathname } = new URL(route.request().url());
      if (/^\/(api|oidc)\//.test(pathname)) return route.continue();
      const named = join(files, pathname);
      return route.fulfill({ path: pathname !== '/' && existsSync(named) ? named : join(files, 'index.html') });
    });
    await signIn(page, address, '/', 'provider', secret);
    await page.getByRole('heading', { name: 'No delivery yet' }).waitFor();
    await desp('login', '--as', 'provider');
    await desp('service', 'create', 'seen-live');
    const service = JSON.parse(await desp('service', 'show', 'seen-live', '--json')) as { gitRemote: string };
    await git('init', '-q', '-b', 'main');
    await git('-c', 'user.name=A', '-c', 'user.email=a@example.org', 'commit', '-q', '--allow-empty', '-m', 'A service without a pipeline');
    await git('-c', 'credential.helper=!desp git-credential', 'push', '-q', service.gitRemote, 'main');
    // The list finds it by itself.
    await page.getByRole('link', { name: 'A service without a pipeline' }).click({ timeout: 20_000 });
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('link', { name: /^Pipeline failed/ }).waitFor({ timeout: 20_000 });
    expect(await page.getByText('Provider acts next.').count()).toBe(1);
    expect(await violations(page)).toEqual([]);
    expect(faults).toEqual([]);
  });
});
