import { type Delivery, DeliveryId, type DeliveryJob, type DeliveryState, instantOf, type JobState, type Stop } from '@desp/model';
import type { PipelinePlan, PlannedJob } from '@desp/pipeline';
import type { Clock } from '@desp/runtime';
import type { Sql, SqlTransaction } from '@desp/storage';
import { PlatformError } from '../platform-error.ts';
import { purposeOf } from './job-purpose.ts';
import { firstStops } from './stops.ts';

/** Reading and writing deliveries; no decision is made here. */
export const formatDeliveryId = (id: number): DeliveryId => DeliveryId.parse(`d-${id}`);

export function parseDeliveryId(text: string): number {
  const parsed = DeliveryId.safeParse(text);
  if (!parsed.success)
    throw new PlatformError('NOT_FOUND', `There is no delivery ${text.slice(0, 40)}.`, {
      kind: 'user',
      cure: 'desp delivery list shows them.',
    });
  return Number(parsed.data.slice(2));
}

export interface PushRecord {
  readonly service: string;
  readonly ref: string;
  readonly commit: string;
  readonly title: string;
  readonly pushedBy: string;
}

/** One delivery a service, ref and commit: telling of the same push twice gives the same delivery. Undefined when it was known. */
export async function insertDelivery(db: SqlTransaction, push: PushRecord, clock: Clock): Promise<number | undefined> {
  const now = instantOf(clock.now());
  const row = await db
    .insertInto('deliveries')
    .values({
      service: push.service,
      commit: push.commit,
      ref: push.ref,
      title: push.title.slice(0, 200),
      pushed_by: push.pushedBy,
      state: 'running',
      stops: JSON.stringify(firstStops(now)),
      templates: JSON.stringify(null),
      version: null,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.columns(['service', 'ref', 'commit']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

/** A delivery with what only the platform sees of its jobs. */
export interface LoadedDelivery {
  readonly id: number;
  readonly view: Delivery;
  readonly plans: ReadonlyMap<string, PlannedJob>;
}

export async function loadDelivery(db: Sql | SqlTransaction, id: number): Promise<LoadedDelivery> {
  const row = await db.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new PlatformError('NOT_FOUND', `There is no delivery d-${id}.`, { kind: 'user', cure: 'desp delivery list shows them.' });
  const jobs = await db.selectFrom('delivery_jobs').selectAll().where('delivery', '=', id).orderBy('position').execute();
  const plans = new Map(jobs.map((job) => [job.name, job.plan as PlannedJob]));
  const view = {
    id: formatDeliveryId(row.id),
    service: row.service,
    commit: row.commit,
    ref: row.ref,
    title: row.title,
    pushedBy: row.pushed_by,
    state: row.state,
    stops: row.stops,
    jobs: jobs.map((job): DeliveryJob => {
      const plan = job.plan as PlannedJob;
      return {
        name: job.name,
        purpose: purposeOf(plan),
        stage: plan.stage,
        state: job.state,
        needs: plan.needs?.map((need) => need.job) ?? [],
        reason: job.reason,
        allowFailure: plan.allowFailure,
        attempt: job.attempt,
        ...(job.environment ? { environment: job.environment as DeliveryJob['environment'] } : {}),
        images: job.images as DeliveryJob['images'],
        ...(job.started_at ? { startedAt: job.started_at } : {}),
        ...(job.ended_at ? { endedAt: job.ended_at } : {}),
      } as DeliveryJob;
    }),
    ...(row.templates ? { templates: row.templates } : {}),
    ...(row.version ? { version: row.version } : {}),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  } as Delivery;
  return { id, view, plans };
}

export async function listDeliveries(db: Sql, services: readonly string[] | 'all', limit: number): Promise<Delivery[]> {
  let query = db.selectFrom('deliveries').select('id').orderBy('id', 'desc').limit(limit);
  if (services !== 'all') {
    if (services.length === 0) return [];
    query = query.where('service', 'in', services);
  }
  const rows = await query.execute();
  return Promise.all(rows.map(async ({ id }) => (await loadDelivery(db, id)).view));
}

export async function savePlan(
  db: SqlTransaction,
  id: number,
  plan: PipelinePlan,
  jobs: readonly { plan: PlannedJob; state: JobState; reason: string; environment?: string }[],
): Promise<void> {
  const include = plan.includes.find(({ project }) => project !== undefined);
  await db
    .updateTable('deliveries')
    .set({ templates: JSON.stringify(include ? { project: include.project, commit: include.commit } : null) })
    .where('id', '=', id)
    .execute();
  for (const [position, job] of jobs.entries()) {
    await db
      .insertInto('delivery_jobs')
      .values({
        delivery: id,
        name: job.plan.name,
        position,
        state: job.state,
        reason: job.reason,
        plan: JSON.stringify(job.plan),
        environment: job.environment ?? null,
        images: JSON.stringify([]),
        attempt: 0,
        started_at: null,
        ended_at: null,
      })
      .execute();
  }
}

export interface JobChange {
  readonly state?: JobState;
  readonly reason?: string;
  readonly startedAt?: Date | null;
  readonly endedAt?: Date | null;
  readonly attempt?: number;
  readonly images?: readonly { reference: string; digest: string }[];
}

/** Changes a job; with `from`, only when it is in one of these states. Says whether it changed. */
export async function changeJob(
  db: Sql | SqlTransaction,
  delivery: number,
  name: string,
  change: JobChange,
  from?: readonly JobState[],
): Promise<boolean> {
  const instant = (date: Date | null | undefined) => (date === undefined ? undefined : date && instantOf(date));
  let query = db
    .updateTable('delivery_jobs')
    .set({
      ...(change.state === undefined ? {} : { state: change.state }),
      ...(change.reason === undefined ? {} : { reason: change.reason }),
      ...(change.startedAt === undefined ? {} : { started_at: instant(change.startedAt) ?? null }),
      ...(change.endedAt === undefined ? {} : { ended_at: instant(change.endedAt) ?? null }),
      ...(change.attempt === undefined ? {} : { attempt: change.attempt }),
      ...(change.images === undefined ? {} : { images: JSON.stringify(change.images) }),
    })
    .where('delivery', '=', delivery)
    .where('name', '=', name);
  if (from) query = query.where('state', 'in', from);
  const result = await query.executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function changeDelivery(
  db: Sql | SqlTransaction,
  id: number,
  change: { state?: DeliveryState; stops?: readonly Stop[]; version?: string },
  clock: Clock,
): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({
      ...(change.state === undefined ? {} : { state: change.state }),
      ...(change.stops === undefined ? {} : { stops: JSON.stringify(change.stops) }),
      ...(change.version === undefined ? {} : { version: change.version }),
      updated_at: instantOf(clock.now()),
    })
    .where('id', '=', id)
    .execute();
}

/** Appends to a job's log; `seq` grows by one a piece. */
export async function appendLog(db: Sql, delivery: number, job: string, text: string): Promise<void> {
  if (!text) return;
  await db
    .insertInto('job_logs')
    .values((eb) => ({
      delivery,
      job,
      seq: eb
        .selectFrom('job_logs')
        .select((inner) => inner.fn.coalesce(inner(inner.fn.max('seq'), '+', 1), inner.lit(0)).as('next'))
        .where('delivery', '=', delivery)
        .where('job', '=', job),
      text,
    }))
    .execute();
}

export async function readLog(db: Sql, delivery: number, job: string, from: number): Promise<{ text: string; next: number }> {
  const rows = await db
    .selectFrom('job_logs')
    .select(['seq', 'text'])
    .where('delivery', '=', delivery)
    .where('job', '=', job)
    .where('seq', '>=', from)
    .orderBy('seq')
    .execute();
  return { text: rows.map(({ text }) => text).join(''), next: (rows.at(-1)?.seq ?? from - 1) + 1 };
}

export async function clearLog(db: Sql | SqlTransaction, delivery: number, job: string): Promise<void> {
  await db.deleteFrom('job_logs').where('delivery', '=', delivery).where('job', '=', job).execute();
}
