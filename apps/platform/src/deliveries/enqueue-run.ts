import type { SqlTransaction } from '@desp/storage';
import type { Platform } from '../platform.ts';
import { queues } from './queues.ts';

/**
 * Hands a pending job of a delivery to the runners, on behalf of the company that develops the service: a company that pushes
 * a hundred times holds up nobody else.
 */
export async function enqueueRun(platform: Platform, delivery: number, job: string, transaction?: SqlTransaction): Promise<void> {
  const owner = await (transaction ?? platform.database.sql)
    .selectFrom('deliveries')
    .innerJoin('services', 'services.name', 'deliveries.service')
    .select('services.company')
    .where('deliveries.id', '=', delivery)
    .executeTakeFirstOrThrow();
  await platform.jobs.send(queues.run.name, `${delivery}/${job}`, { share: owner.company, ...(transaction ? { transaction } : {}) });
}
