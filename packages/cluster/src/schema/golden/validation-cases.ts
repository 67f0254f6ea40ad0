import {
  type Case,
  claims,
  config,
  configMaps,
  create,
  deployment,
  deployments,
  ingresses,
  jobs,
  object,
  one,
  secrets,
  services,
  template,
} from './request.ts';

/** What is refused, and in which words. */
export const validationCases: readonly Case[] = [
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
];
