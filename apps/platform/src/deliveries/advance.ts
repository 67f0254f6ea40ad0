import { instantOf, type JobState } from '@desp/model';
import { readyJobs } from '@desp/pipeline';
import { latestVerdict } from '../gate/judge-image.ts';
import type { Platform } from '../platform.ts';
import { enqueueRun } from './enqueue-run.ts';
import { planDelivery, storedPlan } from './plan-delivery.ts';
import { queues } from './queues.ts';
import { changeDelivery, changeJob, type LoadedDelivery, loadDelivery } from './records.ts';
import { deliveryState, deriveStops, type JudgedImage } from './stops.ts';

/**
 * One look at a delivery: plans it when it has no jobs, starts what may start, and derives its stops anew. It holds no state
 * of its own, so that it may be called at any time, any number of times.
 */
export async function advanceDelivery(platform: Platform, id: number): Promise<void> {
  const { sql } = platform.database;
  let delivery = await loadDelivery(sql, id);
  const over = delivery.view.state === 'canceled' || delivery.view.state === 'superseded';
  let planFailure: string | undefined;
  if (!over && delivery.plans.size === 0) {
    planFailure = await planDelivery(platform, delivery);
    delivery = await loadDelivery(sql, id);
  }
  if (!over && delivery.plans.size) {
    await startJobs(platform, delivery);
    delivery = await loadDelivery(sql, id);
    await startReleases(platform, delivery);
  }
  await refreshStops(platform, delivery, planFailure);
}

async function startJobs(platform: Platform, delivery: LoadedDelivery): Promise<void> {
  const states: Record<string, JobState> = Object.fromEntries(delivery.view.jobs.map((job) => [job.name, job.state]));
  const progress = readyJobs(storedPlan(delivery), states);
  const now = platform.clock.now();
  await platform.database.sql.transaction().execute(async (transaction) => {
    for (const name of progress.start) {
      if (await changeJob(transaction, delivery.id, name, { state: 'pending', reason: 'Waits for a runner.' }, ['created'])) {
        await enqueueRun(platform, delivery.id, name, transaction);
      }
    }
    for (const name of progress.manual)
      await changeJob(transaction, delivery.id, name, { state: 'manual', reason: 'Started by hand: desp delivery play.' }, ['created']);
    for (const { job, reason } of progress.skip)
      await changeJob(transaction, delivery.id, job, { state: 'skipped', reason, endedAt: now }, ['created']);
  });
}

/** When every release job of an environment that is entered directly has passed, the release is written and handed on. */
async function startReleases(platform: Platform, delivery: LoadedDelivery): Promise<void> {
  const byEnvironment = Map.groupBy(
    delivery.view.jobs.filter((job) => job.environment && job.state !== 'blocked' && job.purpose === 'release'),
    (job) => job.environment as string,
  );
  for (const [environment, jobs] of byEnvironment) {
    if (!jobs.every((job) => job.state === 'success')) continue;
    const known = await platform.database.sql
      .selectFrom('deployments')
      .select('id')
      .where('delivery', '=', delivery.id)
      .where('environment', '=', environment)
      .executeTakeFirst();
    if (!known) await platform.jobs.send(queues.release.name, `${delivery.id}/${environment}`);
  }
}

/** Derives the stops from the records and writes them when they changed. */
export async function refreshStops(platform: Platform, delivery: LoadedDelivery, planFailure?: string): Promise<void> {
  const { sql } = platform.database;
  const { view } = delivery;
  const verdicts = await judgedImages(platform, delivery);
  const deployment = await sql
    .selectFrom('deployments')
    .selectAll()
    .where('delivery', '=', delivery.id)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const failure =
    planFailure ??
    (delivery.plans.size === 0 ? view.stops.find((stop) => stop.name === 'pipeline' && stop.state === 'failed')?.reason : undefined);
  const stops = deriveStops({
    now: instantOf(platform.clock.now()),
    delivery: view.id,
    previous: view.stops,
    ...(failure ? { planFailure: failure } : {}),
    planned: delivery.plans.size > 0,
    jobs: view.jobs,
    verdicts,
    ...(deployment
      ? {
          deployment: { state: deployment.state, reason: deployment.reason, fleet: deployment.fleet, fleetReason: deployment.fleet_reason },
        }
      : {}),
    canceled: view.state === 'canceled',
  });
  const state =
    view.state === 'canceled'
      ? 'canceled'
      : deliveryState(
          stops,
          view.state === 'superseded' || deployment?.state === 'superseded',
          view.jobs.some((job) => job.state === 'running' || job.state === 'pending'),
        );
  if (state === view.state && JSON.stringify(stops) === JSON.stringify(view.stops)) return;
  await changeDelivery(sql, delivery.id, { state, stops, ...(deployment?.version ? { version: deployment.version } : {}) }, platform.clock);
  platform.announcer.announce(delivery.id);
}

/** The images that a delivery built, with their newest verdicts for the environments that are entered directly. */
async function judgedImages(platform: Platform, { view, plans }: LoadedDelivery): Promise<JudgedImage[]> {
  const judged: JudgedImage[] = [];
  const direct = platform.config.environments.filter(({ entry }) => entry === 'direct');
  for (const job of view.jobs.filter(({ purpose }) => purpose === 'build')) {
    const folder = (plans.get(job.name)?.variables['DOCKER_BUILDPATH'] ?? '').replace(/^\.?\/+|\/+$/g, '');
    for (const { reference: image, digest } of job.images) {
      for (const { name: environment } of direct) {
        const verdict = (await latestVerdict(platform, view.service, digest, environment))?.verdict;
        if (!verdict) continue;
        const blocking = verdict.findings.filter((finding) => finding.blocks !== undefined);
        const cure = blocking[0]?.cure;
        judged.push({
          image,
          digest,
          folder,
          environment,
          outcome: verdict.outcome,
          reason: verdict.reasons[0] ?? '',
          blocking: blocking.length,
          ...(cure === undefined ? {} : { cure }),
        });
      }
    }
  }
  return judged;
}
