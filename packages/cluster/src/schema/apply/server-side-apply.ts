/**
 * Server-side apply and the tracking of ownership (KEP-555; structured-merge-diff `merge`, apimachinery `managedfields`).
 * One API version a resource is served here, so no set is ever converted between versions.
 */
import { SchemaError } from '../errors.ts';
import { pruneUnknown } from '../fields.ts';
import { equal, isObject, type Json, type JsonObject, own, ownObject, ownString, put, without } from '../json.ts';
import type { Cause, GroupVersionKind, ManagerIdentity, StructSchema } from '../types.ts';
import { elementText, FieldSet, fieldElement, type PathElement } from './field-set.ts';
import {
  capUpdaters,
  identityOf,
  isReset,
  type ManagedEntry,
  type Managers,
  managedFieldsOf,
  type Operation,
  readManagers,
  withManagedFields,
  withoutManagedFields,
  withoutTimes,
  writeManagers,
} from './managed-fields.ts';
import { compare, configurationErrors, fieldsOf, materialised, merge, removeFields, withNamedFields } from './typed.ts';

export interface ApplyRequest {
  /** Absent when the apply creates the object. */
  readonly live: JsonObject | undefined;
  readonly config: JsonObject;
  readonly schema: StructSchema;
  readonly manager: ManagerIdentity;
  readonly force: boolean;
  readonly now: Date;
  /** Fields that this endpoint ignores; see `resetFields`. */
  readonly reset?: readonly (readonly string[])[];
  /** Defaults and resets, run on the merged object before it is stored. */
  readonly complete?: (merged: JsonObject) => JsonObject;
}

export interface UpdateTracking {
  readonly live: JsonObject | undefined;
  /** As it is to be stored, defaults filled in; the client's own managedFields, where it sends some, replace the live ones. */
  readonly updated: JsonObject;
  readonly schema: StructSchema;
  readonly manager: ManagerIdentity;
  readonly now: Date;
  readonly reset?: readonly (readonly string[])[];
}

const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** `metadata.annotations` may hold this much; a last-applied configuration beyond it is left out. */
const maxAnnotations = 256 * 1024;

/** Never owned: they identify the object or belong to the server. */
const stripped = FieldSet.fromPaths([
  [fieldElement('apiVersion')],
  [fieldElement('kind')],
  [fieldElement('metadata')],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (name) => [fieldElement('metadata'), fieldElement(name)],
  ),
]);

const timeText = (now: Date): string => `${now.toISOString().slice(0, 19)}Z`;

/**
 * The fields that an endpoint resets and therefore nobody owns through it: `status` at the object itself, `spec` at `/status`.
 * `hasStatus`: the resource has a status subresource.
 */
export function resetFields(gvk: GroupVersionKind, subresource: string | undefined, hasStatus: boolean): readonly (readonly string[])[] {
  if (!hasStatus) return [];
  if (!subresource) return [['status']];
  if (subresource !== 'status') return [];
  if (gvk.group === 'apps' && gvk.kind === 'Deployment') return [['spec'], ['metadata', 'labels']];
  return gvk.group.includes('.') && !gvk.group.endsWith('.k8s.io') ? [['spec'], ['metadata']] : [['spec']];
}

class Filter {
  private readonly excluded: FieldSet;

  constructor(reset: readonly (readonly string[])[] | undefined) {
    this.excluded = FieldSet.fromPaths((reset ?? []).map((path) => path.map(fieldElement)));
  }

  keep(set: FieldSet): FieldSet {
    return set.recursiveDifference(this.excluded);
  }
}

interface Conflict {
  readonly entry: ManagedEntry;
  readonly path: readonly PathElement[];
}

class Conflicts extends Error {
  readonly list: readonly Conflict[];

  constructor(list: readonly Conflict[]) {
    super('conflicts');
    this.list = list;
  }
}

/** Takes from all others what changed between the two objects; throws Conflicts unless `force`. */
function settle(
  before: JsonObject,
  after: JsonObject,
  schema: StructSchema,
  managers: Managers,
  self: string,
  filter: Filter,
  force: boolean,
) {
  const difference = compare(materialised(before, schema), materialised(after, schema), schema);
  const changed = filter.keep(difference.modified.union(difference.added));
  const removed = filter.keep(difference.removed);
  const conflicts: Conflict[] = [];
  const result = new Map<string, ManagedEntry>();
  for (const [id, entry] of managers) {
    if (id === self) {
      result.set(id, entry);
      continue;
    }
    const taken = entry.fields.intersection(changed);
    for (const path of taken.paths()) conflicts.push({ entry, path });
    const fields = entry.fields.difference(taken).difference(removed);
    if (!fields.isEmpty) result.set(id, { ...entry, fields });
  }
  if (!force && conflicts.length > 0) throw new Conflicts(conflicts);
  return { managers: result, changed, removed };
}

/** `entry` with other fields, without what is never owned; dropped when nothing is left. */
function setFields(managers: Map<string, ManagedEntry>, id: string, entry: Omit<ManagedEntry, 'fields'>, fields: FieldSet): void {
  const owned = fields.difference(stripped);
  if (owned.isEmpty) managers.delete(id);
  else managers.set(id, { ...entry, fields: owned });
}

const entryOf = (manager: ManagerIdentity, operation: Operation, time: string | undefined): Omit<ManagedEntry, 'fields'> => ({
  name: manager.name || 'unknown',
  operation,
  apiVersion: manager.apiVersion,
  subresource: manager.subresource ?? '',
  time,
});

function track(
  live: JsonObject,
  updated: JsonObject,
  schema: StructSchema,
  managers: Managers,
  manager: ManagerIdentity,
  now: Date,
  filter: Filter,
): Map<string, ManagedEntry> {
  const id = identityOf({ ...manager, name: manager.name || 'unknown' }, 'Update');
  const settled = settle(live, updated, schema, managers, '', filter, true);
  const taken = settled.changed.difference(stripped);
  if (taken.isEmpty) return settled.managers;
  const before = settled.managers.get(id)?.fields ?? FieldSet.empty;
  setFields(settled.managers, id, entryOf(manager, 'Update', timeText(now)), before.union(taken));
  return capUpdaters(settled.managers);
}

/**
 * `updated` with the managedFields that follow from a create, update or patch. When nothing but times would change, the live entries
 * stay as they are, so that a no-op compares equal to the live object.
 */
export function trackUpdate(tracking: UpdateTracking): JsonObject {
  const { live, updated, schema, manager, now } = tracking;
  const sent = managedFieldsOf(updated);
  const bare = withoutManagedFields(updated);
  const liveManagers = readManagers(managedFieldsOf(live)) ?? new Map<string, ManagedEntry>();
  const sentManagers = manager.subresource ? undefined : readManagers(sent);
  const reset = !manager.subresource && isReset(sent);
  const start = reset ? new Map<string, ManagedEntry>() : sentManagers && sentManagers.size > 0 ? sentManagers : liveManagers;
  // An existing object that nobody owns stays untracked until the first apply.
  if (live && start.size === 0) return bare;
  const from = live ? withoutManagedFields(live) : emptyOf(bare);
  const managers = track(from, bare, schema, start, manager, now, new Filter(tracking.reset));
  const result = withManagedFields(bare, writeManagers(managers));
  if (live && equal(withoutTimes(live), withoutTimes(result))) return withManagedFields(bare, entriesOf(live));
  return result;
}

const entriesOf = (object: JsonObject): JsonObject[] => {
  const entries = managedFieldsOf(object);
  return Array.isArray(entries) ? entries.filter(isObject) : [];
};

function emptyOf(object: JsonObject): JsonObject {
  return { apiVersion: own(object, 'apiVersion') ?? '', kind: own(object, 'kind') ?? '' };
}

/** What the previous apply set and this one does not, and nobody else owns, goes from the merged object. */
function prune(merged: JsonObject, last: FieldSet, managers: Managers, schema: StructSchema): JsonObject {
  if (last.isEmpty) return merged;
  const named = (set: FieldSet): FieldSet => withNamedFields(set, schema);
  const remove = (set: FieldSet): JsonObject => (removeFields(merged, set, schema) ?? {}) as JsonObject;
  const mergedSet = named(fieldsOf(merged, schema));
  const lastSet = named(last);
  let owned = FieldSet.empty;
  for (const entry of managers.values()) owned = owned.union(entry.fields);
  const pruned = remove(lastSet);
  const withOwned = remove(mergedSet.difference(named(fieldsOf(pruned, schema)).union(named(owned))));
  return remove(mergedSet.difference(named(fieldsOf(withOwned, schema))).intersection(lastSet));
}

function checkConfig(request: ApplyRequest): void {
  const { config, schema, manager } = request;
  const invalid = (message: string): SchemaError =>
    new SchemaError('APPLY_INVALID', message, { cure: 'Correct the applied configuration.' });
  const version = ownString(config, 'apiVersion') ?? '';
  if (version !== manager.apiVersion)
    throw invalid(`Incorrect version specified in apply patch. Specified patch version: ${version}, expected: ${manager.apiVersion}`);
  if (managedFieldsOf(config) !== undefined && managedFieldsOf(config) !== null) throw invalid('metadata.managedFields must be nil');
  const errors = configurationErrors(config, schema);
  if (errors.length === 0) return;
  const metadata = ownObject(config, 'metadata');
  const who = `${ownString(metadata, 'namespace') ?? ''}/${ownString(metadata, 'name') ?? ''}; ${version.includes('/') ? version : `/${version}`}, Kind=${ownString(config, 'kind') ?? ''}`;
  const list = errors.length === 1 ? errors[0] : `errors:\n${errors.map((error) => `  ${error}`).join('\n')}`;
  throw new SchemaError('TYPE_MISMATCH', `failed to create typed patch object (${who}): ${list}`);
}

/**
 * Server-side apply. Returns the object to store, managedFields included; `changed` is false when it would differ from the live one in
 * times at most: then `object` is the live one. Throws APPLY_CONFLICT with one FieldManagerConflict cause per path (409), APPLY_INVALID
 * (400) for a wrong version or managedFields in the configuration, TYPE_MISMATCH for what the schema does not allow.
 */
export function applyServerSide(request: ApplyRequest): { object: JsonObject; changed: boolean } {
  checkConfig(request);
  try {
    return attempt(request, request.force);
  } catch (error) {
    if (!(error instanceof Conflicts)) throw error;
    const remaining = request.manager.name === 'kubectl' ? withoutOwnLastApplied(error.list, request) : error.list;
    if (remaining.length > 0) throw conflictError(remaining);
    return attempt(request, true);
  }
}

function attempt(request: ApplyRequest, force: boolean): { object: JsonObject; changed: boolean } {
  const { live, config, schema, manager, now } = request;
  const filter = new Filter(request.reset);
  const from = live ? withoutManagedFields(live) : emptyOf(config);
  const managers = startingManagers(request, filter);
  const id = identityOf(manager, 'Apply');
  const last = managers.get(id);
  const merged = merge(from, config, schema) as JsonObject;
  const fields = filter.keep(fieldsOf(config, schema));
  managers.set(id, { ...entryOf(manager, 'Apply', last?.time), fields });
  const pruned = prune(merged, last?.fields ?? FieldSet.empty, managers, schema);
  const settled = settle(from, pruned, schema, managers, id, filter, force).managers;
  setFields(settled, id, entryOf(manager, 'Apply', timeText(now)), fields);
  const stored = pruneUnknown(pruned, schema);
  const synced = manager.name === 'kubectl' ? syncLastApplied(stored, config) : stored;
  const complete = request.complete ? request.complete(synced) : synced;
  const object = withManagedFields(complete, writeManagers(settled));
  if (live && equal(withoutTimes(live), withoutTimes(object))) return { object: live, changed: false };
  return { object, changed: true };
}

/** The live managers; where there are none, all that the live object holds belongs to `before-first-apply`. */
function startingManagers(request: ApplyRequest, filter: Filter): Map<string, ManagedEntry> {
  const managers = readManagers(managedFieldsOf(request.live)) ?? new Map<string, ManagedEntry>();
  if (managers.size > 0 || !request.live) return managers;
  const bare = withoutManagedFields(request.live);
  const before: ManagerIdentity = {
    name: 'before-first-apply',
    apiVersion: request.manager.apiVersion,
    ...(request.manager.subresource ? { subresource: request.manager.subresource } : {}),
  };
  return track(emptyOf(bare), bare, request.schema, managers, before, request.now, filter);
}

/**
 * Conflicts that client-side apply itself left: fields that the last-applied annotation holds with the value that is still live may be
 * taken by `kubectl apply --server-side`.
 */
function withoutOwnLastApplied(conflicts: readonly Conflict[], request: ApplyRequest): readonly Conflict[] {
  const annotations = ownObject(ownObject(request.live, 'metadata'), 'annotations');
  const text = ownString(annotations, lastAppliedAnnotation);
  if (!request.live || !text) return conflicts;
  let applied: Json;
  try {
    applied = JSON.parse(text) as Json;
  } catch {
    return conflicts;
  }
  if (!isObject(applied) || own(applied, 'apiVersion') !== request.manager.apiVersion) return conflicts;
  const differs = compare(applied, withoutManagedFields(request.live), request.schema);
  const allowed = fieldsOf(applied, request.schema).difference(differs.modified.union(differs.added).union(differs.removed));
  return conflicts.filter(({ path }) => !has(allowed, path));
}

function has(set: FieldSet, path: readonly PathElement[]): boolean {
  let at = set;
  for (const element of path.slice(0, -1)) at = at.below(element);
  return at.members.has(path.at(-1) ?? '');
}

/** Keeps client-side apply's annotation true, where the object has one. */
function syncLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const metadata = ownObject(object, 'metadata');
  const annotations = ownObject(metadata, 'annotations');
  if (!metadata || !annotations || !ownString(annotations, lastAppliedAnnotation)) return object;
  const configMetadata = ownObject(config, 'metadata') ?? {};
  const configAnnotations = ownObject(configMetadata, 'annotations');
  const bare = configAnnotations
    ? { ...config, metadata: { ...configMetadata, annotations: without(configAnnotations, lastAppliedAnnotation) } }
    : config;
  const synced: JsonObject = without(annotations, lastAppliedAnnotation);
  const text = `${goJson(bare)}\n`;
  const size = Object.entries({ ...synced, [lastAppliedAnnotation]: text }).reduce(
    (sum, [key, value]) => sum + key.length + String(value).length,
    0,
  );
  if (size <= maxAnnotations) put(synced, lastAppliedAnnotation, text);
  return { ...object, metadata: { ...metadata, annotations: synced } };
}

/** JSON as Go's encoder writes it: keys sorted, `<`, `>` and `&` escaped. */
function goJson(value: Json): string {
  const sorted = (item: Json): Json => {
    if (Array.isArray(item)) return item.map(sorted);
    if (!isObject(item)) return item;
    const result: JsonObject = {};
    for (const key of Object.keys(item).sort()) put(result, key, sorted(item[key] as Json));
    return result;
  };
  return JSON.stringify(sorted(value)).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function managerText(entry: ManagedEntry): string {
  const name = `${JSON.stringify(entry.name)}${entry.subresource ? ` with subresource ${JSON.stringify(entry.subresource)}` : ''}`;
  return entry.operation === 'Update' ? `${name} using ${entry.apiVersion}` : name;
}

function conflictError(conflicts: readonly Conflict[]): SchemaError {
  const text = (path: readonly PathElement[]): string => path.map(elementText).join('');
  const causes: Cause[] = conflicts.map(({ entry, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(entry)}`,
    field: text(path),
  }));
  const [only] = causes;
  const byManager = new Map<string, string[]>();
  for (const { entry, path } of conflicts) byManager.set(managerText(entry), [...(byManager.get(managerText(entry)) ?? []), text(path)]);
  const message =
    causes.length === 1 && only
      ? `Apply failed with 1 conflict: ${only.message}: ${only.field}`
      : `Apply failed with ${causes.length} conflicts: ${[...byManager]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([manager, paths]) => [`conflicts with ${manager}:`, ...paths.map((path) => `- ${path}`)].join('\n'))
          .join('\n')}`;
  return new SchemaError('APPLY_CONFLICT', message, { causes, cure: 'Leave the fields to their manager, or apply with force.' });
}
