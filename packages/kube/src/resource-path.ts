import type { ResourceType } from './types.ts';

export interface ResourcePathParts {
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
}

/** The path of a collection, an object or a subresource; a namespaced type without namespace means all namespaces. */
export function resourcePath(type: ResourceType, parts: ResourcePathParts = {}): string {
  const segments = type.group === '' ? ['api', type.version] : ['apis', type.group, type.version];
  if (type.namespaced && parts.namespace !== undefined && parts.namespace !== '') segments.push('namespaces', parts.namespace);
  segments.push(type.plural);
  if (parts.name !== undefined) segments.push(parts.name);
  if (parts.subresource !== undefined) segments.push(parts.subresource);
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parts.query ?? {})) if (value !== undefined) query.set(key, value);
  const text = query.toString();
  return `/${segments.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}
