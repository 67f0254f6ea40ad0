import { equal, isObject, type Json, type JsonObject, own, ownList, ownObject, ownObjects, ownString, without } from '../json.ts';
import { compareQuantities, isQuantity } from '../quantity.ts';
import { at, atKey, type Report } from './causes.ts';
import { validateImmutable, validateLabels, validateSelector } from './meta.ts';
import {
  configKeyErrors,
  dns1035Errors,
  dnsLabelErrors,
  dnsSubdomainErrors,
  hostErrors,
  pathSegmentErrors,
  portNameErrors,
} from './names.ts';
import { validatePortReference } from './pod.ts';

/** core/v1 beyond pods, networking, RBAC, storage and policy. */

const maxData = 1024 * 1024;

function validateKeys(data: JsonObject | undefined, path: string, report: Report): void {
  for (const key of Object.keys(data ?? {})) for (const error of configKeyErrors(key)) report.invalid(atKey(path, key), key, error);
}

/** `immutable: true` is for good, and so is the data then. */
function validateFrozen(object: JsonObject, old: JsonObject | undefined, parts: readonly string[], report: Report): void {
  if (!old || own(old, 'immutable') !== true) return;
  if (own(object, 'immutable') !== true) report.forbidden('immutable', 'field is immutable when `immutable` is set');
  for (const part of parts)
    if (!equal(own(object, part) ?? {}, own(old, part) ?? {})) report.forbidden(part, 'field is immutable when `immutable` is set');
}

export function validateConfigMap(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const [data, binary] = [ownObject(object, 'data'), ownObject(object, 'binaryData')];
  validateKeys(data, 'data', report);
  validateKeys(binary, 'binaryData', report);
  for (const key of Object.keys(binary ?? {}))
    if (data && Object.hasOwn(data, key)) report.invalid(atKey('data', key), key, 'duplicate of key present in binaryData');
  let size = 0;
  for (const value of Object.values(data ?? {})) size += Buffer.byteLength(String(value));
  for (const value of Object.values(binary ?? {})) size += Buffer.byteLength(String(value), 'base64');
  if (size > maxData) report.tooLong('', maxData);
  validateFrozen(object, old, ['data', 'binaryData'], report);
}

/** Keys that a type of Secret must hold. */
const neededKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

export function validateSecret(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const data = ownObject(object, 'data') ?? {};
  const type = ownString(object, 'type') ?? 'Opaque';
  validateKeys(data, 'data', report);
  const size = Object.values(data).reduce<number>((sum, value) => sum + Buffer.byteLength(String(value), 'base64'), 0);
  if (size > maxData) report.tooLong('data', maxData);
  for (const key of (Object.hasOwn(neededKeys, type) && neededKeys[type]) || []) {
    const value = ownString(data, key);
    if (value === undefined) report.required(atKey('data', key));
    else if (key.startsWith('.docker') && !isJson(Buffer.from(value, 'base64').toString('utf8')))
      report.invalid(atKey('data', key), '<secret contents redacted>', 'unexpected end of JSON input');
  }
  if (type === 'kubernetes.io/basic-auth' && !Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
    report.required('data[username]');
    report.required('data[password]');
  }
  if (
    type === 'kubernetes.io/service-account-token' &&
    !ownString(ownObject(ownObject(object, 'metadata'), 'annotations'), 'kubernetes.io/service-account.name')
  )
    report.required('metadata.annotations[kubernetes.io/service-account.name]');
  if (old) {
    if ((ownString(old, 'type') ?? 'Opaque') !== type) report.invalid('type', type, 'field is immutable');
    validateFrozen(object, old, ['data'], report);
  }
}

function isJson(text: string): boolean {
  try {
    return isObject(JSON.parse(text) as Json);
  } catch {
    return false;
  }
}

export function validateService(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const spec = ownObject(object, 'spec') ?? {};
  const type = ownString(spec, 'type') ?? 'ClusterIP';
  if (!['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'].includes(type))
    report.unsupported('spec.type', type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']);
  const ports = ownObjects(spec, 'ports');
  if (ports.length === 0 && type !== 'ExternalName' && own(spec, 'clusterIP') !== 'None') report.required('spec.ports');
  validateLabels(own(spec, 'selector'), 'spec.selector', report);
  const affinity = own(spec, 'sessionAffinity');
  if (affinity !== undefined && affinity !== 'None' && affinity !== 'ClientIP')
    report.unsupported('spec.sessionAffinity', affinity, ['ClientIP', 'None']);
  if (type === 'ExternalName') {
    const name = (ownString(spec, 'externalName') ?? '').replace(/\.$/, '');
    for (const error of dnsSubdomainErrors(name)) report.invalid('spec.externalName', name, error);
  }
  const names = new Set<string>();
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const here = at('spec.ports', index);
    const name = ownString(port, 'name') ?? '';
    if (name === '' && ports.length > 1) report.required(at(here, 'name'));
    else if (name !== '') {
      for (const error of dnsLabelErrors(name)) report.invalid(at(here, 'name'), name, error);
      if (names.has(name)) report.duplicate(at(here, 'name'), name);
      names.add(name);
    }
    const number = own(port, 'port');
    if (typeof number !== 'number' || number < 1 || number > 65_535)
      report.invalid(at(here, 'port'), number ?? 0, 'must be between 1 and 65535, inclusive');
    const protocol = own(port, 'protocol');
    if (!['SCTP', 'TCP', 'UDP'].includes(String(protocol))) report.unsupported(at(here, 'protocol'), protocol, ['SCTP', 'TCP', 'UDP']);
    validatePortReference(own(port, 'targetPort'), at(here, 'targetPort'), report);
    const key = `${String(protocol)} ${String(number)}`;
    if (seen.has(key))
      report.duplicate(here, { Name: '', Protocol: protocol ?? '', AppProtocol: null, Port: number ?? 0, TargetPort: 0, NodePort: 0 });
    seen.add(key);
  }
  const before = ownObject(old, 'spec');
  const kept = before && own(before, 'type') !== 'ExternalName' && type !== 'ExternalName';
  if (kept && own(before, 'clusterIP') !== undefined && !equal(own(before, 'clusterIP'), own(spec, 'clusterIP')))
    report.invalid('spec.clusterIPs[0]', [own(spec, 'clusterIP') ?? ''], 'may not change once set');
}

export function validateIngress(object: JsonObject, report: Report): void {
  const spec = ownObject(object, 'spec') ?? {};
  const rules = ownObjects(spec, 'rules');
  const fallback = ownObject(spec, 'defaultBackend');
  if (rules.length === 0 && !fallback) report.invalid('spec', null, 'either `defaultBackend` or `rules` must be specified');
  if (fallback) validateBackend(fallback, 'spec.defaultBackend', report);
  for (const [index, rule] of rules.entries()) {
    const here = at('spec.rules', index);
    const host = ownString(rule, 'host') ?? '';
    if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) report.invalid(at(here, 'host'), host, 'must be a DNS name, not an IP address');
    else if (host !== '') for (const error of hostErrors(host)) report.invalid(at(here, 'host'), host, error);
    const http = ownObject(rule, 'http');
    if (!http) continue;
    const paths = ownObjects(http, 'paths');
    if (paths.length === 0) report.required(at(here, 'http.paths'));
    for (const [number, path] of paths.entries()) validateIngressPath(path, at(here, 'http.paths', number), report);
  }
  for (const [index, tls] of ownObjects(spec, 'tls').entries())
    for (const [number, host] of ownList(tls, 'hosts').entries())
      if (typeof host === 'string')
        for (const error of hostErrors(host)) report.invalid(at('spec.tls', index, 'hosts', number), host, error);
}

function validateIngressPath(path: JsonObject, here: string, report: Report): void {
  const type = own(path, 'pathType');
  const text = ownString(path, 'path') ?? '';
  const types = ['Exact', 'ImplementationSpecific', 'Prefix'];
  if (type === undefined) report.required(at(here, 'pathType'), 'pathType must be specified');
  else if (!types.includes(String(type))) report.unsupported(at(here, 'pathType'), type, types);
  else if (type !== 'ImplementationSpecific' || text !== '') {
    if (!text.startsWith('/')) report.invalid(at(here, 'path'), text, 'must be an absolute path');
    else if (type !== 'ImplementationSpecific')
      for (const bad of ['//', '/./', '/../', '%2f', '%2F'])
        if (text.includes(bad)) report.invalid(at(here, 'path'), text, `must not contain '${bad}'`);
  }
  const backend = ownObject(path, 'backend');
  validateBackend(backend ?? {}, at(here, 'backend'), report);
}

function validateBackend(backend: JsonObject, here: string, report: Report): void {
  const service = ownObject(backend, 'service');
  const resource = ownObject(backend, 'resource');
  if (service && resource) report.invalid(here, '', 'cannot set both resource and service backends');
  if (!service && !resource) report.invalid(here, '', 'resource or service backend is required');
  if (!service) return;
  const name = ownString(service, 'name') ?? '';
  if (name === '') report.required(at(here, 'service.name'));
  else for (const error of dns1035Errors(name)) report.invalid(at(here, 'service.name'), name, error);
  const port = ownObject(service, 'port');
  const [portName, number] = [ownString(port, 'name') ?? '', port && own(port, 'number')];
  if (portName !== '' && number) report.invalid(here, '', 'cannot set both port name & port number');
  else if (portName !== '') for (const error of portNameErrors(portName)) report.invalid(at(here, 'service.port.name'), portName, error);
  else if (typeof number !== 'number' || number === 0) report.required(here, 'port name or number is required');
  else if (number < 1 || number > 65_535) report.invalid(at(here, 'service.port.number'), number, 'must be between 1 and 65535, inclusive');
}

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export function validateClaim(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const spec = ownObject(object, 'spec') ?? {};
  const modes = ownList(spec, 'accessModes');
  if (modes.length === 0) report.required('spec.accessModes', 'at least 1 access mode is required');
  for (const mode of modes) if (!accessModes.includes(String(mode))) report.unsupported('spec.accessModes', mode, accessModes);
  const storage = own(ownObject(ownObject(spec, 'resources'), 'requests') ?? {}, 'storage');
  if (storage === undefined) report.required('spec.resources[storage]');
  else if (isQuantity(String(storage)) && (compareQuantities(String(storage), '0') ?? 0) <= 0)
    report.invalid('spec.resources[storage]', String(storage), 'must be greater than zero');
  const storageClass = ownString(spec, 'storageClassName');
  if (storageClass) for (const error of dnsSubdomainErrors(storageClass)) report.invalid('spec.storageClassName', storageClass, error);
  const mode = own(spec, 'volumeMode');
  if (mode !== undefined && mode !== 'Block' && mode !== 'Filesystem') report.unsupported('spec.volumeMode', mode, ['Block', 'Filesystem']);
  validateSelector(ownObject(spec, 'selector'), 'spec.selector', report);
  const before = ownObject(old, 'spec');
  if (!before) return;
  const frozen = (claim: JsonObject): JsonObject => {
    const rest = without(claim, 'resources', 'volumeAttributesClassName');
    // A claim without a class or volume may get one, once.
    return without(
      rest,
      ...(own(before, 'volumeName') ? [] : ['volumeName']),
      ...(own(before, 'storageClassName') === undefined ? ['storageClassName'] : []),
    );
  };
  if (!equal(frozen(spec), frozen(before)))
    report.forbidden('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims');
  const was = own(ownObject(ownObject(before, 'resources'), 'requests') ?? {}, 'storage');
  if (storage !== undefined && was !== undefined && compareQuantities(String(storage), String(was)) === -1)
    report.forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity');
}

export function validateBinding(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const role = ownObject(object, 'roleRef') ?? {};
  const kinds = own(object, 'kind') === 'RoleBinding' ? ['ClusterRole', 'Role'] : ['ClusterRole'];
  if (own(role, 'apiGroup') !== 'rbac.authorization.k8s.io')
    report.unsupported('roleRef.apiGroup', own(role, 'apiGroup') ?? '', ['rbac.authorization.k8s.io']);
  if (!kinds.includes(String(own(role, 'kind') ?? ''))) report.unsupported('roleRef.kind', own(role, 'kind') ?? '', kinds);
  const name = ownString(role, 'name') ?? '';
  if (name === '') report.required('roleRef.name');
  else for (const error of pathSegmentErrors(name)) report.invalid('roleRef.name', name, error);
  for (const [index, subject] of ownObjects(object, 'subjects').entries()) {
    const here = at('subjects', index);
    const kind = own(subject, 'kind');
    if (!ownString(subject, 'name')) report.required(at(here, 'name'));
    if (kind === 'ServiceAccount') {
      if (ownString(subject, 'apiGroup')) report.unsupported(at(here, 'apiGroup'), own(subject, 'apiGroup'), ['']);
      if (own(object, 'kind') === 'ClusterRoleBinding' && !ownString(subject, 'namespace')) report.required(at(here, 'namespace'));
    } else if (kind !== 'User' && kind !== 'Group') report.unsupported(at(here, 'kind'), kind ?? '', ['Group', 'ServiceAccount', 'User']);
  }
  if (old && !equal(own(old, 'roleRef'), own(object, 'roleRef')))
    report.invalid(
      'roleRef',
      { APIGroup: own(role, 'apiGroup') ?? '', Kind: own(role, 'kind') ?? '', Name: name },
      'cannot change roleRef',
    );
}

export function validateRole(object: JsonObject, report: Report): void {
  for (const [index, rule] of ownObjects(object, 'rules').entries()) {
    const here = at('rules', index);
    if (ownList(rule, 'verbs').length === 0) report.required(at(here, 'verbs'), 'verbs must contain at least one value');
    const urls = ownList(rule, 'nonResourceURLs').length > 0;
    if (urls && own(object, 'kind') === 'Role')
      report.invalid(at(here, 'nonResourceURLs'), own(rule, 'nonResourceURLs'), 'namespaced rules cannot apply to non-resource URLs');
    else if (!urls) {
      if (ownList(rule, 'apiGroups').length === 0)
        report.required(at(here, 'apiGroups'), 'resource rules must supply at least one api group');
      if (ownList(rule, 'resources').length === 0)
        report.required(at(here, 'resources'), 'resource rules must supply at least one resource');
    }
  }
}

export function validateStorageClass(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  if (!ownString(object, 'provisioner')) report.required('provisioner');
  const policy = own(object, 'reclaimPolicy');
  if (policy !== 'Delete' && policy !== 'Retain') report.unsupported('reclaimPolicy', policy ?? '', ['Delete', 'Retain']);
  const binding = own(object, 'volumeBindingMode');
  if (binding !== 'Immediate' && binding !== 'WaitForFirstConsumer')
    report.unsupported('volumeBindingMode', binding ?? '', ['Immediate', 'WaitForFirstConsumer']);
  if (!old) return;
  for (const key of ['parameters', 'provisioner'])
    if (!equal(own(object, key) ?? null, own(old, key) ?? null)) report.forbidden(key, `updates to ${key} are forbidden.`);
  for (const key of ['reclaimPolicy', 'volumeBindingMode']) validateImmutable(own(object, key), own(old, key), key, report);
}

export function validateDisruptionBudget(object: JsonObject, report: Report): void {
  const spec = ownObject(object, 'spec') ?? {};
  if (own(spec, 'minAvailable') !== undefined && own(spec, 'maxUnavailable') !== undefined)
    report.invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set');
  validateSelector(ownObject(spec, 'selector'), 'spec.selector', report);
}

export function validateNetworkPolicy(object: JsonObject, report: Report): void {
  const spec = ownObject(object, 'spec') ?? {};
  validateSelector(ownObject(spec, 'podSelector'), 'spec.podSelector', report);
  for (const [index, type] of ownList(spec, 'policyTypes').entries())
    if (type !== 'Ingress' && type !== 'Egress') report.unsupported(at('spec.policyTypes', index), type, ['Egress', 'Ingress']);
}

/** A CustomResourceDefinition: names, scope, versions. Its schemas are judged by `customSchema`. */
export function validateDefinition(object: JsonObject, report: Report): void {
  const spec = ownObject(object, 'spec') ?? {};
  const names = ownObject(spec, 'names') ?? {};
  const group = ownString(spec, 'group') ?? '';
  const plural = ownString(names, 'plural') ?? '';
  const name = ownString(ownObject(object, 'metadata'), 'name') ?? '';
  if (group === '') report.required('spec.group');
  else for (const error of dnsSubdomainErrors(group)) report.invalid('spec.group', group, error);
  if (group !== '' && !group.includes('.')) report.invalid('spec.group', group, 'should be a domain with at least one dot');
  if (name !== `${plural}.${group}`) report.invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group');
  for (const key of ['plural', 'singular', 'kind', 'listKind']) {
    const value = ownString(names, key) ?? '';
    if (value === '') report.required(at('spec.names', key));
    else
      for (const error of dns1035Errors(key.toLowerCase().includes('kind') ? value.toLowerCase() : value))
        report.invalid(at('spec.names', key), value, `may have mixed case, but should otherwise match: ${error}`);
  }
  const scope = own(spec, 'scope');
  if (scope === undefined) report.required('spec.scope');
  else if (scope !== 'Cluster' && scope !== 'Namespaced') report.unsupported('spec.scope', scope, ['Cluster', 'Namespaced']);
  const versions = ownObjects(spec, 'versions');
  if (versions.filter((version) => own(version, 'storage') === true).length !== 1)
    report.invalid(
      'spec.versions',
      versions.map((version) => own(version, 'name') ?? ''),
      'must have exactly one version marked as storage version',
    );
  for (const [index, version] of versions.entries())
    if (!isObject(own(ownObject(version, 'schema') ?? {}, 'openAPIV3Schema')))
      report.required(at('spec.versions', index, 'schema.openAPIV3Schema'), 'schemas are required');
}
