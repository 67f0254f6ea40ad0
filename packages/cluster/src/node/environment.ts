import type { ConfigMap, Container, EnvVar, KeySelector, Pod, ResourceFieldSelector, Secret, Service } from '@desp/kube';
import { parseQuantity } from '../quantity.ts';
import { NodeError } from './errors.ts';

/** What a pod's environment and files are made from. */
export interface PodSources {
  readonly pod: Pod;
  readonly podIp: string | undefined;
  readonly nodeName: string;
  readonly hostIp: string;
  readonly services: readonly Service[];
  /** What pods may have of the node in all: the limit of a container that has none of its own. */
  readonly allocatable: Readonly<Record<string, string>>;
  configMap(name: string): Promise<ConfigMap | undefined>;
  secret(name: string): Promise<Secret | undefined>;
}

/**
 * The container's variables, in order, later ones winning; `$(NAME)` refers to those before.
 *
 * @throws NodeError CONFIG in the kubelet's words when a source or key is missing and not optional.
 */
export async function environmentOf(container: Container, sources: PodSources): Promise<Map<string, string>> {
  const { pod } = sources;
  const variables = new Map<string, string>(serviceVariables(sources));
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const values = await allValues(sources, configMapRef, secretRef);
    for (const [key, value] of Object.entries(values)) variables.set(prefix + key, value);
  }
  for (const variable of container.env ?? []) {
    const value =
      variable.valueFrom === undefined ? expand(variable.value ?? '', variables) : await valueFrom(container, variable, sources);
    if (value !== undefined) variables.set(variable.name, value);
  }
  if (!variables.has('HOSTNAME')) variables.set('HOSTNAME', pod.spec.hostname ?? pod.metadata.name);
  return variables;
}

/** `$(NAME)` becomes the variable's value where there is one and stays otherwise; `$$` is a plain `$`. */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\(([^()\s]+)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (variables.get(name) ?? whole),
  );
}

async function allValues(
  sources: PodSources,
  map: { name: string; optional?: boolean } | undefined,
  secret: { name: string; optional?: boolean } | undefined,
): Promise<Record<string, string>> {
  if (map !== undefined) {
    const found = await sources.configMap(map.name);
    if (found === undefined && !map.optional) throw new NodeError('CONFIG', `configmap "${map.name}" not found`);
    return found?.data ?? {};
  }
  if (secret === undefined) return {};
  const found = await sources.secret(secret.name);
  if (found === undefined && !secret.optional) throw new NodeError('CONFIG', `secret "${secret.name}" not found`);
  return Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
}

async function valueFrom(container: Container, { valueFrom: from }: EnvVar, sources: PodSources): Promise<string | undefined> {
  const { namespace } = sources.pod.metadata;
  if (from?.secretKeyRef !== undefined) {
    const { name, key, optional } = from.secretKeyRef;
    const secret = await sources.secret(name);
    const value = pick(secret?.data, key);
    if (value !== undefined) return Buffer.from(value, 'base64').toString('utf8');
    return missing(
      secret === undefined ? `secret "${name}" not found` : `couldn't find key ${key} in Secret ${namespace}/${name}`,
      optional,
    );
  }
  if (from?.configMapKeyRef !== undefined) {
    const { name, key, optional }: KeySelector = from.configMapKeyRef;
    const map = await sources.configMap(name);
    const value = pick(map?.data, key);
    if (value !== undefined) return value;
    return missing(
      map === undefined ? `configmap "${name}" not found` : `couldn't find key ${key} in ConfigMap ${namespace}/${name}`,
      optional,
    );
  }
  if (from?.fieldRef !== undefined) return fieldValue(from.fieldRef.fieldPath, sources);
  if (from?.resourceFieldRef !== undefined) return resourceValue(from.resourceFieldRef, container, sources);
  return undefined;
}

function pick(data: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
}

function missing(message: string, optional: boolean | undefined): undefined {
  if (!optional) throw new NodeError('CONFIG', message);
}

/** A field of the downward API. @throws NodeError CONFIG for a path that it does not know. */
export function fieldValue(path: string, { pod, podIp, nodeName, hostIp }: PodSources): string {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (map !== undefined) return pod.metadata[map as 'labels' | 'annotations']?.[key!] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'metadata.labels':
    case 'metadata.annotations':
      return Object.entries(pod.metadata[path.slice(9) as 'labels' | 'annotations'] ?? {})
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join('\n');
    case 'spec.nodeName':
      return nodeName;
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? 'default';
    case 'status.podIP':
    case 'status.podIPs':
      return podIp ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return hostIp;
    default:
      throw new NodeError('CONFIG', `unsupported fieldPath: ${path}`);
  }
}

/** A container's request or limit, divided and rounded up; without a limit of its own it has the node's, without a request 0. */
export function resourceValue(
  selector: ResourceFieldSelector,
  container: Container | undefined,
  { pod, allocatable }: Pick<PodSources, 'pod' | 'allocatable'>,
): string {
  const of = selector.containerName === undefined ? container : pod.spec.containers.find(({ name }) => name === selector.containerName);
  const [kind, name = ''] = selector.resource.split('.');
  const amount = kind === 'limits' ? (of?.resources?.limits?.[name] ?? allocatable[name]) : of?.resources?.requests?.[name];
  const divisor = parseQuantity(selector.divisor ?? 1) || 1;
  return String(Math.ceil(parseQuantity(amount ?? 0) / divisor));
}

/** `NAME_SERVICE_HOST` and its like, for the Services of the pod's namespace and for the API server. */
function serviceVariables({ pod, services }: PodSources): [string, string][] {
  return services.flatMap(({ metadata, spec }) => {
    const forAll = metadata.namespace === 'default' && metadata.name === 'kubernetes';
    const linked = pod.spec.enableServiceLinks !== false && metadata.namespace === pod.metadata.namespace;
    const { clusterIP, ports = [] } = spec;
    const [first] = ports;
    if (!(forAll || linked) || clusterIP === undefined || clusterIP === 'None' || clusterIP === '' || first === undefined) return [];
    const name = metadata.name.toUpperCase().replaceAll('-', '_');
    const named = ports
      .filter((port) => port.name)
      .map((port): [string, string] => [`${name}_SERVICE_PORT_${port.name!.toUpperCase().replaceAll('-', '_')}`, String(port.port)]);
    const links = ports.flatMap((port): [string, string][] => {
      const protocol = (port.protocol ?? 'TCP').toLowerCase();
      const base = `${name}_PORT_${port.port}_${protocol.toUpperCase()}`;
      return [
        [base, `${protocol}://${clusterIP}:${port.port}`],
        [`${base}_PROTO`, protocol],
        [`${base}_PORT`, String(port.port)],
        [`${base}_ADDR`, clusterIP],
      ];
    });
    const protocol = (first.protocol ?? 'TCP').toLowerCase();
    return [
      [`${name}_SERVICE_HOST`, clusterIP],
      [`${name}_SERVICE_PORT`, String(first.port)],
      ...named,
      [`${name}_PORT`, `${protocol}://${clusterIP}:${first.port}`],
      ...links,
    ];
  });
}
