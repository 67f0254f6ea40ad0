import {
  controllerReference,
  type EndpointSlice,
  type EndpointSubset,
  type Endpoints,
  endpointSliceType,
  endpointsType,
  formatSelector,
  keyOf,
  type Pod,
  partsOfKey,
  podType,
  runController,
  type Service,
  serviceType,
  source,
} from '@desp/kube';
import { matchesLabels } from '@desp/model';
import { canonicalJson, isReady, isTerminal, shortHash, type WorkloadContext } from './parts.ts';

const serviceLabel = 'kubernetes.io/service-name';
const managedBy = 'endpointslice.kubernetes.io/managed-by';

/** Writes for each Service with a selector which pods answer for it: Endpoints and EndpointSlice alike. */
export function runServiceEndpoints(context: WorkloadContext): Promise<void> {
  const { client, informers } = context;

  async function reconcile(key: string) {
    const { namespace, name } = partsOfKey(key);
    const service = await client.get(serviceType, name, namespace);
    if (service === undefined) {
      // Slices go with their owner; Endpoints carry no reference, as in the real controller.
      const left = await client.get(endpointsType, name, namespace);
      if (left?.metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller')
        await client.delete(endpointsType, name, namespace);
      return;
    }
    const { selector } = service.spec;
    if (
      service.spec.type === 'ExternalName' ||
      selector === undefined ||
      Object.keys(selector).length === 0 ||
      service.metadata.deletionTimestamp !== undefined
    )
      return;
    const { items } = await client.list(podType, { namespace, labelSelector: formatSelector({ matchLabels: selector }) });
    const pods = items.filter((pod) => pod.status?.podIP !== undefined && !isTerminal(pod));
    await writeEndpoints(service, pods);
    await writeSlice(service, pods);
  }

  async function writeEndpoints(service: Service, pods: readonly Pod[]): Promise<void> {
    const { name, namespace } = service.metadata;
    const wanted: Endpoints = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name, namespace, labels: { ...service.metadata.labels, 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } },
      subsets: subsetsOf(service, pods),
    };
    const live = await client.get(endpointsType, name, namespace);
    if (live === undefined) await client.create(endpointsType, wanted);
    else if (canonicalJson([live.subsets ?? [], live.metadata.labels]) !== canonicalJson([wanted.subsets, wanted.metadata.labels])) {
      await client.replace(endpointsType, { ...wanted, metadata: { ...live.metadata, labels: wanted.metadata.labels } });
    }
  }

  async function writeSlice(service: Service, pods: readonly Pod[]): Promise<void> {
    const { namespace } = service.metadata;
    const name = `${service.metadata.name}-${shortHash(service.metadata.uid ?? '').slice(0, 5)}`;
    const wanted: EndpointSlice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name,
        namespace,
        labels: { ...service.metadata.labels, [serviceLabel]: service.metadata.name, [managedBy]: 'endpointslice-controller.k8s.io' },
        ownerReferences: [controllerReference(service)],
      },
      addressType: 'IPv4',
      endpoints: pods.map((pod) => ({
        addresses: [pod.status!.podIP!],
        conditions: { ready: takesTraffic(service, pod), serving: isReady(pod), terminating: pod.metadata.deletionTimestamp !== undefined },
        hostname: hostnameOf(service, pod),
        nodeName: pod.spec.nodeName,
        targetRef: referenceTo(pod),
      })),
      ports: portsOf(service, pods[0]).map(({ name: portName = '', port, protocol, appProtocol }) => ({
        name: portName,
        port,
        protocol,
        appProtocol,
      })),
    };
    const live = await client.get(endpointSliceType, name, namespace);
    if (live === undefined) await client.create(endpointSliceType, wanted);
    else if (canonicalJson([live.endpoints ?? [], live.ports ?? []]) !== canonicalJson([wanted.endpoints, wanted.ports])) {
      await client.replace(endpointSliceType, { ...wanted, metadata: { ...live.metadata, labels: wanted.metadata.labels } });
    }
  }

  return runController({
    ...context,
    name: 'endpoints',
    sources: [
      source(serviceType, (service) => [keyOf(service)]),
      source(podType, (pod, { previous }) =>
        informers
          .of(serviceType)
          .list(pod.metadata.namespace)
          .filter(({ spec }) => selects(spec.selector, pod) || (previous !== undefined && selects(spec.selector, previous)))
          .map(keyOf),
      ),
    ],
    reconcile,
  });
}

function selects(selector: Record<string, string> | undefined, pod: Pod): boolean {
  return selector !== undefined && Object.keys(selector).length > 0 && matchesLabels(selector, pod.metadata.labels);
}

function takesTraffic(service: Service, pod: Pod): boolean {
  return service.spec.publishNotReadyAddresses === true || (isReady(pod) && pod.metadata.deletionTimestamp === undefined);
}

/** The subsets of pods that offer the same ports; named target ports may differ from pod to pod. */
function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const byPorts = new Map<string, EndpointSubset>();
  for (const pod of pods) {
    const ports = portsOf(service, pod);
    if (ports.length === 0 && (service.spec.ports ?? []).length > 0) continue;
    const key = JSON.stringify(ports);
    const subset = byPorts.get(key) ?? { ports: ports.length > 0 ? ports : undefined };
    const address = {
      ip: pod.status!.podIP!,
      hostname: hostnameOf(service, pod),
      nodeName: pod.spec.nodeName,
      targetRef: referenceTo(pod),
    };
    if (takesTraffic(service, pod)) subset.addresses = [...(subset.addresses ?? []), address];
    else subset.notReadyAddresses = [...(subset.notReadyAddresses ?? []), address];
    byPorts.set(key, subset);
  }
  return [...byPorts.values()];
}

function portsOf(service: Service, pod: Pod | undefined): { name?: string; port: number; protocol?: string; appProtocol?: string }[] {
  return (service.spec.ports ?? []).flatMap(({ name, port, targetPort = port, protocol = 'TCP', appProtocol }) => {
    const number = typeof targetPort === 'number' ? targetPort : containerPort(pod, targetPort, protocol);
    return number === undefined ? [] : [{ name, port: number, protocol, appProtocol }];
  });
}

function containerPort(pod: Pod | undefined, name: string, protocol: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  for (const { ports = [] } of pod?.spec.containers ?? []) {
    const found = ports.find((port) => port.name === name && (port.protocol ?? 'TCP') === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

/** Pods of a headless Service have names of their own when they ask for it. */
function hostnameOf(service: Service, pod: Pod): string | undefined {
  return pod.spec.subdomain === service.metadata.name ? pod.spec.hostname : undefined;
}

function referenceTo(pod: Pod) {
  return { kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid };
}
