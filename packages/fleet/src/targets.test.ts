import { describe, expect, test } from 'vitest';
import {
  type Bundle,
  type BundleSpec,
  type Cluster,
  type ClusterGroup,
  deploymentId,
  fleetApiVersion,
  matchesCluster,
  mergeOptions,
  preprocessValues,
  targetBundle,
} from './index.ts';

const cluster = (name: string, labels: Record<string, string> = {}): Cluster => ({
  apiVersion: fleetApiVersion,
  kind: 'Cluster',
  metadata: { name, namespace: 'fleet-default', labels },
});
const group = (name: string, matchLabels: Record<string, string>, labels: Record<string, string> = {}): ClusterGroup => ({
  apiVersion: fleetApiVersion,
  kind: 'ClusterGroup',
  metadata: { name, labels },
  spec: { selector: { matchLabels } },
});
const bundle = (spec: Partial<BundleSpec>): Bundle => ({
  apiVersion: fleetApiVersion,
  kind: 'Bundle',
  metadata: { name: 'b', namespace: 'fleet-default', labels: { 'fleet.cattle.io/commit': 'abc' } },
  spec: { resources: [{ name: 'a.yaml', content: 'x' }], targets: [], ...spec },
});
const everywhere = { name: 'all', clusterSelector: {} };

describe('matching', () => {
  const e2e = cluster('c-1', { customer: 'e2e', 'management.cattle.io/cluster-display-name': 'shown' });
  const groups = [
    group('one', { customer: 'e2e' }, { tier: 'a' }),
    group('two', { customer: 'e2e' }, { tier: 'b' }),
    group('none', { customer: 'x' }),
  ];

  test.each([
    ['nothing set', {}, false],
    ['empty selector', { clusterSelector: {} }, true],
    ['name', { clusterName: 'c-1' }, true],
    ['display name', { clusterName: 'shown' }, true],
    ['other name', { clusterName: 'c-2' }, false],
    ['label', { clusterSelector: { matchLabels: { customer: 'e2e' } } }, true],
    ['name and wrong label', { clusterName: 'c-1', clusterSelector: { matchLabels: { customer: 'prod' } } }, false],
    ['group', { clusterGroup: 'one' }, true],
    ['group it is not in', { clusterGroup: 'none' }, false],
    ['group selector', { clusterGroupSelector: { matchLabels: { tier: 'b' } } }, true],
    ['both on one group', { clusterGroup: 'two', clusterGroupSelector: { matchLabels: { tier: 'b' } } }, true],
    ['both, no single group', { clusterGroup: 'one', clusterGroupSelector: { matchLabels: { tier: 'b' } } }, false],
  ])('%s', (_name, matcher, expected) => {
    expect(matchesCluster(matcher, e2e, groups)).toBe(expected);
  });
});

describe('targeting', () => {
  const spec: Partial<BundleSpec> = {
    defaultNamespace: 'sample-app',
    helm: { releaseName: 'r', values: { a: 0, keep: { x: 1 } } },
    targets: [
      {
        name: 'e2e',
        clusterSelector: { matchLabels: { customer: 'e2e' } },
        helm: { chart: '.', values: { a: 1, keep: { y: 2 } }, valuesFiles: ['v.yaml'] },
      },
      { name: 'late', clusterSelector: {}, helm: { values: { a: 2, late: true } } },
      everywhere,
    ],
    targetRestrictions: [everywhere],
  };
  const clusters = [cluster('prod', { customer: 'prod' }), cluster('e2e', { customer: 'e2e' })];

  test('the first customization applies, values merge, names of files are gone', () => {
    const [e2e, prod] = targetBundle(bundle(spec), clusters);
    expect(e2e?.spec.options).toEqual({
      defaultNamespace: 'sample-app',
      helm: { releaseName: 'r', chart: '.', values: { a: 1, keep: { x: 1, y: 2 } } },
    });
    expect(prod?.customizations).toEqual(['late']);
    expect(e2e?.labels).toMatchObject({
      'fleet.cattle.io/bundle-name': 'b',
      'fleet.cattle.io/cluster': 'e2e',
      'fleet.cattle.io/commit': 'abc',
    });
    expect(e2e?.spec.stagedOptions).toEqual(e2e?.spec.options);
  });

  test('AllMatches applies all in order', () => {
    const [e2e] = targetBundle(bundle({ ...spec, targetCustomizationMode: 'AllMatches' }), clusters);
    expect(e2e?.spec.options.helm?.values).toEqual({ a: 2, keep: { x: 1, y: 2 }, late: true });
  });

  test('doNotDeploy, and a cluster that no target selects', () => {
    const off = { ...spec, targets: [{ ...spec.targets![0]!, doNotDeploy: true }, everywhere] };
    expect(targetBundle(bundle(off), clusters).map(({ cluster: { metadata } }) => metadata.name)).toEqual(['prod']);
    const restricted = [{ clusterName: 'e2e' }];
    expect(
      targetBundle(bundle({ ...spec, targets: [...spec.targets!.slice(0, 2), ...restricted], targetRestrictions: restricted }), clusters),
    ).toHaveLength(1);
  });

  test('no customization matches: the base alone', () => {
    const [only] = targetBundle(bundle({ ...spec, targets: [spec.targets![0]!, everywhere] }), [cluster('x', { customer: 'other' })]);
    expect(only).toMatchObject({ customizations: [], spec: { options: { helm: { values: { a: 0 } } } } });
  });

  test('the deployment id has the recorded form and follows content and options, not drift settings', () => {
    const id = targetBundle(bundle(spec), clusters)[0]!.spec.deploymentID;
    expect(id).toMatch(/^s-[0-9a-f]{59}:[0-9a-f]{64}$/);
    expect(targetBundle(bundle({ ...spec, correctDrift: { enabled: true } }), clusters)[0]!.spec.deploymentID).toBe(id);
    expect(targetBundle(bundle({ ...spec, keepResources: true }), clusters)[0]!.spec.deploymentID).not.toBe(id);
    expect(targetBundle(bundle({ ...spec, resources: [{ name: 'a.yaml', content: 'y' }] }), clusters)[0]!.content).not.toBe(
      id.split(':')[0],
    );
    expect(deploymentId('s', { helm: { chart: 'a', version: 'b' } })).toBe(deploymentId('s', { helm: { version: 'b', chart: 'a' } }));
  });
});

test('options that Fleet does not merge keep the base', () => {
  const merged = mergeOptions(
    { helm: { maxHistory: 2, timeoutSeconds: 60 }, ignore: { conditions: [] } },
    {
      helm: { maxHistory: 9, timeoutSeconds: -1, atomic: true, skipSchemaValidation: true },
      deleteNamespace: true,
      keepResources: true,
      defaultNamespace: '',
    },
  );
  expect(merged).toEqual({ helm: { maxHistory: 2, atomic: true }, ignore: { conditions: [] }, keepResources: true });
});

test('valuesFrom merges by identity, values of __proto__ stay data', () => {
  const from = (name: string, key: string) => ({ secretKeyRef: { name, key } });
  const merged = mergeOptions(
    { helm: { valuesFrom: [from('a', 'k'), from('b', 'k')] } },
    { helm: { valuesFrom: [from('b', 'k'), from('c', 'k')] } },
  );
  expect(merged.helm?.valuesFrom).toEqual([from('a', 'k'), from('b', 'k'), from('c', 'k')]);
  const values = JSON.parse('{"__proto__": {"polluted": true}}');
  mergeOptions({ helm: { values: { a: 1 } } }, { helm: { values } });
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

describe('preprocessing', () => {
  const e2e = cluster('e2e', { region: 'gra' });

  test('cluster labels replace; a missing one is empty', () => {
    const values = { a: 'global.fleet.clusterLabels.region', b: ['global.fleet.clusterLabels.nope'], c: '{{ .Release.Name }}' };
    expect(preprocessValues({ values }, e2e)).toEqual({ a: 'gra', b: [''], c: '{{ .Release.Name }}' });
  });

  test('a template needs a renderer, else it is refused, unless preprocessing is off', () => {
    const values = { a: '${ .ClusterLabels.region }' };
    expect(() => preprocessValues({ values }, e2e)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
    expect(() => targetBundle(bundle({ helm: { values }, targets: [everywhere] }), [e2e])).toThrow('Bundle b on cluster e2e');
    expect(preprocessValues({ values, disablePreProcess: true }, e2e)).toEqual(values);
    const render = (template: string, context: { ClusterName: string }) =>
      template.replace('${ .ClusterLabels.region }', context.ClusterName);
    expect(preprocessValues({ values, templateValues: { b: 'n: 1' } }, e2e, render)).toEqual({ a: 'e2e', b: { n: 1 } });
  });

  test('a cluster without labels gets the values untouched', () => {
    expect(preprocessValues({ values: { a: '${ x }' } }, cluster('bare'))).toEqual({ a: '${ x }' });
  });
});
