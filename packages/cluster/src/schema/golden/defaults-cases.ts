import {
  type Case,
  claims,
  create,
  deployment,
  deployments,
  full,
  ingresses,
  object,
  one,
  secrets,
  services,
  template,
  volumes,
} from './request.ts';

/** What absent fields become. */
export const defaultsCases: readonly Case[] = [
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
];
