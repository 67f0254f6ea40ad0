import type { ApiObject } from '../object.ts';
import { inVersion } from '../objects/write.ts';
import { apiVersionOf, type Resource } from '../resources/resource.ts';
import type { Shape } from './negotiate.ts';

/** Objects in the shape that the client asked for. */

export const metadataOnly = (object: ApiObject): ApiObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
});

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** How much of the object a Table's rows carry: `includeObject=None|Metadata|Object`. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export const includeObjectOf = (query: URLSearchParams): IncludeObject => {
  const asked = query.get('includeObject');
  return asked === 'None' || asked === 'Object' ? asked : 'Metadata';
};

export function columnDefinitions(resource: Resource): unknown[] {
  return resource.columns.map(({ name, type, format = '', description, priority }) => ({ name, type, format, description, priority }));
}

function row(resource: Resource, object: ApiObject, now: Date, include: IncludeObject): unknown {
  const shown = include === 'Object' ? inVersion(object, resource) : metadataOnly(object);
  return {
    cells: resource.columns.map((column) => column.cell(object, now)),
    ...(include === 'None' ? {} : { object: shown }),
  };
}

export function toTable(
  resource: Resource,
  objects: readonly ApiObject[],
  metadata: ListMeta,
  now: Date,
  include: IncludeObject,
  header = true,
): unknown {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: header ? columnDefinitions(resource) : [],
    rows: objects.map((object) => row(resource, object, now, include)),
  };
}

/** One object. */
export function shapeObject(resource: Resource, object: ApiObject, shape: Shape, query: URLSearchParams, now: Date): unknown {
  if (shape.as === 'metadata') return metadataOnly(object);
  if (shape.as === 'table') {
    return toTable(resource, [object], { resourceVersion: object.metadata.resourceVersion ?? '' }, now, includeObjectOf(query));
  }
  return inVersion(object, resource);
}

/** A list. Items of a list carry no kind and version of their own, as in the real server; custom ones do. */
export function shapeList(
  resource: Resource,
  objects: readonly ApiObject[],
  metadata: ListMeta,
  shape: Shape,
  query: URLSearchParams,
  now: Date,
): unknown {
  if (shape.as === 'table') return toTable(resource, objects, metadata, now, includeObjectOf(query));
  if (shape.as === 'metadata') {
    return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: objects.map(metadataOnly) };
  }
  return {
    kind: resource.listKind ?? `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata,
    items: objects.map((object) => listItem(resource, object)),
  };
}

function listItem(resource: Resource, object: ApiObject): unknown {
  if (resource.custom) return inVersion(object, resource);
  const { apiVersion: _a, kind: _k, ...item } = object;
  return item;
}
