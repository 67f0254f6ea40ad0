import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, messageOf, run, silentLogger, systemClock } from '@desp/runtime';
import { argumentsOf, containerProcesses, storeProcesses, unescaped } from './engine-processes.ts';
import { engineFolderIn, engineMountOf, podmanRun, preparePodman } from './podman.ts';

const limits = { podmanMs: 20_000, endMs: 5_000 };

/**
 * Removes every container, network, process and mount of a data folder's engine, and its folders, in seconds and whatever is left
 * of it: podman is asked first, for it also takes down what its network program set up; what it cannot (its store is half gone,
 * or it does not answer) is ended and unmounted by hand.
 */
export async function purgeEngine(dataFolder: string, context: { clock?: Clock; log?: Logger } = {}): Promise<void> {
  const { clock = systemClock, log = silentLogger } = context;
  const folder = engineFolderIn(dataFolder);
  const place = engineMountOf(dataFolder);
  // A service that hangs holds the store's locks.
  for (const pid of storeProcesses(place)) if (argumentsOf(pid).includes('service')) end(pid);
  if (existsSync(join(folder, 'root'))) await askPodman(dataFolder, log);
  const deadline = clock.monotonic() + limits.endMs;
  for (let left = processesOf(place); left.length > 0 && clock.monotonic() < deadline; left = processesOf(place)) {
    for (const pid of left) end(pid);
    await clock.sleep(20);
  }
  await unmountBelow(place);
  await rm(place, { recursive: true, force: true, maxRetries: 3 });
  for (const ours of [folder, ...['engine.sock', 'engine.pid', 'engine.log'].map((name) => join(dataFolder, name))])
    await rm(ours, { recursive: true, force: true, maxRetries: 3 });
}

/** Containers before whoever watches them: without a parent of ours they could no longer be told from others. */
const processesOf = (folder: string): number[] => [...containerProcesses(folder), ...storeProcesses(folder)];

async function askPodman(dataFolder: string, log: Logger): Promise<void> {
  const ask = async (...args: string[]): Promise<string> => {
    try {
      const { code, stdout, stderr } = await podmanRun(preparePodman(dataFolder), args, { timeoutMs: limits.podmanMs });
      if (code !== 0) log.warn({ command: args[0], error: stderr.trim().split('\n').at(-1) }, 'podman could not remove everything.');
      return stdout.toString();
    } catch (error) {
      log.warn({ command: args[0], error: messageOf(error) }, 'podman could not be asked.');
      return '';
    }
  };
  await ask('rm', '--all', '--force', '--time', '0', '--volumes');
  // Every network but podman's own default, which has no trace on the machine while nobody uses it.
  const networks = (await ask('network', 'ls', '--quiet')).split('\n').filter((name) => name !== '' && name !== 'podman');
  for (const network of networks) await ask('network', 'rm', '--force', network);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

/** Whatever is still mounted at or below the folder, deepest first: an overlay that stays mounted makes its removal fail (EBUSY). */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => unescaped(line.split(' ')[4] ?? ''))
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);
  for (const point of mounts) await run(['umount', '--lazy', point]);
}
