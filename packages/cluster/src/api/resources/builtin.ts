import { findSchema, type StructSchema } from '../../schema/index.ts';
import { coreColumns } from './core-columns.ts';
import { groupColumns, plainColumns } from './group-columns.ts';
import { podColumns } from './pod-columns.ts';
import { allVerbs, type Resource, type Subresource } from './resource.ts';
import { type ServiceNetwork, serviceStrategy } from './services.ts';
import {
  both,
  completeBinding,
  createClaim,
  createJob,
  createNamespace,
  createPod,
  createVolume,
  emptyStatus,
  keepRoleRef,
  mergeStringData,
  updateNamespace,
} from './strategies.ts';

type Extra = Partial<Omit<Resource, 'group' | 'version' | 'kind' | 'plural' | 'subresources'>> & { subresources?: readonly Subresource[] };

function builtin(apiVersion: string, kind: string, plural: string, extra: Extra = {}): Resource {
  const [first, second] = apiVersion.split('/');
  const [group, version] = second === undefined ? ['', first!] : [first!, second];
  let schema: StructSchema | undefined;
  return {
    group,
    version,
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: true,
    storage: group ? `${group}/${plural}` : plural,
    verbs: allVerbs,
    status: false,
    subresources: [],
    columns:
      group === '' ? (plural === 'pods' ? podColumns : (coreColumns[plural] ?? plainColumns)) : (groupColumns[plural] ?? plainColumns),
    fields: {},
    schema: () => {
      schema ??= findSchema({ group, version, kind });
      return schema;
    },
    custom: false,
    countsGeneration: false,
    ...extra,
  };
}

const replicas = { spec: ['spec', 'replicas'], status: ['status', 'replicas'], selector: ['spec', 'selector'] } as const;

const eventFields = {
  'involvedObject.kind': ['involvedObject', 'kind'],
  'involvedObject.namespace': ['involvedObject', 'namespace'],
  'involvedObject.name': ['involvedObject', 'name'],
  'involvedObject.uid': ['involvedObject', 'uid'],
  'involvedObject.apiVersion': ['involvedObject', 'apiVersion'],
  'involvedObject.resourceVersion': ['involvedObject', 'resourceVersion'],
  'involvedObject.fieldPath': ['involvedObject', 'fieldPath'],
  reason: ['reason'],
  type: ['type'],
  reportingComponent: ['reportingComponent'],
  source: ['source', 'component'],
} as const;

const core = (network: ServiceNetwork): Resource[] => [
  builtin('v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'] }),
  builtin('v1', 'Endpoints', 'endpoints', { shortNames: ['ep'] }),
  builtin('v1', 'Event', 'events', { shortNames: ['ev'], fields: eventFields }),
  builtin('v1', 'LimitRange', 'limitranges', { shortNames: ['limits'] }),
  builtin('v1', 'Namespace', 'namespaces', {
    shortNames: ['ns'],
    namespaced: false,
    status: true,
    verbs: allVerbs.filter((verb) => verb !== 'deletecollection'),
    fields: { 'status.phase': ['status', 'phase'] },
    subresources: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
    prepareCreate: createNamespace,
    prepareUpdate: updateNamespace,
  }),
  builtin('v1', 'Node', 'nodes', {
    shortNames: ['no'],
    namespaced: false,
    status: true,
    fields: { 'spec.unschedulable': ['spec', 'unschedulable'] },
  }),
  builtin('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', { shortNames: ['pvc'], status: true, prepareCreate: createClaim }),
  builtin('v1', 'PersistentVolume', 'persistentvolumes', {
    shortNames: ['pv'],
    namespaced: false,
    status: true,
    prepareCreate: createVolume,
  }),
  builtin('v1', 'Pod', 'pods', {
    shortNames: ['po'],
    categories: ['all'],
    status: true,
    fields: {
      'spec.nodeName': ['spec', 'nodeName'],
      'spec.restartPolicy': ['spec', 'restartPolicy'],
      'spec.schedulerName': ['spec', 'schedulerName'],
      'spec.serviceAccountName': ['spec', 'serviceAccountName'],
      'spec.hostNetwork': ['spec', 'hostNetwork'],
      'status.phase': ['status', 'phase'],
      'status.podIP': ['status', 'podIP'],
      'status.nominatedNodeName': ['status', 'nominatedNodeName'],
    },
    subresources: [
      { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
      { name: 'binding', kind: 'Binding', verbs: ['create'] },
      { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
      { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
      { name: 'log', kind: 'Pod', verbs: ['get'] },
      { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    ],
    prepareCreate: createPod,
  }),
  builtin('v1', 'ResourceQuota', 'resourcequotas', {
    shortNames: ['quota'],
    status: true,
  }),
  builtin('v1', 'Secret', 'secrets', {
    fields: { type: ['type'] },
    prepareCreate: mergeStringData,
    prepareUpdate: (secret, _old, context) => mergeStringData(secret, context),
  }),
  builtin('v1', 'ServiceAccount', 'serviceaccounts', {
    shortNames: ['sa'],
    subresources: [{ name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] }],
  }),
  builtin('v1', 'Service', 'services', {
    shortNames: ['svc'],
    categories: ['all'],
    status: true,
    fields: { 'spec.clusterIP': ['spec', 'clusterIP'], 'spec.type': ['spec', 'type'] },
    ...serviceStrategy(network),
  }),
];

const apps: Resource[] = [
  builtin('apps/v1', 'DaemonSet', 'daemonsets', {
    shortNames: ['ds'],
    categories: ['all'],
    status: true,
    countsGeneration: true,
    prepareCreate: emptyStatus({ currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }),
  }),
  builtin('apps/v1', 'Deployment', 'deployments', {
    shortNames: ['deploy'],
    categories: ['all'],
    status: true,
    scale: replicas,
    countsGeneration: true,
    prepareCreate: emptyStatus(),
  }),
  builtin('apps/v1', 'ReplicaSet', 'replicasets', {
    shortNames: ['rs'],
    categories: ['all'],
    status: true,
    scale: replicas,
    countsGeneration: true,
    fields: { 'status.replicas': ['status', 'replicas'] },
    prepareCreate: emptyStatus({ replicas: 0 }),
  }),
  builtin('apps/v1', 'StatefulSet', 'statefulsets', {
    shortNames: ['sts'],
    categories: ['all'],
    status: true,
    scale: replicas,
    countsGeneration: true,
    prepareCreate: emptyStatus({ replicas: 0, availableReplicas: 0 }),
  }),
];

const rbac: Resource[] = [
  builtin('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', { namespaced: false }),
  builtin('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', {
    namespaced: false,
    prepareCreate: completeBinding,
    prepareUpdate: both2(completeBinding, keepRoleRef),
  }),
  builtin('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  builtin('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings', {
    prepareCreate: completeBinding,
    prepareUpdate: both2(completeBinding, keepRoleRef),
  }),
];

function both2(first: NonNullable<Resource['prepareCreate']>, second: NonNullable<Resource['prepareUpdate']>): Resource['prepareUpdate'] {
  return (object, old, context) => {
    first(object, context);
    second(object, old, context);
  };
}

const others: Resource[] = [
  builtin('batch/v1', 'CronJob', 'cronjobs', {
    shortNames: ['cj'],
    categories: ['all'],
    status: true,
    countsGeneration: true,
    prepareCreate: emptyStatus(),
  }),
  builtin('batch/v1', 'Job', 'jobs', {
    categories: ['all'],
    status: true,
    countsGeneration: true,
    fields: { 'status.successful': ['status', 'succeeded'] },
    prepareCreate: both(createJob, emptyStatus()),
  }),
  builtin('networking.k8s.io/v1', 'Ingress', 'ingresses', {
    shortNames: ['ing'],
    status: true,
    countsGeneration: true,
    prepareCreate: emptyStatus({ loadBalancer: {} }),
  }),
  builtin('networking.k8s.io/v1', 'IngressClass', 'ingressclasses', { namespaced: false, countsGeneration: true }),
  builtin('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', {
    shortNames: ['netpol'],
    countsGeneration: true,
  }),
  builtin('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', {
    shortNames: ['hpa'],
    categories: ['all'],
    status: true,
    prepareCreate: emptyStatus({ desiredReplicas: 0, currentMetrics: null }),
  }),
  builtin('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', {
    shortNames: ['pdb'],
    status: true,
    countsGeneration: true,
    prepareCreate: emptyStatus({ disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }),
  }),
  builtin('storage.k8s.io/v1', 'StorageClass', 'storageclasses', { shortNames: ['sc'], namespaced: false }),
  builtin('coordination.k8s.io/v1', 'Lease', 'leases'),
  builtin('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', { countsGeneration: true }),
];

/** Every kind that is served without a CustomResourceDefinition, in the order of discovery; the definitions' own kind comes with `crd`. */
export function builtinResources(network: ServiceNetwork, crd: Partial<Resource>): Resource[] {
  const definitions = builtin('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', {
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    namespaced: false,
    status: true,
    countsGeneration: true,
    ...crd,
  });
  return [...core(network), ...apps, ...others, ...rbac, definitions];
}
