import { createHash } from 'node:crypto';
import {
  ChartError,
  type Dependency,
  findInIndex,
  type LockedDependency,
  type ProfileName,
  type RepositoryIndex,
  resolveChartUrl,
} from '@desp/chart';
import type { Flags } from '../flags.ts';
import { HelmError, type Output } from '../helm-command.ts';
import type { Connection } from './http.ts';
import { isOci } from './registry.ts';
import { cachedIndexOf, connectionOf, connectionTo, fetchIndex, indexOf, type RepositoryEntry, readRepositories } from './repositories.ts';

/** The repositories that a chart's dependencies name: added to Helm, or given by address. Each index is read once. */
export interface DependencySources {
  /** Dependencies with `@name` and `alias:name` replaced by addresses. @throws HelmError where one is unknown */
  resolveNames(declared: readonly Dependency[], checkLocal: (repository: string) => unknown): Dependency[];
  /** Fetches the indexes that these need, and says so as Helm does. */
  announce(wanted: readonly LockedDependency[]): Promise<void>;
  indexOf(repository: string): Promise<RepositoryIndex>;
  /** The address of a chart's archive. @throws HelmError */
  urlOf(repository: string, name: string, version: string): Promise<string>;
  connectionOf(repository: string): Connection;
}

const isAddress = (repository: string): boolean => /^https?:\/\//.test(repository);
const sameAddress = (a: string, b: string): boolean => a.replace(/\/+$/, '') === b.replace(/\/+$/, '');

/** What Helm calls a repository that only a chart names. */
const unnamed = (repository: string): string => `helm-manager-${createHash('sha256').update(repository).digest('hex')}`;

export function openSources(helm: ProfileName, flags: Flags, io: Output): DependencySources {
  const added = readRepositories(flags);
  const indexes = new Map<string, RepositoryIndex>();
  /** Repositories that were not reached: their cached indexes are taken, as Helm left them. */
  const stale = new Set<string>();
  const entryOf = (repository: string): RepositoryEntry | undefined => added.find(({ url }) => sameAddress(url, repository));

  const sources: DependencySources = {
    resolveNames: (declared, checkLocal) => {
      const missing: string[] = [];
      const resolved = declared.map((wanted) => {
        const { repository } = wanted;
        if (repository.startsWith('file://')) checkLocal(repository);
        if (repository === '' || repository.startsWith('file://') || isOci(repository)) return wanted;
        const alias = /^(?:@|alias:)(.*)$/.exec(repository)?.[1];
        if (alias === undefined) {
          if (!isAddress(repository)) missing.push(repository);
          return wanted;
        }
        const entry = added.find(({ name }) => name === alias);
        if (!entry) missing.push(repository);
        return entry ? { ...wanted, repository: entry.url } : wanted;
      });
      if (missing.length > 0) throw new HelmError(unknownRepositories(missing));
      return resolved;
    },

    announce: async (wanted) => {
      const remote = [...new Set(wanted.map(({ repository }) => repository))].filter(isAddress);
      const known = remote.filter((repository) => entryOf(repository));
      const others = remote.filter((repository) => !entryOf(repository));
      if (others.length > 0) io.out('Getting updates for unmanaged Helm repositories...\n');
      for (const repository of others) await announceOne(repository);
      if (known.length === 0 || flags.isOn('skip-refresh')) return;
      io.out('Hang tight while we grab the latest from your chart repositories...\n');
      for (const repository of known) await refreshOne(repository, entryOf(repository) as RepositoryEntry);
      io.out('Update Complete. ⎈Happy Helming!⎈\n');
    },

    indexOf: async (repository) => {
      const known = indexes.get(repository);
      if (known) return known;
      const entry = entryOf(repository);
      if (stale.has(repository)) return cachedIndexOf(entry?.name ?? unnamed(repository), flags);
      const index =
        entry && flags.isOn('skip-refresh')
          ? await indexOf(entry, flags, helm)
          : await fetchIndex(repository, sources.connectionOf(repository));
      indexes.set(repository, index);
      return index;
    },

    urlOf: async (repository, name, version) => {
      const index = await sources.indexOf(repository);
      const [url] = findInIndex(index, name, version)?.urls ?? [];
      if (url) return resolveChartUrl(repository, url);
      throw new HelmError(
        `could not find : chart ${name} not found in ${repository}: chart "${name}" version "${version}" not found in ${repository} repository`,
      );
    },

    connectionOf: (repository) => {
      const entry = entryOf(repository);
      return entry ? connectionOf(entry, helm) : connectionTo(repository, flags);
    },
  };

  async function refreshOne(repository: string, { name, url }: RepositoryEntry): Promise<void> {
    try {
      await sources.indexOf(repository);
      io.out(`...Successfully got an update from the ${JSON.stringify(name)} chart repository\n`);
    } catch (error) {
      if (!(error instanceof HelmError || error instanceof ChartError)) throw error;
      io.out(`...Unable to get an update from the ${JSON.stringify(name)} chart repository (${url}):\n\t${error.message}\n`);
      stale.add(repository);
    }
  }

  async function announceOne(repository: string): Promise<void> {
    try {
      await sources.indexOf(repository);
    } catch (error) {
      if (!(error instanceof HelmError || error instanceof ChartError)) throw error;
      io.out(`...Unable to get an update from the ${JSON.stringify(repository)} chart repository:\n\t${error.message}\n`);
      stale.add(repository);
      return;
    }
    io.out(`...Successfully got an update from the ${JSON.stringify(repository)} chart repository\n`);
  }

  return sources;
}

function unknownRepositories(missing: readonly string[]): string {
  const text = `no repository definition for ${missing.join(', ')}. Please add them via 'helm repo add'`;
  const isPlainName = missing.some((name) => !name.includes('//') && !name.startsWith('@') && !name.startsWith('alias:'));
  if (!isPlainName) return text;
  return `${text}
Note that repositories must be URLs or aliases. For example, to refer to the "example"
repository, use "https://charts.example.com/" or "@example" instead of
"example". Don't forget to add the repo, too ('helm repo add').`;
}
