import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Delivery, ServiceView } from '@desp/model';
import { createStage, demand, git, root } from '../journeys/stage.ts';
import { tinyService } from '../journeys/tiny-service.ts';
import { benchChart } from './chart.ts';
import { bench as benchRegistry } from './registry.ts';

/**
 * `npm run bench [-- NAME…]`: the figures of the product, medians of at least five, beside the tool that one would use instead.
 * `HELM=PATH` names a helm to compare with, `CORPUS=FOLDER` public charts for it; `CITYNEXUS=FOLDER` a checkout of the public service in DESP's layout.
 */
const desp = join(root, 'node_modules/.bin/desp');
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const say = (name: string, text: string) => process.stdout.write(`${name.padEnd(46)} ${text}\n`);
const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

/** Wall time of a command, median of `rounds`, in milliseconds. */
function timeCommand(argv: readonly [string, ...string[]], rounds = 15): number {
  const [program, ...args] = argv;
  const times = Array.from({ length: rounds + 1 }, () => {
    const started = performance.now();
    const result = spawnSync(program, args, { stdio: 'ignore' });
    if (result.error) throw result.error;
    return performance.now() - started;
  });
  // The first fills caches.
  return median(times.slice(1));
}

const benches: Readonly<Record<string, () => Promise<void>>> = {
  async start() {
    const folder = mkdtempSync(join(tmpdir(), 'desp-bench-'));
    const stage = createStage(folder, 9500);
    const up = async () => {
      const started = performance.now();
      demand(await stage.desp('operator', ['up', '--data', stage.data, '--port', '9500', '--detach']), 'desp up');
      return performance.now() - started;
    };
    const figures = { cold: [] as number[], warm: [] as number[], page: [] as number[], memory: [] as number[] };
    for (let round = 0; round < 5; round++) {
      figures.cold.push(await up());
      demand(await stage.desp('operator', ['down', '--data', stage.data]), 'desp down');
      const [warm, page] = await Promise.all([up(), firstPage('http://127.0.0.1:9500/')]);
      figures.warm.push(warm);
      figures.page.push(page);
      // Idle is what it is a while after the start.
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      figures.memory.push(residentMebibytes(Number(readFileSync(join(stage.data, 'holder'), 'utf8'))));
      demand(await stage.desp('operator', ['down', '--data', stage.data, '--purge']), 'desp down --purge');
    }
    rmSync(folder, { recursive: true, force: true });
    say('desp up, cold', ms(median(figures.cold)));
    say('desp up, warm', ms(median(figures.warm)));
    say('  its first page', ms(median(figures.page)));
    say('idle memory with two empty clusters', `${Math.round(median(figures.memory))} MiB`);
  },
  async delivery() {
    const folder = mkdtempSync(join(tmpdir(), 'desp-bench-'));
    const stage = createStage(folder, 9500);
    demand(await stage.desp('operator', ['up', '--data', stage.data, '--port', '9500', '--detach']), 'desp up');
    demand(await stage.desp('provider', ['login', '--as', 'provider']), 'login');
    const created = await stage.desp('provider', ['service', 'create', 'bench-app', '--json']);
    demand(created, 'service create');
    const service = await tinyService(stage, 'provider', 'bench-app', (JSON.parse(created.out) as ServiceView).gitRemote);
    const times = { whole: [] as number[], build: [] as number[] };
    for (let round = 0; round < 6; round++) {
      await service.commit(`1.${round}.0`);
      await git(stage, 'provider', service.tree, ['push', '--quiet', '--set-upstream', 'origin', 'main']);
      const watched = await stage.desp('provider', ['delivery', 'watch', '--json', '--timeout', '200'], { timeoutMs: 220_000 });
      demand(watched, 'the delivery passes');
      const delivery = JSON.parse(watched.out) as Delivery;
      const at = (stop: string, edge: 'startedAt' | 'endedAt') =>
        Date.parse(delivery.stops.find(({ name }) => name === stop)?.[edge] ?? '');
      // The first makes and loads base images.
      if (round === 0) continue;
      times.whole.push(at('pods', 'endedAt') - at('push', 'startedAt'));
      times.build.push(at('build', 'endedAt') - at('build', 'startedAt'));
    }
    demand(await stage.desp('operator', ['down', '--data', stage.data, '--purge']), 'desp down --purge');
    rmSync(folder, { recursive: true, force: true });
    say('push accepted → pods ready, one small service', ms(median(times.whole)));
    say('  the same without the image build', ms(median(times.whole.map((whole, index) => whole - (times.build[index] as number)))));
  },
  async chart() {
    const { HELM: helm, CORPUS: corpus, CITYNEXUS: cityNexus } = process.env;
    benchChart({ desp, helm, corpus, cityNexus, root });
  },
  async check() {
    const city = process.env['CITYNEXUS'];
    const folder = city ?? join(root, 'examples/sample-app');
    say(
      `desp check ${city ? 'CityNexus' : 'sample-app'}`,
      ms(timeCommand([desp, 'check', folder, ...(city ? ['--profile', 'observed-2025'] : [])], 7)),
    );
  },
  async registry() {
    const figures = await benchRegistry();
    for (const [name, unit] of [
      ['largePushMBs', 'MB/s'],
      ['largePullMBs', 'MB/s'],
      ['smallPushes', '/s'],
      ['smallPulls', '/s'],
    ] as const) {
      const { ours, dockerRegistry, ratio } = figures[name];
      say(
        `registry ${name}`,
        `${ours.toFixed(0)} ${unit}; docker-registry ${dockerRegistry?.toFixed(0) ?? 'is not here'}${ratio === undefined ? '' : `: ${ratio}×`}`,
      );
    }
  },
};

/** Milliseconds until a page is there, whole; at most two minutes. */
async function firstPage(url: string): Promise<number> {
  const started = performance.now();
  while (performance.now() - started < 120_000) {
    const page = await fetch(url)
      .then((response) => (response.ok ? response.text() : undefined))
      .catch(() => undefined);
    if (page !== undefined) return performance.now() - started;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${url} was not answered within two minutes.`);
}

/** Resident memory of a process, in MiB. */
function residentMebibytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

if (!existsSync(join(root, 'apps/cli/dist/desp.mjs')))
  process.stdout.write('The command line is not bundled: npm run build first, or the figures are those of the sources.\n');
const wanted = process.argv.slice(2);
for (const [name, bench] of Object.entries(benches)) if (wanted.length === 0 || wanted.includes(name)) await bench();
