import { ApiError, badRequest, conflict, notFound, type Status } from '../errors.ts';
import { type ApiObject, at, copy, isRecord, numberAt, textAt, timestamp } from '../object.ts';
import type { Resource } from '../resources/resource.ts';
import type { Transaction } from '../store/store.ts';
import { type ObjectsContext, transact, type WriteRequest } from './context.ts';
import { inVersion, isGone } from './write.ts';

export interface DeletionOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly dryRun: boolean;
}

/** DeleteOptions from the body and the query; the body wins, as in the real server. */
export function parseDeletionOptions(body: unknown, query: URLSearchParams): DeletionOptions {
  const grace =
    numberAt(body, 'gracePeriodSeconds') ?? (query.has('gracePeriodSeconds') ? Number(query.get('gracePeriodSeconds')) : undefined);
  const orphan = at(body, 'orphanDependents') ?? (query.has('orphanDependents') ? query.get('orphanDependents') === 'true' : undefined);
  const propagation = textAt(body, 'propagationPolicy') ?? query.get('propagationPolicy') ?? (orphan === true ? 'Orphan' : undefined);
  if (propagation !== undefined && propagation !== 'Background' && propagation !== 'Foreground' && propagation !== 'Orphan') {
    throw badRequest(`propagationPolicy: Unsupported value: "${propagation}": supported values: "Background", "Foreground", "Orphan"`);
  }
  if (grace !== undefined && !(Number.isInteger(grace) && grace >= 0))
    throw badRequest('gracePeriodSeconds must be a whole number, 0 or more');
  const uid = textAt(body, 'preconditions', 'uid');
  const resourceVersion = textAt(body, 'preconditions', 'resourceVersion');
  const dryRun = isRecord(body) && Array.isArray(body['dryRun']) ? body['dryRun'].includes('All') : query.getAll('dryRun').includes('All');
  return {
    dryRun,
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(propagation === undefined ? {} : { propagation }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

/** DELETE of one object: the Status of what is gone, or the object that is now waiting for its finalizers or its grace period. */
export async function deleteObject(
  context: ObjectsContext,
  request: WriteRequest,
  name: string,
  options: DeletionOptions,
): Promise<Status | ApiObject> {
  const { resource, namespace } = request;
  return await transact(context.store, options.dryRun || request.dryRun, (transaction) => {
    const live = transaction.get(resource.storage, namespace, name);
    if (live === undefined) throw notFound(resource, name);
    const { object, gone } = deleteWithin(transaction, resource, live, options, context.clock.now());
    return gone && resource.storage !== 'pods' ? deletedStatus(resource, object) : inVersion(object, resource);
  });
}

/** DELETE of a collection: each object by itself, as the real server does. Returns what was there. */
export async function deleteObjects(
  context: ObjectsContext,
  request: WriteRequest,
  chosen: readonly ApiObject[],
  options: DeletionOptions,
): Promise<ApiObject[]> {
  const { resource } = request;
  return await transact(context.store, options.dryRun || request.dryRun, (transaction) => {
    const deleted: ApiObject[] = [];
    for (const { metadata } of chosen) {
      const live = transaction.get(resource.storage, metadata.namespace ?? '', metadata.name);
      if (live === undefined || live.metadata.uid !== metadata.uid) continue;
      deleted.push(inVersion(deleteWithin(transaction, resource, live, options, context.clock.now()).object, resource));
    }
    return deleted;
  });
}

/** Deletes within a transaction. */
export function deleteWithin(
  transaction: Transaction,
  resource: Resource,
  live: ApiObject,
  options: Omit<DeletionOptions, 'dryRun'>,
  now: Date,
): { object: ApiObject; gone: boolean } {
  checkPreconditions(resource, live, options);
  if (resource.storage === 'namespaces' && ['default', 'kube-system', 'kube-public'].includes(live.metadata.name)) {
    throw new ApiError('Forbidden', `namespaces "${live.metadata.name}" is forbidden: this namespace may not be deleted`, {
      name: live.metadata.name,
      kind: 'namespaces',
    });
  }
  const next = copy(live);
  const finalizers = new Set(next.metadata.finalizers ?? []);
  if (options.propagation !== undefined) {
    finalizers.delete('orphan');
    finalizers.delete('foregroundDeletion');
    if (options.propagation === 'Orphan') finalizers.add('orphan');
    if (options.propagation === 'Foreground') finalizers.add('foregroundDeletion');
  }
  if (finalizers.size > 0) next.metadata.finalizers = [...finalizers];
  else delete next.metadata.finalizers;
  const grace = gracePeriod(resource, live, options);
  const earlier = live.metadata.deletionTimestamp;
  if (earlier === undefined || grace < (live.metadata.deletionGracePeriodSeconds ?? 0)) {
    const start = earlier === undefined ? now.getTime() : Date.parse(earlier) - (live.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
    next.metadata.deletionTimestamp = timestamp(new Date(Math.max(start, 0) + grace * 1000));
    next.metadata.deletionGracePeriodSeconds = grace;
    if (resource.countsGeneration && earlier === undefined) next.metadata.generation = (live.metadata.generation ?? 1) + 1;
  }
  if (resource.storage === 'namespaces') next['status'] = { ...(isRecord(next['status']) ? next['status'] : {}), phase: 'Terminating' };
  if (isGone(next)) {
    if (earlier === undefined) {
      delete next.metadata.deletionTimestamp;
      delete next.metadata.deletionGracePeriodSeconds;
      if (live.metadata.generation !== undefined) next.metadata.generation = live.metadata.generation;
    }
    return { object: transaction.remove(resource.storage, next), gone: true };
  }
  if (JSON.stringify(next) === JSON.stringify(live)) return { object: live, gone: false };
  return { object: transaction.put(resource.storage, next), gone: false };
}

function checkPreconditions(resource: Resource, live: ApiObject, options: { uid?: string; resourceVersion?: string }): void {
  const { name, uid, resourceVersion } = live.metadata;
  if (options.uid !== undefined && options.uid !== uid) {
    throw conflict(resource, name, `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uid}`);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    throw conflict(
      resource,
      name,
      `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`,
    );
  }
}

/** Seconds that an object may still live: only pods that run somewhere have any. */
function gracePeriod(resource: Resource, live: ApiObject, options: { gracePeriodSeconds?: number }): number {
  if (resource.storage !== 'pods') return 0;
  const phase = textAt(live, 'status', 'phase');
  if (!textAt(live, 'spec', 'nodeName') || phase === 'Succeeded' || phase === 'Failed') return 0;
  const asked = options.gracePeriodSeconds ?? numberAt(live, 'spec', 'terminationGracePeriodSeconds') ?? 30;
  const earlier = live.metadata.deletionTimestamp === undefined ? undefined : live.metadata.deletionGracePeriodSeconds;
  return earlier === undefined ? asked : Math.min(asked, earlier);
}

export function deletedStatus(resource: Resource, object: ApiObject): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: object.metadata.name,
      ...(resource.group ? { group: resource.group } : {}),
      kind: resource.plural,
      ...(object.metadata.uid === undefined ? {} : { uid: object.metadata.uid }),
    },
    code: 200,
  };
}
