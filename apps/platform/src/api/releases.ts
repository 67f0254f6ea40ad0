import { type Instant, ReleaseDetail, ReleaseSummary } from '@desp/model';
import { z } from 'zod';
import { formatDeliveryId } from '../deliveries/records.ts';
import type { Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';
import { detailOf } from '../releases/detail.ts';
import { endpoint, visibleServices } from './endpoint.ts';

const ListQuery = z.object({ service: z.string().max(60).optional() });

async function find(platform: Platform, service: string, version: string) {
  const row = await platform.database.sql
    .selectFrom('releases')
    .selectAll()
    .where('service', '=', service)
    .where('version', '=', version)
    .executeTakeFirst();
  if (!row)
    throw new PlatformError('NOT_FOUND', `${service} has no release ${version.slice(0, 60)}.`, {
      kind: 'user',
      cure: 'desp release list shows them.',
    });
  return row;
}

async function summaryOf(
  platform: Platform,
  row: { service: string; version: string; commit: string; delivery: number; created_at: Instant; updated_at: Instant },
): Promise<ReleaseSummary> {
  const deployments = await platform.database.sql
    .selectFrom('deployments')
    .select(['environment', 'state', 'reason', 'updated_at'])
    .where('service', '=', row.service)
    .where('version', '=', row.version)
    .orderBy('id')
    .execute();
  return {
    service: row.service,
    version: row.version,
    commit: row.commit,
    delivery: formatDeliveryId(row.delivery),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deployments: deployments.map((one) => ({ environment: one.environment, state: one.state, reason: one.reason, at: one.updated_at })),
  };
}

export const releaseEndpoints = [
  endpoint({
    method: 'GET',
    url: '/api/releases',
    summary: 'Releases, newest first',
    access: 'release.read',
    query: ListQuery,
    answer: z.object({ releases: z.array(ReleaseSummary) }),
    async run({ platform, principal, query }) {
      const visible = await visibleServices(platform, principal);
      const wanted = query.service === undefined ? visible : visible.filter((name) => name === query.service);
      if (wanted.length === 0) return { releases: [] };
      const rows = await platform.database.sql
        .selectFrom('releases')
        .selectAll()
        .where('service', 'in', wanted)
        .orderBy('created_at', 'desc')
        .limit(200)
        .execute();
      return { releases: await Promise.all(rows.map((row) => summaryOf(platform, row))) };
    },
  }),
  endpoint({
    method: 'GET',
    url: '/api/releases/:service/:version',
    summary: 'One release',
    access: 'release.read',
    service: ({ params }) => params['service'],
    answer: ReleaseDetail,
    async run({ platform, params }) {
      const row = await find(platform, params['service'] ?? '', params['version'] ?? '');
      return { ...(await summaryOf(platform, row)), ...(await detailOf(platform, row.record)) };
    },
  }),
  endpoint({
    method: 'GET',
    url: '/api/releases/:service/:version/record',
    summary: 'The signed record, as anybody can verify it offline',
    access: 'release.read',
    service: ({ params }) => params['service'],
    produces: 'application/json',
    async run({ platform, params, reply }) {
      const row = await find(platform, params['service'] ?? '', params['version'] ?? '');
      // Every byte counts: sent as it is stored, not as a serialiser would write it.
      reply.header('content-type', 'application/json');
      return Buffer.from(row.record, 'utf8');
    },
  }),
];
