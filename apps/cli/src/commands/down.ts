import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installation } from '@desp/runtime';
import { CliError } from '../cli-error.ts';
import { type Command, exitCodes } from '../command.ts';
import { findPlatform, forgetPlatform } from '../session.ts';

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
    const place = findPlatform(io);
    const data = values['data'] ? resolve(io.cwd, values['data']) : (place?.data ?? resolve(io.cwd, '.desp'));
    if (!existsSync(join(data, 'lock.db'))) {
      io.out('Nothing runs here.\n');
      return exitCodes.done;
    }
    await stop(data);
    if (flags['purge']) {
      const purge = spawnSync(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', installation().server, '--data', data, '--purge'],
        {
          encoding: 'utf8',
          timeout: 120_000,
          killSignal: 'SIGKILL',
        },
      );
      if (purge.status !== 0)
        throw new CliError('NOT_STARTED', `The rehearsal's leftovers could not be removed: ${purge.stderr.trim().split('\n').at(-1)}`, {
          kind: 'upstream',
        });
      rmSync(data, { recursive: true, force: true });
      if (place?.data === data) forgetPlatform(io, place);
    }
    io.out(flags['purge'] ? `Stopped, and ${data} is removed.\n` : `Stopped. desp up goes on where it was.\n`);
    return exitCodes.done;
  },
};

/** Asks the process that holds the folder to end, and after 20 s ends it. */
async function stop(data: string): Promise<void> {
  const holder = join(data, 'holder');
  const pid = existsSync(holder) ? Number(readFileSync(holder, 'utf8')) : 0;
  if (!pid || !isServer(pid)) return;
  process.kill(pid, 'SIGTERM');
  for (let waited = 0; isServer(pid); waited += 100) {
    if (waited === 20_000) process.kill(pid, 'SIGKILL');
    if (waited > 25_000) throw new CliError('NOT_STARTED', `Process ${pid} does not end.`, { kind: 'upstream' });
    await sleep(100);
  }
}

/** A number in a file may long belong to another program: only one that runs our server is ended. */
function isServer(pid: number): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return line.includes('platform') && line.includes('--data');
  } catch {
    return false;
  }
}
