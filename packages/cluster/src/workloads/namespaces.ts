import {
  type ConfigMap,
  configMapType,
  isKubeError,
  keyOf,
  listResourceTypes,
  type Namespace,
  namespaceType,
  partsOfKey,
  type ResourceType,
  runController,
  type ServiceAccount,
  serviceAccountType,
  source,
} from '@desp/kube';
import { timestamp, type WorkloadContext, withCondition } from './parts.ts';

/**
 * Empties a namespace that is being deleted, then lets it go. While something holds out, only its kinds are looked at; a look at all
 * kinds comes before the end, for something new may have been made meanwhile.
 */
export function runNamespaceFinalization(context: WorkloadContext): Promise<void> {
  const { client, clock } = context;
  const heldBy = new Map<string, readonly ResourceType[]>();

  async function reconcile(name: string) {
    const namespace = await client.get(namespaceType, name);
    const held = heldBy.get(name);
    heldBy.delete(name);
    if (namespace?.metadata.deletionTimestamp === undefined || !namespace.spec.finalizers?.includes('kubernetes')) return undefined;
    const types = held ?? (await listResourceTypes(client, ['list', 'delete'])).filter((type) => type.namespaced);
    const left: string[] = [];
    const holding: ResourceType[] = [];
    for (const type of types) {
      const { items } = await client.list(type, { namespace: name });
      for (const { metadata } of items) {
        if (metadata.deletionTimestamp === undefined) await client.delete(type, metadata.name, name, { uid: metadata.uid });
      }
      const remaining = items.length === 0 ? 0 : (await client.list(type, { namespace: name })).items.length;
      if (remaining === 0) continue;
      left.push(`${type.plural}.${type.group} has ${remaining} resource instances`);
      holding.push(type);
    }
    if (left.length === 0 && held !== undefined) return { requeueAfterMs: 0 };
    if (left.length === 0) {
      const live = await client.get(namespaceType, name);
      if (live === undefined) return undefined;
      const finalizers = (live.spec.finalizers ?? []).filter((finalizer) => finalizer !== 'kubernetes');
      await client.raw('PUT', `/api/v1/namespaces/${encodeURIComponent(name)}/finalize`, { ...live, spec: { ...live.spec, finalizers } });
      return undefined;
    }
    heldBy.set(name, holding);
    await writeRemaining(namespace, `Some resources are remaining: ${left.join(', ')}`);
    return { requeueAfterMs: 500 };
  }

  async function writeRemaining(namespace: Namespace, message: string): Promise<void> {
    const condition = { type: 'NamespaceContentRemaining', status: 'True' as const, reason: 'SomeResourcesRemain', message };
    const conditions = withCondition(namespace.status?.conditions, condition, timestamp(clock));
    if (JSON.stringify(conditions) === JSON.stringify(namespace.status?.conditions)) return;
    await client.replace(namespaceType, { ...namespace, status: { ...namespace.status, conditions } }, { subresource: 'status' });
  }

  return runController({
    ...context,
    name: 'namespace',
    sources: [source(namespaceType, (namespace) => [keyOf(namespace)])],
    reconcile,
    backOff: { baseMs: 50, maxMs: 5000 },
  });
}

/** Keeps the ServiceAccount `default` and the ConfigMap `kube-root-ca.crt` in each namespace. */
export function runNamespaceDefaults(context: WorkloadContext, certificateAuthority: string): Promise<void> {
  const { client } = context;

  async function reconcile(name: string): Promise<void> {
    const namespace = await client.get(namespaceType, name);
    if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return;
    const account: ServiceAccount = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } };
    const authority: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'kube-root-ca.crt',
        namespace: name,
        annotations: {
          'kubernetes.io/description': 'Contains the certificate authority of the API server, for use by pods of this namespace.',
        },
      },
      data: { 'ca.crt': certificateAuthority },
    };
    try {
      if ((await client.get(serviceAccountType, 'default', name)) === undefined) await client.create(serviceAccountType, account);
      const live = await client.get(configMapType, 'kube-root-ca.crt', name);
      if (live === undefined) await client.create(configMapType, authority);
      else if (live.data?.['ca.crt'] !== certificateAuthority) await client.replace(configMapType, { ...live, data: authority.data });
    } catch (error) {
      // Another made it first, or the namespace is on its way out.
      if (!isKubeError(error, 'AlreadyExists', 'NotFound', 'Forbidden')) throw error;
    }
  }

  const inNamespace = (key: string) => partsOfKey(key).namespace ?? '';
  return runController({
    ...context,
    name: 'namespace-defaults',
    sources: [
      source(namespaceType, (namespace) => [keyOf(namespace)]),
      source(serviceAccountType, (account, { type }) =>
        type === 'DELETED' && account.metadata.name === 'default' ? [inNamespace(keyOf(account))] : [],
      ),
      source(configMapType, (map) => (map.metadata.name === 'kube-root-ca.crt' ? [inNamespace(keyOf(map))] : [])),
    ],
    reconcile,
  });
}
