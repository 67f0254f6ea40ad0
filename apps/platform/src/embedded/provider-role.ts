import type { KubeObject } from '@desp/kube';

const rbac = 'rbac.authorization.k8s.io';
const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const more = { 'desp.space/aggregate-to-provider': 'true' };

/**
 * What a provider may in its namespaces: Kubernetes' own `edit`, with what other software adds to that role on its cluster, and
 * besides it roles, role bindings and the kinds that the procedure works with.
 *
 * Not the namespace itself, its quota and limits, which are the platform's; and no change of a role binding that is there, for the
 * platform's own is one of them (rules are added up and have no exceptions, so Kubernetes' `admin` is too much). One may make a
 * binding: the API server lets nobody give more than they have.
 */
export const providerRole: readonly (KubeObject & Record<string, unknown>)[] = [
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'desp-provider-more', labels: more },
    rules: [
      { apiGroups: [rbac], resources: ['roles'], verbs: [...read, ...write] },
      { apiGroups: [rbac], resources: ['rolebindings'], verbs: [...read, 'create'] },
      { apiGroups: ['authorization.k8s.io'], resources: ['localsubjectaccessreviews'], verbs: ['create'] },
      { apiGroups: ['external-secrets.io'], resources: ['externalsecrets', 'secretstores'], verbs: [...read, ...write] },
      { apiGroups: ['cert-manager.io'], resources: ['certificates', 'issuers'], verbs: [...read, ...write] },
      { apiGroups: ['cert-manager.io'], resources: ['certificaterequests'], verbs: read },
      { apiGroups: ['acme.cert-manager.io'], resources: ['orders', 'challenges'], verbs: read },
    ],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'desp-provider' },
    aggregationRule: {
      clusterRoleSelectors: [{ matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' } }, { matchLabels: more }],
    },
  },
];
