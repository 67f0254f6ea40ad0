import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delivery, ServiceView } from '@desp/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStage, demand, eventually, git, type Stage, writeText } from './stage.ts';
import { tinyService } from './tiny-service.ts';

const lacking = (programs: readonly string[]) => [
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...programs.filter((program) => spawnSync('which', [program]).status !== 0),
];
const because = (missing: readonly string[]) => (missing.length ? ` (needs ${missing.join(', ')})` : '');
const me = 'provider';

/** A start that cannot succeed says what to do, and leaves nothing half done. */
const missingForStart = lacking(['mount', 'podman']);
describe.skipIf(missingForStart.length > 0)(`a start that cannot succeed${because(missingForStart)}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'desp-start-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const processesWith = (text: string) => spawnSync('pgrep', ['--full', '--list-full', text], { encoding: 'utf8' }).stdout;

  test('a port that another program has is named, with what to do; afterwards the same folder starts', async () => {
    const stage = createStage(join(folder, 'port'), 8300);
    const squatter = createServer().listen(stage.port + 1, '127.0.0.1');
    await new Promise((resolve) => squatter.once('listening', resolve));
    const args = ['up', '--data', stage.data, '--port', String(stage.port), '--detach'];
    const refused = await stage.desp('operator', args);
    demand(refused, 'a taken port is refused', refused.code !== 0);
    expect(refused.err).toContain(`Port ${stage.port + 1}`);
    expect(refused.err).toMatch(/--port PORT/);
    expect(processesWith(stage.data)).toBe('');
    await new Promise((resolve) => squatter.close(resolve));
    demand(await stage.desp('operator', args), 'the same folder starts');
    expect((await stage.desp('operator', ['down', '--data', stage.data, '--purge'])).all).toContain('is removed');
  });

  test('a full disk is named with what is free and what is needed', async () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]).status).toBe(0);
    try {
      const stage = createStage(join(folder, 'full'), 8300);
      const data = join(disk, 'data');
      const refused = await stage.desp('operator', ['up', '--data', data, '--port', '8300', '--detach']);
      demand(refused, 'a full disk is refused', refused.code !== 0);
      expect(refused.err).toMatch(/64 MiB free, and 1024 MiB are needed/);
      expect(refused.err).toMatch(/--data DIR/);
      expect(processesWith(data)).toBe('');
      expect(existsSync(data) ? readdirSync(data).filter((name) => name !== 'platform.log') : []).toEqual([]);
    } finally {
      expect(spawnSync('umount', [disk]).status).toBe(0);
    }
  });
});

/** What a person does to a delivery: play, retry, cancel. */
const missingForJobs = lacking(['git', 'podman', 'runc', 'busybox']);
describe.skipIf(missingForJobs.length > 0)(`a delivery in its provider's hands${because(missingForJobs)}`, () => {
  let stage: Stage;
  let service: ServiceView;
  let tree: string;
  const desp = async <T>(...args: string[]): Promise<T> => {
    const answer = await stage.desp(me, [...args, '--json']);
    demand(answer, `desp ${args.join(' ')}`);
    return JSON.parse(answer.out) as T;
  };
  const jobOf = (delivery: Delivery, name: string) => delivery.jobs.find((job) => job.name === name);
  /** Waits until a job of the delivery is in a state. */
  const untilJob = (id: string, name: string, state: string) =>
    eventually<Delivery>(`${name} is ${state}`, async () => {
      const delivery = await desp<Delivery>('delivery', 'show', id);
      const job = jobOf(delivery, name);
      return job?.state === state ? { done: delivery } : { not: JSON.stringify(job) };
    });
  /** Pushes a pipeline of three own jobs to a branch of its own; the delivery's ID. */
  const push = async (branch: string, script: string): Promise<string> => {
    const pipeline = `by-hand:
  when: manual
  script: ["echo started by hand"]

work:
  script: [${JSON.stringify(script)}]

after:
  needs: [work]
  script: ["echo after"]
`;
    await git(stage, me, tree, ['checkout', '--quiet', '-B', branch]);
    writeText(join(tree, '.gitlab-ci.yml'), pipeline);
    await git(stage, me, tree, ['commit', '--quiet', '--all', '--message', branch]);
    const pushed = await git(stage, me, tree, ['push', 'origin', branch]);
    return /Delivery (d-\d+)/.exec(pushed.err)?.[1] as string;
  };

  beforeAll(async () => {
    stage = createStage(mkdtempSync(join(tmpdir(), 'desp-control-')), 8300);
    demand(await stage.desp('operator', ['up', '--data', stage.data, '--port', '8300', '--detach']), 'desp up');
    demand(await stage.desp(me, ['login', '--as', me]), 'login');
    service = await desp<ServiceView>('service', 'create', 'handled');
    const tiny = await tinyService(stage, me, service.name, service.gitRemote);
    await tiny.commit('1.0.0');
    tree = tiny.tree;
  });
  afterAll(async () => {
    expect((await stage.desp('operator', ['down', '--data', stage.data, '--purge'])).all).toContain('is removed');
    rmSync(stage.folder, { recursive: true, force: true });
  });

  test('a manual job waits for `play`, runs once, and cannot be played twice', async () => {
    const id = await push('manual', 'true');
    await untilJob(id, 'after', 'success');
    expect(jobOf(await desp<Delivery>('delivery', 'show', id), 'by-hand')?.state).toBe('manual');
    await desp('delivery', 'play', id, 'by-hand');
    await untilJob(id, 'by-hand', 'success');
    expect((await stage.desp(me, ['delivery', 'logs', id, 'by-hand'])).out).toContain('started by hand');
    const again = await stage.desp(me, ['delivery', 'play', id, 'by-hand']);
    demand(again, 'a job that ran is not played again', again.code === 1 && /by-hand is success/.test(again.err));
  });

  test('a failed job is run again by `retry`, with what was skipped because of it', async () => {
    const id = await push('failing', 'echo attempt; false');
    await untilJob(id, 'work', 'failed');
    await untilJob(id, 'after', 'skipped');
    await desp('delivery', 'retry', id, 'work');
    const ended = await eventually<Delivery>('the second attempt fails, and with it the delivery', async () => {
      const delivery = await desp<Delivery>('delivery', 'show', id);
      const over = delivery.state === 'failed' && jobOf(delivery, 'work')?.attempt === 2;
      return over ? { done: delivery } : { not: `${delivery.state} ${JSON.stringify(jobOf(delivery, 'work'))}` };
    });
    expect(jobOf(ended, 'after')?.state).toBe('skipped');
    const log = (await stage.desp(me, ['delivery', 'logs', id, 'work'])).out;
    expect(log.match(/^attempt$/gm)).toHaveLength(1);
  });

  test('`cancel` ends what runs within seconds, and what waits', async () => {
    const id = await push('endless', 'sleep 600');
    await untilJob(id, 'work', 'running');
    const began = performance.now();
    await desp('delivery', 'cancel', id);
    const ended = await untilJob(id, 'work', 'canceled');
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(ended.state).toBe('canceled');
    expect(jobOf(ended, 'after')?.state).toBe('canceled');
    expect(spawnSync('pgrep', ['--full', '^sleep 600$'], { encoding: 'utf8' }).stdout).toBe('');
    const again = await stage.desp(me, ['delivery', 'cancel', id]);
    demand(again, 'a second cancel says no', again.code === 1 && /canceled already/.test(again.err));
  });
});
