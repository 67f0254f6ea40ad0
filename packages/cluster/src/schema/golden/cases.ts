/**
 * Requests whose answers a real kube-apiserver gave once (`golden/answers.json`, made by `golden/record.ts`), as our own small inputs.
 * The test plays them against this room and compares.
 */
import type { JsonObject } from '../json.ts';

export interface Step {
  readonly verb: 'create' | 'replace' | 'apply' | 'strategic' | 'merge' | 'json';
  readonly manager: string;
  readonly force?: boolean;
  /** For `replace`: changed by the step from what is live, as a merge patch of it. */
  readonly body: unknown;
}

export interface Case {
  readonly name: string;
  /** Path of the collection below `/apis` or `/api`, `NS` standing for the namespace. */
  readonly path: string;
  readonly steps: readonly Step[];
}

const object = (apiVersion: string, kind: string, rest: JsonObject): JsonObject => ({ apiVersion, kind, metadata: { name: 'x' }, ...rest });
const create = (body: unknown): Step => ({ verb: 'create', manager: 'maker', body });
const apply = (manager: string, body: unknown, force = false): Step => ({ verb: 'apply', manager, force, body });

const template = (containers: JsonObject[], labels: JsonObject = { app: 'x' }): JsonObject => ({
  metadata: { labels },
  spec: { containers },
});
const deployment = (containers: JsonObject[], spec: JsonObject = {}): JsonObject =>
  object('apps/v1', 'Deployment', { spec: { selector: { matchLabels: { app: 'x' } }, template: template(containers), ...spec } });
const config = (data: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', ...metadata },
  data,
});

const deployments = '/apis/apps/v1/namespaces/NS/deployments';
const configMaps = '/api/v1/namespaces/NS/configmaps';
const secrets = '/api/v1/namespaces/NS/secrets';
const services = '/api/v1/namespaces/NS/services';
const jobs = '/apis/batch/v1/namespaces/NS/jobs';
const ingresses = '/apis/networking.k8s.io/v1/namespaces/NS/ingresses';
const claims = '/api/v1/namespaces/NS/persistentvolumeclaims';
const one = [{ name: 'c', image: 'a:1' }];

const full: JsonObject[] = [
  {
    name: 'c',
    image: 'a:1',
    ports: [{ containerPort: 80, name: 'http' }],
    env: [
      { name: 'A', value: '1' },
      { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
    livenessProbe: { httpGet: { port: 'http' } },
    readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 3 },
    lifecycle: { preStop: { httpGet: { port: 80 } } },
    resources: { limits: { cpu: '1', memory: '64Mi' } },
    volumeMounts: [
      { name: 'v', mountPath: '/v' },
      { name: 's', mountPath: '/s' },
    ],
  },
];
const volumes: JsonObject[] = [
  { name: 'v' },
  { name: 's', secret: { secretName: 's' } },
  { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 't' } }, { configMap: { name: 'm' } }] } },
  { name: 'h', hostPath: { path: '/h' } },
];

export const cases: readonly Case[] = [
  { name: 'deployment defaults', path: deployments, steps: [create(deployment(one))] },
  {
    name: 'pod template defaults',
    path: deployments,
    steps: [
      create(
        object('apps/v1', 'Deployment', {
          spec: {
            selector: { matchLabels: { app: 'x' } },
            strategy: { type: 'Recreate' },
            template: {
              metadata: { labels: { app: 'x' } },
              spec: { containers: full, volumes, serviceAccountName: 'a', initContainers: [{ name: 'i', image: 'b' }] },
            },
          },
        }),
      ),
    ],
  },
  {
    name: 'stateful set defaults',
    path: '/apis/apps/v1/namespaces/NS/statefulsets',
    steps: [
      create(
        object('apps/v1', 'StatefulSet', {
          spec: {
            serviceName: 'x',
            selector: { matchLabels: { app: 'x' } },
            template: template(one),
            volumeClaimTemplates: [
              { metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
            ],
          },
        }),
      ),
    ],
  },
  {
    name: 'daemon set defaults',
    path: '/apis/apps/v1/namespaces/NS/daemonsets',
    steps: [
      create(
        object('apps/v1', 'DaemonSet', {
          metadata: { name: 'x', annotations: { 'deprecated.daemonset.template.generation': '1' } },
          spec: { selector: { matchLabels: { app: 'x' } }, template: template(one) },
        }),
      ),
    ],
  },
  {
    name: 'replica set defaults',
    path: '/apis/apps/v1/namespaces/NS/replicasets',
    steps: [create(object('apps/v1', 'ReplicaSet', { spec: { selector: { matchLabels: { app: 'x' } }, template: template(one) } }))],
  },
  {
    name: 'cron job defaults',
    path: '/apis/batch/v1/namespaces/NS/cronjobs',
    steps: [
      create(
        object('batch/v1', 'CronJob', {
          spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: one } } } } },
        }),
      ),
    ],
  },
  {
    name: 'service defaults',
    path: services,
    steps: [
      create(
        object('v1', 'Service', {
          spec: {
            selector: { app: 'x' },
            ports: [
              { port: 80, name: 'a' },
              { port: 81, name: 'b', targetPort: 'http' },
            ],
          },
        }),
      ),
    ],
  },
  {
    name: 'service with one port and client affinity',
    path: services,
    steps: [create(object('v1', 'Service', { spec: { sessionAffinity: 'ClientIP', ports: [{ port: 80 }] } }))],
  },
  {
    name: 'external name defaults',
    path: services,
    steps: [create(object('v1', 'Service', { spec: { type: 'ExternalName', externalName: 'a.example' } }))],
  },
  { name: 'secret', path: secrets, steps: [create(object('v1', 'Secret', { stringData: { a: 'b' }, data: { c: 'ZA==' } }))] },
  {
    name: 'claim defaults',
    path: claims,
    steps: [
      create(
        object('v1', 'PersistentVolumeClaim', {
          metadata: { name: 'x', finalizers: ['kubernetes.io/pvc-protection', 'a.example/b'] },
          spec: { accessModes: ['ReadWriteOnce'], storageClassName: 's', resources: { requests: { storage: '1Gi' } } },
        }),
      ),
    ],
  },
  {
    name: 'ingress',
    path: ingresses,
    steps: [
      create(
        object('networking.k8s.io/v1', 'Ingress', {
          spec: {
            rules: [
              {
                host: 'a.example',
                http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }] },
              },
            ],
          },
        }),
      ),
    ],
  },
  {
    name: 'autoscaler defaults',
    path: '/apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers',
    steps: [
      create(
        object('autoscaling/v2', 'HorizontalPodAutoscaler', {
          spec: {
            maxReplicas: 3,
            scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
            behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
          },
        }),
      ),
    ],
  },
  {
    name: 'role binding defaults',
    path: '/apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings',
    steps: [
      create(
        object('rbac.authorization.k8s.io/v1', 'RoleBinding', {
          roleRef: { kind: 'Role', name: 'r', apiGroup: 'rbac.authorization.k8s.io' },
          subjects: [
            { kind: 'User', name: 'u' },
            { kind: 'ServiceAccount', name: 's', namespace: 'n' },
          ],
        }),
      ),
    ],
  },
  {
    name: 'network policy defaults',
    path: '/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies',
    steps: [create(object('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] } }))],
  },

  { name: 'bad name', path: configMaps, steps: [create({ ...config({}), metadata: { name: 'Bad_Name' } })] },
  { name: 'bad labels', path: configMaps, steps: [create(config({ 'a b': '1' }, { labels: { 'a b': 'c', d: '-e' } }))] },
  { name: 'empty deployment', path: deployments, steps: [create(object('apps/v1', 'Deployment', { spec: {} }))] },
  { name: 'selector that does not match', path: deployments, steps: [create(deployment(one, { template: template(one, { app: 'y' }) }))] },
  {
    name: 'bad containers',
    path: deployments,
    steps: [
      create(
        deployment([
          { name: 'C' },
          {
            name: 'c',
            image: 'a',
            ports: [{ containerPort: 0 }, { containerPort: 80, name: 'a--b' }],
            volumeMounts: [{ name: 'none', mountPath: '/a' }],
          },
        ]),
      ),
    ],
  },
  {
    name: 'bad probe and env',
    path: deployments,
    steps: [
      create(
        deployment([
          {
            name: 'c',
            image: 'a',
            livenessProbe: { successThreshold: 2, httpGet: { port: 99999 } },
            env: [{ name: '' }, { name: 'A', value: '1', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
          },
        ]),
      ),
    ],
  },
  {
    name: 'request above limit',
    path: deployments,
    steps: [create(deployment([{ name: 'c', image: 'a', resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }]))],
  },
  {
    name: 'immutable selector',
    path: deployments,
    steps: [create(deployment(one)), { verb: 'merge', manager: 'm', body: { spec: { selector: { matchLabels: { app: 'z' } } } } }],
  },
  {
    name: 'immutable secret type',
    path: secrets,
    steps: [create(object('v1', 'Secret', { type: 'Opaque' })), { verb: 'merge', manager: 'm', body: { type: 'a/b' } }],
  },
  {
    name: 'pull secret without content',
    path: secrets,
    steps: [create(object('v1', 'Secret', { type: 'kubernetes.io/dockerconfigjson' }))],
  },
  {
    name: 'tls secret without key',
    path: secrets,
    steps: [create(object('v1', 'Secret', { type: 'kubernetes.io/tls', data: { 'tls.crt': 'YQ==' } }))],
  },
  {
    name: 'frozen config map',
    path: configMaps,
    steps: [create({ ...config({ a: '1' }), immutable: true }), { verb: 'merge', manager: 'm', body: { data: { a: '2' } } }],
  },
  { name: 'service without ports', path: services, steps: [create(object('v1', 'Service', { spec: {} }))] },
  {
    name: 'bad service',
    path: services,
    steps: [
      create(
        object('v1', 'Service', { spec: { type: 'Odd', ports: [{ port: 70000 }, { port: 80, name: 'a' }, { port: 80, name: 'a' }] } }),
      ),
    ],
  },
  {
    name: 'job that always restarts',
    path: jobs,
    steps: [create(object('batch/v1', 'Job', { spec: { template: { spec: { containers: one } } } }))],
  },
  {
    name: 'bad ingress',
    path: ingresses,
    steps: [
      create(
        object('networking.k8s.io/v1', 'Ingress', {
          spec: {
            rules: [
              {
                host: '1.2.3.4',
                http: {
                  paths: [
                    { path: 'a', pathType: 'Prefix', backend: {} },
                    { path: '/b', pathType: 'Odd', backend: { service: { name: 's', port: {} } } },
                  ],
                },
              },
            ],
          },
        }),
      ),
    ],
  },
  { name: 'empty ingress', path: ingresses, steps: [create(object('networking.k8s.io/v1', 'Ingress', { spec: {} }))] },
  { name: 'claim without anything', path: claims, steps: [create(object('v1', 'PersistentVolumeClaim', { spec: {} }))] },
  {
    name: 'bad autoscaler',
    path: '/apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers',
    steps: [create(object('autoscaling/v2', 'HorizontalPodAutoscaler', { spec: { minReplicas: 5, maxReplicas: 3, scaleTargetRef: {} } }))],
  },
  {
    name: 'changed role reference',
    path: '/apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings',
    steps: [
      create(
        object('rbac.authorization.k8s.io/v1', 'RoleBinding', {
          roleRef: { kind: 'Role', name: 'r', apiGroup: 'rbac.authorization.k8s.io' },
        }),
      ),
      { verb: 'merge', manager: 'm', body: { roleRef: { name: 's' } } },
    ],
  },
  {
    name: 'bad role',
    path: '/apis/rbac.authorization.k8s.io/v1/namespaces/NS/roles',
    steps: [create(object('rbac.authorization.k8s.io/v1', 'Role', { rules: [{ apiGroups: [''] }] }))],
  },

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
