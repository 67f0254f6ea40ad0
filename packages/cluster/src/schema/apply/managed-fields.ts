/**
 * `metadata.managedFields`: who owns which fields, as a map from manager to set.
 */
import { canonical, isObject, type Json, type JsonObject, own, ownList, ownObject, ownString, put, without } from '../json.ts';
import type { ManagerIdentity } from '../types.ts';
import { FieldSet } from './field-set.ts';

export type Operation = 'Apply' | 'Update';

export interface ManagedEntry {
  readonly name: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339, whole seconds. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** Managers by identity: name, operation, subresource, and for updates the version, too. */
export type Managers = ReadonlyMap<string, ManagedEntry>;

export function identityOf(manager: ManagerIdentity, operation: Operation): string {
  return canonical([manager.name, operation, manager.subresource ?? '', operation === 'Apply' ? '' : manager.apiVersion]);
}

/** Reads managedFields; undefined when they are malformed (then nobody owns anything). */
export function readManagers(managedFields: Json | undefined): Map<string, ManagedEntry> | undefined {
  const managers = new Map<string, ManagedEntry>();
  for (const item of Array.isArray(managedFields) ? managedFields : []) {
    const entry = isObject(item) ? readEntry(item) : undefined;
    if (!entry) return undefined;
    managers.set(identityOf(entry, entry.operation), entry);
  }
  return managers;
}

function readEntry(item: JsonObject): ManagedEntry | undefined {
  const operation = own(item, 'operation');
  const apiVersion = ownString(item, 'apiVersion');
  const type = own(item, 'fieldsType');
  if ((operation !== 'Apply' && operation !== 'Update') || !apiVersion || (type !== undefined && type !== 'FieldsV1')) return undefined;
  let fields: FieldSet;
  try {
    fields = FieldSet.fromFieldsV1(own(item, 'fieldsV1') ?? {});
  } catch {
    return undefined;
  }
  return {
    name: ownString(item, 'manager') ?? '',
    operation,
    apiVersion,
    subresource: ownString(item, 'subresource') ?? '',
    time: ownString(item, 'time'),
    fields,
  };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The list form, in Kubernetes' order: applies first, then by time, name, version, subresource. Empty sets are left out. */
export function writeManagers(managers: Managers): JsonObject[] {
  return [...managers.values()]
    .filter((entry) => !entry.fields.isEmpty)
    .sort(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        compareText(a.time ?? '', b.time ?? '') ||
        compareText(a.name, b.name) ||
        compareText(a.apiVersion, b.apiVersion) ||
        compareText(a.subresource, b.subresource),
    )
    .map((entry) => ({
      ...(entry.name ? { manager: entry.name } : {}),
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      ...(entry.time ? { time: entry.time } : {}),
      fieldsType: 'FieldsV1',
      fieldsV1: entry.fields.toFieldsV1(),
      ...(entry.subresource ? { subresource: entry.subresource } : {}),
    }));
}

/** `managedFields: []` and `[{}]` ask for everybody's ownership to end. */
export function isReset(managedFields: Json | undefined): boolean {
  if (!Array.isArray(managedFields)) return false;
  return (
    managedFields.length === 0 || (managedFields.length === 1 && isObject(managedFields[0]) && Object.keys(managedFields[0]).length === 0)
  );
}

export const managedFieldsOf = (object: JsonObject | undefined): Json | undefined => {
  const metadata = ownObject(object, 'metadata');
  return metadata && own(metadata, 'managedFields');
};

export function withoutManagedFields(object: JsonObject): JsonObject {
  const metadata = ownObject(object, 'metadata');
  return metadata ? { ...object, metadata: without(metadata, 'managedFields') } : object;
}

export function withManagedFields(object: JsonObject, entries: readonly JsonObject[]): JsonObject {
  const bare = withoutManagedFields(object);
  if (entries.length === 0) return bare;
  const metadata: JsonObject = { ...ownObject(bare, 'metadata') };
  put(metadata, 'managedFields', [...entries]);
  return { ...bare, metadata };
}

/** The object with the times of managedFields taken out: two states that differ in nothing else are the same. */
export function withoutTimes(object: JsonObject): JsonObject {
  const entries = ownList(ownObject(object, 'metadata'), 'managedFields');
  if (entries.length === 0) return object;
  return withManagedFields(
    object,
    entries.filter(isObject).map((entry) => without(entry, 'time')),
  );
}

const ancient = 'ancient-changes';

/** At most `limit` updaters: the oldest of each version melt into one entry named `ancient-changes`. */
export function capUpdaters(managers: Managers, limit = 10): Map<string, ManagedEntry> {
  const result = new Map(managers);
  const updaters = [...managers]
    .filter(([, entry]) => entry.operation === 'Update')
    .sort(([aId, a], [bId, b]) => compareText(a.time ?? '', b.time ?? '') || compareText(aId, bId));
  let count = updaters.length;
  const firstOfVersion = new Map<string, string>();
  for (const [id, entry] of updaters) {
    if (count <= limit) break;
    const bucket = identityOf({ name: ancient, apiVersion: entry.apiVersion }, 'Update');
    const first = firstOfVersion.get(entry.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(entry.apiVersion, id);
      continue;
    }
    const known = result.get(bucket) ?? result.get(first);
    if (!result.has(bucket)) result.delete(first);
    const fields = known ? known.fields.union(entry.fields) : entry.fields;
    result.delete(id);
    result.set(bucket, { name: ancient, operation: 'Update', apiVersion: entry.apiVersion, subresource: '', time: entry.time, fields });
    count -= 1;
  }
  return result;
}
