import type { ApiObject } from '../object.ts';

/** The roles and bindings that every cluster has from its first start; narrowed to the kinds that we serve. */

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const apiGroup = 'rbac.authorization.k8s.io';
const bootstrap = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };

const rule = (group: string, verbs: readonly string[], ...resources: readonly string[]): Rule => ({ apiGroups: [group], resources, verbs });

const clusterRole = (name: string, rules: readonly Rule[], labels: Record<string, string> = {}, aggregate?: string): ApiObject =>
  ({
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: { ...bootstrap, ...labels }, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' } },
    ...(aggregate === undefined
      ? {}
      : {
          aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`rbac.authorization.k8s.io/aggregate-to-${aggregate}`]: 'true' } }] },
        }),
    rules,
  }) as ApiObject;

const binding = (name: string, role: string, ...groups: readonly string[]): ApiObject =>
  ({
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: bootstrap, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' } },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects: groups.map((group) => ({ apiGroup, kind: 'Group', name: group })),
  }) as ApiObject;

const coreRead = [
  'configmaps',
  'endpoints',
  'persistentvolumeclaims',
  'persistentvolumeclaims/status',
  'pods',
  'serviceaccounts',
  'services',
  'services/status',
];
const coreMore = [
  'bindings',
  'events',
  'limitranges',
  'namespaces/status',
  'pods/log',
  'pods/status',
  'resourcequotas',
  'resourcequotas/status',
];
const appsKinds = [
  'daemonsets',
  'deployments',
  'deployments/scale',
  'replicasets',
  'replicasets/scale',
  'statefulsets',
  'statefulsets/scale',
];
const appsStatus = ['daemonsets/status', 'deployments/status', 'replicasets/status', 'statefulsets/status'];
const networking = ['ingresses', 'networkpolicies'];

const viewRules: readonly Rule[] = [
  rule('', read, ...coreRead, ...coreMore, 'namespaces'),
  rule('discovery.k8s.io', read, 'endpointslices'),
  rule('apps', read, ...appsKinds, ...appsStatus),
  rule('autoscaling', read, 'horizontalpodautoscalers', 'horizontalpodautoscalers/status'),
  rule('batch', read, 'cronjobs', 'cronjobs/status', 'jobs', 'jobs/status'),
  rule('policy', read, 'poddisruptionbudgets', 'poddisruptionbudgets/status'),
  rule('networking.k8s.io', read, ...networking, 'ingresses/status'),
];

const editRules: readonly Rule[] = [
  rule('', read, 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'),
  rule('', ['impersonate'], 'serviceaccounts'),
  rule('', write, 'pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'),
  rule('', ['create'], 'pods/eviction'),
  rule('', write, 'configmaps', 'events', 'persistentvolumeclaims', 'secrets', 'serviceaccounts', 'services', 'services/proxy'),
  rule('', ['create'], 'serviceaccounts/token'),
  rule('apps', write, ...appsKinds, 'deployments/rollback'),
  rule('autoscaling', write, 'horizontalpodautoscalers'),
  rule('batch', write, 'cronjobs', 'jobs'),
  rule('policy', write, 'poddisruptionbudgets'),
  rule('networking.k8s.io', write, ...networking),
  rule('coordination.k8s.io', [...read, ...write], 'leases'),
];

const adminRules: readonly Rule[] = [
  rule('authorization.k8s.io', ['create'], 'localsubjectaccessreviews'),
  rule(apiGroup, [...read, ...write], 'roles', 'rolebindings'),
];

const toLabel = (name: string): Record<string, string> => ({ [`rbac.authorization.k8s.io/aggregate-to-${name}`]: 'true' });

export const bootstrapRoles: readonly ApiObject[] = [
  clusterRole('cluster-admin', [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ]),
  clusterRole('admin', [], {}, 'admin'),
  clusterRole('edit', [], toLabel('admin'), 'edit'),
  clusterRole('view', [], toLabel('edit'), 'view'),
  clusterRole('system:aggregate-to-admin', adminRules, toLabel('admin')),
  clusterRole('system:aggregate-to-edit', editRules, toLabel('edit')),
  clusterRole('system:aggregate-to-view', viewRules, toLabel('view')),
  clusterRole('system:basic-user', [
    rule('authorization.k8s.io', ['create'], 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
    rule('authentication.k8s.io', ['create'], 'selfsubjectreviews'),
  ]),
  clusterRole('system:discovery', [
    {
      nonResourceURLs: [
        '/api',
        '/api/*',
        '/apis',
        '/apis/*',
        '/healthz',
        '/livez',
        '/openapi',
        '/openapi/*',
        '/readyz',
        '/version',
        '/version/',
      ],
      verbs: ['get'],
    },
  ]),
  clusterRole('system:public-info-viewer', [
    { nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'], verbs: ['get'] },
  ]),
  clusterRole('system:service-account-issuer-discovery', [
    {
      nonResourceURLs: ['/.well-known/openid-configuration', '/openid/v1/jwks', '/openid/v1/jwks/', '/.well-known/openid-configuration/'],
      verbs: ['get'],
    },
  ]),
  clusterRole('system:auth-delegator', [
    rule('authentication.k8s.io', ['create'], 'tokenreviews'),
    rule('authorization.k8s.io', ['create'], 'subjectaccessreviews'),
  ]),
];

export const bootstrapBindings: readonly ApiObject[] = [
  binding('cluster-admin', 'cluster-admin', 'system:masters'),
  binding('system:basic-user', 'system:basic-user', 'system:authenticated'),
  binding('system:discovery', 'system:discovery', 'system:authenticated'),
  binding('system:public-info-viewer', 'system:public-info-viewer', 'system:authenticated', 'system:unauthenticated'),
  binding('system:service-account-issuer-discovery', 'system:service-account-issuer-discovery', 'system:serviceaccounts'),
];
