/**
 * What is known of kinds, as pure functions on plain JSON: schemas, defaults, validation, patches, server-side apply,
 * protobuf request bodies and OpenAPI documents. Nothing here changes its input.
 */
export { type ApplyRequest, applyServerSide, resetFields, trackUpdate, type UpdateTracking } from './apply/server-side-apply.ts';
export { findSchema } from './builtin.ts';
export { customSchema, schemaOfDefinition } from './custom.ts';
export { setDefaults } from './defaults/index.ts';
export { SchemaError, type SchemaErrorCode } from './errors.ts';
export { checkDepth, maxDepth, pruneUnknown, typeError, unknownFields } from './fields.ts';
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
export type { OpenApiSource } from './openapi/source.ts';
export { openApiV2Document } from './openapi/v2.ts';
export { openApiV3Document, openApiV3Root } from './openapi/v3.ts';
export { applyJsonPatch } from './patch/json-patch.ts';
export { applyMergePatch } from './patch/merge-patch.ts';
export { applyStrategicMergePatch } from './patch/strategic-merge-patch.ts';
export { decodeProtobuf, isProtobuf } from './protobuf.ts';
export { compareQuantities, isQuantity, quantityNanos } from './quantity.ts';
export type * from './types.ts';
export { describeCauses } from './validate/causes.ts';
export { type ValidateOptions, validateObject } from './validate/index.ts';
