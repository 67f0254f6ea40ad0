import { existsSync } from 'node:fs';
import { RepositoryReader } from '@desp/git';
import { CommitId } from '@desp/model';
import { runOk } from '@desp/runtime';
import type { DataFolder } from '@desp/storage';
import { platformAccount } from './outside-credentials.ts';
import { PlatformError } from './platform-error.ts';

/**
 * The control plane's own mirrors of repositories, fetched over smart HTTP: it reads a real GitLab as it reads the embedded
 * host, and never a repository's folder.
 */
export interface Source {
  /** A reader that has this commit; fetches when it is not here yet. */
  at(repository: string, commit: string): Promise<RepositoryReader>;
  /** A reader that knows the refs as they are now. */
  fresh(repository: string): Promise<RepositoryReader>;
  /** Writes an annotated tag to the repository; the same tag on the same commit is fine. Throws PlatformError CONFLICT when it is on another. */
  pushTag(repository: string, name: string, commit: string, message: string): Promise<void>;
}

export interface SourceOptions {
  readonly url: string;
  readonly data: DataFolder;
  readonly token: string;
}

const limits = { fetchSeconds: 300 };

export function createSource({ url, data, token }: SourceOptions): Source {
  // Git reads its configuration from the environment, where `ps` does not show it.
  const authorization = `Authorization: Basic ${Buffer.from(`${platformAccount}:${token}`).toString('base64')}`;
  const env = {
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: authorization,
    GIT_CONFIG_KEY_1: 'credential.helper',
    GIT_CONFIG_VALUE_1: '',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_COMMITTER_NAME: 'DESP',
    GIT_COMMITTER_EMAIL: 'platform@desp.invalid',
  };
  const folderOf = (repository: string) => data.file('mirrors', `${repository.replaceAll('/', '+')}.git`);
  const remoteOf = (repository: string) => `${url}/${repository}.git`;
  const running = new Map<string, Promise<void>>();

  const fetch = (repository: string): Promise<void> => {
    const under = running.get(repository);
    if (under) return under;
    const folder = folderOf(repository);
    const work = (async () => {
      if (!existsSync(folder)) await runOk(['git', 'init', '--quiet', '--bare', folder], { env });
      await runOk(
        ['git', '--git-dir', folder, 'fetch', '--quiet', '--prune', '--no-write-fetch-head', '--', remoteOf(repository), '+refs/*:refs/*'],
        {
          env,
          timeoutMs: limits.fetchSeconds * 1000,
        },
      );
    })().finally(() => running.delete(repository));
    running.set(repository, work);
    return work;
  };

  const has = async (reader: RepositoryReader, commit: string): Promise<boolean> => {
    try {
      return (await reader.resolve(commit)) === commit;
    } catch {
      return false;
    }
  };

  return {
    async at(repository, commit) {
      const reader = new RepositoryReader(folderOf(repository));
      if (existsSync(folderOf(repository)) && (await has(reader, commit))) return reader;
      await fetch(repository);
      if (!(await has(reader, commit))) {
        throw new PlatformError('NOT_FOUND', `The commit ${commit.slice(0, 12)} is not in ${repository}.`, {
          kind: 'user',
          cure: 'Push it again.',
        });
      }
      return reader;
    },
    async fresh(repository) {
      // A fetch under way may have looked before what is asked for came: only one that begins from now on will do.
      await running.get(repository)?.catch(() => {});
      await fetch(repository);
      return new RepositoryReader(folderOf(repository));
    },
    async pushTag(repository, name, commit, message) {
      const folder = folderOf(repository);
      await fetch(repository);
      const reader = new RepositoryReader(folder);
      if ((await reader.tagsOn(CommitId.parse(commit))).includes(name)) return;
      const other = (await reader.listRefs()).find((ref) => ref.name === `refs/tags/${name}`);
      if (other) {
        throw new PlatformError(
          'CONFLICT',
          `The Git tag ${name} stands on ${other.commit ? `commit ${other.commit.slice(0, 12)}` : 'something that is no commit'} already, and a tag never moves: commit ${commit.slice(0, 12)} cannot be released as ${name}.`,
          {
            kind: 'user',
            cure: "Raise the chart's version, or tag this commit with a higher one.",
          },
        );
      }
      await runOk(['git', '--git-dir', folder, 'tag', '--annotate', '--message', message, '--', name, commit], { env });
      await runOk(['git', '--git-dir', folder, 'push', '--quiet', '--', remoteOf(repository), `refs/tags/${name}`], {
        env,
        timeoutMs: limits.fetchSeconds * 1000,
      });
    },
  };
}
