import { GitError, zeroId } from '@desp/git';
import { CommitId } from '@desp/model';
import type { Platform } from '../platform.ts';
import { queues } from './queues.ts';
import { insertDelivery } from './records.ts';

/** One branch or tag that was created, moved or deleted, as the Git host tells of it. */
export interface ToldPush {
  /** Groups and project; letter case does not count, as at the Git host. */
  readonly repository: string;
  readonly pushedBy: string;
  readonly ref: string;
  /** What the ref names now: a commit or a tag object; `zeroId` when it is gone. */
  readonly commit: string;
}

/**
 * A push becomes a delivery. Told twice, it is the same delivery; when this returns, it is on record.
 *
 * @returns lines for whoever pushed
 */
export async function recordPush(platform: Platform, push: ToldPush): Promise<string[]> {
  if (push.commit === zeroId || !/^refs\/(heads|tags)\//.test(push.ref)) return [];
  const service = await platform.database.sql
    .selectFrom('services')
    .select(['name', 'repository'])
    .where((where) => where(where.fn<string>('lower', ['repository']), '=', push.repository.toLowerCase()))
    .executeTakeFirst();
  if (!service) return [];
  const reader = await platform.source.fresh(service.repository);
  // By what was pushed, not by the ref's name: Git allows names that no command line should carry. What is no commit, or was
  // overwritten by a later push already, has no delivery.
  const commit = await reader.resolve(push.commit).catch(absent);
  if (commit === undefined) return [];
  const [entry] = await reader.log(CommitId.parse(commit), 1);
  const id = await platform.database.sql.transaction().execute(async (transaction) => {
    const inserted = await insertDelivery(
      transaction,
      { service: service.name, ref: push.ref, commit, title: printable(entry?.title ?? ''), pushedBy: push.pushedBy },
      platform.clock,
    );
    if (inserted !== undefined) await platform.jobs.send(queues.advance.name, String(inserted), { transaction });
    return inserted;
  });
  if (id === undefined) return [];
  platform.announcer.announce(id);
  return [`Delivery d-${id}: ${platform.config.server.url}/deliveries/d-${id}`, `Follow it: desp delivery watch d-${id}`];
}

function absent(error: unknown): undefined {
  if (!(error instanceof GitError) || error.code !== 'REF_NOT_FOUND') throw error;
}

/** A title is shown in terminals: no control character of it gets there. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, ' ');
