import { CommitId } from '@desp/model';
import { type ReceivedPush, type RefUpdate, zeroId } from '../push.ts';
import type { RepositoryReader } from '../reader.ts';
import type { ApiContext } from './call.ts';
import type { GroupRow, ProjectRow } from './directory.ts';

const tagPrefix = 'refs/tags/';
const maxCommits = 20;

/** The webhook's event of one changed ref. */
export interface PushEvent {
  /** `X-Gitlab-Event`. */
  readonly kind: 'Push Hook' | 'Tag Push Hook';
  readonly body: object;
}

export const isTagUpdate = (update: RefUpdate): boolean => update.ref.startsWith(tagPrefix);

/** One event for each ref, as GitLab's "Webhook events: push events, tag events" describes them. */
export async function pushEvent(
  context: ApiContext,
  project: ProjectRow,
  push: ReceivedPush,
  update: RefUpdate,
  reader: RepositoryReader,
): Promise<PushEvent> {
  const tag = isTagUpdate(update);
  const user = context.directory.userNamed(push.principal);
  const namespace = context.directory.group(project.namespace) as GroupRow;
  const address = `${context.url}/${project.fullPath}`;
  const head = update.new === zeroId ? undefined : await reader.resolve(update.new).catch(() => undefined);
  const commits = head === undefined || tag ? [] : await reader.log(head, maxCommits);
  const known = commits.findIndex(({ id }) => id === update.old);
  const fresh = (known < 0 ? commits : commits.slice(0, known)).reverse();
  return {
    kind: tag ? 'Tag Push Hook' : 'Push Hook',
    body: {
      object_kind: tag ? 'tag_push' : 'push',
      event_name: tag ? 'tag_push' : 'push',
      before: update.old,
      after: update.new,
      ref: update.ref,
      ref_protected: tag || update.ref === `refs/heads/${await reader.defaultBranch()}`,
      checkout_sha: head === undefined ? null : CommitId.parse(head),
      message: null,
      user_id: user?.id ?? 0,
      user_name: user?.name ?? push.principal,
      user_username: push.principal,
      user_email: null,
      project_id: project.id,
      project: {
        id: project.id,
        name: project.name,
        description: null,
        web_url: address,
        git_http_url: `${address}.git`,
        namespace: namespace.name,
        visibility_level: project.visibility === 'internal' ? 10 : 0,
        path_with_namespace: project.fullPath,
        default_branch: (await reader.defaultBranch()) ?? 'main',
      },
      commits: fresh.map((commit) => ({
        id: commit.id,
        message: commit.title,
        title: commit.title,
        timestamp: commit.committedAt.toISOString(),
        url: `${address}/-/commit/${commit.id}`,
        author: { name: commit.author, email: commit.email },
      })),
      total_commits_count: fresh.length,
    },
  };
}
