import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, openSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { type Clock, systemClock } from '@desp/runtime';
import { EngineError } from './errors.ts';
import { clearOrphans } from './orphans.ts';
import { engineSocketIn, type Podman, podmanArgv, preparePodman } from './podman.ts';
import { purgeEngine } from './purge-engine.ts';

/** What a machine lacks for containers; each entry says what to install or do. */
export interface EngineReport {
  readonly usable: boolean;
  readonly missing: readonly { readonly what: string; readonly cure: string }[];
}

const programs: readonly (readonly [program: string, cure: string])[] = [
  ['podman', 'Install the package podman.'],
  ['runc', 'Install the package runc.'],
  ['conmon', 'Install the package conmon.'],
  ['buildah', 'Install the package buildah: image builds need it.'],
  ['tar', 'Install the package tar: image builds need it.'],
];

/** Looks at the machine and changes nothing. */
export function detectEngine(): EngineReport {
  const missing = programs.filter(([program]) => !isInstalled(program)).map(([what, cure]) => ({ what, cure }));
  if (process.platform !== 'linux') missing.push({ what: 'Linux', cure: 'Run the rehearsal on Linux or in a Linux machine.' });
  if (process.getuid?.() !== 0) missing.push({ what: 'root', cure: 'Run as root: confined builds need a user namespace of their own.' });
  return { usable: missing.length === 0, missing };
}

/** Whether PATH leads to such a program. Starting each, only to see it start, would be a fifth of a second. */
function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface EngineService {
  readonly podman: Podman;
  /** Docker Engine API; for trusted local use also by `DOCKER_HOST=unix://SOCKET docker build …` (legacy builder). */
  readonly socket: string;
  /** Ends the API service; containers go on. */
  stop(): Promise<void>;
  /** Ends the service and removes every container, network and mount of it, and its folder. */
  purge(): Promise<void>;
}

export interface EngineServiceOptions {
  readonly dataFolder: string;
  /** Contents of registries.conf (containers-registries.conf(5)); read once, at start. */
  readonly registries?: string;
  readonly clock?: Clock;
}

/**
 * Starts `podman system service` on a unix socket in the data folder, or takes over the one that a former process of ours
 * left running. The service outlives us on purpose: so do the containers.
 * @throws EngineError ENGINE_MISSING, ENGINE_FAILED
 */
export async function startEngineService(options: EngineServiceOptions): Promise<EngineService> {
  const { dataFolder, clock = systemClock } = options;
  const report = detectEngine();
  const first = report.missing[0];
  if (first)
    throw new EngineError(
      'ENGINE_MISSING',
      `The container engine cannot start: ${report.missing.map((part) => part.what).join(', ')} missing.`,
      {
        kind: 'user',
        cure: report.missing.map((part) => part.cure).join(' '),
      },
    );
  const podman = preparePodman(dataFolder, options.registries);
  const socket = engineSocketIn(dataFolder);
  if (Buffer.byteLength(socket) > 100)
    throw new EngineError('ENGINE_FAILED', `The socket ${socket} cannot be made: its path is longer than 100 bytes (unix(7)).`, {
      kind: 'user',
      cure: 'Choose a data folder with a shorter path.',
    });
  const pidFile = join(dataFolder, 'engine.pid');
  if (!(await answers(socket))) {
    await rm(socket, { force: true });
    mkdirSync(join(podman.folder, 'work'), { recursive: true });
    const log = openSync(join(dataFolder, 'engine.log'), 'a', 0o600);
    const [program, ...args] = podmanArgv(podman, ['system', 'service', '--time=0', `unix://${socket}`]);
    const child = spawn(program, args, {
      cwd: join(podman.folder, 'work'),
      env: { PATH: process.env['PATH'], ...podman.environment },
      stdio: ['ignore', log, log],
      detached: true,
    });
    child.on('error', () => {});
    child.unref();
    await writeFile(pidFile, String(child.pid ?? 0));
    const deadline = clock.monotonic() + 15_000;
    while (!(await answers(socket))) {
      if (clock.monotonic() > deadline)
        throw new EngineError('ENGINE_FAILED', 'The container engine did not answer within 15 s.', {
          kind: 'upstream',
          cure: `Look at ${join(dataFolder, 'engine.log')}.`,
        });
      await clock.sleep(10);
    }
  }
  await clearOrphans(podman);
  const stop = async () => {
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
    // The number may belong to somebody else by now: only a process that was started with our socket is ended.
    const argv = pid > 1 ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') : '';
    if (argv.split('\0').includes(`unix://${socket}`)) process.kill(pid, 'SIGTERM');
    const deadline = clock.monotonic() + 5000;
    while ((await answers(socket)) && clock.monotonic() < deadline) await clock.sleep(20);
    await rm(socket, { force: true });
    await rm(pidFile, { force: true });
  };
  return {
    podman,
    socket,
    stop,
    async purge() {
      await stop();
      await purgeEngine(dataFolder, { clock });
    },
  };
}

/** Whether a Docker Engine API answers `GET /_ping` there. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping', timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.end();
  });
}
