import { createHash } from 'node:crypto';
import type { GroupVersionKind, ServedResource, StructSchema } from '../types.ts';

/**
 * What the documents describe. Documents are kept per source object: make a new one when the served resources or a schema change,
 * and keep it otherwise.
 */
export interface OpenApiSource {
  readonly resources: readonly ServedResource[];
  readonly schemaOf: (gvk: GroupVersionKind) => StructSchema | undefined;
  /** `v1.32.0+rehearsal`. */
  readonly version: string;
}

/** 128 hexadecimal digits, upper case, as Kubernetes' own hashes look. */
export const hashOf = (content: string | Uint8Array): string => createHash('sha512').update(content).digest('hex').toUpperCase();

/** `apis/apps/v1`, `api/v1`: how the documents name a group-version. */
export const groupVersionPath = ({ group, version }: { group: string; version: string }): string =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`;

/** The path of one object of a resource. */
export function objectPath(resource: ServedResource): string {
  return `/${groupVersionPath(resource)}/${resource.namespaced ? 'namespaces/{namespace}/' : ''}${resource.plural}/{name}`;
}
