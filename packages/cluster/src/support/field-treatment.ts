import { isObject, type Json, type JsonObject, type Schema, type StructSchema } from '../schema/index.ts';
import { clusterTable } from './cluster-table.ts';
import { networkTable } from './network-table.ts';
import { podTable } from './pod-table.ts';
import { storageTable } from './storage-table.ts';
import type { Ignored, StructTable, StructTreatment } from './treatment.ts';
import { workloadTable } from './workload-table.ts';

export const structTable: StructTable = { ...podTable, ...workloadTable, ...networkTable, ...storageTable, ...clusterTable };

/** The part of a structure's name that the tables use: `Container` of `io.k8s.api.core.v1.Container`. */
export const shortNameOf = (schema: StructSchema): string => schema.name.slice(schema.name.lastIndexOf('.') + 1);

/** What the tables say of a structure. A field of it may have an entry of its own, for `metadata` means less in a template. */
export function treatmentOf(schema: StructSchema, owner?: { readonly name: string; readonly field: string }): StructTreatment | undefined {
  return (owner && entryOf(structTable, `${owner.name}.${owner.field}`)) ?? entryOf(structTable, shortNameOf(schema));
}

/** An entry of a table by a name that anybody may have chosen. */
export const entryOf = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** The structure below lists and maps, if there is one. */
export function structOf(schema: Schema): StructSchema | undefined {
  if (schema.kind === 'list') return structOf(schema.items);
  if (schema.kind === 'map') return structOf(schema.values);
  return schema.kind === 'struct' ? schema : undefined;
}

/** Whether a value says something: what Go clients leave out, and an empty list or object, say nothing. */
export function isSet(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isObject(value) || Object.keys(value).length > 0;
}

/** Why this value has no effect, and which part of it, as it follows the path; undefined when it is acted upon. */
export function ignoredBecause(
  rule: Ignored,
  value: Json | undefined,
  owner: JsonObject,
): { readonly reason: string; readonly which: string } | undefined {
  if (typeof rule === 'string') return isSet(value) ? { reason: rule, which: '' } : undefined;
  const { reason, only, except, keys, when } = rule;
  if (only === undefined && !isSet(value)) return undefined;
  if (when !== undefined) return when.is(owner) ? { reason, which: '' } : undefined;
  if (keys !== undefined) {
    const beyond = isObject(value) ? Object.keys(value).filter((key) => !keys.includes(key)) : [];
    return beyond.length > 0 ? { reason, which: `.${beyond.join(', ')}`.slice(0, mostShown) } : undefined;
  }
  const isOne = (values: readonly unknown[], one: Json | undefined) => values.some((each) => each === one);
  const without = (Array.isArray(value) ? value : [value]).find((one) => (only ? isOne(only, one) : !isOne(except ?? [], one)));
  return without === undefined ? undefined : { reason, which: ` ${String(without)}`.slice(0, mostShown) };
}

/** Characters of a value in a warning. */
const mostShown = 60;
