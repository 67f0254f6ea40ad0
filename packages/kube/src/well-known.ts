import type {
  Condition,
  DeploymentSpec,
  DeploymentStatus,
  JobSpec,
  JobStatus,
  PersistentVolumeClaimSpec,
  Pod,
  ReplicaSetSpec,
  ReplicaSetStatus,
  StatefulSetSpec,
  StatefulSetStatus,
} from './pod.ts';
import type { KubeObject, KubeResource, ResourceType } from './types.ts';

/** The built-in types that we work with, and where they are served. Others are found with `KubeClient.resolve`. */

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
  immutable?: boolean;
}

export interface Secret extends KubeObject {
  /** Base64. */
  data?: Record<string, string>;
  /** Written only: the server moves it into `data`. */
  stringData?: Record<string, string>;
  type?: string;
  immutable?: boolean;
}

export interface ServiceAccount extends KubeObject {
  secrets?: { name: string }[];
  imagePullSecrets?: { name: string }[];
  automountServiceAccountToken?: boolean;
}

export interface ServicePort {
  name?: string;
  protocol?: string;
  port: number;
  targetPort?: number | string;
  nodePort?: number;
  appProtocol?: string;
}

export interface ServiceSpec {
  type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
  selector?: Record<string, string>;
  ports?: ServicePort[];
  clusterIP?: string;
  clusterIPs?: string[];
  externalName?: string;
  publishNotReadyAddresses?: boolean;
  sessionAffinity?: string;
  ipFamilies?: string[];
  ipFamilyPolicy?: string;
  internalTrafficPolicy?: string;
}
export type Service = KubeResource<
  ServiceSpec,
  { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] }; conditions?: Condition[] }
>;

export interface ObjectReference {
  apiVersion?: string;
  kind?: string;
  name?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  fieldPath?: string;
}

export interface EndpointAddress {
  ip: string;
  hostname?: string;
  nodeName?: string;
  targetRef?: ObjectReference;
}

export interface EndpointSubset {
  addresses?: EndpointAddress[];
  notReadyAddresses?: EndpointAddress[];
  ports?: { name?: string; port: number; protocol?: string; appProtocol?: string }[];
}
export interface Endpoints extends KubeObject {
  subsets?: EndpointSubset[];
}

export interface EndpointSlice extends KubeObject {
  addressType: 'IPv4' | 'IPv6' | 'FQDN';
  endpoints: {
    addresses: string[];
    conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
    hostname?: string;
    nodeName?: string;
    targetRef?: ObjectReference;
  }[];
  ports?: { name?: string; port?: number; protocol?: string; appProtocol?: string }[];
}

export interface KubeEvent extends KubeObject {
  involvedObject: ObjectReference;
  reason?: string;
  message?: string;
  type?: 'Normal' | 'Warning';
  source?: { component?: string; host?: string };
  firstTimestamp?: string;
  lastTimestamp?: string;
  count?: number;
  reportingComponent?: string;
  reportingInstance?: string;
}

export type Namespace = KubeResource<{ finalizers?: string[] }, { phase?: 'Active' | 'Terminating'; conditions?: Condition[] }>;
export type Node = KubeResource<
  { podCIDR?: string; providerID?: string; unschedulable?: boolean; taints?: { key: string; value?: string; effect: string }[] },
  {
    capacity?: Record<string, string>;
    allocatable?: Record<string, string>;
    conditions?: (Condition & { lastHeartbeatTime?: string })[];
    addresses?: { type: string; address: string }[];
    nodeInfo?: Record<string, string>;
    daemonEndpoints?: { kubeletEndpoint?: { Port: number } };
  }
>;
export type Deployment = KubeResource<DeploymentSpec, DeploymentStatus>;
export type ReplicaSet = KubeResource<ReplicaSetSpec, ReplicaSetStatus>;
export type StatefulSet = KubeResource<StatefulSetSpec, StatefulSetStatus>;
export type Job = KubeResource<JobSpec, JobStatus>;
export type PersistentVolumeClaim = KubeResource<
  PersistentVolumeClaimSpec,
  { phase?: 'Pending' | 'Bound' | 'Lost'; accessModes?: string[]; capacity?: Record<string, string>; conditions?: Condition[] }
>;
export type PersistentVolume = KubeResource<
  {
    capacity?: Record<string, string>;
    accessModes?: string[];
    persistentVolumeReclaimPolicy?: 'Delete' | 'Retain' | 'Recycle';
    storageClassName?: string;
    volumeMode?: string;
    claimRef?: ObjectReference;
    hostPath?: { path: string; type?: string };
    csi?: { driver: string; volumeHandle: string; volumeAttributes?: Record<string, string> };
    local?: { path: string };
    nfs?: { server: string; path: string };
    nodeAffinity?: unknown;
    mountOptions?: string[];
  },
  { phase?: 'Pending' | 'Available' | 'Bound' | 'Released' | 'Failed'; message?: string; reason?: string }
>;
export interface StorageClass extends KubeObject {
  provisioner: string;
  parameters?: Record<string, string>;
  reclaimPolicy?: 'Delete' | 'Retain';
  volumeBindingMode?: 'Immediate' | 'WaitForFirstConsumer';
  allowVolumeExpansion?: boolean;
}
export type Ingress = KubeResource<
  {
    ingressClassName?: string;
    defaultBackend?: IngressBackend;
    tls?: { hosts?: string[]; secretName?: string }[];
    rules?: {
      host?: string;
      http?: { paths: { path?: string; pathType: 'Exact' | 'Prefix' | 'ImplementationSpecific'; backend: IngressBackend }[] };
    }[];
  },
  { loadBalancer?: { ingress?: { ip?: string; hostname?: string; ports?: { port: number; protocol: string }[] }[] } }
>;
export interface IngressBackend {
  service?: { name: string; port?: { name?: string; number?: number } };
  resource?: ObjectReference;
}
export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}
export interface Role extends KubeObject {
  rules: PolicyRule[];
}
export interface RoleBinding extends KubeObject {
  roleRef: { apiGroup: string; kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string; apiGroup?: string }[];
}
export type CustomResourceDefinition = KubeResource<
  {
    group: string;
    scope: 'Namespaced' | 'Cluster';
    names: { plural: string; singular?: string; kind: string; listKind?: string; shortNames?: string[] };
    versions: {
      name: string;
      served: boolean;
      storage: boolean;
      schema?: unknown;
      subresources?: unknown;
      additionalPrinterColumns?: unknown[];
    }[];
  },
  { conditions?: Condition[] }
>;

function typeOf<T extends KubeObject>(group: string, version: string, plural: string, kind: string, namespaced = true): ResourceType<T> {
  return { group, version, plural, kind, namespaced };
}

export const namespaceType = typeOf<Namespace>('', 'v1', 'namespaces', 'Namespace', false);
export const nodeType = typeOf<Node>('', 'v1', 'nodes', 'Node', false);
export const podType = typeOf<Pod>('', 'v1', 'pods', 'Pod');
export const serviceType = typeOf<Service>('', 'v1', 'services', 'Service');
export const endpointsType = typeOf<Endpoints>('', 'v1', 'endpoints', 'Endpoints');
export const configMapType = typeOf<ConfigMap>('', 'v1', 'configmaps', 'ConfigMap');
export const secretType = typeOf<Secret>('', 'v1', 'secrets', 'Secret');
export const serviceAccountType = typeOf<ServiceAccount>('', 'v1', 'serviceaccounts', 'ServiceAccount');
export const eventType = typeOf<KubeEvent>('', 'v1', 'events', 'Event');
export const persistentVolumeClaimType = typeOf<PersistentVolumeClaim>('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim');
export const persistentVolumeType = typeOf<PersistentVolume>('', 'v1', 'persistentvolumes', 'PersistentVolume', false);
export const deploymentType = typeOf<Deployment>('apps', 'v1', 'deployments', 'Deployment');
export const replicaSetType = typeOf<ReplicaSet>('apps', 'v1', 'replicasets', 'ReplicaSet');
export const statefulSetType = typeOf<StatefulSet>('apps', 'v1', 'statefulsets', 'StatefulSet');
export const jobType = typeOf<Job>('batch', 'v1', 'jobs', 'Job');
export const endpointSliceType = typeOf<EndpointSlice>('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice');
export const ingressType = typeOf<Ingress>('networking.k8s.io', 'v1', 'ingresses', 'Ingress');
export const storageClassType = typeOf<StorageClass>('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass', false);
export const roleType = typeOf<Role>('rbac.authorization.k8s.io', 'v1', 'roles', 'Role');
export const roleBindingType = typeOf<RoleBinding>('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding');
export const clusterRoleType = typeOf<Role>('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', false);
export const clusterRoleBindingType = typeOf<RoleBinding>(
  'rbac.authorization.k8s.io',
  'v1',
  'clusterrolebindings',
  'ClusterRoleBinding',
  false,
);
export const customResourceDefinitionType = typeOf<CustomResourceDefinition>(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  false,
);
