import { keyOf, nodeType, podType, runController, source } from '@desp/kube';
import { isTerminal, type WorkloadContext } from './parts.ts';

/** Ended pods without an owner that are kept to be looked at. */
export const keptTerminated = 100;

/** Removes pods that nobody will remove: of a node that is gone, and ended ones beyond a number. */
export function runPodCollector(context: WorkloadContext): Promise<void> {
  const { client, informers } = context;
  return runController({
    ...context,
    name: 'pod-collector',
    sources: [
      source(podType, (pod) => (pod.metadata.deletionTimestamp !== undefined || isTerminal(pod) ? ['all'] : [])),
      source(nodeType, () => ['all']),
    ],
    concurrency: 1,
    async reconcile() {
      const nodes = new Set((await client.list(nodeType)).items.map(keyOf));
      const pods = informers.of(podType).list();
      const lost = pods.filter(
        ({ spec, metadata }) => metadata.deletionTimestamp !== undefined && (!spec.nodeName || !nodes.has(spec.nodeName)),
      );
      const ended = pods.filter(
        (pod) => isTerminal(pod) && (pod.metadata.ownerReferences ?? []).length === 0 && pod.metadata.deletionTimestamp === undefined,
      );
      const oldest = ended
        .toSorted((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''))
        .slice(0, Math.max(0, ended.length - keptTerminated));
      for (const { metadata } of [...lost, ...oldest]) {
        await client.delete(podType, metadata.name, metadata.namespace, { uid: metadata.uid, gracePeriodSeconds: 0 });
      }
    },
  });
}
