import {
  apply,
  type Case,
  config,
  configMaps,
  create,
  deployment,
  deployments,
  full,
  ingresses,
  object,
  one,
  services,
} from './request.ts';

/** Who owns what after applies, updates and patches, and what patches make of lists. */
export const ownershipCases: readonly Case[] = [
  {
    name: 'apply creates, applies again, drops a key',
    path: configMaps,
    steps: [apply('a', config({ a: '1', b: '2' })), apply('a', config({ a: '1', b: '2' })), apply('a', config({ a: '1' }))],
  },
  {
    name: 'two managers conflict',
    path: configMaps,
    steps: [
      apply('a', config({ a: '1', b: '2' })),
      apply('b', config({ a: '3' })),
      apply('b', config({ a: '3' }), true),
      apply('a', config({ b: '2' })),
    ],
  },
  {
    name: 'two managers share',
    path: configMaps,
    steps: [apply('a', config({ a: '1' })), apply('b', config({ a: '1', c: '4' })), apply('a', config({})), apply('b', config({}))],
  },
  {
    name: 'several conflicts',
    path: configMaps,
    steps: [
      apply('a', config({ a: '1', b: '2' })),
      { verb: 'merge', manager: 'm', body: { data: { b: '5' } } },
      apply('c', config({ a: '9', b: '9' })),
    ],
  },
  {
    name: 'create then apply',
    path: configMaps,
    steps: [
      create(config({ a: '1', b: '2' }, { labels: { l: 'm' } })),
      apply('a', config({ a: '1' })),
      apply('a', config({ a: '7' })),
      apply('a', config({ a: '7' }), true),
    ],
  },
  {
    name: 'updates move ownership',
    path: configMaps,
    steps: [
      create(config({ a: '1', b: '2' })),
      { verb: 'merge', manager: 'm', body: { data: { a: '3', b: null, c: '4' } } },
      { verb: 'json', manager: 'n', body: [{ op: 'replace', path: '/data/c', value: '5' }] },
    ],
  },
  {
    name: 'managed fields are reset',
    path: configMaps,
    steps: [
      create(config({ a: '1' })),
      { verb: 'merge', manager: 'm', body: { metadata: { managedFields: [{}] } } },
      apply('a', config({ b: '1' })),
    ],
  },
  {
    name: 'apply a deployment',
    path: deployments,
    steps: [
      apply(
        'a',
        deployment(
          full.map((container) => ({ ...container, volumeMounts: [] })),
          { replicas: 2 },
        ),
      ),
      apply('b', deployment([{ name: 'd', image: 'e' }], {}), false),
      apply('a', deployment([{ name: 'c', image: 'a:2', ports: [{ containerPort: 80 }, { containerPort: 81 }] }])),
    ],
  },
  {
    name: 'lists keep their order',
    path: deployments,
    steps: [
      apply('a', deployment(['c', 'b', 'a'].map((name) => ({ name, image: 'i' })))),
      apply('b', deployment(['a', 'x', 'c'].map((name) => ({ name, image: 'i' })))),
      apply('c', deployment(['n', 'b', 'x'].map((name) => ({ name, image: 'i' })))),
    ],
  },
  { name: 'an empty map is stored as none', path: configMaps, steps: [apply('a', config({})), apply('b', config({}))] },
  {
    name: 'sets of finalizers',
    path: configMaps,
    steps: [
      apply('a', config({ a: '1' }, { finalizers: ['a.example/a', 'a.example/b'] })),
      apply('b', config({ a: '1' }, { finalizers: ['a.example/c', 'a.example/a'] })),
      apply('a', config({ a: '1' }, { finalizers: ['a.example/b'] })),
      apply('b', config({ a: '1' })),
    ],
  },
  {
    name: 'atomic lists',
    path: ingresses,
    steps: [
      apply(
        'a',
        object('networking.k8s.io/v1', 'Ingress', {
          spec: { defaultBackend: { service: { name: 's', port: { number: 1 } } }, tls: [{ hosts: ['a.example'], secretName: 's' }] },
        }),
      ),
      apply('b', object('networking.k8s.io/v1', 'Ingress', { spec: { tls: [{ hosts: ['b.example'] }] } })),
      apply('a', object('networking.k8s.io/v1', 'Ingress', { spec: { defaultBackend: { service: { name: 's', port: { number: 2 } } } } })),
    ],
  },
  { name: 'apply with an unknown field', path: configMaps, steps: [apply('a', { ...config({ a: '1' }), datta: {} })] },
  { name: 'apply with managed fields', path: configMaps, steps: [apply('a', config({}, { managedFields: [] }))] },
  {
    name: 'apply with keys twice',
    path: deployments,
    steps: [
      apply(
        'a',
        deployment([
          { name: 'c', image: 'a' },
          { name: 'c', image: 'b' },
        ]),
      ),
    ],
  },
  {
    name: 'kubectl goes from client-side to server-side',
    path: configMaps,
    steps: [
      {
        verb: 'create',
        manager: 'kubectl-client-side-apply',
        body: config(
          { a: '1', b: '2' },
          {
            annotations: {
              'kubectl.kubernetes.io/last-applied-configuration':
                '{"apiVersion":"v1","data":{"a":"1","b":"2"},"kind":"ConfigMap","metadata":{"name":"x"}}\n',
            },
          },
        ),
      },
      apply('kubectl', config({ a: '<8>', b: '2' })),
    ],
  },
  {
    name: 'service ports apply with their default protocol',
    path: services,
    steps: [
      apply('a', object('v1', 'Service', { spec: { ports: [{ port: 80, name: 'a' }] } })),
      apply('a', object('v1', 'Service', { spec: { ports: [{ port: 80, protocol: 'TCP', name: 'b' }] } })),
    ],
  },

  {
    name: 'strategic merge of containers',
    path: deployments,
    steps: [
      create(deployment(full.map((container) => ({ ...container, volumeMounts: [] })))),
      {
        verb: 'strategic',
        manager: 'm',
        body: {
          spec: {
            template: {
              spec: {
                containers: [
                  {
                    name: 'c',
                    image: 'a:2',
                    env: [
                      { name: 'A', $patch: 'delete' },
                      { name: 'C', value: '3' },
                    ],
                  },
                  { name: 'd', image: 'd' },
                ],
              },
            },
          },
        },
      },
    ],
  },
  {
    name: 'strategic merge in order',
    path: deployments,
    steps: [
      create(deployment(['a', 'b', 'c'].map((name) => ({ name, image: 'i' })))),
      {
        verb: 'strategic',
        manager: 'm',
        body: {
          spec: {
            template: {
              spec: {
                '$setElementOrder/containers': [{ name: 'c' }, { name: 'n' }, { name: 'a' }],
                containers: [{ name: 'n', image: 'i' }],
              },
            },
          },
        },
      },
    ],
  },
  {
    name: 'strategic replace of a list',
    path: deployments,
    steps: [
      create(deployment(['a', 'b'].map((name) => ({ name, image: 'i' })))),
      {
        verb: 'strategic',
        manager: 'm',
        body: { spec: { template: { spec: { containers: [{ $patch: 'replace' }, { name: 'z', image: 'i' }] } } } },
      },
    ],
  },
  {
    name: 'strategic retain keys',
    path: deployments,
    steps: [
      create(deployment(one)),
      { verb: 'strategic', manager: 'm', body: { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } } },
    ],
  },
  {
    name: 'strategic set of finalizers',
    path: configMaps,
    steps: [
      create(config({}, { finalizers: ['a.example/a', 'a.example/b'] })),
      {
        verb: 'strategic',
        manager: 'm',
        body: { metadata: { finalizers: ['a.example/c'], '$deleteFromPrimitiveList/finalizers': ['a.example/a'] } },
      },
    ],
  },
  {
    name: 'strategic replace of a map',
    path: configMaps,
    steps: [create(config({ a: '1', b: '2' })), { verb: 'strategic', manager: 'm', body: { data: { $patch: 'replace', c: '3' } } }],
  },
  {
    name: 'json patch that fails',
    path: configMaps,
    steps: [
      create(config({ a: '1' })),
      { verb: 'json', manager: 'm', body: [{ op: 'test', path: '/data/a', value: '2' }] },
      { verb: 'json', manager: 'm', body: [{ op: 'remove', path: '/data/z' }] },
    ],
  },
];
