import { type Ingress, type IngressBackend, keyOf } from '@desp/kube';
import { RE2JS } from 're2js';
import { readAnnotations } from './annotations.ts';
import type { Notice, Route, RouteBackend } from './types.ts';

/** Which Service answers which host and path. Pure: from all Ingresses to one table. */

export interface RouteTable {
  /** @param path of the request, without query */
  find(host: string, path: string): { readonly route: Route; readonly path: string } | undefined;
  /** `namespace/name` of the Secret with the certificate of a host. */
  tlsSecret(host: string): string | undefined;
  readonly notices: readonly Notice[];
  /** Keys of the Ingresses that have at least one path in the table. */
  readonly served: ReadonlySet<string>;
}

interface Candidate extends Route {
  readonly pattern: RE2JS | undefined;
}

interface Draft {
  readonly hosts: Map<string, Candidate[]>;
  readonly owners: Map<string, string>;
  readonly tls: Map<string, string>;
  readonly notices: Notice[];
  readonly served: Set<string>;
}

const maxPathLength = 2048;

/**
 * @param ingresses of our class. Of two that want the same host and path, or the same host from different namespaces,
 *   the older one keeps it: a Service Provider must not take over a path of another one's address.
 */
export function buildRouteTable(ingresses: readonly Ingress[]): RouteTable {
  const draft: Draft = { hosts: new Map(), owners: new Map(), tls: new Map(), notices: [], served: new Set() };
  const byAge = (a: Ingress, b: Ingress) =>
    (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') || keyOf(a).localeCompare(keyOf(b));
  for (const ingress of ingresses.toSorted(byAge)) add(ingress, draft);
  for (const candidates of draft.hosts.values()) candidates.sort(mostSpecificFirst);
  return {
    notices: draft.notices,
    served: draft.served,
    find: (host, path) => {
      for (const candidates of [draft.hosts.get(host), draft.hosts.get(wildcardOf(host)), draft.hosts.get('')]) {
        for (const candidate of candidates ?? []) {
          const rewritten = match(candidate, path);
          if (rewritten !== undefined) return { route: candidate, path: rewritten };
        }
        // A host that is named answers for itself; it does not fall back to others' catch-all.
        if (candidates !== undefined) return undefined;
      }
      return undefined;
    },
    tlsSecret: (host) => draft.tls.get(host) ?? draft.tls.get(wildcardOf(host)),
  };
}

const wildcardOf = (host: string): string => (host.includes('.') ? `*${host.slice(host.indexOf('.'))}` : '*');

/** As nginx and the Ingress API: the longest path first, of equal ones the exact one. */
function mostSpecificFirst(a: Candidate, b: Candidate): number {
  return b.path.length - a.path.length || Number(b.kind === 'exact') - Number(a.kind === 'exact');
}

/** @returns the path to ask the upstream for; undefined when the route does not match */
function match(route: Candidate, path: string): string | undefined {
  if (route.pattern !== undefined) {
    const matcher = route.pattern.matcher(path);
    if (!matcher.lookingAt()) return undefined;
    return route.settings.rewriteTarget === undefined
      ? path
      : rewrite(route.settings.rewriteTarget, (group) => (group <= matcher.groupCount() ? (matcher.group(group) ?? '') : ''));
  }
  if (route.kind === 'exact') return path === route.path ? path : undefined;
  if (route.kind === 'start') return path.startsWith(route.path) ? path : undefined;
  const bare = route.path.replace(/\/$/, '');
  return path === bare || path.startsWith(`${bare}/`) ? path : undefined;
}

function rewrite(target: string, group: (number: number) => string): string {
  const path = target.replace(/\$(\d)/g, (_whole, digit: string) => group(Number(digit)));
  return path.startsWith('/') ? path : `/${path}`;
}

function add(ingress: Ingress, draft: Draft): void {
  const { settings, warnings } = readAnnotations(ingress.metadata.annotations);
  for (const message of warnings) draft.notices.push({ about: ingress, reason: 'UnsupportedAnnotation', message });
  const { namespace = '' } = ingress.metadata;
  const { rules = [], tls = [], defaultBackend } = ingress.spec;
  const tlsHosts = new Set(tls.flatMap(({ hosts = [] }) => hosts));
  const reject = (message: string) => draft.notices.push({ about: ingress, reason: 'Rejected', message });

  const owns = (host: string): boolean => {
    const owner = draft.owners.get(host) ?? namespace;
    draft.owners.set(host, owner);
    return owner === namespace;
  };
  const offer = (host: string, path: string, pathType: string, backend: IngressBackend | undefined) => {
    const service = backendOf(backend, namespace);
    if (service === undefined) return reject(`The backend of ${host || '*'}${path} is no Service; only Services are served.`);
    if (path.length > maxPathLength) return reject(`A path of ${host || '*'} is longer than ${maxPathLength} characters.`);
    const base = { host, path, backend: service, settings, tls: tlsHosts.has(host), ingress: keyOf(ingress) };
    const kind = settings.useRegex ? 'regex' : pathType === 'Exact' ? 'exact' : pathType === 'Prefix' ? 'prefix' : 'start';
    let pattern: RE2JS | undefined;
    try {
      pattern = kind === 'regex' ? RE2JS.compile(path, RE2JS.CASE_INSENSITIVE) : undefined;
    } catch (error) {
      return reject(`The path ${path} is no regular expression: ${error instanceof Error ? error.message : String(error)}`);
    }
    const others = draft.hosts.get(host) ?? [];
    const taken = others.find((other) => other.path === path && other.kind === kind);
    if (taken !== undefined) return reject(`${host || '*'}${path} is served by the older Ingress ${taken.ingress} already.`);
    draft.hosts.set(host, [...others, { ...base, kind, pattern }]);
    draft.served.add(keyOf(ingress));
    return undefined;
  };

  for (const { host: written = '', http } of rules) {
    const host = written.toLowerCase();
    if (!owns(host)) {
      reject(`The host ${host || '*'} belongs to the namespace ${draft.owners.get(host)}, whose Ingress is older.`);
      continue;
    }
    for (const { path = '/', pathType, backend } of http?.paths ?? []) offer(host, path || '/', pathType, backend);
  }
  if (defaultBackend !== undefined) {
    if (owns('')) offer('', '/', 'Prefix', defaultBackend);
    else reject(`A default backend exists in the namespace ${draft.owners.get('')} already.`);
  }
  for (const { hosts = [], secretName } of tls) {
    if (secretName === undefined) continue;
    for (const host of hosts.map((name) => name.toLowerCase())) {
      if (owns(host)) draft.tls.set(host, draft.tls.get(host) ?? `${namespace}/${secretName}`);
      else reject(`The certificate of ${host} is not taken: the host belongs to the namespace ${draft.owners.get(host)}.`);
    }
  }
}

function backendOf(backend: IngressBackend | undefined, namespace: string): RouteBackend | undefined {
  const service = backend?.service;
  return service === undefined ? undefined : { namespace, service: service.name, port: service.port ?? {} };
}
