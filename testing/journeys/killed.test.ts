import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delivery, ReleaseSummary, ServiceView } from '@desp/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runsAnew } from '../../apps/platform/src/deliveries/run-job.ts';
import { createStage, demand, eventually, git, type Stage } from './stage.ts';
import { type TinyService, tinyService } from './tiny-service.ts';

const missing = [
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...['git', 'podman', 'runc', 'curl', 'busybox'].filter((program) => spawnSync('which', [program]).status !== 0),
];

/**
 * What other users of the machine may read or enter: nothing, though builds, jobs and pods have run as users of their own. The
 * folder is closed, and so is each thing in it, for the day on which somebody opens the folder.
 */
const openToOthers = (folder: string): string[] =>
  [folder, ...readdirSync(folder).map((name) => join(folder, name))].filter((path) => (statSync(path).mode & 0o077) !== 0);

/** The platform's process is killed in the middle, started again, and the delivery comes to its end: once. */
describe.skipIf(missing.length > 0)(`killed in the middle${missing.length ? ` (needs ${missing.join(', ')})` : ''}`, () => {
  let stage: Stage;
  let service: TinyService;
  const me = 'provider';
  const desp = async <T>(args: readonly string[]): Promise<T> => {
    const answer = await stage.desp(me, [...args, '--json']);
    demand(answer, `desp ${args.join(' ')}`);
    return JSON.parse(answer.out) as T;
  };
  const up = async () =>
    demand(await stage.desp('operator', ['up', '--data', stage.data, '--port', String(stage.port), '--detach']), 'desp up');
  const newest = async () =>
    (await desp<{ deliveries: Delivery[] }>(['delivery', 'list', '--service', service.name])).deliveries[0] as Delivery;

  /** Kills the server when the delivery is seen in a state, and starts it again. */
  const killWhen = async (what: string, seen: (delivery: Delivery) => boolean) => {
    await eventually(what, async () => {
      const delivery = await newest();
      return seen(delivery) ? { done: true } : { not: delivery.stops.map((stop) => `${stop.name} ${stop.state}`).join(', ') };
    });
    process.kill(Number(readFileSync(join(stage.data, 'holder'), 'utf8')), 'SIGKILL');
    await up();
  };
  const ends = async (version: string) => {
    const { id } = await newest();
    const answer = await stage.desp(me, ['delivery', 'watch', id, '--json', '--timeout', '200'], { timeoutMs: 220_000 });
    demand(answer, `${id} passes after the restart`);
    const { releases } = await desp<{ releases: ReleaseSummary[] }>(['release', 'list', '--service', service.name]);
    const made = releases.filter((release) => release.version === version);
    expect(made).toHaveLength(1);
    expect(made[0]?.deployments.filter((deployment) => deployment.state === 'ready')).toHaveLength(1);
    return id;
  };

  beforeAll(async () => {
    stage = createStage(mkdtempSync(join(tmpdir(), 'desp-killed-')), 9300);
    await up();
    demand(await stage.desp(me, ['login', '--as', me]), 'login');
    const view = await desp<ServiceView>(['service', 'create', 'survivor']);
    service = await tinyService(stage, me, 'survivor', view.gitRemote);
  });
  afterAll(async () => {
    expect((await stage.desp('operator', ['down', '--data', stage.data, '--purge'])).all).toContain('is removed');
    rmSync(stage.folder, { recursive: true, force: true });
  });

  test('in the middle of a build', async () => {
    await service.commit('1.0.0');
    await git(stage, me, service.tree, ['push', '--set-upstream', 'origin', 'main']);
    await killWhen('the build runs', (delivery) => delivery.jobs.some((job) => job.name === 'build-web' && job.state === 'running'));
    const id = await ends('1.0.0');
    const log = (await stage.desp(me, ['delivery', 'logs', id, 'build-web'])).out;
    expect(log.startsWith(runsAnew), log).toBe(true);
    expect(log.match(/^Pushed to quarantine/gm)).toHaveLength(1);
    expect((await newest()).jobs.find((job) => job.name === 'build-web')).toMatchObject({ state: 'success', attempt: 1 });
    expect((await desp<{ deliveries: Delivery[] }>(['delivery', 'list', '--service', service.name])).deliveries).toHaveLength(1);
  });

  test('in the middle of a deployment', async () => {
    await service.commit('1.1.0');
    await git(stage, me, service.tree, ['push']);
    await killWhen('Fleet or the pods are at work', (delivery) =>
      delivery.stops.some((stop) => (stop.name === 'fleet' || stop.name === 'pods') && stop.state === 'running'),
    );
    await ends('1.1.0');
    expect(openToOthers(stage.data)).toEqual([]);
    const exported = join(stage.folder, 'record.json');
    demand(await stage.desp(me, ['release', 'export', service.name, '1.1.0', exported]), 'export');
    demand(await stage.desp(me, ['release', 'verify', exported, '--key', join(stage.data, 'keys/platform.pub')]), 'verify');
    const record = JSON.parse(readFileSync(exported, 'utf8')) as { entries: { kind: string }[] };
    expect(record.entries.map((entry) => entry.kind).sort()).toEqual(['created', 'deployment', 'image', 'manifests', 'source-findings']);
  });
});
