import { copy, type Json, type JsonObject, own, ownList, ownObject, ownString, put } from '../json.ts';
import { each, eachFill, fill, fillAll, section, within } from './draft.ts';

/** core/v1 beyond pods, and the small groups. */

export function defaultService(service: JsonObject): void {
  const spec = section(service, 'spec');
  fillAll(spec, { sessionAffinity: 'None', type: 'ClusterIP' });
  const type = own(spec, 'type');
  each(spec, 'ports', (port) => {
    fill(port, 'protocol', 'TCP');
    const target = own(port, 'targetPort');
    if (target === undefined || target === null || target === 0 || target === '') put(port, 'targetPort', own(port, 'port') ?? 0);
  });
  if (own(spec, 'sessionAffinity') === 'ClientIP')
    fill(section(section(spec, 'sessionAffinityConfig'), 'clientIP'), 'timeoutSeconds', 10_800);
  if (type === 'NodePort' || type === 'LoadBalancer' || ownList(spec, 'externalIPs').length > 0)
    fill(spec, 'externalTrafficPolicy', 'Cluster');
  if (type !== 'ExternalName') fill(spec, 'internalTrafficPolicy', 'Cluster');
  if (type === 'LoadBalancer') fill(spec, 'allocateLoadBalancerNodePorts', true);
  section(section(service, 'status'), 'loadBalancer');
}

/** `stringData` is written only: it goes into `data` as Base64 and wins over it. */
export function defaultSecret(secret: JsonObject): void {
  fill(secret, 'type', 'Opaque');
  const plain = ownObject(secret, 'stringData');
  if (plain) {
    const data = section(secret, 'data');
    for (const [key, value] of Object.entries(plain)) put(data, key, Buffer.from(String(value), 'utf8').toString('base64'));
  }
  delete secret['stringData'];
}

export function defaultNamespace(namespace: JsonObject): void {
  const metadata = section(namespace, 'metadata');
  const name = ownString(metadata, 'name');
  if (name) put(section(metadata, 'labels'), 'kubernetes.io/metadata.name', name);
  fill(section(namespace, 'status'), 'phase', 'Active');
}

export function defaultVolume(volume: JsonObject): void {
  const spec = section(volume, 'spec');
  fillAll(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' });
  within(spec, 'hostPath', (path) => fill(path, 'type', ''));
  fill(section(volume, 'status'), 'phase', 'Pending');
}

export function defaultLimitRange(range: JsonObject): void {
  each(ownObject(range, 'spec'), 'limits', (limit) => {
    if (own(limit, 'type') !== 'Container') return;
    const max = ownObject(limit, 'max');
    const min = ownObject(limit, 'min');
    if (max) fillAll(section(limit, 'default'), copy(max));
    const fallback = ownObject(limit, 'default');
    if (fallback) fillAll(section(limit, 'defaultRequest'), copy(fallback));
    if (min) fillAll(section(limit, 'defaultRequest'), copy(min));
  });
}

export function defaultEndpoints(endpoints: JsonObject): void {
  each(endpoints, 'subsets', (subset) => eachFill(subset, 'ports', { protocol: 'TCP' }));
}

export function defaultNetworkPolicy(policy: JsonObject): void {
  const spec = section(policy, 'spec');
  for (const direction of ['ingress', 'egress']) each(spec, direction, (rule) => eachFill(rule, 'ports', { protocol: 'TCP' }));
  if (ownList(spec, 'policyTypes').length === 0)
    put(spec, 'policyTypes', ownList(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress']);
}

const rbacGroup = 'rbac.authorization.k8s.io';

export function defaultBinding(binding: JsonObject): void {
  within(binding, 'roleRef', (reference) => {
    if (!ownString(reference, 'apiGroup')) put(reference, 'apiGroup', rbacGroup);
  });
  each(binding, 'subjects', (subject) => {
    const kind = own(subject, 'kind');
    if ((kind === 'User' || kind === 'Group') && !ownString(subject, 'apiGroup')) put(subject, 'apiGroup', rbacGroup);
  });
}

export function defaultDefinition(definition: JsonObject): void {
  const spec = section(definition, 'spec');
  const names = section(spec, 'names');
  const kind = ownString(names, 'kind');
  if (kind) fillAll(names, { singular: kind.toLowerCase(), listKind: `${kind}List` });
  fill(section(spec, 'conversion'), 'strategy', 'None');
}

/** The same values wherever they are absent, by the object's section: `''` is the object itself. */
export const simpleDefaults: Readonly<Record<string, Readonly<Record<string, { [key: string]: Json }>>>> = {
  'storage.k8s.io/v1/StorageClass': { '': { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' } },
  'scheduling.k8s.io/v1/PriorityClass': { '': { preemptionPolicy: 'PreemptLowerPriority' } },
  'authentication.k8s.io/v1/TokenRequest': { spec: { expirationSeconds: 3600 } },
  'networking.k8s.io/v1/Ingress': { status: { loadBalancer: {} } },
};

export function defaultIngressClass(entry: JsonObject): void {
  within(ownObject(entry, 'spec'), 'parameters', (parameters) => fill(parameters, 'scope', 'Cluster'));
}

export function defaultEndpointSlice(slice: JsonObject): void {
  eachFill(slice, 'ports', { name: '', protocol: 'TCP' });
}
