import {
  controllerOf,
  controllerReference,
  type Deployment,
  deploymentType,
  formatSelector,
  isControlledBy,
  keyOf,
  type PodTemplate,
  partsOfKey,
  podType,
  type ReplicaSet,
  replicaSetType,
  runController,
  source,
} from '@desp/kube';
import { planScale } from './deployment-plan.ts';
import { deploymentStatus } from './deployment-status.ts';
import { canonicalJson, shortHash, type WorkloadContext } from './parts.ts';

const revisionAnnotation = 'deployment.kubernetes.io/revision';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
const hashLabel = 'pod-template-hash';
/** Annotations of the Deployment that its ReplicaSets do not take over. */
const ownAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
]);

/**
 * Rolls a Deployment's template out through ReplicaSets, one a template, and keeps the old ones for going back.
 * Source: Kubernetes documentation "Deployments"; behaviour compared with kube-controller-manager.
 */
export function runDeployments(context: WorkloadContext): Promise<void> {
  const { client, clock } = context;
  const recorder = context.recorder('deployment-controller');

  async function reconcile(key: string) {
    const { namespace, name } = partsOfKey(key);
    let deployment = await client.get(deploymentType, name, namespace);
    if (deployment === undefined) return undefined;
    const sets = await ownedSets(deployment);
    if (deployment.metadata.deletionTimestamp !== undefined) return writeStatus(deployment, sets, undefined);

    const hashless = canonicalJson(withoutHash(deployment.spec.template));
    const isNew = (set: ReplicaSet) => canonicalJson(withoutHash(set.spec.template)) === hashless;
    // The oldest of equals is the one to use, as a restarted rollout would find it first.
    let current = sets.filter(isNew).toSorted(byAge)[0];
    const old = sets.filter((set) => set !== current);
    const revision = String(Math.max(0, ...old.map(revisionOf)) + 1);

    if (current === undefined && !deployment.spec.paused) {
      if (deployment.spec.strategy?.type === 'Recreate' && !(await allGone(deployment, old)))
        return writeStatus(deployment, sets, undefined);
      current = await createSet(deployment, revision);
      if (current === undefined) return undefined;
    } else if (current !== undefined && !deployment.spec.paused && Number(revision) > revisionOf(current)) {
      // Gone back to an earlier template: its ReplicaSet becomes the newest revision.
      current = await annotate(current, { [revisionAnnotation]: revision });
    }
    if (current !== undefined && deployment.metadata.annotations?.[revisionAnnotation] !== String(revisionOf(current))) {
      const annotations = { [revisionAnnotation]: String(revisionOf(current)) };
      deployment = await client.patch(deploymentType, name, namespace, { metadata: { annotations } }, { kind: 'merge' });
    }

    const all = current === undefined ? old : [...old, current];
    const scaled = new Map<string, ReplicaSet>();
    for (const step of planScale(deployment, current, old))
      scaled.set(step.set.metadata.name, await scale(deployment, step.set, step.replicas));
    const now = all.map((set) => scaled.get(set.metadata.name) ?? set);
    await cleanUp(
      deployment,
      now.filter((set) => set.metadata.name !== current?.metadata.name),
    );
    return writeStatus(
      deployment,
      now,
      now.find((set) => set.metadata.name === current?.metadata.name),
    );
  }

  async function ownedSets(deployment: Deployment): Promise<ReplicaSet[]> {
    const { items } = await client.list(replicaSetType, {
      namespace: deployment.metadata.namespace,
      labelSelector: formatSelector(deployment.spec.selector),
    });
    const owned: ReplicaSet[] = [];
    for (const set of items) {
      if (isControlledBy(set, deployment)) owned.push(set);
      else if (
        controllerOf(set) === undefined &&
        set.metadata.deletionTimestamp === undefined &&
        deployment.metadata.deletionTimestamp === undefined
      ) {
        const metadata = {
          uid: set.metadata.uid,
          ownerReferences: [...(set.metadata.ownerReferences ?? []), controllerReference(deployment)],
        };
        owned.push(await client.patch(replicaSetType, set.metadata.name, set.metadata.namespace, { metadata }, { kind: 'merge' }));
      }
    }
    return owned;
  }

  /** Creates the ReplicaSet of the template; undefined when the name's hash collided and the next try takes another. */
  async function createSet(deployment: Deployment, revision: string): Promise<ReplicaSet | undefined> {
    const { template } = deployment.spec;
    const hash = shortHash(canonicalJson(template) + String(deployment.status?.collisionCount ?? ''));
    const name = `${deployment.metadata.name}-${hash}`;
    const { namespace } = deployment.metadata;
    const labels = { ...template.metadata?.labels, [hashLabel]: hash };
    const existing = await client.get(replicaSetType, name, namespace);
    if (existing !== undefined) {
      const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
      await client.replace(deploymentType, { ...deployment, status: { ...deployment.status, collisionCount } }, { subresource: 'status' });
      return undefined;
    }
    return client.create<ReplicaSet>(replicaSetType, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name,
        namespace,
        labels,
        annotations: { ...inherited(deployment), [revisionAnnotation]: revision },
        ownerReferences: [controllerReference(deployment)],
      },
      spec: {
        replicas: 0,
        minReadySeconds: deployment.spec.minReadySeconds,
        selector: { ...deployment.spec.selector, matchLabels: { ...deployment.spec.selector.matchLabels, [hashLabel]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    });
  }

  async function scale(deployment: Deployment, set: ReplicaSet, replicas: number): Promise<ReplicaSet> {
    const before = set.spec.replicas ?? 0;
    const annotations = { 'deployment.kubernetes.io/desired-replicas': String(deployment.spec.replicas ?? 1) };
    const body = { metadata: { annotations, resourceVersion: set.metadata.resourceVersion }, spec: { replicas } };
    const scaled = await client.patch(replicaSetType, set.metadata.name, set.metadata.namespace, body, { kind: 'merge' });
    const direction = replicas > before ? 'up' : 'down';
    recorder.event(
      deployment,
      'Normal',
      'ScalingReplicaSet',
      `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`,
    );
    return scaled;
  }

  function annotate(set: ReplicaSet, annotations: Record<string, string>): Promise<ReplicaSet> {
    return client.patch(replicaSetType, set.metadata.name, set.metadata.namespace, { metadata: { annotations } }, { kind: 'merge' });
  }

  /** Recreate: the new pods come only when none of the old runs any more. */
  async function allGone(deployment: Deployment, old: readonly ReplicaSet[]): Promise<boolean> {
    for (const set of old) if ((set.spec.replicas ?? 0) > 0) await scale(deployment, set, 0);
    const { items } = await client.list(podType, {
      namespace: deployment.metadata.namespace,
      labelSelector: formatSelector(deployment.spec.selector),
    });
    const uids = new Set(old.map(({ metadata }) => metadata.uid));
    return !items.some((pod) => uids.has(controllerOf(pod)?.uid) && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed');
  }

  async function cleanUp(deployment: Deployment, old: readonly ReplicaSet[]): Promise<void> {
    if (deployment.spec.paused) return;
    const idle = old.filter(
      (set) =>
        (set.spec.replicas ?? 0) === 0 && (set.status?.replicas ?? 0) === 0 && set.status?.observedGeneration === set.metadata.generation,
    );
    const excess = idle.length - (deployment.spec.revisionHistoryLimit ?? 10);
    if (excess <= 0) return;
    for (const { metadata } of idle.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, excess)) {
      await client.delete(replicaSetType, metadata.name, metadata.namespace, { uid: metadata.uid });
    }
  }

  async function writeStatus(deployment: Deployment, sets: readonly ReplicaSet[], current: ReplicaSet | undefined) {
    const { status, recheckMs } = deploymentStatus(deployment, sets, current, clock.now());
    if (canonicalJson(status) !== canonicalJson(deployment.status ?? {})) {
      await client.replace(deploymentType, { ...deployment, status }, { subresource: 'status' });
    }
    return recheckMs === undefined ? undefined : { requeueAfterMs: recheckMs };
  }

  return runController({
    ...context,
    name: 'deployment',
    sources: [
      source(deploymentType, (deployment) => [keyOf(deployment)]),
      source(replicaSetType, (set) => {
        const owner = controllerOf(set);
        return owner?.kind === 'Deployment' ? [`${set.metadata.namespace}/${owner.name}`] : [];
      }),
      // Recreate waits for pods that go; a ReplicaSet that is at zero already tells nothing of them.
      source(podType, (pod, change) => (change.type === 'DELETED' ? deploymentOf(context, pod) : [])),
    ],
    reconcile,
  });
}

function deploymentOf({ informers }: WorkloadContext, pod: Parameters<typeof controllerOf>[0]): string[] {
  const set = informers.of(replicaSetType).get(`${pod.metadata.namespace}/${controllerOf(pod)?.name}`);
  const owner = set === undefined ? undefined : controllerOf(set);
  return owner?.kind === 'Deployment' ? [`${pod.metadata.namespace}/${owner.name}`] : [];
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[revisionAnnotation] ?? 0) || 0;
}

function byAge(a: ReplicaSet, b: ReplicaSet): number {
  return (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '');
}

function inherited(deployment: Deployment): Record<string, string> {
  return Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !ownAnnotations.has(name)));
}
