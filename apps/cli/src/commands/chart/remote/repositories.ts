import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  ChartError,
  findInIndex,
  type IndexEntry,
  maxIndexBytes,
  type RepositoryIndex,
  readRepositoryIndex,
  resolveChartUrl,
} from '@desp/chart';
import { registerSecret } from '@desp/runtime';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Flags } from '../flags.ts';
import { HelmError } from '../helm-command.ts';
import { loginOf } from './credentials.ts';
import { type Connection, download, tlsOf } from './http.ts';
import { repositoryCachePath, repositoryConfigPath } from './places.ts';

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

/** How a repository that the user added is reached. */
export function connectionOf(entry: RepositoryEntry): Connection {
  const file = (path: string): string | undefined => (path ? readFileSync(path, 'utf8') : undefined);
  return {
    login: entry.username && entry.password ? { username: entry.username, password: entry.password } : undefined,
    origin: URL.canParse(entry.url) ? new URL(entry.url).origin : '',
    everywhere: entry.pass_credentials_all,
    ca: file(entry.caFile),
    cert: file(entry.certFile),
    key: file(entry.keyFile),
    insecure: entry.insecure_skip_tls_verify,
  };
}

/** How a repository given by `--repo` is reached. */
export function connectionTo(address: string, flags: Flags): Connection {
  return {
    ...tlsOf(flags),
    login: loginOf(flags),
    origin: URL.canParse(address) ? new URL(address).origin : '',
    everywhere: flags.isOn('pass-credentials'),
  };
}

export async function fetchIndex(address: string, connection: Connection): Promise<RepositoryIndex> {
  return readRepositoryIndex(await download(resolveChartUrl(address, 'index.yaml'), maxIndexBytes, connection));
}

/** The index of an added repository as `helm repo update` left it, or fetched now where Helm has none. */
export async function indexOf(entry: RepositoryEntry, flags: Flags): Promise<RepositoryIndex> {
  const path = join(repositoryCachePath(flags), `${entry.name}-index.yaml`);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return fetchIndex(entry.url, connectionOf(entry));
  if (size > maxIndexBytes) throw new HelmError(`${path} is too large`);
  try {
    return readRepositoryIndex(readFileSync(path));
  } catch (error) {
    if (error instanceof ChartError)
      throw new HelmError(`no cached repo found. (try 'helm repo update'): error loading ${path}: ${error.message}`);
    throw error;
  }
}

export interface FoundChart {
  readonly url: string;
  readonly digest: string;
}

/** A chart in a repository given by its address, with Helm's words for what is missing. @throws HelmError */
export async function findInRepository(address: string, name: string, version: string, connection: Connection): Promise<FoundChart> {
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
  return { url: resolveChartUrl(address, url), digest: found.digest };
}
