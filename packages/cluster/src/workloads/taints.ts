import type { Node, Pod } from '@desp/kube';

type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

/**
 * The first taint that keeps the pod off the node; one that only prefers others counts for nothing where there is one node.
 * Source: Kubernetes API reference, `Taint` and `Toleration`: an empty key or effect of a toleration stands for every one.
 */
export function untolerated(pod: Pod, node: Node): Taint | undefined {
  return (node.spec?.taints ?? []).find((taint) => taint.effect !== 'PreferNoSchedule' && !isTolerated(pod, taint));
}

function isTolerated(pod: Pod, taint: Taint): boolean {
  return (pod.spec.tolerations ?? []).some(
    ({ key, operator, value, effect }) =>
      (!effect || effect === taint.effect) &&
      (!key || key === taint.key) &&
      (operator === 'Exists' || (Boolean(key) && (value ?? '') === (taint.value ?? ''))),
  );
}
