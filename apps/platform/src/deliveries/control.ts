import type { Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';
import { refreshStops } from './advance.ts';
import { enqueueRun } from './enqueue-run.ts';
import { queues } from './queues.ts';
import { changeDelivery, changeJob, loadDelivery } from './records.ts';

/** What people do to a delivery. Each is a change of the records in one transaction; the work follows from them. */
export async function playDeliveryJob(platform: Platform, id: number, name: string): Promise<void> {
  const delivery = await loadDelivery(platform.database.sql, id);
  const job = delivery.view.jobs.find((one) => one.name === name);
  if (!job)
    throw new PlatformError('NOT_FOUND', `d-${id} has no job ${name.slice(0, 80)}.`, {
      kind: 'user',
      cure: `desp delivery show d-${id} lists them.`,
    });
  if (job.state === 'blocked')
    throw new PlatformError('NOT_ALLOWED', `${name}: ${job.reason} No person can start it by hand.`, { kind: 'user' });
  if (job.state !== 'manual')
    throw new PlatformError('CONFLICT', `${name} is ${job.state}, not waiting to be started by hand.`, { kind: 'user' });
  await platform.database.sql.transaction().execute(async (transaction) => {
    if (!(await changeJob(transaction, id, name, { state: 'pending', reason: 'Waits for a runner.' }, ['manual']))) return;
    await changeDelivery(transaction, id, { state: 'running' }, platform.clock);
    await enqueueRun(platform, id, name, transaction);
  });
  await refreshStops(platform, await loadDelivery(platform.database.sql, id));
}

/** Failed jobs run again; what was skipped because of them waits anew. */
export async function retryDelivery(platform: Platform, id: number, name: string | undefined): Promise<void> {
  const delivery = await loadDelivery(platform.database.sql, id);
  if (delivery.view.state === 'superseded')
    throw new PlatformError('CONFLICT', `d-${id} was superseded by a newer delivery.`, { kind: 'user', cure: 'Push again.' });
  const again = delivery.view.jobs.filter((job) =>
    name === undefined ? job.state === 'failed' || job.state === 'canceled' : job.name === name,
  );
  // Beside failed jobs that may fail, the release itself may have failed.
  const released = name === undefined && (await retryRelease(platform, id));
  if (again.length === 0 && released) return;
  if (again.length === 0)
    throw new PlatformError('CONFLICT', name === undefined ? `d-${id} has no failed job.` : `d-${id} has no job ${name.slice(0, 80)}.`, {
      kind: 'user',
    });
  const wrong = again.find((job) => job.state !== 'failed' && job.state !== 'canceled');
  if (wrong)
    throw new PlatformError('CONFLICT', `${wrong.name} is ${wrong.state}: only failed and canceled jobs are run again.`, { kind: 'user' });
  await platform.database.sql.transaction().execute(async (transaction) => {
    for (const job of again) {
      if (
        !(await changeJob(transaction, id, job.name, { state: 'pending', reason: 'Waits for a runner.', endedAt: null }, [
          'failed',
          'canceled',
        ]))
      )
        continue;
      await enqueueRun(platform, id, job.name, transaction);
    }
    for (const job of delivery.view.jobs.filter((one) => one.state === 'skipped'))
      await changeJob(transaction, id, job.name, { state: 'created', reason: '', endedAt: null }, ['skipped']);
    await changeDelivery(transaction, id, { state: 'running' }, platform.clock);
  });
  await refreshStops(platform, await loadDelivery(platform.database.sql, id));
}

/** A release that could not be written, or a deployment that failed, is tried again. @returns whether there was one */
async function retryRelease(platform: Platform, id: number): Promise<boolean> {
  const removed = await platform.database.sql.transaction().execute(async (transaction) => {
    const { numDeletedRows } = await transaction
      .deleteFrom('deployments')
      .where('delivery', '=', id)
      .where('state', '=', 'failed')
      .executeTakeFirst();
    if (numDeletedRows > 0n) await changeDelivery(transaction, id, { state: 'running' }, platform.clock);
    if (numDeletedRows > 0n) await platform.jobs.send(queues.advance.name, String(id), { transaction });
    return numDeletedRows;
  });
  return removed > 0n;
}

export async function cancelDelivery(platform: Platform, id: number): Promise<void> {
  const delivery = await loadDelivery(platform.database.sql, id);
  if (delivery.view.state !== 'running' && delivery.view.state !== 'blocked')
    throw new PlatformError('CONFLICT', `d-${id} is ${delivery.view.state} already.`, { kind: 'user' });
  const deploying = await platform.database.sql
    .selectFrom('deployments')
    .select('environment')
    .where('delivery', '=', id)
    .executeTakeFirst();
  if (deploying)
    throw new PlatformError(
      'CONFLICT',
      `d-${id} was handed to Fleet for ${deploying.environment} already: a deployment is replaced by a newer one, not canceled.`,
      { kind: 'user', cure: 'Push the commit that should run.' },
    );
  const now = platform.clock.now();
  await platform.database.sql.transaction().execute(async (transaction) => {
    await changeDelivery(transaction, id, { state: 'canceled' }, platform.clock);
    for (const job of delivery.view.jobs)
      await changeJob(transaction, id, job.name, { state: 'canceled', reason: 'Canceled.', endedAt: now }, [
        'created',
        'pending',
        'manual',
      ]);
  });
  platform.announcer.announce(id);
  await refreshStops(platform, await loadDelivery(platform.database.sql, id));
}
