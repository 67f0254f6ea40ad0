import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryFile } from '@desp/fleet';
import { RepositoryReader } from '@desp/git';
import { CommitId } from '@desp/model';
import { type Clock, mask, messageOf, run } from '@desp/runtime';
import { ControllerError } from '../controller-error.ts';
import { isCommit } from './git-repo-source.ts';

/**
 * Fetches one commit of a repository and reads its files.
 *
 * Each GitRepo has a folder; in it lies a bare repository of the newest commit, alone and shallow. A fetch goes into a folder
 * beside it and is renamed when whole, so that a kill leaves nothing half done and nothing old piles up. Git gets credentials
 * through its environment, never in its arguments, and follows no redirect with them.
 */
export interface FetchRequest {
  readonly folder: string;
  readonly url: string;
  readonly commit: string;
  readonly access: RemoteAccess;
}

export interface RemoteAccess {
  readonly credentials?: { readonly username: string; readonly password: string };
  /** PEM of authorities to trust instead of the system's. */
  readonly certificateAuthority?: string;
}

export interface GitLimits {
  readonly timeoutMs: number;
  /** Bytes that a fetch may take on disk. */
  readonly fetchBytes: number;
  /** Bytes of all files that are read. */
  readonly readBytes: number;
}

export const standardGitLimits: GitLimits = { timeoutMs: 120_000, fetchBytes: 512 * 1024 * 1024, readBytes: 64 * 1024 * 1024 };

/** The folder of a GitRepo below `root`. */
export function repositoryFolder(root: string, key: string): string {
  return join(root, shortHash(key));
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 20);

/**
 * The commit that a branch or tag names now.
 * @throws ControllerError INVALID when there is no such name, UPSTREAM when the host does not answer
 */
export async function resolveRevision(
  url: string,
  revision: string,
  access: RemoteAccess,
  options: { folder: string; limits: GitLimits; signal: AbortSignal },
): Promise<string> {
  if (isCommit(revision)) return revision;
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const names = [`refs/heads/${revision}`, `refs/tags/${revision}`];
  const patterns = [...names, `${names[1]}^{}`];
  const { stdout } = await remoteGit(['ls-remote', '--quiet', '--', url, ...patterns], url, access, options);
  const found = new Map(
    stdout
      .toString()
      .split('\n')
      .map((line) => line.split('\t').reverse() as [string, string]),
  );
  const commit = found.get(names[0]!) ?? found.get(`${names[1]}^{}`) ?? found.get(names[1]!);
  if (isCommit(commit)) return commit;
  throw new ControllerError('INVALID', `${url} has no branch or tag ${revision}.`, {
    kind: 'user',
    cure: 'Push it, or name another one in the GitRepo.',
  });
}

/** Brings the commit onto this machine, where it is not yet. @returns a reader of it */
export async function fetchCommit(
  request: FetchRequest,
  options: { clock: Clock; limits: GitLimits; signal: AbortSignal },
): Promise<RepositoryReader> {
  const { folder, url, commit, access } = request;
  const name = `${CommitId.parse(commit)}-${shortHash(url)}.git`;
  const whole = join(folder, name);
  const known = await readdir(folder).catch((): string[] => []);
  if (!known.includes(name)) {
    const fresh = join(folder, 'fetching.git');
    await rm(fresh, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const guard = new AbortController();
    const local = { ...options, folder, signal: AbortSignal.any([options.signal, guard.signal]) };
    await remoteGit(['init', '--quiet', '--bare', '--template=', fresh], url, {}, local);
    const watching = watchSize(fresh, options, guard);
    try {
      const refspec = `+${commit}:refs/heads/fetched`;
      const fetch = ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--', url, refspec];
      await remoteGit([`--git-dir=${fresh}`, ...fetch], url, access, local);
    } catch (error) {
      if (guard.signal.aborted && !options.signal.aborted) throw guard.signal.reason;
      throw error;
    } finally {
      guard.abort();
      await watching;
    }
    await rename(fresh, whole);
  }
  for (const other of known) if (other.endsWith('.git') && other !== name) await rm(join(folder, other), { recursive: true, force: true });
  return new RepositoryReader(whole);
}

/**
 * The files below `paths` (globs; default all).
 * @throws ControllerError INVALID when a symbolic link or submodule lies there; GitError UNSAFE_TREE, TOO_LARGE
 */
export async function readFilesBelow(
  reader: RepositoryReader,
  commit: string,
  paths: readonly string[] | undefined,
  limits: GitLimits,
): Promise<RepositoryFile[]> {
  const roots = (paths?.length ? paths : ['']).map(fixedPart);
  const isBelow = (path: string): boolean => roots.some((root) => root === '' || path === root || path.startsWith(`${root}/`));
  const entries = (await reader.readTree(CommitId.parse(commit))).filter((entry) => isBelow(entry.path));
  const other = entries.find((entry) => entry.kind === 'symlink' || entry.kind === 'submodule');
  if (other) {
    throw new ControllerError(
      'INVALID',
      `${other.path} is a ${other.kind === 'symlink' ? 'symbolic link' : 'submodule'}; a repository of the platform holds none.`,
      {
        kind: 'user',
        cure: 'Put the files themselves there.',
        where: { file: other.path },
      },
    );
  }
  return reader.readFiles(entries, limits.readBytes);
}

/** What stands before the first glob, in whole folders. */
function fixedPart(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const glob = parts.findIndex((part) => /[*?[\\]/.test(part));
  return (glob < 0 ? parts : parts.slice(0, glob)).join('/');
}

/** Git itself bounds neither a fetch's bytes nor its time. */
async function watchSize(folder: string, { clock, limits }: { clock: Clock; limits: GitLimits }, guard: AbortController): Promise<void> {
  while (!guard.signal.aborted) {
    if ((await sizeOf(join(folder, 'objects'))) > limits.fetchBytes) {
      guard.abort(
        new ControllerError('INVALID', `The commit takes more than ${limits.fetchBytes} bytes; Fleet fetches no more.`, {
          kind: 'user',
          cure: 'Keep large files out of the repository.',
        }),
      );
    }
    await clock.sleep(200, guard.signal).catch(() => {});
  }
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name)).catch(() => undefined)),
  );
  return sizes.reduce((sum, info) => sum + (info?.size ?? 0), 0);
}

async function remoteGit(
  args: readonly string[],
  url: string,
  access: RemoteAccess,
  { folder, limits, signal }: { folder: string; limits: GitLimits; signal: AbortSignal },
) {
  const settings: [string, string][] = [
    ['protocol.allow', 'never'],
    ['protocol.http.allow', 'always'],
    ['protocol.https.allow', 'always'],
    ['http.followRedirects', 'false'],
    ['http.lowSpeedLimit', '1000'],
    ['http.lowSpeedTime', '30'],
    ['fetch.fsckObjects', 'true'],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
  ];
  if (access.credentials) {
    const { username, password } = access.credentials;
    const basic = Buffer.from(`${username}:${password}`).toString('base64');
    settings.push([`http.${new URL(url).origin}/.extraHeader`, `Authorization: Basic ${basic}`]);
  }
  if (access.certificateAuthority !== undefined) {
    const file = join(folder, 'ca.pem');
    await writeFile(file, access.certificateAuthority, { mode: 0o600 });
    settings.push(['http.sslCAInfo', file]);
  }
  const result = await run(['git', ...args], {
    timeoutMs: limits.timeoutMs,
    signal,
    env: {
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      HOME: '/nonexistent',
      LC_ALL: 'C.UTF-8',
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(
        settings.flatMap(([key, value], index) => [
          [`GIT_CONFIG_KEY_${index}`, key],
          [`GIT_CONFIG_VALUE_${index}`, value],
        ]),
      ),
    },
  }).catch((cause) => {
    signal.throwIfAborted();
    throw new ControllerError('UPSTREAM', `git ${args.find((arg) => !arg.startsWith('-'))} of ${url} failed: ${messageOf(cause)}`, {
      kind: 'upstream',
      retryable: true,
      cause,
    });
  });
  if (result.code === 0) return result;
  const said = mask(result.stderr.trim().split('\n').slice(-3).join(' ')).slice(0, 1000);
  throw new ControllerError('UPSTREAM', `Cannot read ${url}: ${said || `git ended with ${result.code}`}`, {
    kind: 'upstream',
    retryable: true,
    cure: 'Check the address, and the credentials in the secret that clientSecretName names.',
  });
}
