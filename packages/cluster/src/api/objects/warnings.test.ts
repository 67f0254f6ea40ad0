import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMap, configMaps, TestCluster } from '../test-cluster.ts';

const deployments = '/apis/apps/v1/namespaces/default/deployments';
const deployment = (name: string, spec: object = {}, container: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i:1', ...container }], ...spec } },
  },
});
const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname' }] } };
const told =
  '299 - "spec.template.spec.affinity has no effect in this rehearsal cluster: there is one node, and every pod that fits runs on it"';

describe('the Warning header', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('comes with create, update, every kind of patch and apply; a dry run too', async () => {
    const path = `${deployments}/a`;
    expect((await cluster.ask('POST', `${deployments}?dryRun=All`, deployment('a', { affinity }))).headers['warning']).toBe(told);
    expect((await cluster.ask('POST', deployments, deployment('a', { affinity }))).headers['warning']).toBe(told);
    const live = await cluster.must('GET', path);
    expect((await cluster.ask('PUT', path, { ...live, spec: { ...live.spec, replicas: 2 } })).headers['warning']).toBe(told);
    const merge = { spec: { replicas: 3 } };
    for (const [type, body] of [
      ['application/merge-patch+json', merge],
      ['application/strategic-merge-patch+json', { spec: { replicas: 4 } }],
      ['application/json-patch+json', [{ op: 'replace', path: '/spec/replicas', value: 5 }]],
    ] as const) {
      const answer = await cluster.ask('PATCH', path, body, { type });
      expect([answer.status, answer.headers['warning']], type).toEqual([200, told]);
    }
    const type = 'application/apply-patch+yaml';
    const applied = await cluster.ask('PATCH', `${deployments}/b?fieldManager=me`, deployment('b', { affinity }), { type });
    expect([applied.status, applied.headers['warning']]).toEqual([201, told]);
  });

  test('does not come with what changes nothing that could be acted upon', async () => {
    const path = `${deployments}/c`;
    await cluster.must('POST', deployments, deployment('c', { affinity }));
    const type = 'application/merge-patch+json';
    expect((await cluster.ask('PATCH', path, { metadata: { labels: { a: 'b' } } }, { type })).headers['warning']).toBeUndefined();
    expect((await cluster.ask('PATCH', `${path}/status`, { status: { replicas: 1 } }, { type })).headers['warning']).toBeUndefined();
    expect((await cluster.ask('GET', path)).headers['warning']).toBeUndefined();
    expect((await cluster.ask('POST', configMaps, configMap('quiet', { a: 'b' }))).headers['warning']).toBeUndefined();
  });

  test('is silent on the defaults that the server itself sets', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    await cluster.must('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
    const answer = await cluster.ask('POST', pods, { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } });
    expect([answer.status, answer.headers['warning']]).toEqual([201, undefined]);
    const live = answer.json;
    const again = await cluster.ask('PUT', `${pods}/p`, { ...live, spec: { ...live.spec, activeDeadlineSeconds: 9 } });
    expect([again.status, again.headers['warning']]).toEqual([200, undefined]);
  });

  test('is as bounded as the real server’s', async () => {
    const keys = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`example.com/thing-${index}`, '1']));
    const everything = {
      affinity,
      hostnameOverride: 'x',
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'x', whenUnsatisfiable: 'DoNotSchedule' }],
      setHostnameAsFQDN: true,
      priorityClassName: 'x',
    };
    const answer = await cluster.ask(
      'POST',
      deployments,
      deployment('d', everything, { resources: { limits: keys }, resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] }),
    );
    const header = String(answer.headers['warning']);
    expect(header.length).toBeLessThan(5000);
    for (const each of header.split('299 - ').slice(1)) expect(each.length).toBeLessThan(270);
    expect(header).toContain('spec.template.spec.containers[0].resources.limits.example.com/thing-0');
  });

  test('a deprecated version of a custom kind says so on every request', async () => {
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    await cluster.must('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'olds.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { kind: 'Old', plural: 'olds' },
        versions: [
          { name: 'v1', served: true, storage: true, schema },
          { name: 'v1beta1', served: true, storage: false, deprecated: true, schema },
        ],
      },
    });
    expect((await cluster.ask('GET', '/apis/example.com/v1beta1/olds')).headers['warning']).toBe(
      '299 - "example.com/v1beta1 Old is deprecated"',
    );
    expect((await cluster.ask('GET', '/apis/example.com/v1/olds')).headers['warning']).toBeUndefined();
  });
});
