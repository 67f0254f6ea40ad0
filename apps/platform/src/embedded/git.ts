import { createServer } from 'node:http';
import { acceptPush, createGitServer, type GitServer, rejectPush } from '@desp/git';
import { may, type Principal } from '@desp/identity';
import { parseSemVer } from '@desp/model';
import { templateFiles } from '@desp/pipeline';
import type { Profile } from '@desp/procedure';
import type { Logger } from '@desp/runtime';
import type { DataFolder } from '@desp/storage';
import type { Authenticator } from '../authenticator.ts';
import { platformName } from '../deliveries/record-push.ts';
import { type Listening, listen } from './listen.ts';

/** The embedded Git host: who may do what is asked of the same table as everywhere. */
export interface EmbeddedGit {
  readonly server: GitServer;
  readonly listening: Listening;
}

export interface EmbeddedGitOptions {
  readonly url: string;
  readonly data: DataFolder;
  readonly authenticator: Authenticator;
  readonly profile: Profile;
  readonly log: Logger;
  /** The service of a repository, with its company. */
  readonly serviceOf: (repository: string) => Promise<{ name: string; company: string } | undefined>;
  readonly onPush: (push: { repository: string; pushedBy: string; updates: readonly { ref: string; new: string }[] }) => Promise<string[]>;
}

type GitPrincipal = { readonly name: string; readonly principal: Principal };

export async function startGit(options: EmbeddedGitOptions): Promise<EmbeddedGit> {
  const { authenticator, profile } = options;
  const server = createGitServer<GitPrincipal>({
    root: options.data.file('git'),
    log: options.log,
    async authenticate(username, password) {
      const principal = await authenticator.basic(username, password);
      return principal && { name: nameOf(principal), principal };
    },
    async authorize(caller, repository, access) {
      const path = repository as string;
      if (caller?.principal.kind === 'platform') return 'allow';
      // The templates are for everybody to read: a pipeline shows what they do.
      if (path === profile.templates.project) return access === 'read' && caller ? 'allow' : caller ? 'deny' : 'hide';
      const service = await options.serviceOf(path);
      if (!caller || !service || !may(caller.principal, 'repository.read', { service }).allowed) return 'hide';
      if (access === 'read') return 'allow';
      return may(caller.principal, 'repository.push', { service }).allowed ? 'allow' : 'deny';
    },
    onPush(push) {
      // A tag that looks like a version but is none would make a release that nobody can order.
      const wrong = push.updates.find(
        ({ ref, kind }) => kind === 'create' && /^refs\/tags\/v?\d/.test(ref) && !parseSemVer(ref.slice('refs/tags/'.length)),
      );
      if (wrong)
        return rejectPush(`The tag ${wrong.ref.slice('refs/tags/'.length)} is not SemVer 2.0.0: name it X.Y.Z, without a leading v.`);
      return acceptPush;
    },
    onReceived: (received) =>
      options.onPush({ repository: received.repository as string, pushedBy: received.principal, updates: received.updates }),
  });
  await server.createRepository(profile.templates.project);
  const files = Object.fromEntries(
    templateFiles({ templateFiles: profile.templates.files, environments: profile.environments }).map(({ path, text }) => [path, text]),
  );
  await server.commitFiles(profile.templates.project, profile.templates.ref, files, `Templates of ${profile.name}`, {
    name: 'DESP',
    email: 'platform@desp.invalid',
    at: new Date(Date.UTC(2023, 8, 14)),
  });
  const http = createServer((request, response) => {
    server.handler(request, response).catch((error) => {
      options.log.error({ error: String(error) }, 'A Git request failed.');
      response.destroy();
    });
  });
  const listening = await listen(http, new URL(options.url), 'the Git host');
  return { server, listening };
}

function nameOf(principal: Principal): string {
  switch (principal.kind) {
    case 'platform':
      return platformName;
    case 'person':
    case 'robot':
      return principal.name;
    case 'job':
      return `job of ${principal.pushedBy}`;
  }
}
