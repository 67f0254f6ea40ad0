import type { Pod } from '@desp/kube';
import type { EngineContainer } from './engine.ts';
import { attemptLabel } from './pod-status.ts';

/**
 * What the labels of a container say: whose it is. They are all that is remembered of a running pod, so that a node that
 * was killed finds its containers again and takes them on as they are.
 */
export const clusterLabel = 'space.desp.cluster';
export const podLabel = 'space.desp.pod';
export const uidLabel = 'space.desp.uid';
export const containerLabel = 'space.desp.container';

/** The container name of a sandbox; no container of a pod can be named so. */
export const sandboxName = '/sandbox';

export function labelsOf(cluster: string, pod: Pod, container: string, attempt: number): Record<string, string> {
  return {
    [clusterLabel]: cluster,
    [podLabel]: `${pod.metadata.namespace}/${pod.metadata.name}`,
    [uidLabel]: pod.metadata.uid!,
    [containerLabel]: container,
    [attemptLabel]: String(attempt),
  };
}

export function attemptOf(container: EngineContainer): number {
  return Number(container.labels[attemptLabel] ?? 0);
}

/** A pod's attempts of one container, newest first. */
export function attemptsOf(containers: readonly EngineContainer[], name: string): EngineContainer[] {
  return containers.filter(({ labels }) => labels[containerLabel] === name).toSorted((a, b) => attemptOf(b) - attemptOf(a));
}

/** Unique on the machine, and readable in `podman ps`. */
export function engineName(cluster: string, pod: Pod, container: string, attempt: number): string {
  const part = container === sandboxName ? 'sandbox' : container;
  return `desp_${cluster}_${pod.metadata.namespace}_${pod.metadata.name}_${part}_${pod.metadata.uid!.slice(0, 8)}_${attempt}`;
}
