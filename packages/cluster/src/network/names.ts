import { type Endpoints, endpointsType, type InformerSet, type Service, serviceType } from '@desp/kube';
import { contains } from './subnet.ts';

export const clusterDomain = 'cluster.local';

/** What a name of the cluster leads to; undefined: there is no such name. */
export type NameAnswer =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'alias'; readonly target: string }
  | { readonly kind: 'services'; readonly records: readonly { readonly port: number; readonly target: string }[] };

/** The names of Services, from the caches; nothing is asked of the server for a query. */
export interface ClusterNames {
  /** The Service that a name means: `vault.vault`, `vault.vault.svc` or the full name. */
  service(host: string): Service | undefined;
  endpoints(service: Service): Endpoints | undefined;
  /** What DNS answers for a full name without its last dot; only names of the cluster's own domain have one. */
  answer(name: string): NameAnswer | undefined;
}

export interface ClusterNamesOptions {
  readonly informers: InformerSet;
  /** Addresses of pods: where Endpoints may lead that anybody writes. */
  readonly podSubnet: string;
  /** Namespaces of the platform itself, whose Endpoints may lead elsewhere, to the platform's own loopback too. */
  readonly platformNamespaces: readonly string[];
}

/**
 * Source: Kubernetes DNS-Based Service Discovery 1.1.0.
 *
 * An endpoint outside the pods' network counts only in the platform's namespaces: the proxy connects with the machine's
 * own rights, so a Service Provider could otherwise reach whatever listens on loopback.
 */
export function createClusterNames({ informers, podSubnet, platformNamespaces }: ClusterNamesOptions): ClusterNames {
  const services = informers.of(serviceType);
  const endpoints = informers.of(endpointsType);
  const find = (namespace: string | undefined, name: string | undefined) => services.get(`${namespace}/${name}`);
  const trusted = new Set(platformNamespaces);
  const endpointsOf = (service: Service): Endpoints | undefined => {
    const { namespace, name } = service.metadata;
    const found = endpoints.get(`${namespace}/${name}`);
    if (found === undefined || trusted.has(namespace ?? '')) return found;
    const inPods = ({ ip }: { ip: string }) => contains(podSubnet, ip);
    const subsets = found.subsets?.map(({ addresses = [], notReadyAddresses = [], ports }) => ({
      addresses: addresses.filter(inPods),
      notReadyAddresses: notReadyAddresses.filter(inPods),
      ports,
    }));
    return { ...found, subsets };
  };

  function answerService(service: Service): NameAnswer | undefined {
    const { type, externalName, clusterIP } = service.spec;
    if (type === 'ExternalName') return externalName === undefined ? undefined : { kind: 'alias', target: externalName };
    if (clusterIP !== undefined && clusterIP !== 'None' && clusterIP !== '') return { kind: 'addresses', addresses: [clusterIP] };
    return { kind: 'addresses', addresses: readyAddresses(service).map(({ ip }) => ip) };
  }

  function readyAddresses(service: Service) {
    return (endpointsOf(service)?.subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [] }) =>
      service.spec.publishNotReadyAddresses ? [...addresses, ...notReadyAddresses] : addresses,
    );
  }

  return {
    endpoints: endpointsOf,
    service(host) {
      const [name, namespace, ...rest] = host.toLowerCase().replace(/\.$/, '').split('.');
      const tail = rest.join('.');
      return tail === '' || tail === 'svc' || tail === `svc.${clusterDomain}` ? find(namespace, name) : undefined;
    },
    answer(name) {
      const suffix = `.svc.${clusterDomain}`;
      if (!name.endsWith(suffix)) return undefined;
      const labels = name.slice(0, -suffix.length).split('.');
      if (labels.length === 2) {
        const service = find(labels[1], labels[0]);
        return service === undefined ? undefined : answerService(service);
      }
      const service = find(labels.at(-1), labels.at(-2));
      if (service === undefined) return undefined;
      if (labels.length === 3) {
        // hostname.service.namespace: one endpoint of a headless Service.
        const one = readyAddresses(service).filter(({ hostname, ip }) => (hostname ?? ip.replaceAll('.', '-')) === labels[0]);
        return service.spec.clusterIP === 'None' && one.length > 0 ? { kind: 'addresses', addresses: one.map(({ ip }) => ip) } : undefined;
      }
      if (labels.length !== 4) return undefined;
      // _port._protocol.service.namespace
      const ports = (service.spec.ports ?? []).filter(
        ({ name: port, protocol = 'TCP' }) => `_${port}` === labels[0] && `_${protocol.toLowerCase()}` === labels[1],
      );
      const target = `${service.metadata.name}.${service.metadata.namespace}${suffix}`;
      return ports.length === 0 ? undefined : { kind: 'services', records: ports.map(({ port }) => ({ port, target })) };
    },
  };
}
