import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type Clock, type Logger, silentLogger, systemClock } from '@desp/runtime';
import type { TransferLimits } from '../http-backend.ts';
import { acceptPush, type Push, type PushDecision, type ReceivedPush, rejectPush } from '../push.ts';
import type { RepositoryReader } from '../reader.ts';
import { parseRepositoryPath, type RepositoryPath } from '../repository-path.ts';
import { createGitServer, type GitServer } from '../server.ts';
import type { Signature } from '../writer.ts';
import { Access, type GitAccount } from './access.ts';
import { createGitLabApi, isApiPath } from './api.ts';
import type { ApiContext } from './call.ts';
import { Directory, type GroupRow, type ProjectRow } from './directory.ts';
import { HookQueue } from './hook-queue.ts';
import { isTagUpdate, pushEvent } from './push-event.ts';

export interface GitHostOptions {
  /** A folder of our own; made when missing. */
  readonly root: string;
  /** The public address: clone addresses and webhooks name it. */
  readonly url: string;
  /** Who presents this user name and password or token (RFC 7617). Compares in constant time. */
  authenticate(username: string, password: string): Promise<GitAccount | undefined> | GitAccount | undefined;
  /** Whose API token this is. Compares in constant time. */
  authenticateToken(token: string): Promise<GitAccount | undefined> | GitAccount | undefined;
  /** A rule of the instance for every push (GitLab's "server hooks"), after the host's own. */
  readonly judge?: (push: Push<NamedAccount>) => PushDecision | Promise<PushDecision>;
  readonly limits?: TransferLimits;
  /** Milliseconds for one call of a webhook; default 10,000, as in GitLab. */
  readonly hookTimeoutMs?: number;
  readonly clock?: Clock;
  readonly log?: Logger;
}

export type NamedAccount = { readonly name: string; readonly account: GitAccount };

/** What an instance has in it before anybody comes: a project that all who are logged in may read. */
export interface SeedProject {
  readonly path: string;
  readonly branch: string;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly message: string;
  readonly author: Signature;
}

/** The embedded GitLab. Everything else than its start comes to it over HTTP. */
export interface GitHost {
  /** Answers `/api/v4` and smart HTTP; anything else gets 404. */
  handler(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Safe to repeat; the same files make no commit. */
  seed(project: SeedProject): Promise<void>;
  /** To call once, before `handler`: takes up pushes and webhook calls that a former process left. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A small GitLab: smart HTTP on the installed Git, the part of the REST API that makes and rules groups, projects, members,
 * protected tags and webhooks, and the webhooks themselves. Memberships decide who may do what.
 *
 * A push is promised nothing before it is safe: it stands in the push journal before Git moves a ref, from there its webhook
 * calls go to the queue on disk, and only then does the journal forget it.
 *
 * @throws GitError TABLE_UNREADABLE
 */
export function createGitHost(options: GitHostOptions): GitHost {
  const { root, clock = systemClock, log = silentLogger } = options;
  const url = options.url.replace(/\/+$/, '');
  const server: GitServer = createGitServer<NamedAccount>({
    root,
    log,
    ...(options.limits ? { limits: options.limits } : {}),
    async authenticate(username, password) {
      const account = await options.authenticate(username, password);
      return account && { name: account.name, account };
    },
    authorize: (caller, path, wanted) => access.toCode(caller?.account, directory.projectAt(path), wanted),
    onPush: (push) => judge(push),
    onReceived: (push) => announce(push),
  });
  const directory = Directory.open(join(root, 'gitlab.sqlite'));
  const access = new Access(directory);
  const queue = new HookQueue({ directory, clock, log, url, timeoutMs: options.hookTimeoutMs ?? 10_000 });
  const context: ApiContext = {
    directory,
    access,
    clock,
    url,
    createRepository: (path) => server.createRepository(path),
    reader: (path) => server.reader(path),
  };
  let started = false;
  const api = createGitLabApi({ ...context, authenticateToken: (token) => options.authenticateToken(token), log });

  /** Protected tags: several rules on one tag add up, the most open one counts (GitLab, "Protected tags: wildcard"). */
  const judge = async (push: Push<NamedAccount>): Promise<PushDecision> => {
    const project = directory.projectAt(push.repository);
    const rules = project ? directory.tagRules(project.id) : [];
    const level = project ? access.onProject(push.principal.account, project) : 0;
    for (const update of push.updates.filter(isTagUpdate)) {
      const name = update.ref.slice('refs/tags/'.length);
      const matching = rules.filter((rule) => matchesWildcard(rule.name, name));
      if (matching.length > 0 && !matching.some((rule) => rule.level > 0 && level >= rule.level))
        return rejectPush('GitLab: You are not allowed to create this tag as it is protected.');
    }
    return (await options.judge?.(push)) ?? acceptPush;
  };

  const announce = async (push: ReceivedPush): Promise<readonly string[]> => {
    const project = directory.projectAt(push.repository);
    if (!project) return [];
    const hooks = directory.hooks(project.id);
    const reader: RepositoryReader = server.reader(push.repository);
    const calls: { hook: (typeof hooks)[number]; kind: string; body: string }[] = [];
    for (const update of push.updates) {
      const wanted = hooks.filter((hook) => (isTagUpdate(update) ? hook.tagPushEvents : hook.pushEvents));
      if (wanted.length === 0) continue;
      const { kind, body } = await pushEvent(context, project, push, update, reader);
      for (const hook of wanted) calls.push({ hook, kind, body: JSON.stringify(body) });
    }
    // At a start nobody waits at the other end of a push, and the receiver may not be up yet.
    if (started) return queue.callNow(queue.add(calls, 'caller'));
    queue.add(calls, 'queue');
    return [];
  };

  /** The groups on the way to a project, made where they are missing. */
  const ensureNamespace = (path: RepositoryPath): GroupRow => {
    const at = clock.now().toISOString();
    let group: GroupRow | undefined;
    for (const segment of path.split('/').slice(0, -1)) {
      const full: string = group ? `${group.fullPath}/${segment}` : segment;
      group = directory.groupAt(full) ?? directory.addGroup(group, segment, segment, at);
      if (!group) throw new Error(`The group ${full} cannot be made: a project has its path.`);
    }
    return group as GroupRow;
  };

  const adopt = (path: RepositoryPath, visibility: ProjectRow['visibility']): void => {
    if (directory.projectAt(path)) return;
    const name = path.slice(path.lastIndexOf('/') + 1);
    directory.addProject(ensureNamespace(path), { path: name, name, visibility }, clock.now().toISOString());
  };

  return {
    handler: (request, response) =>
      isApiPath((request.url ?? '/').split('?', 1)[0] as string) ? api(request, response) : server.handler(request, response),
    async seed({ path, branch, files, message, author }) {
      const repository = parseRepositoryPath(path);
      await server.createRepository(repository);
      await server.commitFiles(repository, branch, files, message, author);
      adopt(repository, 'internal');
      const project = directory.projectAt(repository);
      if (project && project.visibility !== 'internal') directory.setVisibility(project.id, 'internal');
    },
    async start() {
      // A repository without a project: its creation was cut short, or a version before projects made it. Nobody is its member.
      for (const path of server.repositories()) adopt(path, 'private');
      queue.start();
      await server.reconcile();
      started = true;
    },
    async close() {
      await server.close();
      await queue.stop();
      directory.close();
    },
  };
}

/** `*` stands for any text; everything else for itself. Linear in the name for each star. */
export function matchesWildcard(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === name;
  const last = rest.pop() as string;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= name.length - last.length;
}
