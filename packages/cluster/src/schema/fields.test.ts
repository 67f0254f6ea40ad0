import { describe, expect, test } from 'vitest';
import { findSchema } from './builtin.ts';
import { checkDepth, pruneUnknown, typeError, unknownFields } from './fields.ts';
import type { Json, JsonObject } from './json.ts';
import { compareQuantities, isQuantity, quantityNanos } from './quantity.ts';

const deployment = findSchema({ group: 'apps', version: 'v1', kind: 'Deployment' })!;
const secret = findSchema({ group: '', version: 'v1', kind: 'Secret' })!;
const pod = (container: JsonObject): JsonObject => ({ spec: { template: { spec: { containers: [container] } } } });

describe('built-in schemas', () => {
  test.each([
    ['', 'v1', 'Pod'],
    ['apps', 'v1', 'Deployment'],
    ['batch', 'v1', 'CronJob'],
    ['networking.k8s.io', 'v1', 'Ingress'],
    ['autoscaling', 'v2', 'HorizontalPodAutoscaler'],
    ['rbac.authorization.k8s.io', 'v1', 'ClusterRoleBinding'],
    ['storage.k8s.io', 'v1', 'StorageClass'],
    ['coordination.k8s.io', 'v1', 'Lease'],
    ['discovery.k8s.io', 'v1', 'EndpointSlice'],
    ['policy', 'v1', 'PodDisruptionBudget'],
    ['authentication.k8s.io', 'v1', 'TokenRequest'],
    ['authorization.k8s.io', 'v1', 'SelfSubjectAccessReview'],
    ['apiextensions.k8s.io', 'v1', 'CustomResourceDefinition'],
    ['events.k8s.io', 'v1', 'Event'],
    ['meta.k8s.io', 'v1', 'DeleteOptions'],
  ])('%s/%s %s', (group, version, kind) => {
    const schema = findSchema({ group, version, kind })!;
    expect([...schema.fields.keys()]).toEqual(expect.arrayContaining(['apiVersion', 'kind']));
  });

  test.each([
    ['apps', 'v1beta1', 'Deployment'],
    ['', 'v1', 'PodSpec'],
    ['constructor', 'v1', 'Pod'],
    ['', 'v1', '__proto__'],
  ])('none for %s/%s %s', (group, version, kind) => {
    expect(findSchema({ group, version, kind })).toBeUndefined();
  });
});

test('unknown fields are named with their place, and dropped', () => {
  const object = { ...pod({ name: 'c', imagee: 'x', ports: [{ containerPort: 1, prot: 'x' }] }), speck: {} };
  expect(unknownFields(object, deployment)).toEqual([
    'unknown field "spec.template.spec.containers[0].imagee"',
    'unknown field "spec.template.spec.containers[0].ports[0].prot"',
    'unknown field "speck"',
  ]);
  expect(pruneUnknown(object, deployment)).toEqual(pod({ name: 'c', ports: [{ containerPort: 1 }] }));
  const proto = JSON.parse('{"__proto__": {"x": 1}, "metadata": {"labels": {"__proto__": "y"}}}') as JsonObject;
  expect(unknownFields(proto, deployment)).toEqual(['unknown field "__proto__"']);
  expect(JSON.stringify(pruneUnknown(proto, deployment))).toBe('{"metadata":{"labels":{"__proto__":"y"}}}');
});

test('nulls and empty lists are as good as absent', () => {
  expect(pruneUnknown({ metadata: { name: 'x', labels: {}, finalizers: [], managedFields: [] }, spec: null }, deployment)).toEqual({
    metadata: { name: 'x', managedFields: [] },
  });
});

test.each<[JsonObject, string | undefined]>([
  [{ spec: { replicas: '3' } }, 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'],
  [
    pod({ env: [{ name: 'A', value: 1 }] }),
    'json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string',
  ],
  [{ metadata: { labels: { a: 1 } } }, 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string'],
  [
    pod({ ports: {} }),
    'json: cannot unmarshal object into Go struct field Container.spec.template.spec.containers.ports of type []v1.ContainerPort',
  ],
  [
    pod({ resources: { limits: { cpu: '1x' } } }),
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [{ spec: null }, undefined],
])('%j is refused as Go refuses it', (object, message) => {
  expect(typeError(object, deployment)).toBe(message);
});

test('secrets hold Base64', () => {
  expect(typeError({ data: { a: 'YQ==' } }, secret)).toBeUndefined();
  expect(typeError({ data: { a: 'a b!' } }, secret)).toBe('illegal base64 data at input byte 1');
  expect(typeError({ data: { a: 'YQ' } }, secret)).toBe('illegal base64 data at input byte 0');
});

test('depth is bounded without using ours', () => {
  let deep: Json = 1;
  for (let index = 0; index < 50_000; index += 1) deep = [deep];
  expect(() => checkDepth(deep)).toThrowError(expect.objectContaining({ code: 'TOO_DEEP' }));
  expect(() => checkDepth({ a: [{ b: 1 }] })).not.toThrow();
});

describe('quantities', () => {
  test.each([
    ['1', 10n ** 9n],
    ['500m', 5n * 10n ** 8n],
    ['1.5Gi', 1610612736n * 10n ** 9n],
    ['1e3', 10n ** 12n],
    ['0.1n', 1n],
    ['-2k', -2000n * 10n ** 9n],
    ['.5', 5n * 10n ** 8n],
  ])('%s', (text, nanos) => {
    expect(quantityNanos(text)).toBe(nanos);
  });

  test.each(['', 'x', '1 ', '1Kib', '1e', '--1', '1mm', '1'.repeat(400)])('%j is none', (text) => {
    expect(isQuantity(text)).toBe(false);
  });

  test('compare by value', () => {
    expect(compareQuantities('1Gi', '1000Mi')).toBe(1);
    expect(compareQuantities('1000m', '1')).toBe(0);
    expect(compareQuantities('1', 'x')).toBeUndefined();
  });
});
