import type { JsonObject } from './json.ts';

/** A kind of one API version; the core group is `''`. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/**
 * What a value may be. One shape for built-in kinds, custom resources and values that nothing is known of (`any`:
 * maps are taken as granular and lists as atomic, as Kubernetes deduces).
 */
export type Schema = ScalarSchema | StructSchema | MapSchema | ListSchema | AnySchema;

export type ScalarType =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'int-or-string'
  | 'quantity'
  | 'time'
  | 'micro-time'
  | 'duration'
  | 'bytes';

interface Described {
  /** For `kubectl explain`; custom resources only. */
  readonly description?: string;
}

export interface ScalarSchema extends Described {
  readonly kind: 'scalar';
  readonly type: ScalarType;
  /** `int32`, `int64`, `double`, or a format of a custom resource's schema. */
  readonly format?: string;
  readonly nullable?: boolean;
  /** The rules of a custom resource's schema beyond the type: `enum`, `pattern`, `minimum`, …; as in its OpenAPI schema. */
  readonly rules?: JsonObject;
}

export interface StructSchema extends Described {
  readonly kind: 'struct';
  /** `io.k8s.api.core.v1.Pod`; empty for a nested structure of a custom resource. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, Field>;
  readonly required: readonly string[];
  /** Owned as one item by server-side apply. */
  readonly atomic: boolean;
  /** Fields beyond `fields` are kept (`x-kubernetes-preserve-unknown-fields`). */
  readonly open: boolean;
  readonly nullable?: boolean;
  readonly rules?: JsonObject;
}

export interface MapSchema extends Described {
  readonly kind: 'map';
  readonly values: Schema;
  readonly atomic: boolean;
  readonly nullable?: boolean;
  readonly rules?: JsonObject;
}

export interface ListSchema extends Described {
  readonly kind: 'list';
  readonly items: Schema;
  /** How server-side apply takes the list: as one, as a set of scalars, as a map by `keys`. */
  readonly mode: 'atomic' | 'set' | 'map';
  readonly keys: readonly string[];
  readonly nullable?: boolean;
  readonly rules?: JsonObject;
}

export interface AnySchema extends Described {
  readonly kind: 'any';
  /** True for an embedded object with apiVersion, kind and metadata. */
  readonly embedded?: boolean;
}

export interface Field {
  readonly schema: Schema;
  /** A structure that every object of the kind has, if empty: Go holds it as a value. */
  readonly always?: boolean;
  /** Strategic merge patch: how a list merges and by which key; `retainKeys` on a structure. */
  readonly patch?: { readonly merge: boolean; readonly retainKeys: boolean; readonly key?: string };
  /** A default of the schema itself; built-in kinds have theirs in `setDefaults`, apart from list keys such as `protocol`. */
  readonly default?: JsonObject[string];
}

/** One entry of `details.causes` of a Status, and of the list that `describeCauses` joins. */
export interface Cause {
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueNotSupported'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueTypeInvalid'
    | 'FieldValueNotFound'
    | 'FieldManagerConflict';
  /** Without the field: `Required value`, `Invalid value: "x": must …`. */
  readonly message: string;
  /** `spec.containers[0].name`. */
  readonly field: string;
}

/** A resource that a server serves, for the OpenAPI documents. */
export interface ServedResource extends GroupVersionKind {
  readonly plural: string;
  readonly namespaced: boolean;
  readonly subresources: readonly string[];
}

/** Who owns fields: the identity under which server-side apply keeps them. */
export interface ManagerIdentity {
  readonly name: string;
  /** Of the object as that manager wrote it: `apps/v1`. */
  readonly apiVersion: string;
  /** `status`, `scale`; empty for the object itself. */
  readonly subresource?: string;
}
