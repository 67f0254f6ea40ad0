import type { Cluster } from '@desp/fleet';
import type { KubeObject } from '@desp/kube';
import { describe, expect, test } from 'vitest';
import { compareObject, isDriftIgnored } from './agent/drift.ts';
import { orderHooks } from './agent/hooks.ts';
import { ownershipProblems, setId } from './agent/marks.ts';
import { readiness } from './agent/readiness.ts';
import type { ReleaseHook } from './agent/release.ts';
import { planBundle } from './bundle-plan.ts';
import { withConditions } from './conditions.ts';
import { GitRepoSource, pollMsOf } from './git-repo-source.ts';
import { carried, type StoredBundle, type StoredBundleDeployment } from './resources.ts';

const object = (kind: string, apiVersion: string, rest: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', namespace: 'n', generation: 2 },
  ...rest,
});

describe('what a Bundle becomes', () => {
  const cluster: Cluster = {
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'e2e', namespace: 'fleet-default', labels: { customer: 'e2e' } },
    status: { namespace: 'cluster-e2e' },
  };
  const bundle = (pins: string, paused = false): StoredBundle => ({
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'Bundle',
    metadata: {
      name: 'b',
      namespace: 'fleet-default',
      labels: { [carried.service]: 's' },
      annotations: { [carried.pins]: pins, other: 'x' },
    },
    spec: {
      paused,
      resources: [{ name: 'Chart.yaml', content: 'name: a' }],
      targets: [{ clusterSelector: {} }],
      targetRestrictions: [{ clusterSelector: {} }],
    },
  });
  const plan = (of: StoredBundle, deployments: StoredBundleDeployment[] = []) =>
    planBundle({ bundle: of, clusters: [cluster], groups: [], deployments });

  test('pins go along and are part of the identity', () => {
    const [one] = plan(bundle('{"a":"1"}')).write;
    const [other] = plan(bundle('{"a":"2"}')).write;
    expect(one?.metadata).toMatchObject({
      namespace: 'cluster-e2e',
      labels: { [carried.service]: 's' },
      annotations: { [carried.pins]: '{"a":"1"}' },
    });
    expect(one?.metadata.annotations).not.toHaveProperty('other');
    expect(one?.spec.deploymentID).toMatch(/^s-[0-9a-f]{59}:[0-9a-f]{64}$/);
    expect(other?.spec.deploymentID).not.toBe(one?.spec.deploymentID);
  });

  test('paused, it stages and keeps what runs, with its own pins', () => {
    const [before] = plan(bundle('{"a":"1"}')).write;
    const [after] = plan(bundle('{"a":"2"}', true), [before!]).write;
    expect(after?.spec.deploymentID).toBe(before?.spec.deploymentID);
    expect(after?.spec.stagedDeploymentID).not.toBe(before?.spec.deploymentID);
    expect(after?.metadata.annotations?.[carried.pins]).toBe('{"a":"1"}');
  });

  test('a cluster that it no longer goes to loses its deployment', () => {
    const [before] = plan(bundle('{}')).write;
    const gone = {
      ...bundle('{}'),
      spec: { ...bundle('{}').spec, targetRestrictions: [{ clusterName: 'other' }], targets: [{ clusterName: 'other' }] },
    };
    expect(plan(gone, [before!])).toMatchObject({ write: [], remove: [before] });
  });
});

describe('readiness', () => {
  const available = { conditions: [{ type: 'Available', status: 'True' }] };
  test.each([
    ['a Deployment nobody looked at', object('Deployment', 'apps/v1', { spec: { replicas: 1 } }), 'in-progress'],
    [
      'one of an older generation',
      object('Deployment', 'apps/v1', { spec: { replicas: 0 }, status: { observedGeneration: 1 } }),
      'in-progress',
    ],
    [
      'one with all pods',
      object('Deployment', 'apps/v1', {
        spec: { replicas: 1 },
        status: { observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, ...available },
      }),
      'ready',
    ],
    [
      'one past its deadline',
      object('Deployment', 'apps/v1', {
        spec: {},
        status: { observedGeneration: 2, conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] },
      }),
      'failed',
    ],
    ['a Job that runs', object('Job', 'batch/v1', { spec: {} }), 'in-progress'],
    [
      'a Job that failed',
      object('Job', 'batch/v1', { spec: {}, status: { failed: 1, conditions: [{ type: 'Failed', status: 'True' }] } }),
      'failed',
    ],
    ['an ExternalSecret without answer', object('ExternalSecret', 'external-secrets.io/v1beta1'), 'in-progress'],
    ['a ConfigMap', object('ConfigMap', 'v1'), 'ready'],
    ['a bound claim', object('PersistentVolumeClaim', 'v1', { spec: {}, status: { phase: 'Bound' } }), 'ready'],
  ])('%s', (_what, live, state) => {
    expect(readiness(live).state).toBe(state);
  });

  test('a late-binding claim is ready, and ignored conditions do not count', () => {
    const claim = object('PersistentVolumeClaim', 'v1', { spec: { storageClassName: 'late' }, status: { phase: 'Pending' } });
    expect(readiness(claim, { bindsLate: (name) => name === 'late' }).state).toBe('ready');
    const thing = object('Thing', 'x/v1', { status: { conditions: [{ type: 'Ready', status: 'False' }] } });
    expect([readiness(thing).state, readiness(thing, { ignored: [{ type: 'Ready', status: 'False' }] }).state]).toEqual([
      'in-progress',
      'ready',
    ]);
  });
});

describe('drift', () => {
  const wanted = object('Deployment', 'apps/v1', { spec: { replicas: 1, paused: false } });
  const live = object('Deployment', 'apps/v1', { spec: { replicas: 3, paused: false }, status: { replicas: 3 } });
  test('is what applying would change, unless an autoscaler or a compare patch governs it', () => {
    expect(compareObject(wanted, live, wanted, [], new Set())?.patch).toBe('{"spec":{"replicas":1}}');
    expect(compareObject(wanted, live, wanted, [], new Set(['Deployment/n/x']))).toBeUndefined();
    expect(compareObject(wanted, live, wanted, [{ kind: 'Deployment', jsonPointers: ['/spec/replicas'] }], new Set())).toBeUndefined();
    expect(isDriftIgnored(wanted, [{ kind: 'Deployment', name: '.*', operations: [{ op: 'ignore' }] }])).toBe(true);
  });
  test('of a Secret shows no value', () => {
    const [before, after] = ['old', 'new'].map((password) => object('Secret', 'v1', { data: { password } }));
    expect(compareObject(after!, before!, after!, [], new Set())?.patch).toBe('{"data":{"password":"…"}}');
  });
});

test('hooks run by weight, then name', () => {
  const hook = (name: string, weight: number): ReleaseHook => ({
    name,
    weight,
    kind: 'Job',
    path: '',
    object: object('Job', 'batch/v1'),
    events: ['post-install'],
    deletePolicies: [],
  });
  expect(orderHooks([hook('b', 0), hook('a', 0), hook('c', -5)], 'post-install').map(({ name }) => name)).toEqual(['c', 'a', 'b']);
  expect(orderHooks([hook('a', 0)], 'pre-install')).toEqual([]);
});

test("the set's mark is the recorded one, and never longer than 63 characters", () => {
  expect(setId({ bundle: 'sample-app-deployment', agentNamespace: 'cattle-fleet-system' })).toBe(
    'default-sample-app-deployment-cattle-fleet-system',
  );
  expect(setId({ bundle: 'x'.repeat(60), agentNamespace: 'cattle-fleet-system' })).toHaveLength(63);
});

test("what is somebody else's is named in Helm's words", () => {
  expect(ownershipProblems(object('ConfigMap', 'v1'), { name: 'r', namespace: 'n' })).toContain(
    'label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"',
  );
});

test('a condition keeps its time while it says the same', () => {
  const [first, later] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-02T00:00:00Z')];
  const before = withConditions([], [{ type: 'Ready', status: 'False', message: 'a' }], first);
  expect(withConditions(before, [{ type: 'Ready', status: 'False', message: 'a' }], later)).toEqual(before);
  expect(withConditions(before, [{ type: 'Ready', status: 'False', message: 'b' }], later)[0]).toMatchObject({
    lastTransitionTime: '2026-01-01T00:00:00Z',
    lastUpdateTime: '2026-01-02T00:00:00Z',
  });
});

describe('the source of a GitRepo', () => {
  test.each(['file:///etc', 'ssh://git@host/x', 'https://user:secret@host/x', 'ext::sh -c id', '--upload-pack=x'])(
    '%s is refused',
    (repo) => {
      expect(GitRepoSource.safeParse({ repo }).success).toBe(false);
    },
  );
  test('a commit is not polled, a branch is', () => {
    const repo = 'https://host/x.git';
    expect(pollMsOf(GitRepoSource.parse({ repo, revision: 'a'.repeat(40) }))).toBeUndefined();
    expect(pollMsOf(GitRepoSource.parse({ repo, branch: 'main' }))).toBe(15_000);
    expect(pollMsOf(GitRepoSource.parse({ repo, pollingInterval: '1m30s' }))).toBe(90_000);
  });
});
