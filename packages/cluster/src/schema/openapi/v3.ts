/**
 * `/openapi/v3`: a root that names one document a group-version, and the documents. kubectl reads them for `explain`, for the merge
 * keys of client-side apply, and to learn whether a kind's PATCH takes `dryRun` and `fieldValidation`.
 */
import { findSchema } from '../builtin.ts';
import type { JsonObject } from '../json.ts';
import { put } from '../json.ts';
import type { Field, GroupVersionKind, ListSchema, ScalarSchema, Schema, ServedResource, StructSchema } from '../types.ts';
import { groupVersionPath, hashOf, type OpenApiSource, objectPath } from './source.ts';

const special: Readonly<Record<string, { name: string; schema: JsonObject }>> = {
  'int-or-string': {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    schema: { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string' },
  },
  quantity: { name: 'io.k8s.apimachinery.pkg.api.resource.Quantity', schema: { oneOf: [{ type: 'string' }, { type: 'number' }] } },
  time: { name: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time', schema: { type: 'string', format: 'date-time' } },
  'micro-time': { name: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime', schema: { type: 'string', format: 'date-time' } },
  duration: { name: 'io.k8s.apimachinery.pkg.apis.meta.v1.Duration', schema: { type: 'string' } },
};

const reference = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });

/** Collects the named schemas that one document needs. */
class Components {
  readonly schemas: JsonObject = {};

  of(schema: Schema): JsonObject {
    const base = this.bare(schema);
    if (!schema.description && !('nullable' in schema && schema.nullable)) return base;
    return {
      ...(base['$ref'] ? { allOf: [base] } : base),
      ...(schema.description ? { description: schema.description } : {}),
      ...('nullable' in schema && schema.nullable ? { nullable: true } : {}),
    };
  }

  private bare(schema: Schema): JsonObject {
    switch (schema.kind) {
      case 'any':
        return schema.embedded
          ? { type: 'object', 'x-kubernetes-embedded-resource': true }
          : { 'x-kubernetes-preserve-unknown-fields': true };
      case 'scalar':
        return { ...this.scalar(schema), ...schema.rules };
      case 'list':
        return { type: 'array', items: this.of(schema.items), ...listMarks(schema), ...schema.rules };
      case 'map':
        return {
          type: 'object',
          additionalProperties: this.of(schema.values),
          ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
          ...schema.rules,
        };
      case 'struct':
        if (!schema.name) return { ...this.struct(schema), ...schema.rules };
        this.named(schema);
        return reference(schema.name);
    }
  }

  named(schema: StructSchema, extensions: JsonObject = {}): void {
    if (Object.hasOwn(this.schemas, schema.name)) return;
    // Stands in while the structure is walked, for it may hold itself.
    put(this.schemas, schema.name, {});
    put(this.schemas, schema.name, { ...this.struct(schema), ...extensions });
  }

  private struct(schema: StructSchema): JsonObject {
    const properties: JsonObject = {};
    for (const [name, field] of schema.fields) put(properties, name, this.property(field));
    return {
      type: 'object',
      ...(schema.description ? { description: schema.description } : {}),
      ...(schema.fields.size > 0 ? { properties } : {}),
      ...(schema.required.length > 0 ? { required: [...schema.required] } : {}),
      ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      ...(schema.open ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
    };
  }

  private property(field: Field): JsonObject {
    const schema = this.of(field.schema);
    const strategies = [...(field.patch?.merge ? ['merge'] : []), ...(field.patch?.retainKeys ? ['retainKeys'] : [])];
    const extensions: JsonObject = {
      ...(strategies.length > 0 ? { 'x-kubernetes-patch-strategy': strategies.join(',') } : {}),
      ...(field.patch?.key ? { 'x-kubernetes-patch-merge-key': field.patch.key } : {}),
      ...(field.default === undefined ? {} : { default: field.default }),
    };
    if (Object.keys(extensions).length === 0) return schema;
    return schema['$ref'] ? { allOf: [schema], ...extensions } : { ...schema, ...extensions };
  }

  private scalar(schema: ScalarSchema): JsonObject {
    const known = special[schema.type];
    if (known) {
      put(this.schemas, known.name, known.schema);
      return reference(known.name);
    }
    if (schema.type === 'bytes') return { type: 'string', format: 'byte' };
    return { type: schema.type, ...(schema.format ? { format: schema.format } : {}) };
  }
}

function listMarks(list: ListSchema): JsonObject {
  return { 'x-kubernetes-list-type': list.mode, ...(list.mode === 'map' ? { 'x-kubernetes-list-map-keys': [...list.keys] } : {}) };
}

const kindMark = ({ group, version, kind }: GroupVersionKind): JsonObject => ({ group, version, kind });

const query = (name: string, type: 'string' | 'boolean' | 'integer' = 'string'): JsonObject => ({
  in: 'query',
  name,
  schema: { type, uniqueItems: true },
});
const pathParameter = (name: string): JsonObject => ({ in: 'path', name, required: true, schema: { type: 'string', uniqueItems: true } });

function pathsOf(resource: ServedResource, schemaName: string): JsonObject {
  const single = objectPath(resource);
  const mark = { 'x-kubernetes-group-version-kind': kindMark(resource) };
  const content = { 'application/json': { schema: reference(schemaName) } };
  const responses = { '200': { description: 'OK', content } };
  const operation = (action: string, ...parameters: JsonObject[]): JsonObject => ({
    parameters,
    responses,
    'x-kubernetes-action': action,
    ...mark,
  });
  const write = [query('dryRun'), query('fieldManager'), query('fieldValidation')];
  const body = { requestBody: { content } };
  const patchTypes = [
    'application/json-patch+json',
    'application/merge-patch+json',
    // kubectl takes the strategic patch wherever it is offered; custom resources have none.
    ...(findSchema(resource) === undefined ? [] : ['application/strategic-merge-patch+json']),
    'application/apply-patch+yaml',
  ];
  const patchBody = { requestBody: { content: Object.fromEntries(patchTypes.map((type) => [type, { schema: { type: 'object' } }])) } };
  const shared = resource.namespaced ? [pathParameter('namespace')] : [];
  const list = [query('labelSelector'), query('fieldSelector'), query('limit', 'integer'), query('continue'), query('watch', 'boolean')];
  return {
    [single.slice(0, -'/{name}'.length)]: {
      get: operation('list', ...list),
      post: { ...operation('post', ...write), ...body },
      delete: operation('deletecollection', query('dryRun')),
      parameters: shared,
    },
    [single]: {
      get: operation('get'),
      put: { ...operation('put', ...write), ...body },
      patch: { ...operation('patch', ...write, query('force', 'boolean')), ...patchBody },
      delete: operation('delete', query('dryRun'), query('propagationPolicy')),
      parameters: [pathParameter('name'), ...shared],
    },
  };
}

interface Documents {
  readonly byPath: Map<string, { body: string; hash: string } | undefined>;
}
const cache = new WeakMap<OpenApiSource, Documents>();

/**
 * The document of `apis/G/V` or `api/v1` as JSON text with its hash (an ETag), or undefined when nothing of it is served.
 * Made on first use and kept with the source.
 */
export function openApiV3Document(source: OpenApiSource, groupVersion: string): { body: string; hash: string } | undefined {
  const documents = cache.get(source) ?? { byPath: new Map() };
  cache.set(source, documents);
  if (!documents.byPath.has(groupVersion)) documents.byPath.set(groupVersion, build(source, groupVersion));
  return documents.byPath.get(groupVersion);
}

function build(source: OpenApiSource, groupVersion: string): { body: string; hash: string } | undefined {
  const resources = source.resources.filter((resource) => groupVersionPath(resource) === groupVersion);
  if (resources.length === 0) return undefined;
  const components = new Components();
  const paths: JsonObject = {};
  for (const resource of resources) {
    const schema = source.schemaOf(resource);
    if (!schema) continue;
    components.named(schema, { 'x-kubernetes-group-version-kind': [kindMark(resource)] });
    for (const [path, item] of Object.entries(pathsOf(resource, schema.name))) put(paths, path, item);
  }
  const document = {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: source.version },
    paths,
    components: { schemas: components.schemas },
  };
  const body = JSON.stringify(document);
  return { body, hash: hashOf(body) };
}

/** `/openapi/v3`: where each document is. */
export function openApiV3Root(source: OpenApiSource): JsonObject {
  const paths: JsonObject = {};
  for (const name of [...new Set(source.resources.map(groupVersionPath))].sort()) {
    const document = openApiV3Document(source, name);
    if (document) put(paths, name, { serverRelativeURL: `/openapi/v3/${name}?hash=${document.hash}` });
  }
  return { paths };
}
