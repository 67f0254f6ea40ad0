import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStage, demand, eventually, type Stage } from './stage.ts';

const missing = [
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...['podman', 'runc', 'conmon', 'kubectl', 'ip'].filter((program) => spawnSync('which', [program]).status !== 0),
];

/** A rehearsal is taken down in seconds and without a trace, whatever became of it before. */
describe.skipIf(missing.length > 0)(`desp down --purge${missing.length ? ` (needs ${missing.join(', ')})` : ''}`, () => {
  const port = 9360;
  const seconds = 40;
  let stage: Stage;
  const up = async () => demand(await stage.desp('operator', ['up', '--data', stage.data, '--port', String(port), '--detach']), 'desp up');
  const holder = () => Number(readFileSync(join(stage.data, 'holder'), 'utf8'));
  const purge = async () => {
    const began = performance.now();
    const answer = await stage.desp('operator', ['down', '--data', stage.data, '--purge']);
    demand(answer, 'desp down --purge');
    expect((performance.now() - began) / 1000).toBeLessThan(seconds);
    return answer;
  };

  /** A network and a container that runs on it, as a pod's. */
  const startContainer = async () => {
    const socket = join(stage.data, 'engine/engine.sock');
    const podman = ['podman', '--url', `unix://${socket}`] as const;
    const network = await eventually<string>('the pods’ network', async () => {
      const { stdout } = await run([...podman, 'network', 'ls', '--format', '{{.Name}}']);
      const name = stdout
        .toString()
        .split('\n')
        .find((each) => each.startsWith('desp-e2e-'));
      return name !== undefined ? { done: name } : { not: stdout.toString() };
    });
    const image = await eventually<string>('the image of sandboxes', async () => {
      const { stdout } = await run([...podman, 'images', '--quiet']);
      const id = stdout.toString().split('\n')[0];
      return id !== undefined && id !== '' ? { done: id } : { not: stdout.toString() };
    });
    const started = await run([...podman, 'run', '--detach', '--network', network, '--entrypoint', '/bin/busybox', image, 'sleep', '600']);
    expect(started.stderr).toBe('');
  };

  /** All that a rehearsal may leave on the machine, as lines that name this one. */
  const traces = async (): Promise<string[]> => {
    const found: string[] = [];
    const block = Math.floor(port / 100) % 256;
    for (const argv of [
      ['ip', '-oneline', '-4', 'address', 'show'],
      ['ip', 'route', 'show', 'table', 'all'],
    ] as const) {
      const lines = (await run(argv)).stdout.toString().split('\n');
      found.push(...lines.filter((line) => new RegExp(`10\\.(24\\d|9\\d)\\.${block}\\.`).test(line)));
    }
    found.push(
      ...readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(stage.folder)),
    );
    if (existsSync('/run/desp')) found.push(...readdirSync('/run/desp').filter((name) => memoryFolders.has(name)));
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const isContainer =
          readlinkSync(`/proc/${pid}/ns/mnt`) !== readlinkSync('/proc/self/ns/mnt') && line.startsWith('/bin/busybox sleep 600');
        if (line.includes(stage.data) || isContainer) found.push(line);
      } catch {
        // It ended meanwhile.
      }
    }
    return found;
  };

  let memoryFolders: Set<string>;
  beforeAll(() => {
    stage = createStage(mkdtempSync(join(tmpdir(), 'desp-purge-')), port);
    const hash = (name: string) =>
      createHash('sha256')
        .update(join(stage.data, 'clusters', name))
        .digest('hex')
        .slice(0, 6);
    const engine = createHash('sha256').update(join(stage.data, 'engine')).digest('hex').slice(0, 12);
    memoryFolders = new Set(['management', 'e2e', 'prod'].map((name) => `${name}-${hash(name)}`).concat(`engine-${engine}`));
  });
  afterAll(async () => {
    await stage.desp('operator', ['down', '--data', stage.data, '--purge']);
    rmSync(stage.folder, { recursive: true, force: true });
  });

  test('a running rehearsal', async () => {
    await up();
    await startContainer();
    expect(await traces()).not.toEqual([]);
    expect((await purge()).all).toContain('is removed');
    expect(existsSync(stage.data)).toBe(false);
    expect(await traces()).toEqual([]);
  });

  test('a server that was killed, its lock and holder gone, with a container that runs on', async () => {
    await up();
    await startContainer();
    process.kill(holder(), 'SIGKILL');
    for (const file of ['lock.db', 'holder']) rmSync(join(stage.data, file), { force: true });
    await purge();
    expect(await traces()).toEqual([]);
  });

  test('the engine’s files removed under a running server and container', async () => {
    await up();
    await startContainer();
    // Mounts keep some of it: what can go, goes.
    spawnSync('rm', ['-rf', join(stage.data, 'engine')], { stdio: 'ignore' });
    await purge();
    expect(await traces()).toEqual([]);
  });

  test('a configuration that nobody can read', async () => {
    await up();
    writeFileSync(join(stage.data, 'desp.config.yaml'), 'no: configuration');
    await purge();
    expect(existsSync(stage.data)).toBe(false);
  });

  test('nothing at all, and a folder of somebody else’s', async () => {
    expect((await purge()).all).toContain('Nothing runs here');
    const other = stage.path('other');
    mkdirSync(other);
    writeFileSync(join(other, 'thesis.txt'), 'years of work');
    const answer = await stage.desp('operator', ['down', '--data', other, '--purge']);
    expect(answer.code).not.toBe(0);
    expect(answer.all).toContain('is not a rehearsal');
    expect(readFileSync(join(other, 'thesis.txt'), 'utf8')).toBe('years of work');
  });
});
