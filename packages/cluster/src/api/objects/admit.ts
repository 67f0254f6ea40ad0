import {
  type Cause,
  describeCauses,
  type JsonObject,
  pruneUnknown,
  SchemaError,
  setDefaults,
  typeError,
  unknownFields,
  validateObject,
} from '../../schema/index.ts';
import { ignoredFields } from '../../support/warnings.ts';
import { ApiError, badRequest, forbidden, invalid, notFound, type ResourceName } from '../errors.ts';
import { type ApiObject, isRecord, type Metadata, same } from '../object.ts';
import { apiVersionOf, type Resource } from '../resources/resource.ts';
import type { Transaction } from '../store/store.ts';
import { asJson, asObject, type WriteRequest } from './context.ts';

/** The checks that every written object passes, in the real server's order: shape, fields, metadata, namespace, rules. */

/** Turns what the schema room refuses into a Status. */
export function fromSchemaError(error: unknown, resource: ResourceName, name: string): unknown {
  if (!(error instanceof SchemaError)) return error;
  const details = {
    name,
    ...(resource.group ? { group: resource.group } : {}),
    kind: resource.plural,
    ...(error.causes.length === 0 ? {} : { causes: error.causes }),
  };
  const reason = (
    {
      TOO_DEEP: 'BadRequest',
      TOO_LARGE: 'RequestEntityTooLarge',
      MALFORMED: 'BadRequest',
      TYPE_MISMATCH: 'BadRequest',
      PATCH_NOT_APPLICABLE: 'Invalid',
      APPLY_CONFLICT: 'Conflict',
      APPLY_INVALID: 'BadRequest',
      UNSUPPORTED: 'UnsupportedMediaType',
    } as const
  )[error.code];
  return new ApiError(reason, error.message, details, error);
}

/** A body as an object of this resource: kind and version fit or are filled in, metadata is an object. */
export function asResource(body: unknown, resource: Resource): ApiObject {
  if (!isRecord(body)) throw badRequest(`the object provided is unrecognized: expected ${resource.kind}, got no object`);
  const apiVersion = apiVersionOf(resource);
  const { apiVersion: givenVersion, kind: givenKind } = body;
  if (givenKind !== undefined && givenKind !== '' && givenKind !== resource.kind) {
    throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind}): got kind ${JSON.stringify(givenKind)}`);
  }
  if (givenVersion !== undefined && givenVersion !== '' && givenVersion !== apiVersion) {
    throw badRequest(`the API version in the data (${String(givenVersion)}) does not match the expected API version (${apiVersion})`);
  }
  const metadata = body['metadata'] ?? {};
  if (!isRecord(metadata)) throw badRequest('json: cannot unmarshal metadata: it must be an object');
  return { ...body, apiVersion, kind: resource.kind, metadata: { ...metadata } as unknown as Metadata };
}

/** Strict decoding: unknown fields are refused, warned of or dropped, as the client asked. Then defaults. */
export function decodeFields(object: ApiObject, request: WriteRequest): ApiObject {
  const schema = request.resource.schema();
  if (schema === undefined) return object;
  // What a custom object holds is for its schema's rules to judge, which name the field; only its metadata has a type of Go's.
  const typed = request.resource.custom ? { metadata: object.metadata } : object;
  const wrong = typeError(typed as unknown as JsonObject, schema);
  if (wrong !== undefined) {
    const version = apiVersionOf(request.resource);
    throw badRequest(
      `${request.resource.kind} in version "${version.split('/').at(-1)}" cannot be handled as a ${request.resource.kind}: ${wrong}`,
    );
  }
  if (request.fieldValidation !== 'Ignore') {
    const unknown = unknownFields(asJson(object), schema);
    if (unknown.length > 0 && request.fieldValidation === 'Strict') throw badRequest(`strict decoding error: ${unknown.join(', ')}`);
    for (const sentence of unknown) request.warn(sentence);
  }
  return asObject(pruneUnknown(asJson(object), schema));
}

export function withDefaults(object: ApiObject, resource: Resource): ApiObject {
  const schema = resource.schema();
  return schema === undefined ? object : asObject(setDefaults(asJson(object), schema));
}

/** The namespace of the path and of the object agree; cluster-wide kinds have none. */
export function checkNamespace(object: ApiObject, request: WriteRequest): void {
  const given = object.metadata.namespace;
  if (!request.resource.namespaced) {
    delete object.metadata.namespace;
    return;
  }
  if (given !== undefined && given !== '' && given !== request.namespace) {
    throw badRequest(
      `the namespace of the provided object does not match the namespace sent on the request: "${given}" is not "${request.namespace}"`,
    );
  }
  object.metadata.namespace = request.namespace;
}

/** NamespaceLifecycle: nothing is made in a namespace that is missing or on its way out. */
export function admitNamespace(transaction: Transaction, request: WriteRequest, name: string): void {
  if (!request.resource.namespaced) return;
  const namespace = transaction.get('namespaces', '', request.namespace);
  if (namespace === undefined) throw notFound({ group: '', plural: 'namespaces' }, request.namespace);
  if (namespace.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${request.namespace} because it is being terminated`;
  const error = forbidden(request.resource, name, why);
  throw new ApiError('Forbidden', error.message, {
    ...error.details,
    causes: [
      { reason: 'NamespaceTerminating', message: `namespace ${request.namespace} is being terminated`, field: 'metadata.namespace' },
    ],
  });
}

/** The kind's own rules and those of all objects. */
export function validate(object: ApiObject, old: ApiObject | undefined, request: WriteRequest): void {
  const { resource, subresource } = request;
  const schema = resource.schema();
  const name = object.metadata.name;
  const causes: Cause[] =
    schema === undefined
      ? []
      : validateObject(asJson(object), {
          schema,
          namespaced: resource.namespaced,
          ...(old === undefined ? {} : { old: asJson(old) }),
          ...(subresource === undefined ? {} : { subresource }),
        });
  if (causes.length > 0) {
    const error = invalid(resource, name, causes);
    throw new ApiError('Invalid', describeCauses(resource, name, causes), error.details);
  }
  if (old?.metadata.deletionTimestamp !== undefined) {
    const added = (object.metadata.finalizers ?? []).filter((finalizer) => !(old.metadata.finalizers ?? []).includes(finalizer));
    if (added.length > 0) {
      const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
      throw invalid(resource, name, [{ field: 'metadata.finalizers', reason: 'FieldValueForbidden', message }]);
    }
  }
}

/**
 * Tells the sender what is accepted and not acted upon. As with the real server's warnings, an update that changes neither spec nor
 * data repeats nothing.
 */
export function warnIgnored(object: ApiObject, old: ApiObject | undefined, request: WriteRequest): void {
  if (request.subresource !== undefined) return;
  if (old !== undefined && same(substanceOf(object), substanceOf(old))) return;
  const { storage, schema } = request.resource;
  for (const sentence of ignoredFields(storage, asJson(object), schema())) request.warn(sentence);
}

const substanceOf = ({ metadata: _metadata, status: _status, ...rest }: ApiObject): object => rest;
