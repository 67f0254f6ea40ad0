/**
 * What is known of kinds, as pure functions on plain JSON: schemas, defaults, validation, patches, server-side apply,
 * protobuf request bodies and OpenAPI documents. Nothing here changes its input.
 */
import type { Json, JsonObject } from './json.ts';
import type { Cause, GroupVersionKind, ManagerIdentity, Schema, ServedResource, StructSchema } from './types.ts';

export { SchemaError, type SchemaErrorCode } from './errors.ts';
export {
  canonical,
  copy,
  equal,
  isObject,
  type Json,
  type JsonObject,
  own,
  ownList,
  ownObject,
  ownObjects,
  ownString,
  put,
  without,
} from './json.ts';
export type * from './types.ts';

// The contract; each line gives way to the real export in the next commits.

/** The schema of a built-in kind, or undefined when we do not serve it. Shared, loaded on first use. */
export declare function findSchema(gvk: GroupVersionKind): StructSchema | undefined;
/** A custom resource's schema from `spec.versions[].schema.openAPIV3Schema`; undefined gives the deduced one. Throws SchemaError when not structural. */
export declare function customSchema(gvk: GroupVersionKind, openAPIV3Schema: JsonObject | undefined): StructSchema;

/** The object with Kubernetes' defaults filled in: by apiVersion and kind for built-in kinds, by `default` of the schema for custom ones. */
export declare function setDefaults(object: JsonObject, schema: StructSchema): JsonObject;
/** Strict decoding (`fieldValidation`): texts such as `unknown field "spec.foo"`, in Kubernetes' order. */
export declare function unknownFields(object: JsonObject, schema: StructSchema): string[];
/** The object without what the schema does not know, as the server stores it. */
export declare function pruneUnknown(object: JsonObject, schema: StructSchema): JsonObject;
/** Why the object cannot be decoded at all (a 400): `json: cannot unmarshal string into Go struct field …`; undefined when it can. */
export declare function typeError(object: JsonObject, schema: StructSchema): string | undefined;

export interface ValidateOptions {
  readonly schema: StructSchema;
  readonly namespaced: boolean;
  /** The live object, on update: immutable fields are compared with it. */
  readonly old?: JsonObject;
  /** `status` validates less. */
  readonly subresource?: string;
}
/** What is wrong with a defaulted object, in Kubernetes' own words; empty when it may be stored. */
export declare function validateObject(object: JsonObject, options: ValidateOptions): Cause[];
/** `Deployment.apps "x" is invalid: spec.selector: Required value` (several causes in brackets). */
export declare function describeCauses(gvk: GroupVersionKind, name: string, causes: readonly Cause[]): string;

/** RFC 6902. Throws PATCH_NOT_APPLICABLE, MALFORMED, TOO_LARGE. */
export declare function applyJsonPatch(document: Json, operations: Json): Json;
/** RFC 7386. */
export declare function applyMergePatch(document: Json | undefined, patch: Json): Json;
/** Kubernetes' strategic merge patch with all its directives; custom resources have none (the server answers 415). */
export declare function applyStrategicMergePatch(document: JsonObject, patch: JsonObject, schema: Schema): JsonObject;

export interface ApplyRequest {
  /** Absent when the apply creates the object. */
  readonly live: JsonObject | undefined;
  readonly config: JsonObject;
  readonly schema: StructSchema;
  readonly manager: ManagerIdentity;
  readonly force: boolean;
  readonly now: Date;
  /** Fills defaults and resets into the merged object before it is compared with the live one. */
  readonly complete?: (merged: JsonObject) => JsonObject;
}
/**
 * Server-side apply. Returns the object to store, managedFields included; `changed` false means a no-op that must not touch
 * resourceVersion or times. Throws APPLY_CONFLICT with FieldManagerConflict causes, APPLY_INVALID, TYPE_MISMATCH.
 */
export declare function applyServerSide(request: ApplyRequest): { object: JsonObject; changed: boolean };

export interface UpdateTracking {
  readonly live: JsonObject | undefined;
  /** As the client wants it stored, defaults filled in; its own managedFields, where it sends some, replace the live ones. */
  readonly updated: JsonObject;
  readonly schema: StructSchema;
  readonly manager: ManagerIdentity;
  readonly now: Date;
}
/** `updated` with the managedFields that follow from a create, update or patch. */
export declare function trackUpdate(tracking: UpdateTracking): JsonObject;

/** True when the bytes begin with Kubernetes' protobuf envelope `k8s\0`. */
export declare function isProtobuf(body: Uint8Array): boolean;
/** A protobuf request body as JSON with apiVersion and kind. Throws MALFORMED, TOO_LARGE, TOO_DEEP, UNSUPPORTED. */
export declare function decodeProtobuf(body: Uint8Array): JsonObject;

export interface OpenApiSource {
  readonly resources: readonly ServedResource[];
  readonly schemaOf: (gvk: GroupVersionKind) => StructSchema | undefined;
  readonly version: string;
}
/** `/openapi/v3`: the documents by path with their hashes. */
export declare function openApiV3Root(source: OpenApiSource): JsonObject;
/** `/openapi/v3/apis/G/V`, `/openapi/v3/api/v1`: JSON text with its hash (an ETag), or undefined for a group-version that is not served. */
export declare function openApiV3Document(source: OpenApiSource, groupVersion: string): { body: string; hash: string } | undefined;
/** `/openapi/v2` as gnostic protobuf (`application/com.github.proto-openapi.spec.v2.v1.0+protobuf`), small. */
export declare function openApiV2Document(source: OpenApiSource): { body: Uint8Array; hash: string };
