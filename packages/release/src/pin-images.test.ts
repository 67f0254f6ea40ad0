import { Digest } from '@desp/model';
import { describe, expect, test } from 'vitest';
import { hashManifests, listObjects, type Manifest, pinImages } from './pin-images.ts';

const digest = Digest.parse(`sha256:${'a'.repeat(64)}`);
const other = Digest.parse(`sha256:${'b'.repeat(64)}`);
const images = new Map([
  ['registry.example/app/image-a', digest],
  ['registry.example/app/image-b:2', other],
]);
const image = 'registry.example/app/image-a:1.0.0';
const pinned = `${image}@${digest}`;
const containers = [{ name: 'c', image }];
const object = (kind: string, rest: object): Manifest => ({ apiVersion: 'v1', kind, metadata: { name: 'x', namespace: 'n' }, ...rest });
const pod = { spec: { containers, initContainers: containers, ephemeralContainers: containers } };

const kinds: [string, object][] = [
  ['Pod', pod],
  ['PodTemplate', { template: pod }],
  ...['Deployment', 'ReplicaSet', 'ReplicationController', 'StatefulSet', 'DaemonSet', 'Job'].map(
    (kind) => [kind, { spec: { template: pod } }] as [string, object],
  ),
  ['CronJob', { spec: { jobTemplate: { spec: { template: pod } } } }],
  ['Rollout', { spec: { template: pod } }],
  ['List', { items: [object('Pod', pod)] }],
];
test.each(kinds)('pins every image of a %s', (kind, rest) => {
  const before = object(kind, rest);
  const copy = structuredClone(before);
  const result = pinImages([before], images);
  expect(JSON.stringify(result.manifests).split(pinned)).toHaveLength(4);
  expect(result.images).toEqual([{ name: 'registry.example/app/image-a', digest }]);
  expect(before).toEqual(copy);
});

test('keeps what is pinned already, tells tags apart, and pins volumes made from images', () => {
  const spec = {
    containers: [
      { name: 'a', image: pinned },
      { name: 'b', image: 'registry.example/app/image-b:2' },
    ],
    volumes: [{ name: 'v', image: { reference: image } }],
  };
  const result = pinImages([object('Pod', { spec })], images);
  expect(result.manifests[0]).toMatchObject({
    spec: {
      containers: [{ image: pinned }, { image: `registry.example/app/image-b:2@${other}` }],
      volumes: [{ image: { reference: pinned } }],
    },
  });
});

describe('fails, naming object and image, for', () => {
  test.each([
    [
      'an image of nobody',
      { name: 'c', image: 'docker.io/library/redis:7' },
      'Pod n/x: no verdict of this release covers docker.io/library/redis:7',
    ],
    ['another tag of a tagged one', { name: 'c', image: 'registry.example/app/image-b:3' }, 'no verdict'],
    ['another digest', { name: 'c', image: `${image}@${other}` }, 'another digest'],
    ['no reference', { name: 'c', image: 'NOT AN IMAGE' }, 'no image reference'],
    ['a number', { name: 'c', image: 7 }, 'no image reference'],
    ['no image', { name: 'c' }, 'names no image'],
  ])('%s', (_, container, message) => {
    expect(() => pinImages([object('Pod', { spec: { containers: [...containers, container] } })], images)).toThrow(
      expect.objectContaining({ code: 'IMAGE_UNCOVERED', message: expect.stringContaining(message) }),
    );
  });
});

test('a schema that speaks of containers is left alone', () => {
  const definition = object('CustomResourceDefinition', {
    spec: { versions: [{ schema: { properties: { containers: { type: 'array' } } } }] },
  });
  expect(pinImages([definition], images).manifests).toEqual([definition]);
});

test('bounds depth', () => {
  let deep: unknown = {};
  for (let level = 0; level < 200; level++) deep = { a: deep };
  expect(() => pinImages([object('X', { spec: deep })], images)).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }));
});

describe('the hash', () => {
  test('does not depend on the order of objects or members, and on nothing else', async () => {
    const [a, b] = [object('Pod', pod), object('Service', { spec: { ports: [{ port: 80 }] } })];
    const hash = await hashManifests([a, b]);
    expect(await hashManifests([b, { metadata: a['metadata'], kind: 'Pod', apiVersion: 'v1', spec: a['spec'] }])).toBe(hash);
    expect(await hashManifests([a])).not.toBe(hash);
    expect(await hashManifests([a, b, b])).not.toBe(hash);
    expect(await hashManifests([a, object('Service', { spec: { ports: [{ port: '80' }] } })])).not.toBe(hash);
  });
});

test('objects are listed, and one without a name is refused', () => {
  expect(listObjects([object('Pod', {})])).toEqual([{ apiVersion: 'v1', kind: 'Pod', namespace: 'n', name: 'x' }]);
  expect(() => listObjects([{ kind: 'Pod' }])).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }));
});
