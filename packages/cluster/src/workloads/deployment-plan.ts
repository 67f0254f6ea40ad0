import type { Deployment, ReplicaSet } from '@desp/kube';

export interface ScaleStep {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

/**
 * What to scale next; pure. A rollout is many of these steps, each made from what is observed then.
 *
 * Rolling: never more than `replicas + maxSurge` pods, never fewer than `replicas - maxUnavailable` available ones.
 */
export function planScale(deployment: Deployment, current: ReplicaSet | undefined, old: readonly ReplicaSet[]): ScaleStep[] {
  const wanted = deployment.spec.replicas ?? 1;
  const active = old.filter((set) => size(set) > 0);
  if (deployment.spec.paused) return planPaused(wanted, current, active);
  if (current === undefined) return [];
  if (deployment.spec.strategy?.type === 'Recreate') {
    return [...active.map((set) => ({ set, replicas: 0 })), ...change(current, wanted)];
  }
  const { surge, unavailable } = rollingLimits(deployment);
  const grown =
    size(current) >= wanted ? wanted : Math.min(wanted, size(current) + Math.max(0, wanted + surge - total([current, ...active])));
  const steps = change(current, grown);
  return [...steps, ...planShrink(wanted - unavailable, current, grown, active)];
}

/** While paused only a change of the number of replicas is followed, by the set that has the most. */
function planPaused(wanted: number, current: ReplicaSet | undefined, active: readonly ReplicaSet[]): ScaleStep[] {
  const running = [...active, ...(current !== undefined && size(current) > 0 ? [current] : [])];
  const largest = running.toSorted((a, b) => size(b) - size(a))[0] ?? current;
  if (largest === undefined) return [];
  return change(largest, Math.max(0, wanted - total(running.filter((set) => set !== largest))));
}

/** Old sets lose first what does not work anyway, then as much as the available ones allow. */
function planShrink(minimum: number, current: ReplicaSet, grown: number, active: readonly ReplicaSet[]): ScaleStep[] {
  const newUnavailable = grown - Math.min(grown, current.status?.availableReplicas ?? 0);
  let removable = total(active) + grown - minimum - newUnavailable;
  const next = new Map(active.map((set) => [set, size(set)]));
  const oldestFirst = active.toSorted((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''));
  for (const set of oldestFirst) {
    const broken = size(set) - Math.min(size(set), set.status?.availableReplicas ?? 0);
    const take = Math.max(0, Math.min(removable, broken));
    next.set(set, size(set) - take);
    removable -= take;
  }
  let spare = Math.max(0, available([current, ...active]) - minimum);
  for (const set of oldestFirst) {
    const take = Math.min(spare, next.get(set)!);
    next.set(set, next.get(set)! - take);
    spare -= take;
  }
  return active.flatMap((set) => change(set, next.get(set)!));
}

/** `maxSurge` rounds up, `maxUnavailable` down; both zero would never move, so one may then be missing. */
export function rollingLimits(deployment: Deployment): { surge: number; unavailable: number } {
  const wanted = deployment.spec.replicas ?? 1;
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = portion(maxSurge, wanted, Math.ceil);
  const unavailable = Math.min(wanted, portion(maxUnavailable, wanted, Math.floor));
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

function portion(value: number | string, of: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value;
  return value.endsWith('%') ? round((of * Number(value.slice(0, -1))) / 100) : Number(value);
}

function change(set: ReplicaSet, replicas: number): ScaleStep[] {
  return size(set) === replicas ? [] : [{ set, replicas }];
}

function size(set: ReplicaSet): number {
  return set.spec.replicas ?? 0;
}

function total(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + size(set), 0);
}

function available(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
}
