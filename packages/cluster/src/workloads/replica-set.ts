import {
  type Condition,
  controllerOf,
  controllerReference,
  formatSelector,
  isKubeError,
  keyOf,
  type Pod,
  partsOfKey,
  podType,
  type ReplicaSet,
  type ReplicaSetStatus,
  replicaSetType,
  runController,
  source,
} from '@desp/kube';
import { matchesSelector } from '@desp/model';
import { messageOf } from '@desp/runtime';
import { canonicalJson, conditionOf, isActive, isReady, timestamp, untilAvailable, type WorkloadContext, withCondition } from './parts.ts';
import { createPod } from './pods.ts';

/**
 * Keeps as many pods as the ReplicaSet says.
 *
 * Pods are read from the server, not from a cache, in each reconciliation: a cache that lags behind our own creations
 * would make us create twice, and the real controller's "expectations" against that are more than this needs.
 */
export function runReplicaSets(context: WorkloadContext): Promise<void> {
  const { client, clock } = context;
  const recorder = context.recorder('replicaset-controller');

  async function reconcile(key: string) {
    const { namespace, name } = partsOfKey(key);
    const set = await client.get(replicaSetType, name, namespace);
    if (set === undefined) return undefined;
    const pods = await ownedPods(context, set);
    let failure: Condition | undefined;
    let active = pods.filter(isActive);
    if (set.metadata.deletionTimestamp === undefined) {
      const missing = (set.spec.replicas ?? 1) - active.length;
      try {
        if (missing > 0) active = [...active, ...(await create(set, missing))];
        if (missing < 0) active = await remove(set, active, -missing);
      } catch (error) {
        failure = {
          type: 'ReplicaFailure',
          status: 'True',
          reason: missing > 0 ? 'FailedCreate' : 'FailedDelete',
          message: messageOf(error),
        };
      }
    }
    const wait = await writeStatus(set, active, failure);
    if (failure !== undefined) throw new Error(failure.message);
    return wait === undefined ? undefined : { requeueAfterMs: wait };
  }

  async function create(set: ReplicaSet, count: number): Promise<Pod[]> {
    const created: Pod[] = [];
    // One after the other first, then in doubling batches: a template that is refused is refused once, not a hundred times.
    for (let batch = 1; created.length < count; batch *= 2) {
      const size = Math.min(batch, count - created.length);
      const results = await Promise.allSettled(Array.from({ length: size }, () => createPod(client, set, set.spec.template)));
      for (const result of results) {
        if (result.status === 'fulfilled') {
          created.push(result.value);
          recorder.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${result.value.metadata.name}`);
        }
      }
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) {
        recorder.event(set, 'Warning', 'FailedCreate', `Error creating: ${messageOf(failed.reason)}`);
        throw failed.reason;
      }
    }
    return created;
  }

  async function remove(set: ReplicaSet, active: Pod[], count: number): Promise<Pod[]> {
    const doomed = active.toSorted(compareForDeletion).slice(0, count);
    for (const { metadata } of doomed) {
      await client.delete(podType, metadata.name, metadata.namespace, { uid: metadata.uid });
      recorder.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${metadata.name}`);
    }
    return active.filter((pod) => !doomed.includes(pod));
  }

  async function writeStatus(set: ReplicaSet, active: readonly Pod[], failure: Condition | undefined): Promise<number | undefined> {
    const minReady = set.spec.minReadySeconds ?? 0;
    const waits = active.map((pod) => untilAvailable(pod, minReady, clock.now()));
    const labels = set.spec.template.metadata?.labels ?? {};
    const others = (set.status?.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure');
    const status: ReplicaSetStatus = {
      replicas: active.length,
      fullyLabeledReplicas: active.filter((pod) => matchesSelector({ matchLabels: labels }, pod.metadata.labels)).length || undefined,
      readyReplicas: active.filter(isReady).length || undefined,
      availableReplicas: waits.filter((wait) => wait === 0).length || undefined,
      observedGeneration: set.metadata.generation,
      conditions:
        failure === undefined
          ? others.length > 0
            ? others
            : undefined
          : withCondition(
              [...others, ...[conditionOf(set.status?.conditions, 'ReplicaFailure')].filter((each) => each !== undefined)],
              failure,
              timestamp(clock),
            ),
    };
    if (canonicalJson(status) !== canonicalJson(set.status ?? {}))
      await client.replace(replicaSetType, { ...set, status }, { subresource: 'status' });
    const pending = waits.filter((wait) => wait > 0 && Number.isFinite(wait));
    return pending.length > 0 ? Math.min(...pending) : undefined;
  }

  return runController({
    ...context,
    name: 'replicaset',
    sources: [source(replicaSetType, (set) => [keyOf(set)]), source(podType, (pod) => ownerKeys(pod, 'ReplicaSet'))],
    reconcile,
  });
}

/** The keys of the pod's controller when it is of this kind. */
export function ownerKeys(pod: Pod, kind: string): string[] {
  const owner = controllerOf(pod);
  return owner?.kind === kind ? [`${pod.metadata.namespace}/${owner.name}`] : [];
}

/** The set's pods; those that match its selector and belong to nobody are adopted. */
async function ownedPods({ client }: WorkloadContext, set: ReplicaSet): Promise<Pod[]> {
  const { items } = await client.list(podType, { namespace: set.metadata.namespace, labelSelector: formatSelector(set.spec.selector) });
  const owned: Pod[] = [];
  for (const pod of items) {
    const owner = controllerOf(pod);
    if (owner?.uid === set.metadata.uid) owned.push(pod);
    if (owner !== undefined || !isActive(pod) || set.metadata.deletionTimestamp !== undefined) continue;
    const metadata = { uid: pod.metadata.uid, ownerReferences: [...(pod.metadata.ownerReferences ?? []), controllerReference(set)] };
    try {
      owned.push(await client.patch(podType, pod.metadata.name, pod.metadata.namespace, { metadata }, { kind: 'merge' }));
    } catch (error) {
      if (!isKubeError(error, 'NotFound', 'Conflict', 'Invalid')) throw error;
    }
  }
  return owned;
}

/** Who goes first: unscheduled, pending, not ready, youngest. Source: controller `ActivePods` order. */
function compareForDeletion(a: Pod, b: Pod): number {
  const rank = (pod: Pod) => (pod.spec.nodeName ? 4 : 0) + (pod.status?.phase === 'Running' ? 2 : 0) + (isReady(pod) ? 1 : 0);
  return rank(a) - rank(b) || (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '');
}
