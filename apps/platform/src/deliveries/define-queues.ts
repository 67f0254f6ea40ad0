import type { Platform } from '../platform.ts';
import { followDeployment } from '../releases/follow-deployment.ts';
import { writeRelease } from '../releases/write-release.ts';
import { prepareService } from '../services/prepare-service.ts';
import { advanceDelivery } from './advance.ts';
import { queues } from './queues.ts';
import { runDeliveryJob } from './run-job.ts';

/** Which function does the work of which queue. */
export function defineQueues(platform: Platform): void {
  const { jobs, database } = platform;
  jobs.define(queues.advance.name, queues.advance.options, (key) => advanceDelivery(platform, Number(key)));
  jobs.define(queues.run.name, queues.run.options, (key, signal) => runDeliveryJob(platform, key, signal));
  jobs.define(queues.release.name, queues.release.options, (key) => writeRelease(platform, key));
  jobs.define(queues.follow.name, queues.follow.options, (key) => followDeployment(platform, key));
  jobs.define(queues.service.name, queues.service.options, async (name) => {
    const row = await database.sql.selectFrom('services').selectAll().where('name', '=', name).executeTakeFirst();
    if (row) await prepareService(platform, row);
  });
}
