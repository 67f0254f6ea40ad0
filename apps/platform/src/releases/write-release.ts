import { listRevisions, readCapabilities } from '@desp/controllers';
import type { RepositoryReader } from '@desp/git';
import type { KubeObject } from '@desp/kube';
import { CommitId, Digest, EnvironmentName, instantOf, ServiceName } from '@desp/model';
import { appendEntry, createRecord, decideVersion, demandNextVersion, type EntryOf, exportRecord, ReleaseRecord } from '@desp/release';
import { DespError } from '@desp/runtime';
import { parseCanonicalJson } from '@desp/security';
import { queues } from '../deliveries/queues.ts';
import { formatDeliveryId, type LoadedDelivery, loadDelivery } from '../deliveries/records.ts';
import { currentVerdict } from '../gate/current-verdict.ts';
import type { EnvironmentParts, Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';
import { readSource } from './read-source.ts';
import { renderReleaseBounded } from './render-bounded.ts';
import { deploymentPaths, fleetNamespace, gitRepoName, gitRepoTargets, type RenderedRelease } from './render-release.ts';
import { judgeSource, type SourceFindings } from './source-findings.ts';

const who = 'platform';
const recordBytes = 64 * 1024 * 1024;

/**
 * Makes the release that a delivery's passed release jobs stand for, and hands its commit to Fleet. Each step may be repeated:
 * the record is one per service and version, the deployment one per delivery and environment, the tag and the GitRepo are applied.
 */
export async function writeRelease(platform: Platform, key: string): Promise<void> {
  const [idText = '', environment = ''] = key.split('/');
  const id = Number(idText);
  const parts = platform.environments.get(environment);
  if (!parts) return;
  const delivery = await loadDelivery(platform.database.sql, id);
  try {
    await release(platform, parts, delivery);
  } catch (error) {
    if (!(error instanceof DespError) || error.kind !== 'user') throw error;
    await saveDeployment(platform, delivery, environment, {
      version: '',
      state: 'failed',
      reason: `${error.message}${error.cure ? ` ${error.cure}` : ''}`,
      fleet: 'waiting',
      fleetReason: 'Waits for the release.',
      manifests: null,
    });
  }
  await platform.jobs.send(queues.advance.name, String(id));
}

async function release(platform: Platform, parts: EnvironmentParts, delivery: LoadedDelivery): Promise<void> {
  const { view } = delivery;
  const environment = parts.config.name;
  const { sql } = platform.database;
  const { repository } = await sql.selectFrom('services').select('repository').where('name', '=', view.service).executeTakeFirstOrThrow();
  const reader = await platform.source.at(repository, view.commit);
  if (await isOutdated(platform, reader, delivery, environment)) {
    await saveDeployment(platform, delivery, environment, {
      version: '',
      state: 'superseded',
      reason: 'A newer commit was delivered here already.',
      fleet: 'skipped',
      fleetReason: 'A newer commit was delivered here already.',
      manifests: null,
    });
    return;
  }
  const images = releasedImages(delivery, parts);
  const source = await readSource(reader, view.commit);
  const findings = judgeSource(source);
  const { name, clusterLabels } = parts.config;
  const rendered = await renderReleaseBounded({
    files: source.files,
    service: view.service,
    commit: view.commit,
    environment: { name, clusterLabels },
    capabilities: await readCapabilities(parts.kube),
    revisions: await listRevisions(parts.kube, view.service),
    images: images.pins,
  });
  const tags = await reader.tagsOn(CommitId.parse(view.commit));
  const { version } = decideVersion({
    tagsOnCommit: tags,
    chartVersions: new Map(rendered.map((one) => [one.path, one.rendered.chart.version])),
  });
  // Before the tag: it is protected, so that one of a refused version would stand for ever.
  await demandVersion(platform, view, version);
  await platform.source.pushTag(repository, version, view.commit, `${view.service} ${version}`);
  const record = await writeRecord(platform, parts, delivery, version, findings, images.list, rendered);
  // By the record, which is written once: a chart may render to something else now.
  const manifests = JSON.stringify(entriesOf(record, 'manifests', environment).map(({ body }) => body.digest));
  // Fleet tries again what failed when this number grows, and only then.
  const tries = entriesOf(record, 'deployment', environment).filter(({ body }) => body.outcome === 'failed').length;
  await saveDeployment(platform, delivery, environment, {
    version,
    state: 'deploying',
    reason: 'Handed to Fleet.',
    fleet: 'running',
    fleetReason: 'Fleet reads the commit.',
    manifests,
  });
  await applyGitRepo(platform, parts, { service: view.service, repository, commit: view.commit, version, pins: images.pins, tries });
  const deployment = await sql
    .selectFrom('deployments')
    .select('id')
    .where('delivery', '=', delivery.id)
    .where('environment', '=', environment)
    .executeTakeFirstOrThrow();
  await platform.jobs.send(queues.follow.name, String(deployment.id));
}

/** A delivery of an older commit never replaces a newer one: neither by order of pushes nor by Git's order. */
async function isOutdated(
  platform: Platform,
  reader: RepositoryReader,
  { id, view }: LoadedDelivery,
  environment: string,
): Promise<boolean> {
  const later = await platform.database.sql
    .selectFrom('deployments')
    .select(['delivery', 'commit'])
    .where('service', '=', view.service)
    .where('environment', '=', environment)
    .where('delivery', '!=', id)
    .where('state', 'in', ['deploying', 'ready'])
    .execute();
  for (const other of later) {
    if (other.delivery > id) return true;
    if (other.commit !== view.commit && (await reader.isAncestor(CommitId.parse(view.commit), CommitId.parse(other.commit)))) return true;
  }
  return false;
}

interface ReleasedImage {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
  readonly job: string;
}

/** The images that the release jobs of this environment copied, and the names by which charts may call them. */
function releasedImages(delivery: LoadedDelivery, { config }: EnvironmentParts): { list: ReleasedImage[]; pins: Map<string, Digest> } {
  const list: ReleasedImage[] = [];
  const pins = new Map<string, Digest>();
  for (const job of delivery.view.jobs) {
    if (job.purpose !== 'release' || job.environment !== config.name || job.state !== 'success') continue;
    for (const image of job.images ?? []) {
      const colon = image.reference.lastIndexOf(':');
      const [repository, tag] = [image.reference.slice(0, colon), image.reference.slice(colon + 1)];
      const digest = Digest.parse(image.digest);
      list.push({ repository, tag, digest, job: job.name });
      pins.set(`${config.registry.host}/${repository}:${tag}`, digest);
    }
  }
  return { list, pins };
}

/** A version that another commit has, or that is not higher than all before, is refused. Gives the release that it has already. */
async function demandVersion(platform: Platform, view: LoadedDelivery['view'], version: string): Promise<{ record: string } | undefined> {
  const known = await platform.database.sql
    .selectFrom('releases')
    .select(['version', 'commit', 'record'])
    .where('service', '=', view.service)
    .execute();
  const mine = known.find((row) => row.version === version);
  if (mine && mine.commit !== view.commit) {
    throw new PlatformError(
      'CONFLICT',
      `The version ${version} of ${view.service} was made from commit ${mine.commit.slice(0, 12)} already, and a released version never changes.`,
      { kind: 'user', cure: "Raise the chart's version, or tag the commit with a higher one." },
    );
  }
  if (!mine)
    demandNextVersion(
      known.map((row) => row.version),
      version,
    );
  return mine;
}

/** Writes the record; what it has already is not written again. @returns the record as it stands */
async function writeRecord(
  platform: Platform,
  parts: EnvironmentParts,
  { id, view }: LoadedDelivery,
  version: string,
  source: SourceFindings,
  images: readonly ReleasedImage[],
  rendered: readonly RenderedRelease[],
): Promise<ReleaseRecord> {
  const { sql } = platform.database;
  const environment = EnvironmentName.parse(parts.config.name);
  const at = () => instantOf(platform.clock.now());
  const { signer } = platform.key;
  const mine = await demandVersion(platform, view, version);
  let record = mine
    ? readRecord(mine.record)
    : await createRecord(
        {
          body: {
            service: ServiceName.parse(view.service),
            version,
            commit: CommitId.parse(view.commit),
            gitTag: version,
            ...(view.templates ? { templates: { project: view.templates.project, commit: view.templates.commit } } : {}),
            delivery: formatDeliveryId(id),
          },
          at: at(),
          who: view.pushedBy,
        },
        signer,
      );
  if (!record.entries.some((entry) => entry.kind === 'source-findings')) {
    record = await appendEntry(
      record,
      { kind: 'source-findings', at: at(), who, body: { commit: CommitId.parse(view.commit), ...source } },
      signer,
    );
  }
  for (const image of images) {
    const name = `${parts.config.registry.host}/${image.repository}`;
    if (entriesOf(record, 'image', environment).some(({ body }) => body.name === name)) continue;
    const verdict = await currentVerdict(
      platform,
      { service: view.service, repository: image.repository, digest: image.digest },
      environment,
    );
    const built = await sql
      .selectFrom('images')
      .select(['sbom', 'job', 'delivery'])
      .where('service', '=', view.service)
      .where('repository', '=', image.repository)
      .where('digest', '=', image.digest)
      .executeTakeFirst();
    if (!verdict || !built || verdict.verdict.outcome !== 'pass')
      throw new PlatformError('GATE_CLOSED', `${name}@${image.digest} has no passing verdict any more.`, {
        kind: 'user',
        cure: `desp gate show ${image.repository}@${image.digest}`,
      });
    const document = JSON.parse(built.sbom) as Record<string, never>;
    record = await appendEntry(
      record,
      {
        kind: 'image',
        at: at(),
        who,
        body: {
          environment,
          name,
          tag: image.tag,
          digest: image.digest,
          builtBy: { job: built.job, delivery: formatDeliveryId(built.delivery) },
          sbom: { digest: verdict.verdict.sbom, document },
          verdict: verdict.envelope as never,
        },
      },
      signer,
    );
  }
  for (const one of rendered) {
    const known = entriesOf(record, 'manifests', environment);
    if (known.some(({ body }) => (body.rendered?.release ?? body.chart) === (body.rendered ? one.inputs.release : one.rendered.chart.name)))
      continue;
    record = await appendEntry(
      record,
      {
        kind: 'manifests',
        at: at(),
        who,
        body: {
          environment,
          chart: one.rendered.chart.name,
          chartVersion: one.rendered.chart.version,
          namespace: one.rendered.namespace,
          digest: one.digest,
          objects: one.objects,
          images: [...one.images],
          rendered: one.inputs,
        },
      },
      signer,
    );
  }
  const text = Buffer.from(exportRecord(record)).toString('utf8');
  const now = at();
  await sql
    .insertInto('releases')
    .values({ service: view.service, version, commit: view.commit, delivery: id, record: text, created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.columns(['service', 'version']).doUpdateSet({ record: text, updated_at: now }))
    .execute();
  return record;
}

/** A record's entries of one kind for one environment, in order. */
export const entriesOf = <Kind extends 'image' | 'manifests' | 'deployment'>(
  record: ReleaseRecord,
  kind: Kind,
  environment: string,
): EntryOf<Kind>[] =>
  record.entries.filter(
    (entry): entry is EntryOf<Kind> => entry.kind === kind && 'environment' in entry.body && entry.body.environment === environment,
  );

export const readRecord = (text: string): ReleaseRecord =>
  ReleaseRecord.parse(parseCanonicalJson(new TextEncoder().encode(text), recordBytes));

interface DeploymentChange {
  readonly version: string;
  readonly state: 'deploying' | 'failed' | 'superseded';
  readonly reason: string;
  readonly fleet: 'waiting' | 'running' | 'skipped';
  readonly fleetReason: string;
  readonly manifests: string | null;
}

async function saveDeployment(
  platform: Platform,
  { id, view }: LoadedDelivery,
  environment: string,
  change: DeploymentChange,
): Promise<void> {
  const now = instantOf(platform.clock.now());
  const values = {
    version: change.version,
    state: change.state,
    reason: change.reason,
    fleet: change.fleet,
    fleet_reason: change.fleetReason,
    manifests: change.manifests,
    updated_at: now,
  };
  await platform.database.sql.transaction().execute(async (transaction) => {
    if (change.state === 'deploying') {
      await transaction
        .updateTable('deployments')
        .set({ state: 'superseded', reason: `Replaced by ${change.version}.`, updated_at: now })
        .where('service', '=', view.service)
        .where('environment', '=', environment)
        .where('delivery', '<', id)
        .where('state', 'in', ['deploying', 'ready'])
        .execute();
    }
    await transaction
      .insertInto('deployments')
      .values({ service: view.service, environment, commit: view.commit, delivery: id, created_at: now, ...values })
      .onConflict((conflict) => conflict.columns(['service', 'environment', 'delivery']).doUpdateSet(values))
      .execute();
  });
  platform.announcer.announce(id);
}

/** Fleet follows the commit that the release names, never a branch; the digests travel with it for the agent to pin. */
async function applyGitRepo(
  platform: Platform,
  { config }: EnvironmentParts,
  release: { service: string; repository: string; commit: string; version: string; pins: ReadonlyMap<string, Digest>; tries: number },
): Promise<void> {
  const name = gitRepoName(release.service, config.name);
  const object = {
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'GitRepo',
    metadata: {
      name,
      namespace: fleetNamespace,
      labels: { 'desp.space/service': release.service, 'desp.space/environment': config.name },
      annotations: { 'desp.space/release': release.version, 'desp.space/pins': JSON.stringify(Object.fromEntries(release.pins)) },
    },
    spec: {
      repo: `${platform.config.git.url}/${release.repository}.git`,
      revision: release.commit,
      ...(release.tries > 0 ? { forceSyncGeneration: release.tries } : {}),
      paths: deploymentPaths,
      clientSecretName: 'gitcredential',
      targets: gitRepoTargets(config.clusterLabels),
    },
  } satisfies KubeObject & { spec: unknown };
  const type = await platform.management.resolve(object.apiVersion, object.kind);
  if (!type) throw new PlatformError('UNAVAILABLE', 'The management cluster does not know GitRepo.', { kind: 'upstream', retryable: true });
  await platform.management.patch(type, name, fleetNamespace, object, { kind: 'apply', fieldManager: 'desp-platform', force: true });
}
