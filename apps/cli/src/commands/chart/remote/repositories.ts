import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  ChartError,
  findInIndex,
  type IndexEntry,
  maxIndexBytes,
  type ProfileName,
  type RepositoryIndex,
  readRepositoryIndex,
  resolveChartUrl,
} from '@desp/chart';
import { registerSecret } from '@desp/runtime';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Flags } from '../flags.ts';
import { HelmError } from '../helm-command.ts';
import { type Login, loginOf } from './credentials.ts';
import { type Connection, download } from './http.ts';
import { repositoryCachePath, repositoryConfigPath } from './places.ts';
import { readTls, tlsOf } from './tls-files.ts';

/** Repositories of charts: those that the user added to Helm, and those named by address. */

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const Entry = z.object({
  name: text,
  url: text,
  username: text,
  password: text,
  certFile: text,
  keyFile: text,
  caFile: text,
  insecure_skip_tls_verify: flag,
  pass_credentials_all: flag,
});
const RepositoryFile = z.object({
  repositories: z
    .array(Entry)
    .nullish()
    .transform((list) => list ?? []),
});

export type RepositoryEntry = z.infer<typeof Entry>;

const maxConfigBytes = 5 * 1024 * 1024;

/** Helm's repositories.yaml; none where there is no such file. @throws HelmError */
export function readRepositories(flags: Flags): RepositoryEntry[] {
  const path = repositoryConfigPath(flags);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return [];
  if (size > maxConfigBytes) throw new HelmError(`${path} is too large`);
  try {
    const { repositories } = RepositoryFile.parse(parse(readFileSync(path, 'utf8'), { maxAliasCount: 100 }) ?? {});
    for (const { password } of repositories) if (password) registerSecret(password);
    return repositories;
  } catch {
    throw new HelmError(`couldn't load repositories file (${path}): it is not what helm repo add writes`);
  }
}

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : '');

const loginIn = ({ username, password }: RepositoryEntry): Login | undefined => (username && password ? { username, password } : undefined);

/** How a repository that the user added is reached, by what repositories.yaml says alone. @throws HelmError */
export function connectionOf(entry: RepositoryEntry, helm: ProfileName): Connection {
  return {
    login: loginIn(entry),
    origin: originOf(entry.url),
    everywhere: entry.pass_credentials_all,
    ...readTls({ ...entry, insecure: entry.insecure_skip_tls_verify }, helm),
  };
}

/**
 * How a chart of such a repository is pulled: where repositories.yaml says nothing, flags do. That the server's
 * certificate need not be looked at counts there for the index and for dependencies; here only a flag says so.
 *
 * @throws HelmError
 */
export function chartConnectionOf(entry: RepositoryEntry, flags: Flags, helm: ProfileName): Connection {
  const login = loginIn(entry);
  const hasFiles = entry.caFile !== '' || entry.certFile !== '' || entry.keyFile !== '';
  const fromFlags = tlsOf(flags);
  return {
    login: login ?? loginOf(flags),
    origin: originOf(entry.url),
    everywhere: login ? entry.pass_credentials_all : flags.isOn('pass-credentials'),
    ...(hasFiles ? readTls({ ...entry, insecure: fromFlags.insecure }, helm) : fromFlags),
  };
}

/** How a repository given by `--repo` is reached. */
export function connectionTo(address: string, flags: Flags): Connection {
  return {
    ...tlsOf(flags),
    login: loginOf(flags),
    origin: originOf(address),
    everywhere: flags.isOn('pass-credentials'),
  };
}

export async function fetchIndex(address: string, connection: Connection): Promise<RepositoryIndex> {
  return readRepositoryIndex(await download(resolveChartUrl(address, 'index.yaml'), maxIndexBytes, connection));
}

const cachePathOf = (name: string, flags: Flags): string => join(repositoryCachePath(flags), `${name}-index.yaml`);

/** The index of an added repository as `helm repo update` left it, or fetched now where Helm has none. */
export async function indexOf(entry: RepositoryEntry, flags: Flags, helm: ProfileName): Promise<RepositoryIndex> {
  const path = cachePathOf(entry.name, flags);
  if (!existsSync(path)) return fetchIndex(entry.url, connectionOf(entry, helm));
  return readCached(path, 'no cached repo found');
}

/** The same, where it cannot be fetched. @throws HelmError */
export const cachedIndexOf = (name: string, flags: Flags): RepositoryIndex =>
  readCached(cachePathOf(name, flags), `no cached repository for ${name} found`);

function readCached(path: string, problem: string): RepositoryIndex {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new HelmError(`${problem}. (try 'helm repo update'): open ${path}: no such file or directory`);
  if (size > maxIndexBytes) throw new HelmError(`${path} is too large`);
  try {
    return readRepositoryIndex(readFileSync(path));
  } catch (error) {
    if (error instanceof ChartError) throw new HelmError(`${problem}. (try 'helm repo update'): error loading ${path}: ${error.message}`);
    throw error;
  }
}

/** Go refuses such an address, where JavaScript takes it as it stands. */
const wronglyEscaped = /%(?![0-9a-fA-F]{2}).{0,2}/;
export const isWronglyEscaped = (url: string): boolean => wronglyEscaped.test(url);

export interface FoundChart {
  readonly url: string;
  readonly version: string;
}

/** A chart in a repository given by its address, with Helm's words for what is missing. @throws HelmError */
export async function findInRepository(address: string, name: string, version: string, connection: Connection): Promise<FoundChart> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1]?.toLowerCase() ?? '';
  if (scheme !== 'http' && scheme !== 'https') throw new HelmError(`could not find protocol handler for: ${scheme}`);
  let index: RepositoryIndex;
  try {
    index = await fetchIndex(address, connection);
  } catch (error) {
    if (!(error instanceof HelmError || error instanceof ChartError)) throw error;
    throw new HelmError(`looks like ${JSON.stringify(address)} is not a valid chart repository or cannot be reached: ${error.message}`);
  }
  const what = `chart ${JSON.stringify(name)}${version ? ` version ${JSON.stringify(version)}` : ''}`;
  let found: IndexEntry | undefined;
  try {
    found = findInIndex(index, name, version);
  } catch (error) {
    if (!(error instanceof ChartError)) throw error;
  }
  if (!found) throw new HelmError(`${what} not found in ${address} repository`);
  const [url] = found.urls;
  if (!url) throw new HelmError(`${what} has no downloadable URLs`);
  const [wrong] = wronglyEscaped.exec(url) ?? [];
  if (wrong) {
    const why = `parse ${JSON.stringify(url)}: invalid URL escape ${JSON.stringify(wrong)}`;
    throw new HelmError(`failed to make chart URL absolute: failed to parse ${url} as URL: ${why}`);
  }
  return { url: resolveChartUrl(address, url), version: found.version };
}
