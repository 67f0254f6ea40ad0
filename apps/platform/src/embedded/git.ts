import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { acceptPush, accessLevels, createGitHost, type GitAccount, type GitHost, rejectPush } from '@desp/git';
import type { Principal } from '@desp/identity';
import { parseSemVer } from '@desp/model';
import { templateFiles } from '@desp/pipeline';
import type { Profile } from '@desp/procedure';
import type { Clock, Logger } from '@desp/runtime';
import { type DataFolder, writeFileDurably } from '@desp/storage';
import type { Authenticator } from '../authenticator.ts';
import { platformAccount } from '../outside-credentials.ts';
import { repositoryOf } from '../services/names.ts';
import { listen } from './listen.ts';

/** The embedded Git host. It knows who somebody is from the identity provider, and who may do what from its own memberships. */
export interface EmbeddedGit {
  close(): Promise<void>;
}

export interface EmbeddedGitOptions {
  readonly url: string;
  readonly data: DataFolder;
  readonly authenticator: Authenticator;
  readonly profile: Profile;
  readonly clock: Clock;
  readonly log: Logger;
}

export async function startGit(options: EmbeddedGitOptions): Promise<EmbeddedGit> {
  const { authenticator } = options;
  const host = createGitHost({
    root: options.data.file('git'),
    url: options.url,
    clock: options.clock,
    log: options.log,
    authenticate: async (username, password) => accountOf(await authenticator.basic(username, password, 'git')),
    authenticateToken: async (token) => accountOf(await authenticator.bearer(token, 'git')),
    judge(push) {
      // A tag that looks like a version but is none would make a release that nobody can order.
      const wrong = push.updates.find(
        ({ ref, kind }) => kind === 'create' && /^refs\/tags\/v?\d/.test(ref) && !parseSemVer(ref.slice('refs/tags/'.length)),
      );
      if (wrong)
        return rejectPush(`The tag ${wrong.ref.slice('refs/tags/'.length)} is not SemVer 2.0.0: name it X.Y.Z, without a leading v.`);
      return acceptPush;
    },
  });
  await seedTemplates(host, options);
  await host.start();
  const http = createServer((request, response) => {
    host.handler(request, response).catch((error) => {
      options.log.error({ error: String(error) }, 'A Git request failed.');
      response.destroy();
    });
  });
  const listening = await listen(http, new URL(options.url), 'the Git host');
  return {
    async close() {
      await host.close();
      await listening.close();
    },
  };
}

/** The templates are for everybody to read: a pipeline shows what they do. What was written once is not written at every start. */
async function seedTemplates(host: GitHost, { data, profile }: EmbeddedGitOptions): Promise<void> {
  const seed = {
    path: profile.templates.project,
    branch: profile.templates.ref,
    files: Object.fromEntries(
      templateFiles({ templateFiles: profile.templates.files, environments: profile.environments }).map(({ path, text }) => [path, text]),
    ),
    message: `Templates of ${profile.name}`,
    author: { name: 'DESP', email: 'platform@desp.invalid', at: new Date(Date.UTC(2023, 8, 14)) },
  };
  const record = data.file('git', 'templates.sha256');
  const digest = createHash('sha256').update(JSON.stringify(seed)).digest('hex');
  if (existsSync(record) && readFileSync(record, 'utf8') === digest) return;
  await host.seed(seed);
  writeFileDurably(record, digest);
}

/** A job's and a robot's token reads its service's repository, and no other. */
function accountOf(principal: Principal | undefined): GitAccount | undefined {
  switch (principal?.kind) {
    case 'platform':
      return { kind: 'admin', name: platformAccount };
    case 'person':
      return { kind: 'user', name: principal.name };
    case 'job':
    case 'robot': {
      const name = principal.kind === 'job' ? `job of ${principal.pushedBy}` : principal.name;
      return { kind: 'token', name, project: repositoryOf(principal.service), level: accessLevels.reporter };
    }
    case undefined:
      return undefined;
  }
}
