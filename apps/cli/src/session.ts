import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { CliError } from './cli-error.ts';
import type { Io } from './command.ts';

/**
 * Which platform this command line talks to, and as whom. The platform's configuration is found through `DESP_CONFIG`, the
 * folder `.desp` here, or the last `desp up` (kept in the user's configuration folder); a login is kept per server, mode 0600.
 */
export interface PlatformPlace {
  readonly file: string;
  readonly server: string;
  readonly data: string;
}

const userFolder = (io: Io) => join(io.env['XDG_CONFIG_HOME'] ?? join(io.env['HOME'] ?? homedir(), '.config'), 'desp');

/** The first of: `DESP_CONFIG`, `./.desp`, the last `desp up`; undefined when there is none. */
export function findPlatform(io: Io): PlatformPlace | undefined {
  const last = join(userFolder(io), 'platform');
  const candidates = [
    io.env['DESP_CONFIG'],
    join(io.cwd, '.desp', 'desp.config.yaml'),
    existsSync(last) ? readFileSync(last, 'utf8').trim() : undefined,
  ];
  const named = candidates[0];
  if (named && !existsSync(named)) {
    throw new CliError('NO_PLATFORM', `DESP_CONFIG names ${named}, and there is no such file.`, { kind: 'user', cure: 'Set it to the desp.config.yaml of a data folder.' });
  }
  const file = candidates.find((candidate) => candidate && existsSync(candidate));
  return file ? readPlace(resolve(io.cwd, file)) : undefined;
}

/** Reads the two lines that a client needs; the server checks the file as a whole. */
function readPlace(file: string): PlatformPlace {
  const text = readFileSync(file, 'utf8');
  const server = /^server:\n\s+url: (\S+)$/m.exec(text)?.[1];
  const data = /^data: (\S.*)$/m.exec(text)?.[1];
  if (!server || !data) throw new CliError('NO_PLATFORM', `${file} names no server.`, { kind: 'user', cure: 'Remove it and run desp up, which writes a new one.', where: { file } });
  return { file, server, data: data.replace(/^"(.*)"$/, '$1') };
}

export function rememberPlatform(io: Io, file: string): void {
  writePrivate(join(userFolder(io), 'platform'), `${file}\n`);
}

export function forgetPlatform(io: Io, place: PlatformPlace): void {
  const last = join(userFolder(io), 'platform');
  if (existsSync(last) && readFileSync(last, 'utf8').trim() === place.file) rmSync(last);
  const all = readLogins(io);
  delete all[place.server];
  writePrivate(loginsFile(io), `${JSON.stringify(all, null, 2)}\n`);
}

export function requirePlatform(io: Io): PlatformPlace {
  const place = findPlatform(io);
  if (!place) throw new CliError('NO_PLATFORM', 'No platform is known here.', { kind: 'user', cure: 'Start a rehearsal with desp up, or name a configuration in DESP_CONFIG.' });
  return place;
}

interface Login {
  readonly person: string;
  readonly token: string;
}

const loginsFile = (io: Io) => join(userFolder(io), 'logins.json');

function readLogins(io: Io): Record<string, Login> {
  const file = loginsFile(io);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Login>) : {};
}

export function saveLogin(io: Io, place: PlatformPlace, login: Login): void {
  writePrivate(loginsFile(io), `${JSON.stringify({ ...readLogins(io), [place.server]: login }, null, 2)}\n`);
}

/** `DESP_TOKEN` first, for scripts; then the login of this server. */
export function tokenFor(io: Io, place: PlatformPlace): string | undefined {
  return io.env['DESP_TOKEN'] ?? readLogins(io)[place.server]?.token;
}

function writePrivate(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}
