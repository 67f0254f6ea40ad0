import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A protocol double for tests: enough of the Kubernetes API over HTTP to prove the client's side of list, watch, 410,
 * paging, patch and discovery, with switches for what a server does only rarely. It is no API server: the embedded one
 * is in `@desp/cluster`, and the tests named `*.real.test.ts` run against that.
 */
export interface ApiDouble {
  readonly url: string;
  /** Every request that came, oldest first. */
  readonly requests: { method: string; path: string; body: string; contentType: string | undefined; authorization: string | undefined }[];
  /** Stores an object of a collection path such as `/api/v1/namespaces/a/configmaps` and tells the watches. */
  put(collection: string, object: StoredObject): StoredObject;
  remove(collection: string, name: string): void;
  /** Ends every watch that is open. */
  endWatches(): void;
  /** From now on, versions below this are answered with 410 Expired. */
  compact(): void;
  /** Objects a page of a list. */
  pageSize: number;
  /** The answer of the next requests to this path prefix instead of what is stored. */
  answerOnce(prefix: string, status: number, body: unknown, headers?: Record<string, string>): void;
  close(): Promise<void>;
}

interface StoredObject {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace?: string; resourceVersion?: string; [key: string]: unknown };
  [key: string]: unknown;
}

export async function startApiDouble(): Promise<ApiDouble> {
  const objects = new Map<string, StoredObject>();
  const watches = new Set<{ prefix: string; response: ServerResponse }>();
  const scripted: { prefix: string; status: number; body: unknown; headers: Record<string, string> }[] = [];
  const requests: ApiDouble['requests'] = [];
  let version = 1;
  let oldest = 0;

  const history: { path: string; type: string; object: StoredObject }[] = [];
  const tell = (path: string, type: string, object: StoredObject) => {
    history.push({ path, type, object });
    for (const { prefix, response } of watches) if (belongs(path, prefix)) response.write(`${JSON.stringify({ type, object })}\n`);
  };

  function store(collection: string, object: StoredObject): StoredObject {
    const path = `${collection}/${object.metadata.name}`;
    const known = objects.has(path);
    version += 1;
    const stored = structuredClone({
      ...object,
      metadata: { uid: `uid-${object.metadata.name}`, ...object.metadata, resourceVersion: String(version) },
    });
    objects.set(path, stored);
    tell(path, known ? 'MODIFIED' : 'ADDED', stored);
    return stored;
  }

  function remove(path: string): StoredObject | undefined {
    const stored = objects.get(path);
    if (stored === undefined || !objects.delete(path)) return undefined;
    version += 1;
    tell(path, 'DELETED', { ...stored, metadata: { ...stored.metadata, resourceVersion: String(version) } });
    return stored;
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://double');
    const body = await bodyOf(request);
    requests.push({
      method: request.method ?? '',
      path: url.pathname + url.search,
      body,
      contentType: request.headers['content-type'],
      authorization: request.headers.authorization,
    });
    const path = url.pathname;
    const index = scripted.findIndex(({ prefix }) => (url.pathname + url.search).startsWith(prefix));
    if (index >= 0) {
      const [answer] = scripted.splice(index, 1);
      return send(response, answer!.status, answer!.body, answer!.headers);
    }
    if (url.searchParams.get('watch') === 'true') {
      const since = Number(url.searchParams.get('resourceVersion'));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      if (since < oldest) {
        response.end(
          `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } })}\n`,
        );
        return;
      }
      for (const { path: key, type, object } of history) {
        if (belongs(key, path) && Number(object.metadata.resourceVersion) > since) response.write(`${JSON.stringify({ type, object })}\n`);
      }
      const watch = { prefix: path, response };
      watches.add(watch);
      response.on('close', () => watches.delete(watch));
      return;
    }
    if (request.method === 'GET' && objects.has(path)) return send(response, 200, objects.get(path));
    if (request.method === 'GET' && isCollection(path)) {
      const all = [...objects].filter(([key]) => belongs(key, path)).map(([, object]) => object);
      const start = Number(url.searchParams.get('continue') ?? 0);
      const end = start + double.pageSize;
      const items = all.slice(start, end).map(({ apiVersion: _, kind: __, ...rest }) => rest);
      return send(response, 200, {
        kind: 'List',
        metadata: { resourceVersion: String(version), continue: end < all.length ? String(end) : '' },
        items,
      });
    }
    if (request.method === 'POST') {
      const object = JSON.parse(body) as StoredObject;
      if (objects.has(`${path}/${object.metadata.name}`)) return send(response, 409, status(409, 'AlreadyExists', 'it exists'));
      return send(response, 201, store(path, object));
    }
    const stored = objects.get(path);
    if (request.method === 'PATCH' && (stored !== undefined || request.headers['content-type']?.includes('apply-patch'))) {
      const patch = JSON.parse(body) as StoredObject;
      const merged = { ...stored, ...patch, metadata: { ...stored?.metadata, ...patch.metadata, name: path.split('/').at(-1)! } };
      // A patch that changes nothing leaves the version, as a server does.
      if (stored !== undefined && JSON.stringify(merged) === JSON.stringify(stored)) return send(response, 200, stored);
      return send(response, 200, store(path.slice(0, path.lastIndexOf('/')), merged as StoredObject));
    }
    if (request.method === 'PUT' && stored !== undefined) {
      const object = JSON.parse(body) as StoredObject;
      if (object.metadata.resourceVersion !== undefined && object.metadata.resourceVersion !== stored.metadata.resourceVersion) {
        return send(response, 409, status(409, 'Conflict', 'the object has been modified'));
      }
      return send(response, 200, store(path.slice(0, path.lastIndexOf('/')), object));
    }
    if (request.method === 'DELETE' && remove(path) !== undefined) return send(response, 200, { kind: 'Status', status: 'Success' });
    return send(response, 404, status(404, 'NotFound', `${path} not found`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const double: ApiDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    put: store,
    remove: (collection, name) => void remove(`${collection}/${name}`),
    endWatches: () => {
      for (const watch of watches) {
        watches.delete(watch);
        watch.response.end();
      }
    },
    compact: () => {
      version += 1;
      oldest = version;
    },
    pageSize: 500,
    answerOnce: (prefix, code, answer, headers = {}) => void scripted.push({ prefix, status: code, body: answer, headers }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return double;
}

function belongs(key: string, collection: string): boolean {
  if (key.startsWith(`${collection}/`)) return !key.slice(collection.length + 1).includes('/');
  // All namespaces: /api/v1/configmaps holds /api/v1/namespaces/a/configmaps/b.
  const [, base, plural] = /^(.*)\/([^/]+)$/.exec(collection) ?? [];
  return new RegExp(`^${base}/namespaces/[^/]+/${plural}/[^/]+$`).test(key);
}

function isCollection(path: string): boolean {
  const parts = path.split('/').filter((part) => part !== '');
  const rest = parts[0] === 'api' ? parts.slice(2) : parts.slice(3);
  return rest.length === 1 || (rest[0] === 'namespaces' && rest.length === 3);
}

function status(code: number, reason: string, message: string) {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
}

function send(response: ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
