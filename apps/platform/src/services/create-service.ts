import type { Principal } from '@desp/identity';
import { instantOf, type ServiceView } from '@desp/model';
import type { Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';
import { describeService, parseServiceName, repositoryOf } from './names.ts';
import { prepareService } from './prepare-service.ts';

/**
 * Creates a service: the record first, then everything that it needs, each step safe to repeat. A process that is killed in
 * the middle finds the record without `ready_at` at its next start and goes on.
 *
 * Throws PlatformError INVALID, CONFLICT.
 */
export async function createService(
  platform: Platform,
  principal: Principal,
  wanted: { name: string; provider?: string },
): Promise<ServiceView> {
  const name = parseServiceName(wanted.name);
  const company = wanted.provider ?? (principal.kind === 'person' ? principal.company : undefined);
  if (!company)
    throw new PlatformError('INVALID', 'Say which company develops the service.', {
      kind: 'user',
      cure: `desp service create ${name} --provider COMPANY`,
    });
  if (
    principal.kind === 'person' &&
    principal.company !== undefined &&
    company !== principal.company &&
    !principal.roles.includes('operator')
  ) {
    throw new PlatformError('NOT_ALLOWED', `${principal.name} is not of ${company}.`, { kind: 'user', cure: 'Leave --provider out.' });
  }
  const { sql } = platform.database;
  const known = await sql.selectFrom('companies').select('name').where('name', '=', company).executeTakeFirst();
  if (!known) throw new PlatformError('INVALID', `There is no company ${company.slice(0, 60)}.`, { kind: 'user' });
  const made = await sql
    .insertInto('services')
    .values({
      name,
      company,
      repository: repositoryOf(name),
      created_by: principal.kind === 'person' ? principal.name : 'platform',
      created_at: instantOf(platform.clock.now()),
      ready_at: null,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst();
  const row = await sql.selectFrom('services').selectAll().where('name', '=', name).executeTakeFirstOrThrow();
  if (made.numInsertedOrUpdatedRows === 0n && row.company !== company) {
    throw new PlatformError('CONFLICT', `The name ${name} is taken.`, { kind: 'user', cure: 'Choose another.' });
  }
  if (!row.ready_at) await prepareService(platform, row);
  return viewOf(platform, row);
}

export function viewOf(
  platform: Platform,
  row: { name: string; company: string; repository: string; created_at: string; created_by: string },
): ServiceView {
  return describeService(platform.config, row, new Map([...platform.environments].map(([name, parts]) => [name, parts.kube.server])));
}
