import type { DeploymentOptions } from '@desp/fleet';
import { type KubeClient, type KubeObject, storageClassType } from '@desp/kube';
import { locate } from './downstream.ts';
import { compareObject, type Difference, isDriftIgnored } from './drift.ts';
import { type Readiness, readiness } from './readiness.ts';

export interface ObservedReadiness extends Readiness {
  readonly object: KubeObject;
  readonly live: KubeObject | undefined;
}

/** How far each of the objects is, as the cluster has it now. */
export async function readinessOf(
  client: KubeClient,
  objects: readonly KubeObject[],
  options: DeploymentOptions,
): Promise<ObservedReadiness[]> {
  const late = new Set<string>();
  if (objects.some(({ kind }) => kind === 'PersistentVolumeClaim')) {
    const { items } = await client.list(storageClassType);
    for (const { metadata, volumeBindingMode } of items) if (volumeBindingMode === 'WaitForFirstConsumer') late.add(metadata.name);
  }
  const facts = {
    bindsLate: (name: string | undefined) => name !== undefined && late.has(name),
    ignored: options.ignore?.conditions ?? [],
  };
  const located = await locate(client, objects);
  return Promise.all(
    located.map(async ({ object, type }) => {
      const live = await client.get(type, object.metadata.name, object.metadata.namespace);
      return { object, live, ...(live ? readiness(live, facts) : { state: 'in-progress' as const, message: 'Resource is not there' }) };
    }),
  );
}

/** Remembers what was compared, so that nothing is asked for twice while neither side changed. */
export type DriftMemory = Map<string, { readonly fingerprint: string; readonly difference: Difference | undefined }>;

/**
 * What was changed behind the release's back: the server itself says, by applying each object dry, what it would change.
 */
export async function driftOf(
  client: KubeClient,
  observed: readonly ObservedReadiness[],
  options: DeploymentOptions,
  memory: DriftMemory,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  const scaled = scaledBy(observed.map(({ object }) => object));
  for (const { object, live } of observed) {
    if (isDriftIgnored(object, options.diff?.comparePatches ?? [])) continue;
    if (!live) {
      differences.push({ object, missing: true });
      continue;
    }
    const key = live.metadata.uid ?? '';
    const fingerprint = fingerprintOf(object, live);
    let known = memory.get(key);
    if (known?.fingerprint !== fingerprint) {
      const type = await client.resolve(object.apiVersion, object.kind);
      if (!type) continue;
      const wanted = await client.patch(type, object.metadata.name, object.metadata.namespace, object, {
        kind: 'apply',
        fieldManager: 'fleet',
        force: true,
        dryRun: true,
      });
      known = { fingerprint, difference: compareObject(object, live, wanted, options.diff?.comparePatches ?? [], scaled) };
      memory.set(key, known);
    }
    if (known.difference) differences.push(known.difference);
  }
  return differences;
}

/** Statuses change all the time and say nothing about drift; what has no generation is told by its version. */
function fingerprintOf(object: KubeObject, { metadata }: KubeObject): string {
  const { generation, resourceVersion, labels, annotations } = metadata;
  return JSON.stringify([generation ?? resourceVersion, labels, annotations, object]);
}

/** What autoscalers of the release scale: `KIND/NAMESPACE/NAME`. */
function scaledBy(objects: readonly KubeObject[]): ReadonlySet<string> {
  return new Set(
    objects
      .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
      .map((object) => {
        const { spec } = object as KubeObject & { spec?: { scaleTargetRef?: { kind?: string; name?: string } } };
        return `${spec?.scaleTargetRef?.kind}/${object.metadata.namespace ?? ''}/${spec?.scaleTargetRef?.name}`;
      }),
  );
}
