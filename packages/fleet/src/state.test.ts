import { describe, expect, test } from 'vitest';
import {
  type BundleDeployment,
  bundleName,
  type Cluster,
  deploymentState,
  fleetApiVersion,
  fleetCrds,
  limitName,
  partitionClusters,
  planRollout,
  type RolloutTarget,
  releaseNameOf,
  summarizeState,
  unmetDependencies,
} from './index.ts';

type Status = NonNullable<BundleDeployment['status']>;
const deployment = (status: Status, staged = 'id'): BundleDeployment => ({
  apiVersion: fleetApiVersion,
  kind: 'BundleDeployment',
  metadata: { name: 'b' },
  spec: { deploymentID: 'id', stagedDeploymentID: staged, options: {}, stagedOptions: {} },
  status,
});

describe('states, the first that holds', () => {
  const applied = { appliedDeploymentID: 'id' };
  test.each<[string, BundleDeployment | undefined]>([
    ['Pending', undefined],
    ['WaitApplied', deployment({})],
    ['ErrApplied', deployment({ conditions: [{ type: 'Deployed', status: 'False', message: 'broken' }] })],
    [
      'WaitApplied',
      deployment({ attemptedDeploymentID: 'former', conditions: [{ type: 'Deployed', status: 'False', message: 'broken' }] }),
    ],
    ['NotReady', deployment({ ...applied, nonModified: true })],
    ['OutOfSync', deployment({ ...applied, ready: true, nonModified: true }, 'other')],
    ['Modified', deployment({ ...applied, ready: true })],
    ['Ready', deployment({ ...applied, ready: true, nonModified: true })],
  ])('%s', (state, given) => {
    expect(deploymentState(given).state).toBe(state);
  });

  test('a summary counts, names the worst first and says why', () => {
    const ready = deployment({ ...applied, ready: true, nonModified: true });
    const summary = summarizeState([
      { name: 'fleet-default/a', deployment: ready },
      {
        name: 'fleet-default/b',
        deployment: deployment({
          ...applied,
          nonReadyStatus: [{ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'n', name: 'x', summary: { state: 'in-progress' } }],
        }),
      },
      { name: 'fleet-default/c', deployment: deployment({ conditions: [{ type: 'Deployed', status: 'False', message: 'broken' }] }) },
    ]);
    expect(summary).toMatchObject({
      state: 'ErrApplied',
      display: '1/3',
      summary: { desiredReady: 3, ready: 1, notReady: 1, errApplied: 1 },
      ready: { status: 'False' },
    });
    expect(summary.message).toBe(
      'ErrApplied(1) [fleet-default/c: broken]; NotReady(1) [fleet-default/b: deployment.apps.v1 n/x [in-progress]]',
    );
    expect(summarizeState([{ name: 'a', deployment: ready }])).toMatchObject({ state: 'Ready', message: '', ready: { status: 'True' } });
  });

  test('dependencies', () => {
    const bundle = {
      apiVersion: fleetApiVersion,
      kind: 'Bundle',
      metadata: { name: 'db', labels: { app: 'db' } },
      spec: { resources: [], targets: [] },
    } as const;
    expect(unmetDependencies([{ name: 'db' }], [{ bundle, state: 'Ready' }])).toEqual([]);
    expect(unmetDependencies([{ selector: { matchLabels: { app: 'db' } } }], [{ bundle, state: 'Modified' }])).toEqual(['db is Modified']);
    expect(unmetDependencies([{ name: 'db', acceptedStates: ['Modified'] }], [{ bundle, state: 'Modified' }])).toEqual([]);
    expect(unmetDependencies([{ name: 'nope' }], [{ bundle, state: 'Ready' }])).toEqual(['no bundle nope on this cluster']);
  });
});

/** Vectors published with Fleet (internal/names). */
describe('names', () => {
  const str53 = `${'1234567890'.repeat(5)}123`;
  test.each([
    ['1234567', 5, '12345'],
    ['1234567', 7, '1234567'],
    ['12345678', 7, '1-25d55'],
    ['123456789', 8, '12-25f9e'],
    ['1-3456789', 8, '1-9b657'],
  ])('limit %s to %i', (name, count, expected) => {
    expect(limitName(name, count)).toBe(expected);
  });
  test.each([
    [str53, str53],
    [`${str53}a`, '12345678901234567890123456789012345678901234567-fdba4'],
    ['long-name-test-shortpath-with@char', 'long-name-test-shortpath-with-char-031bab5e'],
    ['long-name-test-0.App_ ', 'long-name-test-0-app-5bf6b3fb'],
    ['long-name-test--App_-_12.factor', 'long-name-test-app-12-factor-0efbac37'],
    ['bundle.name.example.com', 'bundle-name-example-com-645ef821'],
    [`${str53.slice(0, 46)}-1234567`, '1234567890123456789012345678901234567890123456-d0bce'],
  ])('release name of %s', (text, expected) => {
    expect(releaseNameOf(text)).toBe(expected);
  });
  test('a bundle is named after repository and path', () => {
    expect(bundleName('sample-app', 'deployment')).toBe('sample-app-deployment');
    expect(bundleName('sample-app', '')).toBe('sample-app');
  });
});

describe('rollout', () => {
  const clusters = (count: number): Cluster[] =>
    Array.from({ length: count }, (_, index) => ({
      apiVersion: fleetApiVersion,
      kind: 'Cluster',
      metadata: { name: `c${String(index).padStart(4, '0')}`, labels: { odd: String(index % 2) } },
    }));
  const fresh = (cluster: string): RolloutTarget => ({ cluster, isNew: true, isStaged: false, isPromoted: false, isAvailable: false });
  const running = (cluster: string, over: Partial<RolloutTarget> = {}): RolloutTarget => ({
    cluster,
    isNew: false,
    isStaged: true,
    isPromoted: false,
    isAvailable: true,
    ...over,
  });

  test('one partition below 200 clusters, quarters from there', () => {
    expect(partitionClusters({}, clusters(199), [])).toHaveLength(1);
    expect(partitionClusters({}, clusters(200), []).map((partition) => partition.clusters.length)).toEqual([50, 50, 50, 50]);
    expect(partitionClusters({ autoPartitionSize: 0 }, clusters(300), [])).toHaveLength(1);
  });

  test('given partitions leave unmatched clusters out', () => {
    const partitions = partitionClusters(
      { partitions: [{ name: 'odd', clusterSelector: { matchLabels: { odd: '1' } }, maxUnavailable: '50%' }] },
      clusters(4),
      [],
    );
    expect(partitions).toEqual([{ name: 'odd', clusters: ['c0001', 'c0003'], maxUnavailable: 1 }]);
  });

  test('new clusters are staged up to maxNew and start at once', () => {
    const partitions = partitionClusters({}, clusters(3), []);
    expect(
      planRollout(
        { maxNew: 2 },
        partitions,
        clusters(3).map(({ metadata }) => fresh(metadata.name)),
      ),
    ).toMatchObject({ stage: ['c0000', 'c0001'] });
  });

  test('at most maxUnavailable running clusters are changed at a time', () => {
    const partitions = partitionClusters({ maxUnavailable: 1 }, clusters(3), []);
    const names = partitions[0]!.clusters;
    expect(
      planRollout(
        { maxUnavailable: 1 },
        partitions,
        names.map((name) => running(name)),
      ).promote,
    ).toEqual(['c0000']);
    const second = [running('c0000', { isPromoted: true, isAvailable: false }), running('c0001'), running('c0002')];
    expect(planRollout({ maxUnavailable: 1 }, partitions, second).promote).toEqual([]);
    const third = [running('c0000', { isPromoted: true }), running('c0001'), running('c0002')];
    expect(planRollout({ maxUnavailable: 1 }, partitions, third).promote).toEqual(['c0001']);
  });

  test('a partition that is not done holds the next', () => {
    const partitions = partitionClusters({ partitions: [{ clusterName: 'c0000' }, { clusterName: 'c0001' }] }, clusters(2), []);
    expect(planRollout({}, partitions, [running('c0000'), running('c0001')]).promote).toEqual(['c0000']);
    expect(planRollout({}, partitions, [running('c0000', { isPromoted: true }), running('c0001')]).promote).toEqual(['c0001']);
  });
});

test('the CRDs are those of the group, with a Ready column', () => {
  expect(fleetCrds.map(({ metadata }) => metadata.name)).toContain('bundledeployments.fleet.cattle.io');
  expect(
    fleetCrds.find(({ spec }) => spec.names.kind === 'GitRepo')?.spec.versions[0]?.additionalPrinterColumns?.map(({ name }) => name),
  ).toEqual(['Repo', 'Commit', 'BundleDeployments-Ready', 'Status']);
});
