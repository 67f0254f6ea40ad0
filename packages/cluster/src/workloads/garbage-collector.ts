import {
  customResourceDefinitionType,
  type Informer,
  isKubeError,
  type KubeObject,
  keyOf,
  listResourceTypes,
  type OwnerReference,
  partsOfKey,
  type ResourceType,
  runController,
  source,
} from '@desp/kube';
import { messageOf } from '@desp/runtime';
import type { WorkloadContext } from './parts.ts';

/** How often new types are looked for, besides when a CRD changes. */
const rediscoverMs = 60_000;
/** Types whose objects neither own nor are owned; following them would only cost. */
const ignored = new Set(['events']);

/**
 * Deletes what is left without owners, and carries out foreground deletion and orphaning.
 *
 * A key names an object that may have to go, or an owner that waits for its dependents. The caches only tell where to
 * look: whether an owner is gone is asked from the server, by uid, before anything is deleted.
 * Source: Kubernetes documentation "Owners and Dependents", "Garbage Collection".
 */
export function runGarbageCollector(context: WorkloadContext): Promise<void> {
  const { client, clock, informers, log, signal } = context;
  const followed = new Map<string, Informer<KubeObject>>();
  const ownerIndex = 'owner';
  let enqueue = (_key: string) => {};

  async function followNew(): Promise<void> {
    const types = (await listResourceTypes(client, ['list', 'watch', 'delete'])).filter((type) => !ignored.has(type.plural));
    for (const type of types) {
      const id = idOf(type);
      if (followed.has(id)) continue;
      const informer = informers.of<KubeObject>(type);
      informer.addIndex(ownerIndex, (object) => (object.metadata.ownerReferences ?? []).map(({ uid }) => uid));
      followed.set(id, informer);
      informer.onChange(({ type: change, object }) => {
        const { ownerReferences = [], deletionTimestamp, finalizers = [], uid } = object.metadata;
        const key = `${id}|${keyOf(object)}`;
        if (change === 'DELETED') for (const dependent of dependentsOf(uid)) enqueue(dependent.key);
        else if (deletionTimestamp !== undefined && finalizers.some((name) => name === 'orphan' || name === 'foregroundDeletion'))
          enqueue(key);
        else if (ownerReferences.length > 0) enqueue(key);
        // A dependent that blocks its owner's foreground deletion is gone or changed.
        for (const owner of ownerReferences) {
          const blocked = findByUid(owner);
          if (blocked?.object.metadata.deletionTimestamp !== undefined) enqueue(blocked.key);
        }
      });
    }
    await Promise.all([...followed.values()].map((informer) => informer.synced));
  }

  let looking: Promise<void> | undefined;
  let again: Promise<void> | undefined;
  /** One look at a time and at most one after it: at a start every CRD asks for one, and each costs a request a group. */
  function follow(): Promise<void> {
    const look = () => {
      again = undefined;
      looking = followNew().finally(() => {
        looking = undefined;
      });
      return looking;
    };
    if (looking === undefined) return look();
    again ??= looking.then(look, look);
    return again;
  }

  function dependentsOf(uid: string | undefined): { key: string; type: ResourceType; object: KubeObject }[] {
    if (uid === undefined) return [];
    return [...followed].flatMap(([id, informer]) =>
      informer.byIndex(ownerIndex, uid).map((object) => ({ key: `${id}|${keyOf(object)}`, type: informer.type, object })),
    );
  }

  function findByUid(reference: OwnerReference): { key: string; object: KubeObject } | undefined {
    for (const [id, informer] of followed) {
      if (informer.type.kind !== reference.kind) continue;
      const object = informer.list().find(({ metadata }) => metadata.uid === reference.uid);
      if (object !== undefined) return { key: `${id}|${keyOf(object)}`, object };
    }
    return undefined;
  }

  async function reconcile(fullKey: string) {
    const [id = '', key = ''] = fullKey.split('|');
    const informer = followed.get(id);
    if (informer === undefined) return undefined;
    const { namespace, name } = partsOfKey(key);
    const object = await client.get(informer.type, name, namespace);
    if (object === undefined) return undefined;
    const { finalizers = [], deletionTimestamp, ownerReferences = [] } = object.metadata;
    if (deletionTimestamp !== undefined) {
      if (finalizers.includes('orphan')) return orphanDependents(informer.type, object);
      if (finalizers.includes('foregroundDeletion')) return deleteDependents(informer.type, object);
      return undefined;
    }
    if (ownerReferences.length > 0) await deleteIfUnowned(informer.type, object, ownerReferences);
    return undefined;
  }

  async function deleteIfUnowned(type: ResourceType, object: KubeObject, references: readonly OwnerReference[]): Promise<void> {
    const solid: OwnerReference[] = [];
    const gone: OwnerReference[] = [];
    const leaving: OwnerReference[] = [];
    for (const reference of references) {
      const owner = await liveOwner(reference, object.metadata.namespace);
      if (owner === undefined) gone.push(reference);
      else if (owner.metadata.deletionTimestamp !== undefined && owner.metadata.finalizers?.includes('foregroundDeletion'))
        leaving.push(reference);
      else solid.push(reference);
    }
    const { name, namespace, uid, resourceVersion, finalizers = [] } = object.metadata;
    if (solid.length > 0) {
      if (gone.length + leaving.length === 0) return;
      await client.patch(type, name, namespace, { metadata: { uid, resourceVersion, ownerReferences: solid } }, { kind: 'merge' });
      return;
    }
    if (gone.length === 0 && leaving.length === 0) return;
    const propagation =
      leaving.length > 0
        ? 'Foreground'
        : finalizers.includes('orphan')
          ? 'Orphan'
          : finalizers.includes('foregroundDeletion')
            ? 'Foreground'
            : 'Background';
    await client.delete(type, name, namespace, { uid, propagation });
  }

  /** The owner as it is now; undefined when it is gone or another one bears its name. Rejects when that cannot be known. */
  async function liveOwner(reference: OwnerReference, namespace: string | undefined): Promise<KubeObject | undefined> {
    const type = await client.resolve(reference.apiVersion, reference.kind);
    // A kind that is not served may come back (a CRD that is being replaced): nothing is deleted for it.
    if (type === undefined) throw new Error(`the kind ${reference.apiVersion} ${reference.kind} of an owner is not served`);
    if (type.namespaced && namespace === undefined) return undefined;
    const owner = await client.get(type, reference.name, type.namespaced ? namespace : undefined);
    return owner?.metadata.uid === reference.uid ? owner : undefined;
  }

  async function orphanDependents(type: ResourceType, owner: KubeObject) {
    for (const { type: dependentType, object } of dependentsOf(owner.metadata.uid)) {
      const { name, namespace, uid } = object.metadata;
      const live = await client.get(dependentType, name, namespace);
      if (live === undefined || live.metadata.uid !== uid) continue;
      const ownerReferences = (live.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== owner.metadata.uid);
      const metadata = { uid, resourceVersion: live.metadata.resourceVersion, ownerReferences };
      await client.patch(dependentType, name, namespace, { metadata }, { kind: 'merge' });
    }
    await removeFinalizer(type, owner, 'orphan');
    return undefined;
  }

  async function deleteDependents(type: ResourceType, owner: KubeObject) {
    const dependents = dependentsOf(owner.metadata.uid);
    for (const { type: dependentType, object } of dependents) {
      if (object.metadata.deletionTimestamp !== undefined) continue;
      await deleteIfUnowned(dependentType, object, object.metadata.ownerReferences ?? []);
    }
    const blocking = dependents.filter(({ object }) =>
      object.metadata.ownerReferences?.some((reference) => reference.uid === owner.metadata.uid && reference.blockOwnerDeletion),
    );
    if (blocking.length > 0) return { requeueAfterMs: 1000 };
    await removeFinalizer(type, owner, 'foregroundDeletion');
    return undefined;
  }

  async function removeFinalizer(type: ResourceType, object: KubeObject, finalizer: string): Promise<void> {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const finalizers = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
    try {
      await client.patch(type, name, namespace, { metadata: { uid, resourceVersion, finalizers } }, { kind: 'merge' });
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
    }
  }

  async function rediscover(): Promise<void> {
    while (!signal.aborted) {
      try {
        await follow();
        await clock.sleep(rediscoverMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ error: messageOf(error) }, 'finding the types to collect failed');
        await clock.sleep(1000, signal).catch(() => {});
      }
    }
  }

  const queue = createKeySource();
  enqueue = queue.add;
  rediscover().catch(() => {});
  return runController({
    ...context,
    name: 'garbage-collector',
    backOff: { baseMs: 50, maxMs: 30_000 },
    keys: queue.subscribe,
    sources: [
      source(customResourceDefinitionType, () => {
        follow().catch((error) => log.debug({ error: messageOf(error) }, 'finding the types to collect failed'));
        return [];
      }),
    ],
    reconcile,
  });
}

/** Keys that come from elsewhere than the sources; those before the controller listens are kept for it. */
function createKeySource(): { add: (key: string) => void; subscribe: (add: (key: string) => void) => void } {
  const early = new Set<string>();
  let listener: ((key: string) => void) | undefined;
  return {
    add: (key) => (listener === undefined ? void early.add(key) : listener(key)),
    subscribe: (add) => {
      listener = add;
      for (const key of early) add(key);
      early.clear();
    },
  };
}

function idOf(type: ResourceType): string {
  return `${type.group}/${type.version}/${type.plural}`;
}
