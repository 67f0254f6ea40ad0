import { badRequest } from '../errors.ts';

/** What a request is about, read from its method and path alone; authorization and routing both go by it. */
export interface RequestInfo {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly method: string;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for other paths the method in lower case. */
  readonly verb: string;
  /** Undefined for paths outside of `/api` and `/apis`, and for discovery. */
  readonly target: ResourceTarget | undefined;
}

export interface ResourceTarget {
  readonly group: string;
  readonly version: string;
  /** Empty for cluster-wide resources and for lists over all namespaces. */
  readonly namespace: string;
  readonly plural: string;
  readonly name: string;
  readonly subresource: string;
  /** What follows the subresource, for `proxy`. */
  readonly rest: readonly string[];
}

const namespaceParts = new Set(['status', 'finalize']);

/**
 * @throws ApiError BadRequest for a path that is not well-formed or longer than 8 KiB
 */
export function readRequest(method: string, url: string): RequestInfo {
  if (url.length > 8192 * 4) throw badRequest('the URL is longer than 32 KiB');
  const question = url.indexOf('?');
  const path = question < 0 ? url : url.slice(0, question);
  const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
  const target = readTarget(path);
  return { path, query, method, verb: target === undefined ? method.toLowerCase() : verbOf(method, target, query), target };
}

function readTarget(path: string): ResourceTarget | undefined {
  let parts: string[];
  try {
    parts = path.split('/').slice(1).map(decodeURIComponent);
  } catch (cause) {
    throw badRequest(`the path ${JSON.stringify(path)} is not well-formed`, cause);
  }
  if (parts.at(-1) === '') parts.pop();
  if (parts.slice(1).some((part) => part === '' || part === '.' || part === '..' || part.includes('/') || part.includes('\0'))) {
    if (parts[0] === 'api' || parts[0] === 'apis') throw badRequest(`the path ${JSON.stringify(path)} is not well-formed`);
    return undefined;
  }
  const isCore = parts[0] === 'api';
  if (!isCore && parts[0] !== 'apis') return undefined;
  const [group, version, ...rest] = isCore ? ['', ...parts.slice(1)] : parts.slice(1);
  if (group === undefined || version === undefined || rest.length === 0) return undefined;
  if (rest[0] === 'namespaces' && rest.length > 2 && !(rest.length === 3 && namespaceParts.has(rest[2]!) && isCore)) {
    const [, namespace, plural, name = '', subresource = '', ...more] = rest;
    return { group, version, namespace: namespace!, plural: plural!, name, subresource, rest: more };
  }
  const [plural, name = '', subresource = '', ...more] = rest;
  const namespace = plural === 'namespaces' && isCore ? name : '';
  return { group, version, namespace, plural: plural!, name, subresource, rest: more };
}

function verbOf(method: string, target: ResourceTarget, query: URLSearchParams): string {
  const watches = query.get('watch') === 'true' || query.get('watch') === '1';
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (target.name !== '') return 'get';
      return watches ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return target.name === '' ? 'deletecollection' : 'delete';
    default:
      return method.toLowerCase();
  }
}
