import { messageOf } from '@desp/runtime';
import { createDiscovery } from './discovery.ts';
import { errorOfAnswer, isKubeError, KubeError } from './errors.ts';
import { resourcePath } from './resource-path.ts';
import { createTransport, type TransportRequest } from './transport.ts';
import type { KubeClient, KubeObject, PatchKind, ResourceType, WatchEvent } from './types.ts';
import { readJsonLines } from './watch-stream.ts';

export interface KubeClientOptions {
  /** `https://host:port`, with an optional path prefix as Rancher's proxies have. */
  readonly server: string;
  /** PEM of the authority that signed the server's certificate; without it the system's are trusted. */
  readonly ca?: string;
  readonly serverName?: string;
  /** A fixed bearer token; `tokenSource` is for one that is renewed. */
  readonly token?: string;
  /** Asked before each request; with `refresh` after the last one was refused with 401. */
  readonly tokenSource?: (refresh: boolean) => string | Promise<string>;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Named in the server's audit log; default `desp`. */
  readonly userAgent?: string;
  /** Written into managedFields where a call names no manager. */
  readonly fieldManager?: string;
  /** Milliseconds for one answer; default 30,000. Watches are not bound by it. */
  readonly timeoutMs?: number;
}

const patchContentTypes: Readonly<Record<PatchKind, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** Objects a page of a list; a page of the largest objects stays far below the limit of an answer. */
const pageSize = 500;
/** Seconds after which a watch asks the server to end it, so that a dead connection does not stay unseen for ever. */
const watchSeconds = 290;

/**
 * A client of one Kubernetes API, embedded or real; connections are kept and reused.
 *
 * @throws KubeError InvalidKubeconfig when the address is neither https nor loopback.
 */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { token } = options;
  const transport = createTransport({
    server: options.server,
    ca: options.ca,
    serverName: options.serverName,
    clientCertificate: options.clientCertificate,
    clientKey: options.clientKey,
    token: options.tokenSource ?? (token === undefined ? undefined : () => token),
    userAgent: options.userAgent ?? 'desp',
  });
  const timeoutMs = options.timeoutMs ?? 30_000;

  async function call(request: Omit<TransportRequest, 'timeoutMs'>): Promise<unknown> {
    const answer = await transport.send({ ...request, timeoutMs });
    const attempted = `${request.method} ${request.path}`;
    const body = parseBody(answer.text, answer.headers['content-type'] ?? '', attempted, answer.status);
    if (answer.status >= 400) throw errorOfAnswer(attempted, answer.status, body, secondsOf(answer.headers['retry-after']));
    return body;
  }

  const discovery = createDiscovery((path) => call({ method: 'GET', path }));

  async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  return {
    server: options.server,
    resolve: discovery.resolve,
    close: transport.close,

    get: <T extends KubeObject>(type: ResourceType<T>, name: string, namespace?: string) =>
      orUndefined(call({ method: 'GET', path: resourcePath(type, { namespace, name }) }) as Promise<T>),

    async list<T extends KubeObject>(type: ResourceType<T>, list: Parameters<KubeClient['list']>[1] = {}) {
      const items: T[] = [];
      let next: string | undefined;
      for (;;) {
        const query = { ...selectors(list), limit: String(pageSize), continue: next };
        const page = (await call({ method: 'GET', path: resourcePath(type, { namespace: list.namespace, query }) })) as ListBody<T>;
        for (const item of page.items ?? []) items.push(withKind(type, item));
        next = page.metadata?.continue || undefined;
        if (next === undefined) return { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
      }
    },

    async create<T extends KubeObject>(type: ResourceType<T>, object: T, create: Parameters<KubeClient['create']>[2] = {}) {
      const query = { fieldManager: create.fieldManager ?? options.fieldManager, dryRun: create.dryRun ? 'All' : undefined };
      const path = resourcePath(type, { namespace: object.metadata.namespace, query });
      return (await call({ method: 'POST', path, body: JSON.stringify(object) })) as T;
    },

    async replace<T extends KubeObject>(type: ResourceType<T>, object: T, replace: Parameters<KubeClient['replace']>[2] = {}) {
      const { name, namespace } = object.metadata;
      const query = { fieldManager: replace.fieldManager ?? options.fieldManager };
      const path = resourcePath(type, { namespace, name, subresource: replace.subresource, query });
      return (await call({ method: 'PUT', path, body: JSON.stringify(object) })) as T;
    },

    async patch<T extends KubeObject>(
      type: ResourceType<T>,
      name: string,
      namespace: string | undefined,
      body: unknown,
      patch: Parameters<KubeClient['patch']>[4],
    ) {
      const query = {
        fieldManager: patch.fieldManager ?? options.fieldManager,
        force: patch.force === undefined ? undefined : String(patch.force),
        dryRun: patch.dryRun ? 'All' : undefined,
      };
      const path = resourcePath(type, { namespace, name, subresource: patch.subresource, query });
      return (await call({ method: 'PATCH', path, body: JSON.stringify(body), contentType: patchContentTypes[patch.kind] })) as T;
    },

    async delete(type, name, namespace, remove = {}) {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: remove.propagation ?? 'Background',
        gracePeriodSeconds: remove.gracePeriodSeconds,
        preconditions:
          remove.uid === undefined && remove.resourceVersion === undefined
            ? undefined
            : { uid: remove.uid, resourceVersion: remove.resourceVersion },
      };
      const path = resourcePath(type, { namespace, name });
      return (await orUndefined(call({ method: 'DELETE', path, body: JSON.stringify(body) }))) !== undefined;
    },

    async watch<T extends KubeObject>(
      type: ResourceType<T>,
      watch: Parameters<KubeClient['watch']>[1],
      onEvent: (event: WatchEvent<T>) => void,
      signal: AbortSignal,
    ) {
      const query = {
        ...selectors(watch),
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: watch.resourceVersion,
        timeoutSeconds: String(watchSeconds),
      };
      const path = resourcePath(type, { namespace: watch.namespace, query });
      const ended = AbortSignal.any([signal, AbortSignal.timeout((watchSeconds + 30) * 1000)]);
      try {
        const response = await transport.open({ method: 'GET', path, signal: ended, timeoutMs });
        if ((response.statusCode ?? 0) >= 400) {
          let text = '';
          for await (const chunk of response) text = (text + chunk).slice(0, 65_536);
          throw errorOfAnswer(`GET ${path}`, response.statusCode ?? 0, tryParse(text));
        }
        await readJsonLines(response, (line) => {
          const event = line as { type: string; object: T };
          if (event.type === 'ERROR') throw errorOfAnswer(`GET ${path}`, (event.object as { code?: number }).code ?? 500, event.object);
          if (event.type === 'BOOKMARK') watch.onBookmark?.(event.object.metadata.resourceVersion ?? '');
          else if (!signal.aborted) onEvent({ type: event.type as WatchEvent<T>['type'], object: withKind(type, event.object) });
        });
      } catch (error) {
        if (ended.aborted) return;
        throw error;
      }
    },

    raw: (method, path, body, contentType) =>
      call({ method, path, body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body), contentType }),
  };
}

interface ListBody<T> {
  readonly items?: T[];
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

function selectors(options: { labelSelector?: string; fieldSelector?: string }): Record<string, string | undefined> {
  return { labelSelector: options.labelSelector || undefined, fieldSelector: options.fieldSelector || undefined };
}

/** Items of a list carry no kind of their own on the wire. */
function withKind<T extends KubeObject>(type: ResourceType<T>, object: T): T {
  object.apiVersion ??= type.group === '' ? type.version : `${type.group}/${type.version}`;
  object.kind ??= type.kind;
  return object;
}

function parseBody(text: string, contentType: string, attempted: string, status: number): unknown {
  if (!contentType.includes('json')) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KubeError('InvalidAnswer', `${attempted} answered ${status} with a body that is not JSON: ${messageOf(cause)}`, {
      httpStatus: status,
      cause,
    });
  }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function secondsOf(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
