import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CommitId } from '@desp/model';
import { type Logger, messageOf, silentLogger } from '@desp/runtime';
import { GitError } from './errors.ts';
import { answerHooks, type HookAnswer, type HookQuestion, installHooks } from './hook-channel.ts';
import { answerText, serveByBackend, standardTransferLimits, type TransferLimits } from './http-backend.ts';
import { acceptPush, type GitPrincipal, type Push, type PushDecision, type ReceivedPush, type RefUpdate, zeroId } from './push.ts';
import { PushJournal, wasApplied } from './push-journal.ts';
import { judgePush, type ProtectionRules, standardRules } from './push-rules.ts';
import { RepositoryReader } from './reader.ts';
import { RepositoryTable } from './repositories.ts';
import { parseGitRoute, parseRepositoryPath, type RepositoryPath } from './repository-path.ts';
import { adoptDefaultBranch, commitFiles, createTag, type Signature } from './writer.ts';

/** `deny`: may know of the repository, may not do this. `hide`: may not even know that it exists. */
export type GitAccess = 'allow' | 'deny' | 'hide';

export interface GitServerOptions<Principal extends GitPrincipal> {
  /** A folder of our own; made when missing. */
  readonly root: string;
  /** Who presents this user name and token (RFC 7617); undefined when nobody does. Compares in constant time. */
  authenticate(username: string, password: string): Promise<Principal | undefined> | Principal | undefined;
  /** `principal` is undefined for a request without credentials. */
  authorize(principal: Principal | undefined, repository: RepositoryPath, access: 'read' | 'write'): Promise<GitAccess> | GitAccess;
  readonly rules?: ProtectionRules;
  /** The platform's say after the host's own rules. A thrown error refuses the push. */
  onPush?(push: Push<Principal>): Promise<PushDecision> | PushDecision;
  /**
   * Told at least once of every push that stands; make it idempotent. Its lines are shown to the pusher. While it throws,
   * the notice is kept and told again by `reconcile`.
   */
  onReceived?(received: ReceivedPush): Promise<readonly string[]> | readonly string[];
  readonly limits?: TransferLimits;
  readonly log?: Logger;
}

export interface GitServer {
  /** Answers smart-HTTP requests below `/`; anything else gets 404. Resolves when the answer is out. */
  handler(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Safe to repeat. @throws GitError INVALID_PATH, REPOSITORY_EXISTS */
  createRepository(path: string): Promise<void>;
  removeRepository(path: string): Promise<void>;
  repositories(): RepositoryPath[];
  /** @throws GitError REPOSITORY_NOT_FOUND */
  reader(path: string): RepositoryReader;
  createTag(path: string, name: string, commit: CommitId, message: string, tagger: Signature): Promise<'created' | 'present'>;
  commitFiles(
    path: string,
    branch: string,
    files: Readonly<Record<string, string | Uint8Array>>,
    message: string,
    author: Signature,
  ): Promise<CommitId>;
  /** To call once at start, before `handler`: tells again of pushes whose notice may have been lost. @returns how many */
  reconcile(): Promise<number>;
  /** Resolves when no transfer is under way; new ones are refused at once. */
  close(): Promise<void>;
}

const maxUpdates = 2000;
const notFoundText = "The project you were looking for could not be found or you don't have permission to view it.";

/**
 * A Git host over smart HTTP (gitprotocol-http(5)) on top of the installed Git's `http-backend`. Access, policy and
 * notices are the caller's; this host keeps tags where they are and history where it is protected.
 *
 * @throws GitError TABLE_UNREADABLE
 */
export function createGitServer<Principal extends GitPrincipal>(options: GitServerOptions<Principal>): GitServer {
  const { root, limits = standardTransferLimits, rules = standardRules, log = silentLogger } = options;
  const table = RepositoryTable.open(root);
  const hooksFolder = installHooks(root);
  const journal = new PushJournal(root);
  const transfers = new Set<Promise<void>>();
  let closing = false;

  const folderOf = (path: string): string => {
    const folder = table.folderOf(path);
    if (folder) return folder;
    throw new GitError('REPOSITORY_NOT_FOUND', `There is no repository ${JSON.stringify(path.slice(0, 200))}.`, {
      kind: 'user',
      cure: 'Create the service first, or look at the spelling: letter case counts.',
    });
  };

  /** Puts the received push on its way and clears the journal; throws when the receiver did. */
  async function deliver(id: string, folder: string, push: ReceivedPush): Promise<readonly string[]> {
    await adoptDefaultBranch(
      folder,
      push.updates.filter((update) => update.kind === 'create').map((update) => update.ref),
    );
    const lines = (await options.onReceived?.(push)) ?? [];
    await journal.end(id);
    return lines;
  }

  /** Both hooks of one push, in order. */
  function answerer(repository: RepositoryPath, folder: string, principal: Principal): (question: HookQuestion) => Promise<HookAnswer> {
    let accepted: { id: string; updates: readonly RefUpdate[] } | undefined;
    return async (question) => {
      if (question.hook === 'pre-receive') {
        const reader = new RepositoryReader(folder, question.quarantine);
        const decision = await decide(repository, principal, reader, question);
        if (decision.kind === 'reject') {
          log.info({ repository, principal: principal.name, reason: decision.message }, 'push refused');
          return { accept: false, say: [decision.message] };
        }
        accepted = {
          id: await journal.begin({ repository, principal: principal.name, updates: decision.updates }),
          updates: decision.updates,
        };
        return { accept: true, say: [] };
      }
      if (!accepted) return { accept: false, say: [] };
      // Git runs this hook with the refs that it really changed: another push may have been quicker on some.
      const changed = new Set(question.updates.map((update) => update.ref));
      const updates = accepted.updates.filter((update) => changed.has(update.ref));
      try {
        return { accept: true, say: await deliver(accepted.id, folder, { repository, principal: principal.name, updates }) };
      } catch (error) {
        log.error(
          { repository, error: messageOf(error) },
          'a push was received, its notice was not taken; it is repeated at the next start',
        );
        return { accept: true, say: ['The push is received; the platform could not act on it yet.'] };
      }
    };
  }

  async function decide(
    repository: RepositoryPath,
    principal: Principal,
    reader: RepositoryReader,
    question: HookQuestion,
  ): Promise<{ kind: 'accept'; updates: readonly RefUpdate[] } | { kind: 'reject'; message: string }> {
    if (question.updates.length > maxUpdates) return { kind: 'reject', message: `GitLab: A push may change at most ${maxUpdates} refs.` };
    const updates: RefUpdate[] = [];
    for (const update of question.updates) updates.push(await describeUpdate(reader, update));
    const defaultBranch = await reader.defaultBranch();
    const own = judgePush(updates, defaultBranch, rules);
    if (own.kind === 'reject') return own;
    const theirs = (await options.onPush?.({ repository, principal, updates, defaultBranch, reader })) ?? acceptPush;
    return theirs.kind === 'reject' ? theirs : { kind: 'accept', updates };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = parseGitRoute(request.method ?? '', request.url ?? '');
    const credentials = parseBasic(request.headers.authorization);
    const principal = credentials && (await options.authenticate(credentials.username, credentials.password));
    const challenge = { 'www-authenticate': 'Basic realm="GitLab"' };
    if (request.headers.authorization !== undefined && !principal)
      return answerText(response, 401, 'HTTP Basic: Access denied. Use your name and a token as the password.', challenge);
    const folder = route && table.folderOf(route.path);
    const access =
      route && folder ? await options.authorize(principal, route.path, route.service === 'git-receive-pack' ? 'write' : 'read') : 'hide';
    // Without credentials, what is hidden, what is denied and what is not there look alike; and nobody pushes unnamed.
    if (!principal && (access !== 'allow' || route?.service === 'git-receive-pack'))
      return answerText(response, 401, 'HTTP Basic: Access denied.', challenge);
    if (access === 'hide' || !route || !folder) return answerText(response, 404, notFoundText);
    const isPush = route.service === 'git-receive-pack';
    if (access === 'deny')
      return answerText(response, 403, `You are not allowed to ${isPush ? 'push code to' : 'download code from'} this project.`);
    await serveByBackend(request, response, {
      folder,
      route,
      remoteUser: principal?.name,
      limits,
      hooksFolder,
      onChannel: (channel) => {
        if (principal) answerHooks(channel, loggedFailures(answerer(route.path, folder, principal), route.path));
      },
    });
  }

  const loggedFailures =
    (answer: (question: HookQuestion) => Promise<HookAnswer>, repository: RepositoryPath) =>
    async (question: HookQuestion): Promise<HookAnswer> => {
      try {
        return await answer(question);
      } catch (error) {
        log.error({ repository, error: messageOf(error) }, 'a push could not be judged');
        return { accept: false, say: ['GitLab: The push could not be judged. Try again.'] };
      }
    };

  return {
    handler(request, response) {
      if (closing) {
        answerText(response, 503, 'The Git host is stopping.');
        return Promise.resolve();
      }
      const transfer = serve(request, response)
        .catch((error: unknown) => {
          log.error({ error: messageOf(error) }, 'a Git request failed');
          answerText(response, 500, 'The request failed.');
        })
        .finally(() => transfers.delete(transfer));
      transfers.add(transfer);
      return transfer;
    },
    async createRepository(path) {
      await table.create(parseRepositoryPath(path));
    },
    removeRepository: (path) => table.remove(parseRepositoryPath(path)),
    repositories: () => table.paths(),
    reader: (path) => new RepositoryReader(folderOf(path)),
    createTag: async (path, ...rest) => createTag(folderOf(path), ...rest),
    commitFiles: async (path, ...rest) => commitFiles(folderOf(path), ...rest),
    async reconcile() {
      let told = 0;
      for (const { id, push } of await journal.entries()) {
        const folder = table.folderOf(push.repository);
        const updates: RefUpdate[] = [];
        if (folder) for (const update of push.updates) if (await wasApplied(folder, update)) updates.push(update);
        if (!folder || updates.length === 0) {
          await journal.end(id);
          continue;
        }
        await deliver(id, folder, { ...push, updates });
        told += 1;
      }
      return told;
    },
    async close() {
      closing = true;
      await Promise.allSettled(transfers);
    },
  };
}

async function describeUpdate(reader: RepositoryReader, update: { ref: string; old: string; new: string }): Promise<RefUpdate> {
  if (update.old === zeroId) return { ...update, kind: 'create', forced: false };
  if (update.new === zeroId) return { ...update, kind: 'delete', forced: false };
  if (!update.ref.startsWith('refs/heads/')) return { ...update, kind: 'update', forced: true };
  const [old, next] = [await reader.resolve(update.old), await reader.resolve(update.new)];
  return { ...update, kind: 'update', forced: !(await reader.isAncestor(old, next)) };
}

/** The user name and password of a Basic header (RFC 7617); undefined when it is none, or longer than 8 kB. */
export function parseBasic(header: string | undefined): { username: string; password: string } | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]{1,8192})$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
