import { type ApiObject, at, isRecord, listAt, numberAt, textAt, textsAt } from '../object.ts';
import { ageColumn, ageSince, createdAtColumn, joined, nameColumn, selectorText, shown, wide } from './cells.ts';
import type { Column } from './resource.ts';

const sizeOf = (value: unknown): number => (isRecord(value) ? Object.keys(value).length : 0);

const accessModes = (modes: readonly string[]): string => {
  const short: Record<string, string> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };
  return modes.map((mode) => short[mode] ?? mode).join(',');
};

function servicePorts(service: ApiObject): string {
  const ports = listAt(service, 'spec', 'ports').map((port) => {
    const nodePort = numberAt(port, 'nodePort');
    return `${numberAt(port, 'port') ?? 0}${nodePort ? `:${nodePort}` : ''}/${textAt(port, 'protocol') ?? 'TCP'}`;
  });
  return joined(ports);
}

function externalAddress(service: ApiObject): string {
  const addresses = [
    ...listAt(service, 'status', 'loadBalancer', 'ingress').map((item) => textAt(item, 'ip') ?? textAt(item, 'hostname') ?? ''),
    ...textsAt(service, 'spec', 'externalIPs'),
  ];
  const type = textAt(service, 'spec', 'type');
  if (type === 'ExternalName') return textAt(service, 'spec', 'externalName') ?? '<none>';
  return joined(addresses, type === 'LoadBalancer' ? '<pending>' : '<none>');
}

function endpointAddresses(endpoints: ApiObject): string {
  const found: string[] = [];
  for (const subset of listAt(endpoints, 'subsets')) {
    const addresses = listAt(subset, 'addresses').map((address) => textAt(address, 'ip') ?? '');
    const ports = listAt(subset, 'ports').map((port) => numberAt(port, 'port'));
    if (ports.length === 0) found.push(...addresses);
    for (const port of ports) for (const address of addresses) found.push(`${address}:${port}`);
  }
  if (found.length === 0) return '<none>';
  return found.length > 3 ? `${found.slice(0, 3).join(',')} + ${found.length - 3} more...` : found.join(',');
}

const claimPhase = (claim: ApiObject): string =>
  claim.metadata.deletionTimestamp === undefined ? (textAt(claim, 'status', 'phase') ?? '') : 'Terminating';

function nodeStatus(node: ApiObject): string {
  const ready = listAt(node, 'status', 'conditions').find((condition) => textAt(condition, 'type') === 'Ready');
  const state = ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return at(node, 'spec', 'unschedulable') === true ? `${state},SchedulingDisabled` : state;
}

const nodeAddress = (node: ApiObject, type: string): string =>
  listAt(node, 'status', 'addresses')
    .filter((address) => textAt(address, 'type') === type)
    .map((address) => textAt(address, 'address') ?? '')[0] ?? '<none>';

const nodeRoles = (node: ApiObject): string =>
  joined(
    Object.keys(node.metadata.labels ?? {})
      .filter((label) => label.startsWith('node-role.kubernetes.io/'))
      .map((label) => label.slice('node-role.kubernetes.io/'.length))
      .sort(),
  );

function eventSource(event: ApiObject): string {
  const component = textAt(event, 'source', 'component') || textAt(event, 'reportingComponent') || '';
  const host = textAt(event, 'source', 'host');
  return host ? `${component}, ${host}` : component;
}

function eventLastSeen(event: ApiObject, now: Date): string {
  const series = numberAt(event, 'series', 'count');
  const first = textAt(event, 'eventTime') ?? textAt(event, 'firstTimestamp');
  const last = textAt(event, 'series', 'lastObservedTime') ?? textAt(event, 'lastTimestamp') ?? first;
  const count = series ?? numberAt(event, 'count') ?? 1;
  return count > 1 ? `${ageSince(last, now)} (x${count} over ${ageSince(first, now)})` : ageSince(last, now);
}

const quota = (object: ApiObject, limits: boolean): string => {
  const hard = at(object, 'status', 'hard') ?? at(object, 'spec', 'hard');
  if (!isRecord(hard)) return '';
  return Object.keys(hard)
    .filter((key) => key.startsWith('limits') === limits)
    .sort()
    .map((key) => `${key}: ${String(at(object, 'status', 'used', key) ?? 0)}/${String(hard[key])}`)
    .join(', ');
};

export const coreColumns: Readonly<Record<string, readonly Column[]>> = {
  namespaces: [nameColumn, shown('Status', (namespace) => textAt(namespace, 'status', 'phase') ?? ''), ageColumn],
  configmaps: [nameColumn, shown('Data', (map) => sizeOf(map['data']) + sizeOf(map['binaryData']), 'integer'), ageColumn],
  secrets: [
    nameColumn,
    shown('Type', (secret) => textAt(secret, 'type') ?? ''),
    shown('Data', (secret) => sizeOf(secret['data']), 'integer'),
    ageColumn,
  ],
  serviceaccounts: [nameColumn, shown('Secrets', (account) => listAt(account, 'secrets').length, 'integer'), ageColumn],
  services: [
    nameColumn,
    shown('Type', (service) => textAt(service, 'spec', 'type') ?? ''),
    shown('Cluster-IP', (service) => textAt(service, 'spec', 'clusterIP') || '<none>'),
    shown('External-IP', externalAddress),
    shown('Port(s)', servicePorts),
    ageColumn,
    wide('Selector', (service) => selectorText(at(service, 'spec', 'selector'))),
  ],
  endpoints: [nameColumn, shown('Endpoints', endpointAddresses), ageColumn],
  persistentvolumes: [
    nameColumn,
    shown('Capacity', (volume) => textAt(volume, 'spec', 'capacity', 'storage') ?? ''),
    shown('Access Modes', (volume) => accessModes(textsAt(volume, 'spec', 'accessModes'))),
    shown('Reclaim Policy', (volume) => textAt(volume, 'spec', 'persistentVolumeReclaimPolicy') ?? ''),
    shown('Status', claimPhase),
    shown('Claim', (volume) => {
      const name = textAt(volume, 'spec', 'claimRef', 'name');
      return name === undefined ? '' : `${textAt(volume, 'spec', 'claimRef', 'namespace') ?? ''}/${name}`;
    }),
    shown('StorageClass', (volume) => textAt(volume, 'spec', 'storageClassName') ?? ''),
    shown('VolumeAttributesClass', (volume) => textAt(volume, 'spec', 'volumeAttributesClassName') ?? '<unset>'),
    shown('Reason', (volume) => textAt(volume, 'status', 'reason') ?? ''),
    ageColumn,
    wide('VolumeMode', (volume) => textAt(volume, 'spec', 'volumeMode') ?? '<unset>'),
  ],
  persistentvolumeclaims: [
    nameColumn,
    shown('Status', claimPhase),
    shown('Volume', (claim) => textAt(claim, 'spec', 'volumeName') ?? ''),
    shown('Capacity', (claim) => (textAt(claim, 'spec', 'volumeName') ? (textAt(claim, 'status', 'capacity', 'storage') ?? '') : '')),
    shown('Access Modes', (claim) => (textAt(claim, 'spec', 'volumeName') ? accessModes(textsAt(claim, 'status', 'accessModes')) : '')),
    shown('StorageClass', (claim) => textAt(claim, 'spec', 'storageClassName') ?? ''),
    shown('VolumeAttributesClass', (claim) => textAt(claim, 'spec', 'volumeAttributesClassName') ?? '<unset>'),
    ageColumn,
    wide('VolumeMode', (claim) => textAt(claim, 'spec', 'volumeMode') ?? '<unset>'),
  ],
  events: [
    shown('Last Seen', eventLastSeen),
    shown('Type', (event) => textAt(event, 'type') ?? ''),
    shown('Reason', (event) => textAt(event, 'reason') ?? ''),
    shown('Object', (event) => {
      const kind = (textAt(event, 'involvedObject', 'kind') ?? '').toLowerCase();
      const name = textAt(event, 'involvedObject', 'name') ?? '';
      return name ? `${kind}/${name}` : kind;
    }),
    wide('Subobject', (event) => textAt(event, 'involvedObject', 'fieldPath') ?? ''),
    wide('Source', eventSource),
    shown('Message', (event) => (textAt(event, 'message') ?? '').trim()),
    wide('First Seen', (event, now) => ageSince(textAt(event, 'firstTimestamp') ?? textAt(event, 'eventTime'), now)),
    wide('Count', (event) => numberAt(event, 'series', 'count') ?? numberAt(event, 'count') ?? 1, 'integer'),
    { ...wide('Name', (event) => event.metadata.name), format: 'name' },
  ],
  nodes: [
    nameColumn,
    shown('Status', nodeStatus),
    shown('Roles', nodeRoles),
    ageColumn,
    shown('Version', (node) => textAt(node, 'status', 'nodeInfo', 'kubeletVersion') ?? ''),
    wide('Internal-IP', (node) => nodeAddress(node, 'InternalIP')),
    wide('External-IP', (node) => nodeAddress(node, 'ExternalIP')),
    wide('OS-Image', (node) => textAt(node, 'status', 'nodeInfo', 'osImage') || '<unknown>'),
    wide('Kernel-Version', (node) => textAt(node, 'status', 'nodeInfo', 'kernelVersion') || '<unknown>'),
    wide('Container-Runtime', (node) => textAt(node, 'status', 'nodeInfo', 'containerRuntimeVersion') || '<unknown>'),
  ],
  limitranges: [nameColumn, createdAtColumn],
  resourcequotas: [
    nameColumn,
    shown('Request', (object) => quota(object, false)),
    shown('Limit', (object) => quota(object, true)),
    ageColumn,
  ],
};
