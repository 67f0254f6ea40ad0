import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from '@desp/kube';
import { rollingLimits } from './deployment-plan.ts';
import { conditionOf, formatTime, withCondition } from './parts.ts';

/**
 * The status that follows from what the ReplicaSets report, and in how many milliseconds to look again for the
 * progress deadline; pure.
 */
export function deploymentStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  current: ReplicaSet | undefined,
  at: Date,
): { status: DeploymentStatus; recheckMs?: number } {
  const now = formatTime(at);
  const wanted = deployment.spec.replicas ?? 1;
  const sum = (field: 'replicas' | 'readyReplicas' | 'availableReplicas') =>
    sets.reduce((total, set) => total + (set.status?.[field] ?? 0), 0);
  const before = deployment.status;
  const replicas = sum('replicas');
  const availableReplicas = sum('availableReplicas');
  const counts = {
    observedGeneration: deployment.metadata.generation,
    replicas: replicas || undefined,
    updatedReplicas: current?.status?.replicas || undefined,
    readyReplicas: sum('readyReplicas') || undefined,
    availableReplicas: availableReplicas || undefined,
    unavailableReplicas: Math.max(0, sets.reduce((total, set) => total + (set.spec.replicas ?? 0), 0) - availableReplicas) || undefined,
    collisionCount: before?.collisionCount,
  };
  const enough = availableReplicas >= wanted - (deployment.spec.strategy?.type === 'Recreate' ? 0 : rollingLimits(deployment).unavailable);
  let conditions = withCondition(
    before?.conditions,
    {
      type: 'Available',
      status: enough ? 'True' : 'False',
      reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      message: enough ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.',
      lastUpdateTime: now,
    },
    now,
  );
  const { condition, moved, recheckMs } = progress(deployment, counts, current, at);
  if (condition !== undefined) conditions = withCondition(conditions, { ...condition, lastUpdateTime: now }, now);
  // The update time is what the deadline counts from: it moves with the rollout though the words stay the same.
  if (moved) conditions = conditions.map((each) => (each.type === 'Progressing' ? { ...each, lastUpdateTime: now } : each));
  const failing = current?.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  conditions =
    failing === undefined
      ? conditions.filter(({ type }) => type !== 'ReplicaFailure')
      : withCondition(conditions, { ...failing, lastUpdateTime: now }, now);
  return { status: { ...counts, conditions }, recheckMs };
}

function progress(
  deployment: Deployment,
  counts: DeploymentStatus,
  current: ReplicaSet | undefined,
  at: Date,
): { condition?: Condition; moved?: boolean; recheckMs?: number } {
  const before = conditionOf(deployment.status?.conditions, 'Progressing');
  const said = (status: Condition['status'], reason: string, message: string): { condition: Condition } => ({
    condition: { type: 'Progressing', status, reason, message },
  });
  if (deployment.spec.paused) return said('Unknown', 'DeploymentPaused', 'Deployment is paused');
  if (before?.reason === 'DeploymentPaused') return said('Unknown', 'DeploymentResumed', 'Deployment is resumed');
  if (current === undefined) return {};
  const name = current.metadata.name;
  const wanted = deployment.spec.replicas ?? 1;
  const complete =
    (counts.updatedReplicas ?? 0) === wanted && (counts.replicas ?? 0) === wanted && (counts.availableReplicas ?? 0) === wanted;
  if (complete) return said('True', 'NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`);
  // A rollout that was complete and whose pods later fail is not a rollout that stands still.
  const done = before?.reason === 'NewReplicaSetAvailable' && before.message?.includes(`"${name}"`);
  if (done) return {};
  const deadlineSeconds = deployment.spec.progressDeadlineSeconds;
  const progressing = said('True', 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`);
  const was = deployment.status;
  const moved =
    before === undefined ||
    !before.message?.includes(`"${name}"`) ||
    (counts.updatedReplicas ?? 0) > (was?.updatedReplicas ?? 0) ||
    (counts.readyReplicas ?? 0) > (was?.readyReplicas ?? 0) ||
    (counts.availableReplicas ?? 0) > (was?.availableReplicas ?? 0);
  if (moved) return { ...progressing, moved, recheckMs: deadlineSeconds === undefined ? undefined : deadlineSeconds * 1000 };
  if (before.reason === 'ProgressDeadlineExceeded' || deadlineSeconds === undefined) return {};
  const left = new Date(before.lastUpdateTime ?? 0).getTime() + deadlineSeconds * 1000 - at.getTime();
  if (left > 0) return { recheckMs: left };
  return said('False', 'ProgressDeadlineExceeded', `ReplicaSet "${name}" has timed out progressing.`);
}
