import { createHash } from 'node:crypto';
import { fleetApiVersion, fleetCrds } from '@desp/fleet';
import { customResourceDefinitionType, type KubeClient, type KubeObject, namespaceType, type ResourceType } from '@desp/kube';
import type { Clock } from '@desp/runtime';
import { ControllerError } from '../controller-error.ts';
import { clusterType, type StoredCluster } from './resources.ts';

/** Where GitRepos, Bundles and Clusters of the platform lie. */
export const fleetNamespace = 'fleet-default';
const fieldManager = 'fleet';
const establishMs = 30_000;

/**
 * Brings Fleet's CustomResourceDefinitions and the namespace `fleet-default` into being, and waits (at most 30 s) until the API
 * serves them. Safe to repeat.
 *
 * @throws ControllerError UPSTREAM when the API does not come to serve a kind
 */
export async function installFleet(client: KubeClient, options: { clock: Clock; signal?: AbortSignal }): Promise<void> {
  await Promise.all([
    ...fleetCrds.map((crd) => apply(client, customResourceDefinitionType, crd as unknown as KubeObject)),
    apply(client, namespaceType, namespaceOf(fleetNamespace)),
  ]);
  const until = options.clock.monotonic() + establishMs;
  for (const { metadata, spec } of fleetCrds) {
    while (!(await isServed(client, metadata.name, spec.names.kind))) {
      if (options.clock.monotonic() > until) {
        throw new ControllerError('UPSTREAM', `${client.server} does not serve ${metadata.name} after ${establishMs / 1000} s.`, {
          kind: 'upstream',
          retryable: true,
          cure: `kubectl describe crd ${metadata.name} says why.`,
        });
      }
      await options.clock.sleep(50, options.signal);
    }
  }
}

async function isServed(client: KubeClient, name: string, kind: string): Promise<boolean> {
  const crd = await client.get(customResourceDefinitionType, name);
  const established = crd?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True');
  return established === true && (await client.resolve(fleetApiVersion, kind)) !== undefined;
}

export interface ClusterRegistration {
  readonly name: string;
  /** What targets select by. */
  readonly labels: Readonly<Record<string, string>>;
  /** Default `fleet-default`. */
  readonly namespace?: string;
}

/**
 * The Cluster object of a downstream cluster, and the namespace in which its BundleDeployments lie: `cluster-NAMESPACE-NAME-HASH`.
 * Safe to repeat; labels that changed are changed.
 */
export async function registerCluster(client: KubeClient, registration: ClusterRegistration): Promise<{ readonly namespace: string }> {
  const { name, labels, namespace = fleetNamespace } = registration;
  const statusNamespace = statusNamespaceOf(namespace, name);
  await apply(client, namespaceType, namespaceOf(statusNamespace));
  const object: StoredCluster = { apiVersion: fleetApiVersion, kind: 'Cluster', metadata: { name, namespace, labels: { ...labels } } };
  await apply(client, clusterType, { ...object, spec: {} } as StoredCluster);
  await client.patch(clusterType, name, namespace, { status: { namespace: statusNamespace } }, { kind: 'merge', subresource: 'status' });
  return { namespace: statusNamespace };
}

/** Fleet's pattern; the hash keeps `a-b`/`c` and `a`/`b-c` apart. */
export function statusNamespaceOf(namespace: string, cluster: string): string {
  const hash = createHash('sha256').update(`${namespace}::${cluster}`).digest('hex').slice(0, 12);
  return `cluster-${namespace}-${cluster}`.slice(0, 50).replace(/-+$/, '').concat(`-${hash}`);
}

const namespaceOf = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

async function apply(client: KubeClient, type: ResourceType, object: KubeObject): Promise<void> {
  await client.patch(type, object.metadata.name, object.metadata.namespace, object, { kind: 'apply', fieldManager, force: true });
}
