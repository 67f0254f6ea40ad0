import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  readonly git: string;
  /** The identity provider. */
  readonly issuer: string;
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
    throw new CliError('NO_PLATFORM', `DESP_CONFIG names ${named}, and there is no such file.`, {
      kind: 'user',
      cure: 'Set it to the desp.config.yaml of a data folder.',
    });
  }
  const file = candidates.find((candidate) => candidate && existsSync(candidate));
  return file ? readPlace(resolve(io.cwd, file)) : undefined;
}

/** Reads the lines that a client needs, without a YAML parser; the server checks the file as a whole. */
function readPlace(file: string): PlatformPlace {
  const text = readFileSync(file, 'utf8');
  const server = /^server:\n\s+url: (\S+)$/m.exec(text)?.[1];
  const data = /^data: (\S.*)$/m.exec(text)?.[1];
  const git = /^git:\n\s+url: (\S+)$/m.exec(text)?.[1];
  const issuer = /^identity:\n\s+issuer: (\S+)$/m.exec(text)?.[1];
  if (!server || !data || !git || !issuer) {
    throw new CliError('NO_PLATFORM', `${file} does not say where the server, Git and the identity provider are.`, {
      kind: 'user',
      cure: 'Remove it and run desp up, which writes a new one.',
      where: { file },
    });
  }
  return { file, server, data: data.replace(/^"(.*)"$/, '$1'), git, issuer };
}

export function rememberPlatform(io: Io, file: string): void {
  writePrivate(join(userFolder(io), 'platform'), `${file}\n`);
}

/** Keeps the platform's public key with the user, so that records are verified against it wherever they are and whatever becomes of the platform. */
export function pinKey(io: Io, file: string): void {
  writePrivate(join(userFolder(io), 'platform.pub'), readFileSync(file, 'utf8'));
}

export function forgetPlatform(io: Io, place: PlatformPlace): void {
  const last = join(userFolder(io), 'platform');
  if (existsSync(last) && readFileSync(last, 'utf8').trim() === place.file) rmSync(last);
  saveLogin(io, place, undefined);
}

export function requirePlatform(io: Io): PlatformPlace {
  const place = findPlatform(io);
  if (!place)
    throw new CliError('NO_PLATFORM', 'No platform is known here.', {
      kind: 'user',
      cure: 'Start a rehearsal with desp up, or name a configuration in DESP_CONFIG.',
    });
  return place;
}

/** What a login leaves behind: access for minutes, and what renews it. */
export interface Login {
  readonly person: string;
  readonly token: string;
  /** When `token` ends. */
  readonly expiresAt: string;
  readonly refreshToken: string;
}

const loginsFile = (io: Io) => join(userFolder(io), 'logins.json');

function readLogins(io: Io): Record<string, Login> {
  const file = loginsFile(io);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Login>) : {};
}

export function saveLogin(io: Io, place: PlatformPlace, login: Login | undefined): void {
  const { [place.server]: _, ...others } = readLogins(io);
  writePrivate(loginsFile(io), `${JSON.stringify(login ? { ...others, [place.server]: login } : others, null, 2)}\n`);
}

export interface AccessToken {
  readonly token: string;
  /** Absent where nobody said. */
  readonly expiresAt?: string;
}

/** `DESP_TOKEN` first, for scripts; then the login of this server, renewed when it is about to end; undefined when there is none. */
export async function accessToken(io: Io, place: PlatformPlace): Promise<AccessToken | undefined> {
  const given = io.env['DESP_TOKEN'];
  if (given) return { token: given };
  const login = readLogins(io)[place.server];
  // A login of an earlier version has nothing to renew it with.
  if (!login?.refreshToken) return undefined;
  if (isFresh(login)) return login;
  // Loaded only when needed: most calls find a fresh token.
  const { refresh } = await import('./login/device-flow.ts');
  return withLock(`${loginsFile(io)}.lock`, async () => {
    // A refresh token is good once: whoever had the lock before may have renewed it.
    const now = readLogins(io)[place.server];
    if (!now || isFresh(now)) return now;
    try {
      const renewed = { person: now.person, ...(await refresh(place.issuer, now.refreshToken)) };
      saveLogin(io, place, renewed);
      return renewed;
    } catch (error) {
      if (error instanceof CliError && error.code === 'NOT_LOGGED_IN') saveLogin(io, place, undefined);
      throw error;
    }
  });
}

const renewBeforeMs = 60_000;
const isFresh = ({ expiresAt }: Login): boolean => Date.parse(expiresAt) - Date.now() > renewBeforeMs;

const lock = { waitMs: 15_000, staleMs: 30_000, pauseMs: 25 };

/** One process at a time; a lock whose owner died is taken over. */
async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const until = Date.now() + lock.waitMs;
  for (;;) {
    try {
      closeSync(openSync(file, 'wx', 0o600));
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
      if (made !== undefined && Date.now() - made > lock.staleMs) rmSync(file, { force: true });
      else if (Date.now() > until) {
        throw new CliError('FILE', `Another desp holds ${file}.`, {
          kind: 'upstream',
          retryable: true,
          cure: 'Try again; remove the file if no desp runs.',
          cause,
        });
      } else await sleep(lock.pauseMs);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function writePrivate(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}
