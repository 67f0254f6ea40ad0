import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@desp/runtime';
import { createEngine, type Engine } from './engine.ts';
import { dockerArchive } from './sandbox-image.ts';
import { mountsUnder } from './volumes.ts';

/** A podman of the tests' own, with its own storage, and an image of busybox in it. */
export interface TestEngine {
  readonly socket: string;
  readonly folder: string;
  readonly engine: Engine;
  stop(): Promise<void>;
}

export const testImage = 'localhost/desp-test-busybox:1';

/** Why tests with containers cannot run here; undefined when they can. */
export function whyNoEngine(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  for (const program of ['/usr/bin/podman', '/usr/sbin/runc', '/bin/busybox']) if (!existsSync(program)) return `needs ${program}`;
  return undefined;
}

export async function startTestEngine(): Promise<TestEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'desp-engine-'));
  for (const part of ['root', 'run', 'work', 'networks']) mkdirSync(join(folder, part));
  const configuration = `[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
network_config_dir = ${JSON.stringify(join(folder, 'networks'))}
`;
  writeFileSync(join(folder, 'containers.conf'), configuration);
  const socket = join(folder, 'podman.sock');
  const env = { ...process.env, CONTAINERS_CONF: join(folder, 'containers.conf') };
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run')];
  const child = spawn('podman', [...storage, 'system', 'service', '--time=0', `unix://${socket}`], {
    cwd: join(folder, 'work'),
    env,
    stdio: 'ignore',
  });
  const engine = createEngine(socket);
  await loadTestImage(engine, child);
  return {
    socket,
    folder,
    engine,
    async stop() {
      for (const { id } of await engine.list({})) await engine.remove(id).catch(() => {});
      child.kill();
      for (const mounted of await mountsUnder(folder)) await run(['umount', mounted]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function loadTestImage(engine: Engine, child: ChildProcess): Promise<void> {
  const applets = ['sh', 'sleep', 'cat', 'ls', 'echo', 'httpd', 'nslookup', 'id', 'dd', 'nc'];
  const script = (name: string) => Buffer.from(`#!/bin/busybox sh\nexec /bin/busybox ${name} "$@"\n`);
  const archive = dockerArchive(
    testImage,
    [
      { path: 'bin/busybox', mode: 0o755, content: readFileSync('/bin/busybox') },
      ...applets.map((name) => ({ path: `bin/${name}`, mode: 0o755, content: script(name) })),
    ],
    { Env: ['PATH=/bin'], Cmd: ['/bin/sh'] },
  );
  const until = performance.now() + 15_000;
  for (;;) {
    try {
      return await engine.loadImage(archive);
    } catch (error) {
      if (performance.now() > until || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
