import { gunzipSync, gzipSync } from 'node:zlib';
import type { RenderedManifests } from '@desp/fleet';
import type { KubeClient, KubeObject, Secret } from '@desp/kube';
import { secretType } from '@desp/kube';
import { parseAllDocuments, stringify } from 'yaml';
import { ControllerError } from '../../controller-error.ts';

/**
 * Releases as Helm stores them: one Secret `sh.helm.release.v1.NAME.vN` a revision, so that `helm list`, `history` and `get` show
 * them. Source: recorded from Fleet with Helm 4.2 (reference, recorded §2).
 *
 * The Secret is also our own memory of an operation under way: its status is `pending-…` until all is done, and an annotation
 * holds which hooks have run. A killed agent reads it and goes on; it does not render again, for a template may give something
 * else the second time.
 */
export type ReleaseStatus = 'pending-install' | 'pending-upgrade' | 'deployed' | 'superseded' | 'failed' | 'uninstalling';

export interface ReleaseHook {
  readonly name: string;
  readonly kind: string;
  readonly path: string;
  readonly object: KubeObject;
  readonly events: readonly string[];
  readonly weight: number;
  readonly deletePolicies: readonly string[];
}

export interface HookRun {
  /** RFC 3339. */
  readonly startedAt: string;
  readonly completedAt?: string;
  readonly phase: 'Running' | 'Succeeded' | 'Failed';
}

export interface Release {
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly status: ReleaseStatus;
  readonly description: string;
  readonly firstDeployed: string;
  readonly lastDeployed: string;
  readonly notes: string;
  /** In install order. */
  readonly objects: readonly KubeObject[];
  readonly crds: readonly KubeObject[];
  readonly hooks: readonly ReleaseHook[];
  /** As Helm writes it. */
  readonly chart: unknown;
  readonly config: unknown;
  /** Whose deployment it is, and of what: `spec.deploymentID`. */
  readonly bundleDeployment: string;
  readonly deploymentId: string;
  /** By `EVENT/KIND/NAME`. */
  readonly hookRuns: Readonly<Record<string, HookRun>>;
  /** Absent in releases of an older version of us. */
  readonly rendered?: RenderedManifests;
}

const annotation = {
  bundleDeployment: 'desp.space/bundle-deployment',
  deploymentId: 'desp.space/deployment-id',
  hookRuns: 'desp.space/hook-runs',
  rendered: 'desp.space/rendered',
} as const;
const fieldManager = 'Helm';
/** A Secret holds 1 MiB. */
const payloadLimit = 1024 * 1024;
const unpackedLimit = 64 * 1024 * 1024;

export const hookKey = (event: string, hook: ReleaseHook): string => `${event}/${hook.kind}/${hook.name}`;
export const secretName = (release: { name: string; version: number }): string => `sh.helm.release.v1.${release.name}.v${release.version}`;

/** Every stored release of the name, oldest first. */
export async function listReleases(client: KubeClient, name: string, namespace: string): Promise<Release[]> {
  const { items } = await client.list(secretType, { namespace, labelSelector: `owner=helm,name=${name}` });
  return items
    .filter((secret) => secret.type === 'helm.sh/release.v1')
    .map(decode)
    .sort((a, b) => a.version - b.version);
}

/** A revision of a release, as the labels of its Secret say. */
export interface ReleaseRevision {
  readonly name: string;
  readonly revision: number;
  readonly deployed: boolean;
}

/** Every revision in a namespace that a later one follows: what who renders for it has to know. */
export async function listRevisions(client: KubeClient, namespace: string): Promise<ReleaseRevision[]> {
  const { items } = await client.list(secretType, { namespace, labelSelector: 'owner=helm' });
  return items.flatMap(({ type, metadata: { labels } }) =>
    type === 'helm.sh/release.v1' && labels?.['name'] && Number.isInteger(Number(labels['version']))
      ? [{ name: labels['name'], revision: Number(labels['version']), deployed: labels['status'] === 'deployed' }]
      : [],
  );
}

/** With what the next revision of a release is rendered: the agent and the release record ask the same. */
export function nextRevision(revisions: readonly ReleaseRevision[], name: string): { revision: number; isUpgrade: boolean } {
  const own = revisions.filter((each) => each.name === name);
  return { revision: Math.max(0, ...own.map(({ revision }) => revision)) + 1, isUpgrade: own.some(({ deployed }) => deployed) };
}

/** Every release of a BundleDeployment, wherever and under whatever name. */
export async function releasesOf(client: KubeClient, bundleDeployment: string): Promise<Release[]> {
  const { items } = await client.list(secretType, { labelSelector: 'owner=helm' });
  return items
    .filter(
      (secret) => secret.type === 'helm.sh/release.v1' && secret.metadata.annotations?.[annotation.bundleDeployment] === bundleDeployment,
    )
    .map(decode)
    .sort((a, b) => a.version - b.version);
}

/** @throws ControllerError DEPLOY_FAILED when it does not fit into a Secret */
export async function saveRelease(client: KubeClient, release: Release, now: Date): Promise<Release> {
  const secret = encode(release, now);
  if ((secret.data?.['release']?.length ?? 0) > payloadLimit) {
    throw new ControllerError('DEPLOY_FAILED', `The release ${release.name} takes more than 1 MiB packed, which no Secret holds.`, {
      kind: 'user',
      cure: 'Keep files that templates do not need out of the chart (.helmignore).',
    });
  }
  await client.patch(secretType, secret.metadata.name, release.namespace, secret, { kind: 'apply', fieldManager, force: true });
  return release;
}

export async function removeRelease(client: KubeClient, release: Release): Promise<void> {
  await client.delete(secretType, secretName(release), release.namespace);
}

function encode(release: Release, now: Date): Secret {
  const body = {
    name: release.name,
    info: {
      first_deployed: release.firstDeployed,
      last_deployed: release.lastDeployed,
      deleted: '',
      description: release.description,
      status: release.status,
      ...(release.notes ? { notes: release.notes } : {}),
    },
    chart: release.chart,
    config: release.config,
    manifest: toYaml(release.objects),
    hooks: release.hooks.map((hook) => encodeHook(hook, release.hookRuns)),
    version: release.version,
    namespace: release.namespace,
    apply_method: 'ssa',
    // Helm keeps them in the chart's files; read back by us alone.
    ...(release.crds.length > 0 ? { crds: toYaml(release.crds) } : {}),
  };
  const packed = gzipSync(JSON.stringify(body), { level: 9 }).toString('base64');
  const { name, namespace, version, status } = release;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: secretName(release),
      namespace,
      labels: { name, owner: 'helm', status, version: String(version), modifiedAt: String(Math.floor(now.getTime() / 1000)) },
      annotations: {
        [annotation.bundleDeployment]: release.bundleDeployment,
        [annotation.deploymentId]: release.deploymentId,
        [annotation.hookRuns]: JSON.stringify(release.hookRuns),
        ...(release.rendered ? { [annotation.rendered]: JSON.stringify(release.rendered) } : {}),
      },
    },
    data: { release: Buffer.from(packed).toString('base64') },
  };
}

function encodeHook(hook: ReleaseHook, runs: Readonly<Record<string, HookRun>>): object {
  const run = hook.events.map((event) => runs[hookKey(event, hook)]).findLast((each) => each !== undefined);
  return {
    name: hook.name,
    kind: hook.kind,
    path: hook.path,
    manifest: toYaml([hook.object]),
    events: hook.events,
    last_run: { started_at: run?.startedAt ?? '', completed_at: run?.completedAt ?? '', phase: run?.phase ?? '' },
    weight: hook.weight,
    delete_policies: hook.deletePolicies,
  };
}

interface Body {
  readonly name: string;
  readonly info: { first_deployed: string; last_deployed: string; description: string; status: ReleaseStatus; notes?: string };
  readonly chart: unknown;
  readonly config: unknown;
  readonly manifest: string;
  readonly crds?: string;
  readonly hooks?: readonly {
    name: string;
    kind: string;
    path: string;
    manifest: string;
    events: string[];
    weight?: number;
    delete_policies?: string[];
  }[];
  readonly version: number;
  readonly namespace: string;
}

function decode(secret: Secret): Release {
  try {
    const packed = Buffer.from(Buffer.from(secret.data?.['release'] ?? '', 'base64').toString('latin1'), 'base64');
    const body = JSON.parse(gunzipSync(packed, { maxOutputLength: unpackedLimit }).toString('utf8')) as Body;
    const notes = secret.metadata.annotations ?? {};
    const rendered = notes[annotation.rendered];
    return {
      name: body.name,
      namespace: body.namespace,
      version: body.version,
      status: body.info.status,
      description: body.info.description,
      firstDeployed: body.info.first_deployed,
      lastDeployed: body.info.last_deployed,
      notes: body.info.notes ?? '',
      objects: fromYaml(body.manifest),
      crds: fromYaml(body.crds ?? ''),
      hooks: (body.hooks ?? []).flatMap((hook) => {
        const [object] = fromYaml(hook.manifest);
        return object
          ? [
              {
                name: hook.name,
                kind: hook.kind,
                path: hook.path,
                object,
                events: hook.events,
                weight: hook.weight ?? 0,
                deletePolicies: hook.delete_policies ?? [],
              },
            ]
          : [];
      }),
      chart: body.chart,
      config: body.config,
      bundleDeployment: notes[annotation.bundleDeployment] ?? '',
      deploymentId: notes[annotation.deploymentId] ?? '',
      hookRuns: JSON.parse(notes[annotation.hookRuns] ?? '{}') as Release['hookRuns'],
      ...(rendered === undefined ? {} : { rendered: JSON.parse(rendered) as RenderedManifests }),
    };
  } catch (cause) {
    throw new ControllerError(
      'DEPLOY_FAILED',
      `The release in Secret ${secret.metadata.namespace}/${secret.metadata.name} cannot be read.`,
      {
        kind: 'user',
        cure: 'Delete the Secret; the release is then installed anew over what there is.',
        cause,
      },
    );
  }
}

/**
 * Keys sorted, as Fleet re-serialises manifests; YAML 1.1, so that every text which Helm's reader would take for something else
 * is quoted.
 */
function toYaml(objects: readonly KubeObject[]): string {
  return objects
    .map((object) => `---\n${stringify(object, { version: '1.1', sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false })}`)
    .join('');
}

function fromYaml(text: string): KubeObject[] {
  if (text === '') return [];
  const documents = parseAllDocuments(text, { version: '1.1', uniqueKeys: false });
  return Array.isArray(documents) ? documents.flatMap((document) => (document.toJS() as KubeObject | null) ?? []) : [];
}
