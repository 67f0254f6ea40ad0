import { applyJsonPatch, applyMergePatch, applyServerSide, applyStrategicMergePatch, type JsonObject } from '../../schema/index.ts';
import { ApiError, badRequest, notFound } from '../errors.ts';
import { type ApiObject, copy, isRecord } from '../object.ts';
import { apiVersionOf } from '../resources/resource.ts';
import type { Transaction } from '../store/store.ts';
import { asResource, checkNamespace, decodeFields, fromSchemaError, withDefaults } from './admit.ts';
import { asJson, asObject, type ObjectsContext, transact, type WriteRequest } from './context.ts';
import { createWithin, inVersion, updateWithin, type Written } from './write.ts';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface Patch {
  readonly type: PatchType;
  readonly body: unknown;
  /** Apply only: take the fields of other managers. */
  readonly force: boolean;
}

/** PATCH of an object or its `/status`. An apply of what does not exist creates it. */
export async function patchObject(context: ObjectsContext, request: WriteRequest, name: string, patch: Patch): Promise<Written> {
  const { resource } = request;
  if (patch.type === 'strategic' && (resource.custom || resource.schema() === undefined)) {
    throw new ApiError(
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  }
  return await transact(context.store, request.dryRun, (transaction) => {
    const live = transaction.get(resource.storage, request.namespace, name);
    if (patch.type === 'apply') return applyWithin(transaction, context, request, name, live, patch);
    if (live === undefined) throw notFound(resource, name);
    const patched = patchedObject(inVersion(live, resource), patch, request);
    return { object: updateWithin(transaction, context, request, live, patched), created: false };
  });
}

/** The live object with the patch applied to it. */
export function patchedObject(live: ApiObject, patch: Patch, request: WriteRequest): ApiObject {
  const { resource } = request;
  const { name } = live.metadata;
  let result: unknown;
  try {
    if (patch.type === 'json') result = applyJsonPatch(asJson(live), patch.body as JsonObject);
    else if (!isRecord(patch.body)) throw badRequest('the patch must be a JSON object');
    else if (patch.type === 'merge') result = applyMergePatch(asJson(live), patch.body as JsonObject);
    else result = applyStrategicMergePatch(asJson(live), patch.body as JsonObject, resource.schema()!);
  } catch (error) {
    throw fromSchemaError(error, resource, name);
  }
  const object = asResource(result, resource);
  if (object.metadata.name !== name) {
    throw badRequest(`the name of the object (${String(object.metadata.name)}) does not match the name on the URL (${name})`);
  }
  checkNamespace(object, request);
  return object;
}

function applyWithin(
  transaction: Transaction,
  context: ObjectsContext,
  request: WriteRequest,
  name: string,
  stored: ApiObject | undefined,
  patch: Patch,
): Written {
  const { resource } = request;
  const config = asResource(patch.body, resource);
  config.metadata.name ||= name;
  if (config.metadata.name !== name) {
    throw badRequest(`the name of the object (${config.metadata.name}) does not match the name on the URL (${name})`);
  }
  checkNamespace(config, request);
  if (stored === undefined && request.subresource !== undefined) throw notFound(resource, name);
  const live = stored && inVersion(stored, resource);
  const schema = resource.schema();
  if (schema === undefined) throw new ApiError('UnsupportedMediaType', `server-side apply of ${resource.plural} is not supported`);
  let outcome: { object: JsonObject; changed: boolean };
  try {
    const decoded = decodeFields(config, request);
    outcome = applyServerSide({
      live: live && asJson(live),
      config: asJson(decoded),
      schema,
      manager: {
        name: request.fieldManager,
        apiVersion: apiVersionOf(resource),
        ...(request.subresource === undefined ? {} : { subresource: request.subresource }),
      },
      force: patch.force,
      now: context.clock.now(),
      complete: (merged) => completed(merged, live, request),
    });
  } catch (error) {
    throw fromSchemaError(error, resource, name);
  }
  const object = asObject(outcome.object);
  if (stored === undefined) return { object: createWithin(transaction, context, request, object, false), created: true };
  if (!outcome.changed) return { object: live!, created: false };
  return { object: updateWithin(transaction, context, request, stored, object, { track: false, decode: false }), created: false };
}

/** Defaults, and what this endpoint does not write: an apply on the object leaves the status, one on `/status` all the rest. */
function completed(merged: JsonObject, live: ApiObject | undefined, request: WriteRequest): JsonObject {
  const { resource, subresource } = request;
  const object = asObject(merged);
  if (resource.status && subresource === undefined) {
    const { status: _status, ...rest } = object;
    const kept = live?.['status'] === undefined ? rest : { ...rest, status: copy(live['status']) };
    return asJson(withDefaults(kept as ApiObject, resource));
  }
  if (subresource === 'status' && live !== undefined) {
    return asJson({
      ...live,
      metadata: { ...live.metadata, ...managed(object) },
      ...(object['status'] === undefined ? {} : { status: object['status'] }),
    });
  }
  return asJson(withDefaults(object, resource));
}

const managed = (object: ApiObject) =>
  object.metadata.managedFields === undefined ? {} : { managedFields: object.metadata.managedFields };
