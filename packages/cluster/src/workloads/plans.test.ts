import type { Condition, Deployment, Job, Pod, ReplicaSet } from '@desp/kube';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planScale, rollingLimits } from './deployment-plan.ts';
import { deploymentStatus } from './deployment-status.ts';
import { planJob } from './job-plan.ts';
import { conditionOf, shortHash, withCondition } from './parts.ts';
import { fits, requestsOf } from './resources.ts';

const at = new Date('2026-11-22T10:00:00Z');

function deployment(spec: Partial<Deployment['spec']> = {}, status: Deployment['status'] = {}): Deployment {
  const template = { spec: { containers: [{ name: 'c', image: 'i' }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', generation: 1 },
    spec: { replicas: 3, selector: {}, template, ...spec },
    status,
  };
}

function replicaSet(name: string, replicas: number, available = replicas, age = '2026-11-22T09:00:00Z'): ReplicaSet {
  const template = { spec: { containers: [] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, creationTimestamp: age },
    spec: { replicas, selector: {}, template },
    status: { replicas, readyReplicas: available, availableReplicas: available },
  };
}

const sizes = (steps: ReturnType<typeof planScale>) => Object.fromEntries(steps.map(({ set, replicas }) => [set.metadata.name, replicas]));

describe('a rolling update', () => {
  test.each([
    ['a first rollout goes to the wanted size at once', 3, replicaSet('new', 0), [], { new: 3 }],
    ['a new set takes the surge, while nothing old may go yet', 4, replicaSet('new', 0, 0), [replicaSet('old', 4)], { new: 1, old: 3 }],
    ['old pods go as new ones become available', 4, replicaSet('new', 1, 1), [replicaSet('old', 3)], { new: 2, old: 2 }],
    ['old pods that do not work go first', 4, replicaSet('new', 1, 0), [replicaSet('old', 4, 1)], { old: 3 }],
    ['nothing is left to do', 3, replicaSet('new', 3), [replicaSet('old', 0)], {}],
    ['a smaller number is followed at once', 1, replicaSet('new', 3), [], { new: 1 }],
  ])('%s', (_, replicas, current, old, expected) => {
    expect(sizes(planScale(deployment({ replicas }), current, old))).toEqual(expected);
  });

  test.each([
    [4, {}, { surge: 1, unavailable: 1 }],
    [1, {}, { surge: 1, unavailable: 0 }],
    [10, { maxSurge: '30%', maxUnavailable: '35%' }, { surge: 3, unavailable: 3 }],
    [3, { maxSurge: 0, maxUnavailable: 0 }, { surge: 0, unavailable: 1 }],
  ])('the limits of %i replicas with %j', (replicas, rollingUpdate, expected) => {
    expect(rollingLimits(deployment({ replicas, strategy: { type: 'RollingUpdate', rollingUpdate } }))).toEqual(expected);
  });

  test('while paused only the size follows', () => {
    expect(sizes(planScale(deployment({ replicas: 5, paused: true }), replicaSet('new', 3), []))).toEqual({ new: 5 });
    expect(sizes(planScale(deployment({ replicas: 3, paused: true }), undefined, [replicaSet('old', 3)]))).toEqual({});
  });

  test('it always comes to its end, and never has too few available or too many pods on the way', () => {
    const percent = fc.integer({ min: 0, max: 100 }).map((value) => `${value}%`);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        percent,
        percent,
        fc.integer({ min: 1, max: 12 }),
        (replicas, maxSurge, maxUnavailable, oldSize) => {
          const wanted = deployment({ replicas, strategy: { rollingUpdate: { maxSurge, maxUnavailable } } });
          const { surge, unavailable } = rollingLimits(wanted);
          let current = replicaSet('new', 0);
          let old = replicaSet('old', Math.min(oldSize, replicas));
          for (let round = 0; round < 100; round += 1) {
            const steps = sizes(planScale(wanted, current, [old]));
            if (Object.keys(steps).length === 0) break;
            const before = current.status!.availableReplicas! + old.status!.availableReplicas!;
            const newSize = steps['new'] ?? current.spec.replicas!;
            const left = steps['old'] ?? old.spec.replicas!;
            expect(newSize + left).toBeLessThanOrEqual(Math.max(replicas + surge, before));
            // Pods that are new in this round are not available yet: what stays must be enough.
            const stays = Math.min(newSize, current.status!.availableReplicas!) + left;
            if (before >= replicas - unavailable) expect(stays).toBeGreaterThanOrEqual(replicas - unavailable);
            current = replicaSet('new', newSize);
            old = replicaSet('old', left);
          }
          expect([current.spec.replicas, old.spec.replicas]).toEqual([replicas, 0]);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a Deployment’s conditions', () => {
  const progressing = (status: Deployment['status']) => conditionOf(status?.conditions, 'Progressing')?.reason;

  test('progress, completion and the deadline', () => {
    const spec = { progressDeadlineSeconds: 60 };
    const first = deploymentStatus(deployment(spec), [replicaSet('new', 3, 0)], replicaSet('new', 3, 0), at);
    expect(progressing(first.status)).toBe('ReplicaSetUpdated');
    expect(first.recheckMs).toBe(60_000);
    const late = new Date(at.getTime() + 61_000);
    const stuck = deploymentStatus(deployment(spec, first.status), [replicaSet('new', 3, 0)], replicaSet('new', 3, 0), late);
    expect(progressing(stuck.status)).toBe('ProgressDeadlineExceeded');
    expect(conditionOf(stuck.status.conditions, 'Available')?.status).toBe('False');
    const done = deploymentStatus(deployment(spec, stuck.status), [replicaSet('new', 3)], replicaSet('new', 3), late);
    expect(progressing(done.status)).toBe('NewReplicaSetAvailable');
    expect(conditionOf(done.status.conditions, 'Available')?.status).toBe('True');
  });

  test('each ready pod moves the deadline', () => {
    const spec = { progressDeadlineSeconds: 60 };
    const first = deploymentStatus(deployment(spec), [replicaSet('new', 3, 0)], replicaSet('new', 3, 0), at);
    const soon = new Date(at.getTime() + 50_000);
    const moved = deploymentStatus(deployment(spec, first.status), [replicaSet('new', 3, 1)], replicaSet('new', 3, 1), soon);
    const later = new Date(at.getTime() + 100_000);
    const still = deploymentStatus(deployment(spec, moved.status), [replicaSet('new', 3, 1)], replicaSet('new', 3, 1), later);
    expect(progressing(still.status)).toBe('ReplicaSetUpdated');
    expect(still.recheckMs).toBe(10_000);
  });

  test('the same condition again keeps its times', () => {
    const condition: Condition = { type: 'A', status: 'True', reason: 'R', message: 'm' };
    const once = withCondition([], condition, 'then');
    expect(withCondition(once, condition, 'now')).toEqual(once);
    expect(withCondition(once, { ...condition, status: 'False' }, 'now')[0]?.lastTransitionTime).toBe('now');
    expect(withCondition(once, { ...condition, message: 'other' }, 'now')[0]?.lastTransitionTime).toBe('then');
  });
});

describe('a Job', () => {
  const job = (spec: Partial<Job['spec']> = {}, status: Job['status'] = {}): Job => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j', uid: 'u' },
    spec: { completions: 1, parallelism: 1, template: { spec: { containers: [], restartPolicy: 'Never' } }, ...spec },
    status,
  });
  const pod = (phase: 'Running' | 'Succeeded' | 'Failed', finished = '2026-11-22T09:59:00Z', index?: number): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', annotations: index === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': String(index) } },
    spec: { containers: [] },
    status: {
      phase,
      containerStatuses: [
        { name: 'c', ready: false, restartCount: 0, image: '', imageID: '', state: { terminated: { exitCode: 1, finishedAt: finished } } },
      ],
    },
  });
  const types = (plan: ReturnType<typeof planJob>) => (plan.status.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`);

  test('makes its pods, and is complete when enough succeeded', () => {
    expect(planJob(job({ completions: 3, parallelism: 2 }), [], at).create).toHaveLength(2);
    expect(planJob(job({ completions: 3, parallelism: 2 }), [pod('Succeeded'), pod('Running')], at).create).toHaveLength(1);
    const done = planJob(job(), [pod('Succeeded')], at);
    expect(types(done)).toEqual(['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached']);
    expect(done.status).toMatchObject({ succeeded: 1, completionTime: '2026-11-22T10:00:00Z' });
  });

  test('waits longer after each failure and gives up at its limit', () => {
    const soon = planJob(job({ backoffLimit: 4 }), [pod('Failed', '2026-11-22T09:59:55Z')], at);
    expect(soon).toMatchObject({ create: [], recheckMs: 5000 });
    expect(planJob(job({ backoffLimit: 4 }), [pod('Failed', '2026-11-22T09:59:45Z')], at).create).toHaveLength(1);
    expect(types(planJob(job({ backoffLimit: 0 }), [pod('Failed')], at))).toEqual([
      'FailureTarget BackoffLimitExceeded',
      'Failed BackoffLimitExceeded',
    ]);
  });

  test('fails at its deadline and takes its pods along', () => {
    const late = planJob(job({ activeDeadlineSeconds: 60 }, { startTime: '2026-11-22T09:58:00Z' }), [pod('Running')], at);
    expect(types(late)).toContain('Failed DeadlineExceeded');
    expect(late.remove).toHaveLength(1);
  });

  test('removed pods stay counted, and a finished Job changes no more', () => {
    expect(planJob(job({}, { succeeded: 1 }), [], at).create).toEqual([]);
    const finished = planJob(job(), [pod('Succeeded')], at).status;
    expect(planJob(job({}, finished), [], at)).toMatchObject({ status: finished, create: [], expired: false });
    const ttl = { ttlSecondsAfterFinished: 30 };
    expect(planJob(job(ttl, finished), [], at)).toMatchObject({ expired: false, recheckMs: 30_000 });
    expect(planJob(job(ttl, finished), [], new Date(at.getTime() + 30_000)).expired).toBe(true);
  });

  test('an indexed Job makes the indexes that are missing', () => {
    const indexed = job({ completionMode: 'Indexed', completions: 4, parallelism: 4 });
    const pods = [pod('Succeeded', undefined, 0), pod('Running', undefined, 2)];
    expect(planJob(indexed, pods, at).create).toEqual([1, 3]);
  });

  test('a suspended Job has no pods', () => {
    const suspended = planJob(job({ suspend: true }), [pod('Running')], at);
    expect(suspended.remove).toHaveLength(1);
    expect(types(suspended)).toEqual(['Suspended JobSuspended']);
  });
});

describe('scheduling', () => {
  const pod = (requests: Record<string, string>, init: Record<string, string> = {}): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { requests } }],
      initContainers: [{ name: 'i', image: 'i', resources: { requests: init } }],
    },
  });

  test('a pod asks for its containers’ sum or its largest init container', () => {
    expect(requestsOf(pod({ cpu: '100m', memory: '1Gi' }, { cpu: '2' }))).toEqual({ pods: 1, cpu: 2, memory: 2 ** 30 });
  });

  test('what is missing is named', () => {
    const allocatable = { cpu: '2', memory: '1Gi', pods: '2' };
    expect(fits(requestsOf(pod({ cpu: '1' })), [requestsOf(pod({ cpu: '1' }))], allocatable)).toEqual([]);
    expect(fits(requestsOf(pod({ cpu: '1500m', memory: '2Gi' })), [requestsOf(pod({ cpu: '1' }))], allocatable)).toEqual([
      'Insufficient cpu',
      'Insufficient memory',
    ]);
    expect(fits(requestsOf(pod({})), [{ pods: 1 }, { pods: 1 }], allocatable)).toEqual(['Too many pods']);
    expect(fits(requestsOf(pod({ 'nvidia.com/gpu': '1' })), [], allocatable)).toEqual(['Insufficient nvidia.com/gpu']);
  });
});

test('a short hash is made of harmless characters, and the same each time', () => {
  expect(shortHash('x')).toBe(shortHash('x'));
  expect(shortHash('x')).not.toBe(shortHash('y'));
  expect(shortHash('anything')).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
});
