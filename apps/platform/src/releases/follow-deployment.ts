import { type BundleDeployment, deploymentState } from '@desp/fleet';
import type { KubeObject } from '@desp/kube';
import { instantOf } from '@desp/model';
import { AppliedManifests, appendEntry, compareApplied, exportRecord } from '@desp/release';
import { queues } from '../deliveries/queues.ts';
import type { Platform } from '../platform.ts';
import { fleetNamespace, gitRepoName } from './render-release.ts';
import { entriesOf, readRecord } from './write-release.ts';

const lookAgainSeconds = 1;
const giveUpMinutes = 15;

interface Observed {
  /** What the cluster says that it applied; undefined while it is not known. */
  readonly applied?: readonly AppliedManifests[];
  /** Why that is not what the record hashes. */
  readonly unequal?: string;
  readonly state: 'deploying' | 'ready' | 'failed';
  readonly reason: string;
  readonly fleet: 'running' | 'passed' | 'failed';
  readonly fleetReason: string;
}

/** One look at a deployment through Fleet's own status; asks to be called again until it is ready, has failed or was replaced. */
export async function followDeployment(platform: Platform, key: string): Promise<void> {
  const { sql } = platform.database;
  const row = await sql.selectFrom('deployments').selectAll().where('id', '=', Number(key)).executeTakeFirst();
  if (row?.state !== 'deploying') return;
  const age = platform.clock.now().getTime() - Date.parse(row.created_at);
  let observed = await observe(platform, row);
  if (observed.state === 'ready') observed = await compared(platform, row, observed);
  if (observed.state === 'deploying' && age > giveUpMinutes * 60_000) {
    observed = {
      ...observed,
      state: 'failed',
      reason: `Not ready after ${giveUpMinutes} minutes: ${observed.fleet === 'running' ? observed.fleetReason : observed.reason}`,
    };
  }
  if (
    observed.state !== row.state ||
    observed.reason !== row.reason ||
    observed.fleet !== row.fleet ||
    observed.fleetReason !== row.fleet_reason
  ) {
    const updated = await sql
      .updateTable('deployments')
      .set({
        state: observed.state,
        reason: observed.reason,
        fleet: observed.fleet,
        fleet_reason: observed.fleetReason,
        updated_at: instantOf(platform.clock.now()),
      })
      .where('id', '=', row.id)
      .where('state', '=', 'deploying')
      .executeTakeFirst();
    if (updated.numUpdatedRows === 0n) return;
  }
  if (observed.state === 'deploying') await platform.jobs.send(queues.follow.name, key, { afterSeconds: lookAgainSeconds });
  else await recordOutcome(platform, row, observed);
  await platform.jobs.send(queues.advance.name, String(row.delivery));
}

interface DeploymentRow {
  readonly service: string;
  readonly environment: string;
  readonly version: string;
  readonly commit: string;
  readonly manifests: string | null;
  readonly created_at: string;
}

async function observe(platform: Platform, row: DeploymentRow): Promise<Observed> {
  const fleet = (fleetState: Observed['fleet'], fleetReason: string): Observed => ({
    state: fleetState === 'failed' ? 'failed' : 'deploying',
    reason: fleetReason,
    fleet: fleetState,
    fleetReason,
  });
  const { management } = platform;
  const repoType = await management.resolve('fleet.cattle.io/v1alpha1', 'GitRepo');
  const deploymentType = await management.resolve('fleet.cattle.io/v1alpha1', 'BundleDeployment');
  if (!repoType || !deploymentType) return fleet('running', 'Waits for Fleet.');
  const name = gitRepoName(row.service, row.environment);
  const repo = (await management.get(repoType, name, fleetNamespace)) as
    | (KubeObject & {
        spec?: { forceSyncGeneration?: number };
        status?: { commit?: string; conditions?: { type: string; status: string; message?: string }[] };
      })
    | undefined;
  const stalled = repo?.status?.conditions?.find((condition) => condition.type === 'Stalled' && condition.status === 'True');
  if (stalled) return fleet('failed', stalled.message ?? 'Fleet cannot read the commit.');
  if (repo?.status?.commit !== row.commit) return fleet('running', 'Fleet reads the commit.');
  const { items: all } = await management.list(deploymentType, {
    labelSelector: `fleet.cattle.io/repo-name=${name},fleet.cattle.io/commit=${row.commit}`,
  });
  // After a retry, those of the former try stay for a moment.
  const tries = repo.spec?.forceSyncGeneration ?? 0;
  const items = (all as unknown as BundleDeployment[]).filter(
    ({ spec }) => tries === 0 || (spec.options.forceSyncGeneration ?? 0) === tries,
  );
  if (items.length === 0) return fleet('running', 'Fleet makes the bundles.');
  const states = items.map((item) => ({
    name: item.metadata.labels?.['fleet.cattle.io/bundle-name'] ?? item.metadata.name,
    ...deploymentState(item),
  }));
  const failed = states.find((one) => one.state === 'ErrApplied');
  if (failed) return fleet('failed', `${failed.name}: ${failed.message}`);
  const waiting = states.find((one) => one.state === 'WaitApplied' || one.state === 'Pending' || one.state === 'OutOfSync');
  if (waiting) return fleet('running', `${waiting.name} is being applied.`);
  const applied = { fleet: 'passed', fleetReason: `${states.length === 1 ? 'One bundle' : `${states.length} bundles`} applied.` } as const;
  const open = states.find((one) => one.state !== 'Ready');
  if (open) return { ...applied, state: 'deploying', reason: open.message || `${open.name} is not ready yet.` };
  const said = items.flatMap((item) => appliedBy(item) ?? []);
  return { ...applied, state: 'ready', reason: 'All pods are ready.', ...(said.length === items.length ? { applied: said } : {}) };
}

/** What our agent says of a deployment; Rancher's says nothing. */
function appliedBy({ status }: BundleDeployment): AppliedManifests | undefined {
  const { manifests: digest, ...inputs } = status?.rendered ?? {};
  const parsed = AppliedManifests.safeParse({ ...inputs, digest, release: /^[^/]*\/(.*):\d+$/.exec(status?.release ?? '')?.[1] });
  return parsed.data;
}

/** The record says what was to be applied; a difference is told, never passed over. */
async function compared(platform: Platform, row: DeploymentRow, observed: Observed): Promise<Observed> {
  const release = await platform.database.sql
    .selectFrom('releases')
    .select('record')
    .where('service', '=', row.service)
    .where('version', '=', row.version)
    .executeTakeFirst();
  if (!release) return observed;
  const recorded = entriesOf(readRecord(release.record), 'manifests', row.environment).map(({ body }) => body);
  const unequal = compareApplied(recorded, observed.applied);
  return unequal === undefined ? observed : { ...observed, reason: `${observed.reason} ${unequal}`, unequal };
}

/** The outcome belongs to the record: who reads it offline sees what became of the release. */
async function recordOutcome(platform: Platform, row: DeploymentRow, observed: Observed): Promise<void> {
  const { sql } = platform.database;
  const release = await sql
    .selectFrom('releases')
    .selectAll()
    .where('service', '=', row.service)
    .where('version', '=', row.version)
    .executeTakeFirst();
  const manifests = JSON.parse(row.manifests ?? '[]') as string[];
  if (!release || manifests.length === 0) return;
  const record = readRecord(release.record);
  const startedAt = row.created_at;
  if (
    record.entries.some(
      (entry) => entry.kind === 'deployment' && entry.body.environment === row.environment && entry.body.startedAt === startedAt,
    )
  )
    return;
  const now = instantOf(platform.clock.now());
  const next = await appendEntry(
    record,
    {
      kind: 'deployment',
      at: now,
      who: 'platform',
      body: {
        environment: row.environment as never,
        startedAt: startedAt as never,
        endedAt: now,
        outcome: observed.state === 'ready' ? 'succeeded' : 'failed',
        manifests: manifests as never,
        ...(observed.applied ? { applied: [...observed.applied] } : {}),
        ...(observed.unequal ? { unequal: observed.unequal } : {}),
        reason: observed.reason.slice(0, 2000),
      },
    },
    platform.key.signer,
  );
  await sql
    .updateTable('releases')
    .set({ record: Buffer.from(exportRecord(next)).toString('utf8'), updated_at: now })
    .where('service', '=', row.service)
    .where('version', '=', row.version)
    .execute();
}
