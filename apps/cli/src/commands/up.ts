import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlatformStatus } from '@desp/model';
import { installation, isBundleStale } from '@desp/runtime';
import { CliError } from '../cli-error.ts';
import { createApiClient } from '../client.ts';
import { type Command, exitCodes, type Io } from '../command.ts';
import { findPlatform, pinKey, rememberPlatform } from '../session.ts';

export const command: Command = {
  name: 'up',
  summary: 'Start the rehearsal: the whole platform on this machine.',
  arguments: [],
  options: {
    data: { type: 'string', value: 'DIR', help: 'the data folder (default: the last one used, or ./.desp)' },
    port: { type: 'string', value: 'PORT', help: 'the first of some sixty ports, when the folder is new (default 7300)' },
    detach: { type: 'boolean', short: 'd', help: 'return once it is ready, and leave it running' },
  },
  example: 'desp up --detach',
  notes: 'What was under way when it last ended goes on. desp down stops it.',
  async run({ values, flags, io }) {
    const data = resolve(io.cwd, values['data'] ?? findPlatform(io)?.data ?? '.desp');
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const config = join(data, 'desp.config.yaml');
    const args = [installation().server, '--data', data, ...(values['port'] ? ['--port', values['port']] : [])];
    if (await isUp(config)) {
      rememberPlatform(io, config);
      io.out('It runs already.\n');
      await greet(io, config);
      return exitCodes.done;
    }
    const logFile = join(data, 'platform.log');
    const log = openSync(logFile, 'a', 0o600);
    const child = spawn(process.execPath, [...nodeFlags, ...args], {
      detached: flags['detach'] === true,
      stdio: ['ignore', log, log, 'ipc'],
      // Compiled code is kept between starts: loading the server then takes a third. Memory that threads take in arenas of their
      // own is never given back: two are enough.
      env: {
        ...process.env,
        MALLOC_ARENA_MAX: '2',
        NODE_COMPILE_CACHE: join(io.env['XDG_CACHE_HOME'] ?? join(io.env['HOME'] ?? homedir(), '.cache'), 'desp', 'server'),
      },
    });
    closeSync(log);
    io.err(`Starting the rehearsal in ${data}\n`);
    warnOfStaleBundle(io);
    const outcome = await started(child, (what) => io.err(`  ${what}\n`));
    if (outcome !== 'ready') throw new CliError('NOT_STARTED', outcome.message, { kind: 'user', cure: outcome.cure ?? `See ${logFile}.` });
    rememberPlatform(io, config);
    pinKey(io, join(data, 'keys', 'platform.pub'));
    await greet(io, config);
    if (flags['detach']) {
      child.disconnect();
      child.unref();
      return exitCodes.done;
    }
    io.out('It runs until you press Ctrl-C.\n');
    const stop = () => child.kill('SIGTERM');
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    const code = await new Promise<number | null>((done) => child.once('exit', done));
    return code === 0 ? exitCodes.done : exitCodes.broken;
  },
};

/** Looks while the server starts, so that it costs no time. */
function warnOfStaleBundle(io: Io): void {
  if (!isBundleStale()) return;
  const what = installation().bundled ? 'The bundle that runs' : "The jobs' command line, a bundle,";
  io.err(`${what} is of other sources than those here. npm run build makes it anew; DESP_FROM_SOURCE=1 runs the sources.\n`);
}

/** A young generation of 4 MiB: measured, 28 MB less at rest, and a start takes no more processor time than before. */
const nodeFlags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'];

type Outcome = 'ready' | { message: string; cure?: string };

/** The server says over the channel when it is ready, or why it could not start. */
async function started(child: ReturnType<typeof spawn>, onProgress: (what: string) => void): Promise<Outcome> {
  const said = new Promise<Outcome>((done) => {
    child.on('message', (message: { ready?: true; progress?: string; failed?: { message: string; cure?: string } }) => {
      if (message.progress) onProgress(message.progress);
      if (message.ready) done('ready');
      else if (message.failed) done(message.failed);
    });
    child.once('exit', (code, signal) => done({ message: `The platform ended while it started (${signal ?? `code ${code}`}).` }));
  });
  const timeout = new AbortController();
  const outcome = await Promise.race([
    said,
    sleep(120_000, undefined, { signal: timeout.signal }).then(() => ({ message: 'The platform did not become ready within 120 s.' })),
  ]);
  timeout.abort();
  if (outcome !== 'ready') child.kill('SIGTERM');
  return outcome;
}

/** True when the platform of this configuration answers: then there is nothing to start. */
async function isUp(config: string): Promise<boolean> {
  if (!existsSync(config)) return false;
  const server = serverOf(config);
  const data = join(config, '..');
  try {
    return resolve((await createApiClient(server).get<PlatformStatus>('/api/status')).data) === resolve(data);
  } catch {
    return false;
  }
}

const serverOf = (config: string): string => /^server:\n\s+url: (\S+)$/m.exec(readFileSync(config, 'utf8'))?.[1] ?? '';

async function greet(io: Io, config: string): Promise<void> {
  const status = await createApiClient(serverOf(config), undefined).get<PlatformStatus>('/api/status');
  const missing = status.parts.filter((part) => part.state !== 'ready');
  io.out(`The rehearsal runs: ${serverOf(config)}\n`);
  for (const part of missing) io.out(`  ${part.name}: ${part.detail}\n`);
  io.out('Next: desp login --as provider, then desp service create my-service. All addresses: desp status.\n');
}
