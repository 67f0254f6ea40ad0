import { trackUpdate } from '../../schema/index.ts';
import { ApiError, alreadyExists, conflict, invalid, modifiedMeanwhile, notFound } from '../errors.ts';
import { type ApiObject, copy, isRecord, type Metadata, same, timestamp } from '../object.ts';
import { apiVersionOf, type Resource } from '../resources/resource.ts';
import type { Transaction } from '../store/store.ts';
import { admitNamespace, asResource, checkNamespace, decodeFields, fromSchemaError, validate, warnIgnored, withDefaults } from './admit.ts';
import { asJson, asObject, type ObjectsContext, transact, type WriteRequest, writeContext } from './context.ts';

/** Where a write ended: the object, and whether it was made by it. */
export interface Written {
  readonly object: ApiObject;
  readonly created: boolean;
}

const dnsSubdomain = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** POST: creates an object; with `generateName` it tries a few names. */
export async function createObject(context: ObjectsContext, request: WriteRequest, body: unknown): Promise<Written> {
  const given = asResource(body, request.resource);
  return await transact(context.store, request.dryRun, (transaction) => ({
    object: createWithin(transaction, context, request, given),
    created: true,
  }));
}

/** Creates within a transaction; also the way of an apply that finds nothing. `track: false` keeps the managedFields as they are. */
export function createWithin(
  transaction: Transaction,
  context: ObjectsContext,
  request: WriteRequest,
  given: ApiObject,
  track = true,
): ApiObject {
  const { resource } = request;
  const now = context.clock.now();
  let object = copy(given);
  checkNamespace(object, request);
  nameObject(transaction, context, request, object);
  const { name } = object.metadata;
  admitNamespace(transaction, request, name);
  if (!resource.verbs.includes('create')) {
    throw new ApiError('MethodNotAllowed', `create not allowed while custom resource definition of ${resource.plural} is terminating`);
  }
  if (transaction.get(resource.storage, request.namespace, name) !== undefined) throw alreadyExists(resource, name);
  try {
    object = decodeFields(object, request);
    object.metadata = firstMetadata(object.metadata, context, now, resource);
    if (resource.status) delete object['status'];
    if (resource.storage === 'secrets') resource.prepareCreate?.(object, writeContext(transaction, now));
    object = withDefaults(object, resource);
    if (resource.storage !== 'secrets') resource.prepareCreate?.(object, writeContext(transaction, now));
    validate(object, undefined, request);
    context.preventEscalation(request.user, resource, object, undefined);
    if (track) object = tracked(undefined, object, request, now);
  } catch (error) {
    throw fromSchemaError(error, resource, name);
  }
  warnIgnored(object, undefined, request);
  return transaction.put(resource.storage, object);
}

function nameObject(transaction: Transaction, context: ObjectsContext, request: WriteRequest, object: ApiObject): void {
  const { metadata } = object;
  if (typeof metadata.name === 'string' && metadata.name !== '') return;
  if (typeof metadata.generateName !== 'string' || metadata.generateName === '') {
    throw invalid(request.resource, '', [
      { field: 'metadata.name', reason: 'FieldValueRequired', message: 'Required value: name or generateName is required' },
    ]);
  }
  const base = metadata.generateName.slice(0, 58);
  for (let attempt = 0; attempt < 8; attempt += 1) {
    metadata.name = base + context.newSuffix();
    if (transaction.get(request.resource.storage, request.namespace, metadata.name) === undefined) return;
  }
  throw alreadyExists(request.resource, metadata.name);
}

function firstMetadata(metadata: Metadata, context: ObjectsContext, now: Date, resource: Resource): Metadata {
  if (metadata.resourceVersion) throw new ApiError('BadRequest', 'resourceVersion should not be set on objects to be created');
  const { deletionTimestamp: _d, deletionGracePeriodSeconds: _g, resourceVersion: _r, generation: _n, ...kept } = metadata;
  delete (kept as Record<string, unknown>)['selfLink'];
  if (resource.custom && !dnsSubdomain.test(kept.name)) {
    throw invalid(resource, kept.name, [
      {
        field: 'metadata.name',
        reason: 'FieldValueInvalid',
        message: `Invalid value: "${kept.name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'`,
      },
    ]);
  }
  return {
    ...kept,
    uid: context.newUid(),
    creationTimestamp: timestamp(now),
    ...(resource.countsGeneration ? { generation: 1 } : {}),
  };
}

function tracked(live: ApiObject | undefined, updated: ApiObject, request: WriteRequest, now: Date): ApiObject {
  const schema = request.resource.schema();
  if (schema === undefined) return updated;
  const manager = {
    name: request.fieldManager,
    apiVersion: apiVersionOf(request.resource),
    ...(request.subresource === undefined ? {} : { subresource: request.subresource }),
  };
  return asObject(trackUpdate({ live: live && asJson(live), updated: asJson(updated), schema, manager, now }));
}

/** PUT on an object or on its `/status`. */
export async function replaceObject(context: ObjectsContext, request: WriteRequest, name: string, body: unknown): Promise<Written> {
  const given = asResource(body, request.resource);
  given.metadata.name ||= name;
  if (given.metadata.name !== name) {
    throw new ApiError('BadRequest', `the name of the object (${given.metadata.name}) does not match the name on the URL (${name})`);
  }
  checkNamespace(given, request);
  const { resource } = request;
  return await transact(context.store, request.dryRun, (transaction) => {
    const live = transaction.get(resource.storage, request.namespace, name);
    if (live === undefined) throw notFound(resource, name);
    if (resource.custom && !given.metadata.resourceVersion) {
      throw invalid(resource, name, [
        { field: 'metadata.resourceVersion', reason: 'FieldValueInvalid', message: 'Invalid value: 0x0: must be specified for an update' },
      ]);
    }
    return { object: updateWithin(transaction, context, request, live, given), created: false };
  });
}

export interface UpdateOptions {
  /** False when the new object already carries its managedFields, as after an apply. */
  readonly track?: boolean;
  /** False when defaults and fields were seen to. */
  readonly decode?: boolean;
}

/** The object as it is read through this request's version: the versions of a custom kind differ in the name only. */
export const inVersion = (object: ApiObject, resource: Resource): ApiObject =>
  object.apiVersion === apiVersionOf(resource) ? object : { ...object, apiVersion: apiVersionOf(resource) };

/** Everything that leads from a live object and its wanted successor to what is stored; a no-op stores nothing. */
export function updateWithin(
  transaction: Transaction,
  context: ObjectsContext,
  request: WriteRequest,
  stored: ApiObject,
  given: ApiObject,
  options: UpdateOptions = {},
): ApiObject {
  const { resource } = request;
  const name = stored.metadata.name;
  const live = inVersion(stored, resource);
  const now = context.clock.now();
  checkPreconditions(resource, live, given);
  let next: ApiObject;
  try {
    next = copy(given);
    if (options.decode !== false) next = decodeFields(next, request);
    next = keepServerFields(next, live, request);
    if (resource.storage === 'secrets') resource.prepareUpdate?.(next, live, writeContext(transaction, now));
    next = withDefaults(next, resource);
    if (request.subresource === undefined && resource.storage !== 'secrets') {
      resource.prepareUpdate?.(next, live, writeContext(transaction, now));
    }
    if (resource.countsGeneration) next.metadata.generation = nextGeneration(next, live, resource);
    validate(next, live, request);
    context.preventEscalation(request.user, resource, next, live);
    if (options.track !== false) next = tracked(live, next, request, now);
  } catch (error) {
    throw fromSchemaError(error, resource, name);
  }
  warnIgnored(next, live, request);
  if (isUnchanged(next, live)) return live;
  if (isGone(next)) return transaction.remove(resource.storage, next);
  return transaction.put(resource.storage, next);
}

function checkPreconditions(resource: Resource, live: ApiObject, given: ApiObject): void {
  const { uid, resourceVersion } = given.metadata;
  const { name } = live.metadata;
  if (uid && uid !== live.metadata.uid) {
    throw conflict(resource, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`);
  }
  if (resourceVersion && resourceVersion !== '0' && resourceVersion !== live.metadata.resourceVersion) {
    throw conflict(resource, name, modifiedMeanwhile);
  }
}

/** Server-owned metadata, and the half of the object that this endpoint does not write. */
function keepServerFields(next: ApiObject, live: ApiObject, request: WriteRequest): ApiObject {
  const { resource, subresource } = request;
  if (subresource === 'status') {
    const managedFields = next.metadata.managedFields;
    const kept: ApiObject = { ...copy(live), ...(next['status'] === undefined ? {} : { status: next['status'] }) };
    if (next['status'] === undefined) delete kept['status'];
    if (managedFields !== undefined) kept.metadata.managedFields = managedFields;
    return kept;
  }
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, resourceVersion, generateName } =
    live.metadata;
  const { deletionTimestamp: _d, deletionGracePeriodSeconds: _g, generation: _n, ...metadata } = next.metadata;
  delete (metadata as Record<string, unknown>)['selfLink'];
  next.metadata = {
    ...metadata,
    ...Object.fromEntries(
      Object.entries({
        uid,
        creationTimestamp,
        deletionTimestamp,
        deletionGracePeriodSeconds,
        generation,
        resourceVersion,
        generateName,
      }).filter(([, value]) => value !== undefined),
    ),
  };
  if (resource.status) {
    if (live['status'] === undefined) delete next['status'];
    else next['status'] = copy(live['status']);
  }
  return next;
}

const withoutMetadata = (object: ApiObject, status: boolean): Record<string, unknown> => {
  const { metadata: _m, apiVersion: _a, ...rest } = object;
  if (status) delete rest['status'];
  return rest;
};

function nextGeneration(next: ApiObject, live: ApiObject, resource: Resource): number {
  const before = live.metadata.generation ?? 1;
  return same(withoutMetadata(next, resource.status), withoutMetadata(live, resource.status)) ? before : before + 1;
}

/** Equal but for the times in managedFields: such a write must not move the resourceVersion. */
function isUnchanged(next: ApiObject, live: ApiObject): boolean {
  const bare = (object: ApiObject) => ({
    ...object,
    metadata: { ...object.metadata, managedFields: undefined, resourceVersion: undefined },
  });
  return same(bare(next), bare(live)) && same(untimed(next.metadata.managedFields), untimed(live.metadata.managedFields));
}

/** The entries without their times, in an order that does not depend on them. */
const untimed = (entries: unknown): unknown[] =>
  (Array.isArray(entries) ? entries : [])
    .filter(isRecord)
    .map((entry) => ({ ...entry, time: undefined }))
    .sort((a, b) => (managerOf(a) < managerOf(b) ? -1 : 1));

const managerOf = (entry: Record<string, unknown>): string =>
  JSON.stringify([entry['manager'], entry['operation'], entry['apiVersion'], entry['subresource']]);

/** An object that is being deleted goes when nothing holds it any more. */
export function isGone(object: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  if (deletionTimestamp === undefined || (finalizers ?? []).length > 0 || (deletionGracePeriodSeconds ?? 0) > 0) return false;
  if (object.kind === 'Namespace' && object.apiVersion === 'v1') {
    return !(isRecord(object['spec']) && Array.isArray(object['spec']['finalizers']) && object['spec']['finalizers'].length > 0);
  }
  return true;
}

/** PUT `/finalize` of a Namespace: the one way to change `spec.finalizers`. */
export async function finalizeNamespace(context: ObjectsContext, request: WriteRequest, name: string, body: unknown): Promise<Written> {
  const given = asResource(body, request.resource);
  return await transact(context.store, request.dryRun, (transaction) => {
    const live = transaction.get('namespaces', '', name);
    if (live === undefined) throw notFound(request.resource, name);
    checkPreconditions(request.resource, live, given);
    const next: ApiObject = { ...copy(live), spec: isRecord(given['spec']) ? given['spec'] : {} };
    if (same(next, live)) return { object: live, created: false };
    return { object: isGone(next) ? transaction.remove('namespaces', next) : transaction.put('namespaces', next), created: false };
  });
}
