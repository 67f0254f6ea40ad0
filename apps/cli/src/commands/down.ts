import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installation } from '@desp/runtime';
import { CliError } from '../cli-error.ts';
import { type Command, exitCodes, type Io } from '../command.ts';
import { findPlatform, forgetPlatform, type PlatformPlace } from '../session.ts';

export const command: Command = {
  name: 'down',
  summary: 'Stop the rehearsal. With --purge, remove everything that it made: records, images, containers, networks, mounts.',
  arguments: [],
  options: {
    data: { type: 'string', value: 'DIR', help: 'the data folder (default: the last one used, or ./.desp)' },
    purge: { type: 'boolean', help: 'remove the data folder and all that belongs to it' },
  },
  example: 'desp down --purge',
  async run({ values, flags, io }) {
    const place = lastUsed(io, values['data'] !== undefined);
    const data = values['data'] ? resolve(io.cwd, values['data']) : (place?.data ?? resolve(io.cwd, '.desp'));
    const isOurs = marks.some((mark) => existsSync(join(data, mark)));
    if (flags['purge'] && !isOurs && existsSync(data) && readdirSync(data).length > 0) {
      throw new CliError('NOT_STARTED', `${data} is not a rehearsal's data folder, and is left as it is.`, {
        kind: 'user',
        cure: 'Name the folder that desp up was given: desp down --purge --data DIR.',
      });
    }
    const ended = await stopServers(data);
    // What a rehearsal left may lie outside its folder: a purge looks there even when the folder is gone.
    if (flags['purge']) {
      purge(data);
      if (place?.data === data) forgetPlatform(io, place);
    }
    if (!isOurs && ended === 0) io.out('Nothing runs here.\n');
    else io.out(flags['purge'] ? `Stopped, and ${data} is removed.\n` : `Stopped. desp up goes on where it was.\n`);
    return exitCodes.done;
  },
};

/** @param named the folder is named: then a configuration that cannot be read is no hindrance */
function lastUsed(io: Io, named: boolean): PlatformPlace | undefined {
  try {
    return findPlatform(io);
  } catch (error) {
    if (named) return undefined;
    throw error;
  }
}

/** What no other folder has; any of it may be missing. */
const marks = ['lock.db', 'desp.config.yaml', 'holder', 'engine/engine', 'clusters/management'];

/** Takes down what lies outside the folder, in a process that knows the parts, and then the folder. */
function purge(data: string): void {
  const argv = ['--disable-warning=ExperimentalWarning', installation().purge, '--data', data];
  const ended = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: limits.purgeMs, killSignal: 'SIGKILL' });
  if (ended.status !== 0) {
    const why = ended.status === null ? `it took more than ${limits.purgeMs / 1000} s` : ended.stderr.trim().split('\n').at(-1);
    throw new CliError('NOT_STARTED', `What the rehearsal in ${data} left on this machine could not be removed: ${why}`, {
      kind: 'upstream',
      cure: 'Run it again; what was removed stays removed.',
    });
  }
  rmSync(data, { recursive: true, force: true, maxRetries: 5 });
}

const limits = { politeMs: 20_000, killedMs: 5_000, purgeMs: 60_000, lookMs: 50 };

/** Asks every server of this folder to end, and after a while ends it. @returns how many there were */
async function stopServers(data: string): Promise<number> {
  const servers = serversOf(data);
  for (const pid of servers) signal(pid, 'SIGTERM');
  const gone = async (ms: number) => {
    for (let waited = 0; waited < ms && serversOf(data).length > 0; waited += limits.lookMs) await sleep(limits.lookMs);
    return serversOf(data).length === 0;
  };
  if (await gone(limits.politeMs)) return servers.length;
  for (const pid of serversOf(data)) signal(pid, 'SIGKILL');
  if (await gone(limits.killedMs)) return servers.length;
  throw new CliError('NOT_STARTED', `Process ${serversOf(data).join(', ')} does not end.`, { kind: 'upstream' });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile.
  }
}

/**
 * The processes that serve this folder, or purge it. They are known by their arguments, not by a number in a file: that may be
 * gone, or belong to another program by now.
 */
function serversOf(data: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const folder = argv[argv.indexOf('--data') + 1];
        return argv.some((argument) => /\/(platform\.mjs|purge\.mjs|platform\/src\/(purge-)?main\.ts)$/.test(argument)) && folder === data;
      } catch {
        return false;
      }
    });
}
