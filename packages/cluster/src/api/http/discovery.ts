import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type OpenApiSource, openApiV2Document, openApiV3Document, openApiV3Root, type ServedResource } from '../../schema/index.ts';
import { ApiError } from '../errors.ts';
import type { Registry } from '../resources/registry.ts';
import { apiVersionOf, type Resource, type Subresource } from '../resources/resource.ts';
import { parseAccept } from './negotiate.ts';
import { sendJson, sendText } from './respond.ts';

/** What is served: versions, groups, resources, schemas; made anew only when the registry changed. */

const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

const subresourcesOf = (resource: Resource): Subresource[] => [
  ...(resource.status ? [{ name: 'status', kind: resource.kind, verbs: ['get', 'patch', 'update'] }] : []),
  ...(resource.scale === undefined
    ? []
    : [{ name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] }]),
  ...resource.subresources,
];

function plainEntries(resource: Resource): object[] {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = resource;
  return [
    {
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs,
      ...(shortNames.length > 0 ? { shortNames } : {}),
      ...(categories.length > 0 ? { categories } : {}),
      ...(resource.storage === '' ? {} : { storageVersionHash: hashOf(`${resource.storage}/${kind}`) }),
    },
    ...subresourcesOf(resource).map((sub) => ({
      name: `${plural}/${sub.name}`,
      singularName: '',
      namespaced,
      ...(sub.group === undefined ? {} : { group: sub.group, version: sub.version }),
      kind: sub.kind,
      verbs: sub.verbs,
    })),
  ];
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64').slice(0, 12);

function aggregatedEntry(resource: Resource): object {
  const { group, version, kind, plural, singular, shortNames, categories, verbs, namespaced } = resource;
  const subresources = subresourcesOf(resource).map((sub) => ({
    subresource: sub.name,
    responseKind: { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind },
    verbs: sub.verbs,
  }));
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}

export class Discovery {
  #registry: Registry;
  #gitVersion: string;
  #cached = new Map<string, { generation: number; value: unknown }>();

  constructor(registry: Registry, gitVersion: string) {
    this.#registry = registry;
    this.#gitVersion = gitVersion;
  }

  /** Answers a discovery path; false when the path is none. */
  serve(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const [first, ...rest] = path.split('/').filter((part) => part !== '');
    if (first === 'version') sendJson(request, response, 200, this.#version());
    else if (first === 'api' && rest.length === 0) this.#roots(request, response, true);
    else if (first === 'apis' && rest.length === 0) this.#roots(request, response, false);
    else if (first === 'api' && rest.length === 1) sendJson(request, response, 200, this.#resources('', rest[0]!));
    else if (first === 'apis' && rest.length === 1) sendJson(request, response, 200, this.#group(rest[0]!));
    else if (first === 'apis' && rest.length === 2) sendJson(request, response, 200, this.#resources(rest[0]!, rest[1]!));
    else if (first === 'openapi' && rest[0] === 'v3') this.#openApiV3(request, response, rest.slice(1).join('/'));
    else if (first === 'openapi' && rest[0] === 'v2' && rest.length === 1) this.#openApiV2(request, response);
    else return false;
    return true;
  }

  #once<T>(key: string, make: () => T): T {
    const known = this.#cached.get(key);
    const { generation } = this.#registry;
    if (known?.generation === generation) return known.value as T;
    for (const [name, entry] of this.#cached) if (entry.generation !== generation) this.#cached.delete(name);
    const value = make();
    this.#cached.set(key, { generation, value });
    return value;
  }

  #version(): object {
    const [, major, minor] = /^v(\d+)\.(\d+)/.exec(this.#gitVersion) ?? [];
    return {
      major,
      minor,
      gitVersion: this.#gitVersion,
      gitCommit: '',
      gitTreeState: 'clean',
      buildDate: '1970-01-01T00:00:00Z',
      goVersion: 'none',
      compiler: 'none',
      platform: `${process.platform}/${process.arch}`,
    };
  }

  /** `/api` and `/apis`: aggregated for clients that ask for it, else the plain lists. */
  #roots(request: IncomingMessage, response: ServerResponse, core: boolean): void {
    for (const { type, parameters } of parseAccept(request.headers.accept)) {
      if (type !== 'application/json' && type !== '*/*') continue;
      const { g, v, as } = parameters;
      if (as === 'APIGroupDiscoveryList' && g === 'apidiscovery.k8s.io' && (v === 'v2' || v === 'v2beta1')) {
        const value = this.#once(`aggregated ${core} ${v}`, () => this.#aggregated(core, v));
        sendJson(request, response, 200, value, `;g=${g};v=${v};as=${as}`);
        return;
      }
      if (as === undefined) break;
    }
    if (core) {
      const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: request.headers.host ?? '' }];
      sendJson(request, response, 200, { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs });
      return;
    }
    const groups = [...this.#registry.groups()].filter(([group]) => group !== '').map(([group, versions]) => groupJson(group, versions));
    sendJson(request, response, 200, { kind: 'APIGroupList', apiVersion: 'v1', groups });
  }

  #aggregated(core: boolean, version: string): object {
    const items = [...this.#registry.groups()]
      .filter(([group]) => (group === '') === core)
      .map(([group, versions]) => ({
        metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
        versions: versions.map((name) => ({
          version: name,
          resources: this.#of(group, name).map(aggregatedEntry),
          freshness: 'Current',
        })),
      }));
    return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items };
  }

  #of(group: string, version: string): Resource[] {
    return this.#registry.all().filter((resource) => resource.group === group && resource.version === version);
  }

  #group(group: string): object {
    const versions = this.#registry.groups().get(group);
    if (versions === undefined || group === '') throw unknownPath();
    return { kind: 'APIGroup', apiVersion: 'v1', ...groupJson(group, versions) };
  }

  #resources(group: string, version: string): object {
    const resources = this.#of(group, version);
    if (resources.length === 0) throw unknownPath();
    return {
      kind: 'APIResourceList',
      ...(group === '' ? {} : { apiVersion: 'v1' }),
      groupVersion: apiVersionOf({ group, version }),
      resources: resources.flatMap(plainEntries),
    };
  }

  /** One value as long as the registry stays as it is: the schema room keeps its documents by it. */
  #source(): OpenApiSource {
    return this.#once('source', () => this.#makeSource());
  }

  #makeSource(): OpenApiSource {
    const resources: ServedResource[] = this.#registry.all().map((resource) => ({
      group: resource.group,
      version: resource.version,
      kind: resource.kind,
      plural: resource.plural,
      namespaced: resource.namespaced,
      subresources: subresourcesOf(resource).map(({ name }) => name),
    }));
    const schemas = new Map(
      this.#registry.all().map((resource) => [`${resource.group}/${resource.version}/${resource.kind}`, resource.schema]),
    );
    return {
      resources,
      schemaOf: (gvk: { group: string; version: string; kind: string }) => schemas.get(`${gvk.group}/${gvk.version}/${gvk.kind}`)?.(),
      version: this.#gitVersion,
    };
  }

  #openApiV3(request: IncomingMessage, response: ServerResponse, groupVersion: string): void {
    if (groupVersion === '') {
      const root = this.#once('openapi v3', () => openApiV3Root(this.#source()));
      sendJson(request, response, 200, root);
      return;
    }
    const document = this.#once(`openapi v3 ${groupVersion}`, () => openApiV3Document(this.#source(), groupVersion));
    if (document === undefined) throw unknownPath();
    response.setHeader('ETag', JSON.stringify(document.hash));
    if (request.headers['if-none-match'] === JSON.stringify(document.hash)) {
      response.writeHead(304).end();
      return;
    }
    sendText(request, response, 200, document.body, 'application/json');
  }

  #openApiV2(request: IncomingMessage, response: ServerResponse): void {
    const wants = parseAccept(request.headers.accept).some(({ type }) => type === '*/*' || type.includes('protobuf'));
    if (!wants)
      throw new ApiError('NotAcceptable', `only the following media types are accepted: ${protobufType}; use /openapi/v3 for JSON`);
    const document = this.#once('openapi v2', () => openApiV2Document(this.#source()));
    response.setHeader('ETag', JSON.stringify(document.hash));
    sendText(request, response, 200, document.body, protobufType);
  }
}

const groupJson = (group: string, versions: readonly string[]) => {
  const entries = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: entries, preferredVersion: entries[0] };
};

/** What a path that leads nowhere is answered with. */
export const unknownPath = (): ApiError => new ApiError('NotFound', 'the server could not find the requested resource');
