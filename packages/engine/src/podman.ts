import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { ExecError, messageOf, type RunOptions, type RunResult, run, systemClock } from '@desp/runtime';
import { EngineError } from './errors.ts';

/**
 * A podman of the project's own: its images, containers and networks lie in the data folder, its configuration is
 * written by us, and the machine's own containers are neither seen nor touched.
 */
export interface Podman {
  /** All of it, at `engineMountOf` the data folder. */
  readonly folder: string;
  /** Arguments that come before every podman command. */
  readonly globalArguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * cgroup v1 limits hold with runc, not with crun; the default limit of open files is above what a confined machine allows,
 * and a container then fails to start: the limits are those that every machine has.
 */
const containersConf = (folder: string) => `[containers]
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

const storageConf = (folder: string) => `[storage]
driver = "overlay"
graphroot = ${JSON.stringify(join(folder, 'root'))}
runroot = ${JSON.stringify(join(folder, 'run'))}
`;

/** Where the engine of this data folder keeps everything. */
export const engineFolderIn = (dataFolder: string): string => join(dataFolder, 'engine');

/**
 * Where podman is told that everything lies: a second place of the same folder, outside the data folder.
 *
 * The processes of a container with a user namespace come to their files as users of their own, and podman opens every folder
 * above its store for them: +0111 up to the root of the file system, for all users of the machine. That would be the data folder,
 * and the home folder in which it may lie. Above this place there is nothing private. Rejected: opening the data folder and
 * guarding each thing in it; it still leaves the folders above.
 */
export const engineMountOf = (dataFolder: string): string =>
  join('/run/desp', `engine-${createHash('sha256').update(resolve(dataFolder)).digest('hex').slice(0, 12)}`);

/** Where the engine of this data folder answers, or will: who reaches it is root, so it lies outside what podman opens. */
export const engineSocketIn = (dataFolder: string): string => join(dataFolder, 'engine.sock');

/** Puts the folder at its second place, unless it is there already; a machine that was started anew has lost it. */
function mountEngine(dataFolder: string): string {
  const folder = engineFolderIn(dataFolder);
  const place = engineMountOf(dataFolder);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  mkdirSync(place, { recursive: true, mode: 0o711 });
  const [source, there] = [statSync(folder), statSync(place)];
  if (source.ino === there.ino && source.dev === there.dev) return place;
  const mounted = spawnSync('mount', ['--bind', '--make-private', folder, place], { encoding: 'utf8' });
  if (mounted.status !== 0)
    throw new EngineError('ENGINE_FAILED', `The engine's folder ${folder} could not be mounted at ${place}: ${mounted.stderr.trim()}`, {
      kind: 'upstream',
    });
  return place;
}

/** Writes the configuration below `dataFolder` and says how to call podman with it; starts nothing. */
export function preparePodman(dataFolder: string, registries = 'unqualified-search-registries = []\n'): Podman {
  const folder = mountEngine(dataFolder);
  for (const part of ['root', 'run', 'tmp', 'networks', 'work', 'home']) mkdirSync(join(folder, part), { recursive: true, mode: 0o711 });
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const environment = {
    CONTAINERS_CONF: file('containers.conf', containersConf(folder)),
    CONTAINERS_STORAGE_CONF: file('storage.conf', storageConf(folder)),
    CONTAINERS_REGISTRIES_CONF: file('registries.conf', registries),
    HOME: join(folder, 'home'),
    TMPDIR: join(folder, 'tmp'),
  };
  file('policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}\n');
  return {
    folder,
    globalArguments: ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--log-level', 'error'],
    environment,
  };
}

const removeAttempts = 4;

export const podmanArgv = (podman: Podman, args: readonly string[]): [string, ...string[]] => [
  'podman',
  ...podman.globalArguments,
  ...args,
];

/** Starts a podman command whose streams the caller serves. */
export function spawnPodman(podman: Podman, args: readonly string[], cwd: string): ChildProcessByStdio<Writable, Readable, Readable> {
  const [program, ...rest] = podmanArgv(podman, args);
  return spawn(program, rest, {
    cwd,
    env: { PATH: process.env['PATH'], ...podman.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
}

/** @returns the exit code; -1 when it could not be started or was killed */
export const ended = (child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<number> =>
  new Promise((resolve) => {
    child.on('error', () => resolve(-1));
    child.on('close', (code) => resolve(code ?? -1));
  });

/** Runs a podman command; the exit code is part of the answer. podman leaves files in its working folder: it gets one of ours. */
export async function podmanRun(podman: Podman, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  try {
    return await run(podmanArgv(podman, args), {
      cwd: join(podman.folder, 'work'),
      ...options,
      env: { ...podman.environment, ...options.env },
    });
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    if (error.code === 'NOT_FOUND')
      throw new EngineError('ENGINE_MISSING', error.message, { kind: 'user', cure: 'Install podman.', cause: error });
    if (error.code === 'CANCELED') throw new EngineError('CANCELED', `podman ${args[0]} was canceled.`, { kind: 'user', cause: error });
    throw new EngineError('ENGINE_FAILED', `podman ${args[0]}: ${messageOf(error)}`, { kind: 'upstream', retryable: true, cause: error });
  }
}

/** @throws EngineError ENGINE_FAILED with the end of standard error */
export async function podmanOk(podman: Podman, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await podmanRun(podman, args, options);
  if (result.code === 0) return result;
  const tail = result.stderr.trim().split('\n').slice(-3).join(' ');
  throw new EngineError('ENGINE_FAILED', `podman ${args[0]} ended with ${result.code}: ${tail}`, { kind: 'upstream' });
}

/**
 * Removes a container, running or not; nothing happens when there is none. Right after a container's end its own clean-up
 * may still hold its file system: then once more.
 * @throws EngineError ENGINE_FAILED when it stays
 */
export async function removeContainer(podman: Podman, name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const remove = ['rm', '--force', '--ignore', '--time', '0', '--volumes', name];
    if (attempt === removeAttempts) return void (await podmanOk(podman, remove));
    if ((await podmanRun(podman, remove)).code === 0) return;
    await systemClock.sleep(100 * attempt);
  }
}
