import { type FieldError, invalid } from '../errors.ts';
import { type ApiObject, isRecord, listAt, numberAt, textAt, textsAt } from '../object.ts';
import type { Resource, WriteContext } from './resource.ts';
import { ownSpec } from './strategies.ts';

/** The IPv4 network that Service addresses come from, as `10.96.0.0/16`; its first address is kept for the API itself. */
export interface ServiceNetwork {
  readonly base: number;
  readonly size: number;
}

const toNumber = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const toText = (number: number): string => [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');

/** @returns undefined for text that is no IPv4 network of 16 to 65,536 addresses */
export function parseServiceNetwork(cidr: string): ServiceNetwork | undefined {
  const match = /^((?:\d{1,3}\.){3}\d{1,3})\/(\d{1,2})$/.exec(cidr);
  const prefix = Number(match?.[2]);
  if (!match || prefix < 16 || prefix > 28 || match[1]!.split('.').some((part) => Number(part) > 255)) return undefined;
  const size = 2 ** (32 - prefix);
  const base = toNumber(match[1]!);
  return { base: base - (base % size), size };
}

const lowestNodePort = 30_000;
const highestNodePort = 32_767;

/** Fills in type, addresses and node ports on creation and on update. */
export function serviceStrategy(network: ServiceNetwork): Pick<Resource, 'prepareCreate' | 'prepareUpdate'> {
  const prepare = (service: ApiObject, old: ApiObject | undefined, context: WriteContext) => {
    const spec = ownSpec(service);
    const others = context.list('services').filter((other) => other.metadata.uid !== service.metadata.uid);
    spec['type'] ??= 'ClusterIP';
    if (old === undefined) service['status'] = { loadBalancer: {} };
    if (spec['type'] === 'ExternalName') {
      for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) delete spec[key];
      return;
    }
    const before = old === undefined || textAt(old, 'spec', 'type') === 'ExternalName' ? undefined : textAt(old, 'spec', 'clusterIP');
    const asked = textAt(spec, 'clusterIP') || textsAt(spec, 'clusterIPs')[0] || before || '';
    if (before && asked !== before) refuse(service, 'spec.clusterIPs[0]', `Invalid value: ["${asked}"]: may not change once set`);
    const address = asked === '' ? nextAddress(network, others) : asked;
    if (asked !== '' && asked !== 'None') checkAddress(service, asked, network, others);
    if (address === undefined) refuse(service, 'spec.clusterIPs', 'Invalid value: []: failed to allocate IP: the range is full');
    spec['clusterIP'] = address;
    spec['clusterIPs'] = [address];
    spec['ipFamilies'] ??= ['IPv4'];
    spec['ipFamilyPolicy'] ??= 'SingleStack';
    spec['internalTrafficPolicy'] ??= 'Cluster';
    allocateNodePorts(service, spec, old, others);
  };
  return {
    prepareCreate: (service, context) => prepare(service, undefined, context),
    prepareUpdate: (service, old, context) => prepare(service, old, context),
  };
}

function refuse(service: ApiObject, field: string, message: string, reason: FieldError['reason'] = 'FieldValueInvalid'): never {
  throw invalid({ group: '', kind: 'Service' }, service.metadata.name, [{ field, reason, message }]);
}

function checkAddress(service: ApiObject, address: string, network: ServiceNetwork, others: readonly ApiObject[]): void {
  const offset = /^(\d{1,3}\.){3}\d{1,3}$/.test(address) ? toNumber(address) - network.base : -1;
  if (offset <= 0 || offset >= network.size - 1) {
    const range = `${toText(network.base)}/${32 - Math.log2(network.size)}`;
    const why = `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range}`;
    refuse(service, 'spec.clusterIPs', `Invalid value: ["${address}"]: ${why}`);
  }
  if (others.some((other) => textAt(other, 'spec', 'clusterIP') === address)) {
    refuse(service, 'spec.clusterIPs', `Invalid value: ["${address}"]: failed to allocate IP ${address}: provided IP is already allocated`);
  }
}

function nextAddress(network: ServiceNetwork, services: readonly ApiObject[]): string | undefined {
  const used = new Set(services.map((service) => textAt(service, 'spec', 'clusterIP')));
  // The lower band is left to addresses that are asked for, as by the real allocator.
  const first = network.size <= 32 ? 2 : Math.min(Math.max(16, network.size / 16), 256);
  for (let offset = first; offset < network.size - 1; offset += 1) {
    const address = toText(network.base + offset);
    if (!used.has(address)) return address;
  }
  return undefined;
}

function allocateNodePorts(
  service: ApiObject,
  spec: Record<string, unknown>,
  old: ApiObject | undefined,
  others: readonly ApiObject[],
): void {
  if (spec['type'] !== 'NodePort' && spec['type'] !== 'LoadBalancer') return;
  spec['externalTrafficPolicy'] ??= 'Cluster';
  const used = new Set(others.flatMap((other) => listAt(other, 'spec', 'ports').map((port) => numberAt(port, 'nodePort'))));
  for (const [index, port] of listAt(spec, 'ports').entries()) {
    if (!isRecord(port)) continue;
    const earlier = listAt(old, 'spec', 'ports').find(
      (other) => textAt(other, 'name') === textAt(port, 'name') && numberAt(other, 'port') === numberAt(port, 'port'),
    );
    let wanted = numberAt(port, 'nodePort') || numberAt(earlier, 'nodePort');
    if (wanted !== undefined && used.has(wanted)) {
      refuse(service, `spec.ports[${index}].nodePort`, `Invalid value: ${wanted}: provided port is already allocated`);
    }
    for (let candidate = lowestNodePort; wanted === undefined && candidate <= highestNodePort; candidate += 1) {
      if (!used.has(candidate)) wanted = candidate;
    }
    port['nodePort'] = wanted;
    used.add(wanted);
  }
}
