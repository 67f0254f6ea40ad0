import type { Condition, Job, JobStatus, Pod } from '@desp/kube';
import { conditionOf, formatTime, isActive, isReady, withCondition } from './parts.ts';

export interface JobPlan {
  readonly status: JobStatus;
  /** Pods to make: an index for an indexed Job, undefined for one without indexes. */
  readonly create: readonly (number | undefined)[];
  readonly remove: readonly Pod[];
  /** The finished Job's time to live is over. */
  readonly expired: boolean;
  /** Look again after so many milliseconds. */
  readonly recheckMs?: number;
}

/** First delay before a failed pod is followed by another; it doubles up to six minutes. */
const retry = { baseMs: 10_000, mostMs: 360_000 };
const indexAnnotation = 'batch.kubernetes.io/job-completion-index';

/** What a Job needs next, from its pods and the time; pure. */
export function planJob(job: Job, pods: readonly Pod[], at: Date): JobPlan {
  const finished = finishOf(job.status);
  if (finished !== undefined) return planFinished(job, pods, finished, at);
  const now = formatTime(at);
  const { spec } = job;
  const active = pods.filter(isActive);
  const succeededPods = pods.filter((pod) => pod.status?.phase === 'Succeeded');
  const failedPods = pods.filter((pod) => pod.status?.phase === 'Failed');
  const indexed = spec.completionMode === 'Indexed';
  const done = indexed ? new Set(succeededPods.map(indexOf)).size : succeededPods.length;
  // Pods may be removed by hand or by node; what was counted stays counted.
  const succeeded = Math.max(job.status?.succeeded ?? 0, done);
  const failed = Math.max(job.status?.failed ?? 0, failedPods.length);
  const status: JobStatus = {
    ...job.status,
    startTime: spec.suspend ? undefined : (job.status?.startTime ?? now),
    active: active.length || undefined,
    ready: active.filter(isReady).length,
    terminating: pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !finishedPod(pod)).length,
    succeeded: succeeded || undefined,
    failed: failed || undefined,
  };
  if (spec.suspend) {
    const conditions = withCondition(status.conditions, said('Suspended', 'True', 'JobSuspended', 'Job suspended'), now);
    return { status: { ...status, conditions }, create: [], remove: active, expired: false };
  }
  if (conditionOf(status.conditions, 'Suspended')?.status === 'True') {
    status.conditions = withCondition(status.conditions, said('Suspended', 'False', 'JobResumed', 'Job resumed'), now);
  }

  const failure = failureOf(job, status, pods, at);
  if (failure !== undefined) {
    let conditions = withCondition(status.conditions, { ...failure, type: 'FailureTarget' }, now);
    conditions = withCondition(conditions, failure, now);
    return { status: { ...status, active: undefined, ready: 0, conditions }, create: [], remove: active, expired: false };
  }
  const wanted = spec.completions;
  const complete = wanted === undefined ? succeeded > 0 && active.length === 0 : succeeded >= wanted;
  if (complete) {
    const message = 'Reached expected number of succeeded pods';
    let conditions = withCondition(status.conditions, said('SuccessCriteriaMet', 'True', 'CompletionsReached', message), now);
    conditions = withCondition(conditions, said('Complete', 'True', 'CompletionsReached', message), now);
    return {
      status: { ...status, active: undefined, ready: 0, completionTime: now, conditions },
      create: [],
      remove: active,
      expired: false,
    };
  }
  return { status, expired: false, ...planPods(job, { active, succeededPods, failedPods, succeeded, indexed }, at) };
}

interface Counted {
  readonly active: readonly Pod[];
  readonly succeededPods: readonly Pod[];
  readonly failedPods: readonly Pod[];
  readonly succeeded: number;
  readonly indexed: boolean;
}

function planPods(job: Job, counted: Counted, at: Date): Pick<JobPlan, 'create' | 'remove' | 'recheckMs'> {
  const { active, succeeded, indexed } = counted;
  const parallelism = job.spec.parallelism ?? 1;
  const wanted = job.spec.completions;
  const target = wanted === undefined ? (succeeded > 0 ? active.length : parallelism) : Math.min(parallelism, wanted - succeeded);
  const deadline = job.spec.activeDeadlineSeconds;
  const untilDeadline =
    deadline === undefined ? undefined : deadline * 1000 - (at.getTime() - new Date(job.status?.startTime ?? at).getTime());
  if (active.length > target) return { create: [], remove: active.slice(target), recheckMs: untilDeadline };
  const missing = target - active.length;
  const wait = missing > 0 ? backOff(counted.failedPods, counted.succeededPods, at) : 0;
  if (missing === 0 || wait > 0) return { create: [], remove: [], recheckMs: smallest(wait > 0 ? wait : undefined, untilDeadline) };
  const taken = new Set([...active, ...counted.succeededPods].map(indexOf));
  const free = Array.from({ length: indexed ? (wanted ?? 0) : 0 }, (_, index) => index).filter((index) => !taken.has(index));
  const create = indexed ? free.slice(0, missing) : Array.from({ length: missing }, () => undefined);
  return { create, remove: [], recheckMs: untilDeadline };
}

function failureOf(job: Job, status: JobStatus, pods: readonly Pod[], at: Date): Condition | undefined {
  const limit = job.spec.backoffLimit ?? 6;
  // With restartPolicy OnFailure it is the containers that start again, not the pods.
  const restarts =
    job.spec.template.spec.restartPolicy === 'OnFailure' ? pods.filter(isActive).reduce((sum, pod) => sum + restartsOf(pod), 0) : 0;
  const exceeded = (status.failed ?? 0) > limit || (restarts > 0 && restarts >= Math.max(1, limit));
  if (exceeded) return said('Failed', 'True', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  const deadline = job.spec.activeDeadlineSeconds;
  if (deadline !== undefined && status.startTime !== undefined && at.getTime() - new Date(status.startTime).getTime() >= deadline * 1000) {
    return said('Failed', 'True', 'DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  return undefined;
}

function planFinished(job: Job, pods: readonly Pod[], finished: Condition, at: Date): JobPlan {
  const ttl = job.spec.ttlSecondsAfterFinished;
  const left = ttl === undefined ? undefined : ttl * 1000 - (at.getTime() - new Date(finished.lastTransitionTime ?? at).getTime());
  const remove = pods.filter(isActive);
  return {
    status: job.status ?? {},
    create: [],
    remove,
    expired: left !== undefined && left <= 0,
    recheckMs: left !== undefined && left > 0 ? left : undefined,
  };
}

function finishOf(status: JobStatus | undefined): Condition | undefined {
  return status?.conditions?.find(({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True');
}

function backOff(failed: readonly Pod[], succeeded: readonly Pod[], at: Date): number {
  const lastSuccess = Math.max(0, ...succeeded.map(finishedAt));
  const since = failed.map(finishedAt).filter((time) => time > lastSuccess);
  if (since.length === 0) return 0;
  const delay = Math.min(retry.mostMs, retry.baseMs * 2 ** (since.length - 1));
  return Math.max(0, Math.max(...since) + delay - at.getTime());
}

function finishedAt(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map(({ state }) => new Date(state?.terminated?.finishedAt ?? 0).getTime());
  return Math.max(0, ...ends);
}

function finishedPod(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function restartsOf(pod: Pod): number {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].reduce(
    (sum, { restartCount }) => sum + restartCount,
    0,
  );
}

function indexOf(pod: Pod): number {
  return Number(pod.metadata.annotations?.[indexAnnotation] ?? -1);
}

function said(type: string, status: Condition['status'], reason: string, message: string): Condition {
  return { type, status, reason, message };
}

function smallest(...values: (number | undefined)[]): number | undefined {
  const present = values.filter((value) => value !== undefined);
  return present.length > 0 ? Math.min(...present) : undefined;
}
