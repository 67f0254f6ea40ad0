import { Delivery, DeliveryList, JobLog } from '@desp/model';
import { z } from 'zod';
import { cancelDelivery, playDeliveryJob, retryDelivery } from '../deliveries/control.ts';
import { formatDeliveryId, listDeliveries, loadDelivery, parseDeliveryId, readLog } from '../deliveries/records.ts';
import { PlatformError } from '../platform-error.ts';
import { type About, type Call, endpoint, visibleServices } from './endpoint.ts';
import { streamDelivery } from './stream-delivery.ts';

const listLimit = 100;
const ListQuery = z.object({ service: z.string().max(60).optional() });
const LogQuery = z.object({ from: z.coerce.number().int().min(0).default(0) });
const JobBody = z.strictObject({ job: z.string().max(255).optional() });

/** A delivery's service decides who sees it. */
const ofDelivery = {
  async service({ platform, params }: About<unknown>): Promise<string | undefined> {
    const id = parseDeliveryId(params['id'] ?? '');
    return (await platform.database.sql.selectFrom('deliveries').select('service').where('id', '=', id).executeTakeFirst())?.service;
  },
  subject: ({ params }: About<unknown>): string => `delivery ${(params['id'] ?? '').slice(0, 40)}`,
};

const one = async ({ platform, params }: Pick<Call<unknown, unknown>, 'platform' | 'params'>) =>
  (await loadDelivery(platform.database.sql, parseDeliveryId(params['id'] ?? ''))).view;

export const deliveryEndpoints = [
  endpoint({
    method: 'GET',
    url: '/api/deliveries',
    summary: 'Deliveries, newest first',
    access: 'delivery.read',
    query: ListQuery,
    answer: DeliveryList,
    async run({ platform, principal, query }) {
      const visible = await visibleServices(platform, principal);
      const wanted = query.service === undefined ? visible : visible.filter((name) => name === query.service);
      return { deliveries: await listDeliveries(platform.database.sql, wanted, listLimit) };
    },
  }),
  endpoint({
    method: 'GET',
    url: '/api/deliveries/:id',
    summary: 'One delivery',
    access: 'delivery.read',
    ...ofDelivery,
    answer: Delivery,
    run: one,
  }),
  endpoint({
    method: 'GET',
    url: '/api/deliveries/:id/events',
    summary: 'One delivery as it changes (server-sent events)',
    access: 'delivery.read',
    ...ofDelivery,
    run: streamDelivery,
  }),
  endpoint({
    method: 'GET',
    url: '/api/deliveries/:id/jobs/:job/log',
    summary: "A job's log from piece FROM on",
    access: 'delivery.read',
    ...ofDelivery,
    query: LogQuery,
    answer: JobLog,
    async run({ platform, params, query }) {
      const id = parseDeliveryId(params['id'] ?? '');
      const delivery = await loadDelivery(platform.database.sql, id);
      const job = delivery.view.jobs.find((each) => each.name === params['job']);
      if (!job)
        throw new PlatformError('NOT_FOUND', `d-${id} has no job ${(params['job'] ?? '').slice(0, 80)}.`, {
          kind: 'user',
          cure: `desp delivery show d-${id} lists them.`,
        });
      return {
        delivery: formatDeliveryId(id),
        job: job.name,
        ...(await readLog(platform.database.sql, id, job.name, query.from)),
        ended: job.endedAt !== undefined,
      };
    },
  }),
  endpoint({
    method: 'POST',
    url: '/api/deliveries/:id/play',
    summary: 'Start a manual job',
    access: 'delivery.play',
    ...ofDelivery,
    body: JobBody,
    answer: Delivery,
    async run(call) {
      await playDeliveryJob(call.platform, parseDeliveryId(call.params['id'] ?? ''), call.body.job ?? '');
      return one(call);
    },
  }),
  endpoint({
    method: 'POST',
    url: '/api/deliveries/:id/retry',
    summary: 'Run a failed job again, or all',
    access: 'delivery.retry',
    ...ofDelivery,
    body: JobBody,
    answer: Delivery,
    async run(call) {
      await retryDelivery(call.platform, parseDeliveryId(call.params['id'] ?? ''), call.body.job);
      return one(call);
    },
  }),
  endpoint({
    method: 'POST',
    url: '/api/deliveries/:id/cancel',
    summary: 'End a delivery',
    access: 'delivery.cancel',
    ...ofDelivery,
    answer: Delivery,
    async run(call) {
      await cancelDelivery(call.platform, parseDeliveryId(call.params['id'] ?? ''));
      return one(call);
    },
  }),
];
