import {
  isKubeError,
  keyOf,
  type Node,
  nodeType,
  type Pod,
  partsOfKey,
  persistentVolumeClaimType,
  podType,
  runController,
  source,
  storageClassType,
} from '@desp/kube';
import { isTerminal, timestamp, type WorkloadContext, withCondition } from './parts.ts';
import { fits, requestsOf } from './resources.ts';
import { untolerated } from './taints.ts';

/**
 * Binds pods to the one node where they fit. Why a pod does not fit stands in its condition and in an event, in the
 * scheduler's words.
 *
 * @param whyNoNode says why there is no node, where there is none.
 */
export function runScheduler(context: WorkloadContext, whyNoNode: () => string | undefined): Promise<void> {
  const { client, clock, informers } = context;
  const recorder = context.recorder('default-scheduler');

  async function reconcile(key: string) {
    const { namespace, name } = partsOfKey(key);
    const pod = await client.get(podType, name, namespace);
    if (pod === undefined || pod.spec.nodeName || pod.metadata.deletionTimestamp !== undefined || isTerminal(pod)) return undefined;
    // Whoever set a gate takes it away, and the pod comes back here.
    if ((pod.spec.schedulingGates ?? []).length > 0) return undefined;
    if (pod.spec.schedulerName !== undefined && pod.spec.schedulerName !== 'default-scheduler') return undefined;
    const { items: nodes } = await client.list(nodeType);
    const node = nodes[0];
    const refusal =
      node === undefined ? `0/0 nodes are available: ${whyNoNode() ?? 'the node has not registered yet'}.` : await refuse(pod, node);
    if (refusal !== undefined || node === undefined) {
      await markUnschedulable(pod, refusal ?? '');
      return { requeueAfterMs: 30_000 };
    }
    const target = { apiVersion: 'v1', kind: 'Node', name: node.metadata.name };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid: pod.metadata.uid }, target };
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace!)}/pods/${encodeURIComponent(name)}/binding`;
    try {
      await client.raw('POST', path, binding);
    } catch (error) {
      if (isKubeError(error, 'Conflict', 'NotFound')) return undefined;
      throw error;
    }
    recorder.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${node.metadata.name}`);
    return undefined;
  }

  /** Why the pod cannot go to the node; undefined when it can. */
  async function refuse(pod: Pod, node: Node): Promise<string | undefined> {
    const none = (reason: string) =>
      `0/1 nodes are available: 1 ${reason}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`;
    if (node.spec?.unschedulable) return none('node(s) were unschedulable');
    const labels = node.metadata.labels ?? {};
    if (!Object.entries(pod.spec.nodeSelector ?? {}).every(([label, value]) => labels[label] === value)) {
      return none("node(s) didn't match Pod's node affinity/selector");
    }
    const taint = untolerated(pod, node);
    if (taint !== undefined) return none(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`);
    for (const volume of pod.spec.volumes ?? []) {
      if (volume.persistentVolumeClaim === undefined) continue;
      const refusal = await refuseClaim(pod, volume.persistentVolumeClaim.claimName, node);
      if (refusal !== undefined)
        return `0/1 nodes are available: ${refusal}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`;
    }
    const others = informers
      .of(podType)
      .list()
      .filter((other) => other.spec.nodeName === node.metadata.name && !isTerminal(other) && other.metadata.uid !== pod.metadata.uid);
    const lacking = fits(requestsOf(pod), others.map(requestsOf), node.status?.allocatable ?? {});
    if (lacking.length === 0) return undefined;
    return `0/1 nodes are available: ${lacking.map((resource) => `1 ${resource}`).join(', ')}. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.`;
  }

  async function refuseClaim(pod: Pod, claimName: string, node: Node): Promise<string | undefined> {
    const claim = await client.get(persistentVolumeClaimType, claimName, pod.metadata.namespace);
    if (claim === undefined) return `persistentvolumeclaim "${claimName}" not found`;
    if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${claimName}" is being deleted`;
    if (claim.status?.phase === 'Bound') return undefined;
    const className = claim.spec.storageClassName;
    const storageClass = className ? await client.get(storageClassType, className) : undefined;
    if (
      storageClass?.volumeBindingMode === 'WaitForFirstConsumer' &&
      claim.metadata.annotations?.['volume.kubernetes.io/selected-node'] === undefined
    ) {
      // The provisioner waits for this mark before it makes the volume.
      const annotations = { 'volume.kubernetes.io/selected-node': node.metadata.name };
      await client.patch(persistentVolumeClaimType, claimName, pod.metadata.namespace, { metadata: { annotations } }, { kind: 'merge' });
    }
    return 'pod has unbound immediate PersistentVolumeClaims';
  }

  async function markUnschedulable(pod: Pod, message: string): Promise<void> {
    const condition = { type: 'PodScheduled', status: 'False' as const, reason: 'Unschedulable', message };
    const conditions = withCondition(pod.status?.conditions, condition, timestamp(clock));
    if (JSON.stringify(conditions) === JSON.stringify(pod.status?.conditions)) return;
    recorder.event(pod, 'Warning', 'FailedScheduling', message);
    await client.replace(podType, { ...pod, status: { ...pod.status, phase: 'Pending', conditions } }, { subresource: 'status' });
  }

  /** What a change of a node, another pod or a claim may have made possible. */
  const waiting = () =>
    informers
      .of(podType)
      .list()
      .filter((pod) => !pod.spec.nodeName && !isTerminal(pod))
      .map(keyOf);
  return runController({
    ...context,
    name: 'scheduler',
    // One at a time: two pods decided at once could both take the last room.
    concurrency: 1,
    sources: [
      source(podType, (pod, { type }) => (pod.spec.nodeName ? (type === 'DELETED' || isTerminal(pod) ? waiting() : []) : [keyOf(pod)])),
      source(nodeType, waiting),
      source(persistentVolumeClaimType, waiting),
    ],
    reconcile,
  });
}
