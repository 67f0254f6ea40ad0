import { GitError, zeroId } from '@desp/git';
import { CommitId } from '@desp/model';
import type { Platform } from '../platform.ts';
import { queues } from './queues.ts';
import { insertDelivery } from './records.ts';

/**
 * A push that stands becomes deliveries: one for each branch or tag that it created or moved. Told twice, it is the same
 * delivery. A tag that the platform itself writes starts none: the commit was delivered already.
 *
 * @returns lines for whoever pushed
 */
export async function recordPush(
  platform: Platform,
  push: { repository: string; pushedBy: string; updates: readonly { ref: string; new: string }[] },
): Promise<string[]> {
  if (push.pushedBy === platformName) return [];
  const service = await platform.database.sql
    .selectFrom('services')
    .select('name')
    .where('repository', '=', push.repository)
    .executeTakeFirst();
  if (!service) return [];
  const lines: string[] = [];
  for (const update of push.updates) {
    if (update.new === zeroId || !/^refs\/(heads|tags)\//.test(update.ref)) continue;
    const reader = await platform.source.fresh(push.repository);
    // By what was pushed, not by the ref's name: Git allows names that no command line should carry. What is no commit, or was
    // overwritten by a later push already, has no delivery.
    const commit = await reader.resolve(update.new).catch(absent);
    if (commit === undefined) continue;
    const [entry] = await reader.log(CommitId.parse(commit), 1);
    const id = await platform.database.sql.transaction().execute(async (transaction) => {
      const inserted = await insertDelivery(
        transaction,
        { service: service.name, ref: update.ref, commit, title: printable(entry?.title ?? ''), pushedBy: push.pushedBy },
        platform.clock,
      );
      if (inserted !== undefined) await platform.jobs.send(queues.advance.name, String(inserted), { transaction });
      return inserted;
    });
    if (id === undefined) continue;
    platform.announcer.announce(id);
    lines.push(`Delivery d-${id}: ${platform.config.server.url}/deliveries/d-${id}`, `Follow it: desp delivery watch d-${id}`);
  }
  return lines;
}

function absent(error: unknown): undefined {
  if (!(error instanceof GitError) || error.code !== 'REF_NOT_FOUND') throw error;
}

/** A title is shown in terminals: no control character of it gets there. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, ' ');

/** How the platform's own pushes are signed. */
export const platformName = '$platform';
