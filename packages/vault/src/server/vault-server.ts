import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { registerSecret, silentLogger, systemClock } from '@desp/runtime';
import { invalidRequest, permissionDenied, unsupportedOperation, VaultError, type VaultErrorCode } from '../errors.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../exact-json.ts';
import type { Capability } from '../policy/policy.ts';
import { SealedStore } from '../sealed-store.ts';
import type { VaultServer, VaultServerOptions } from '../types.ts';
import { type Caller, serveKubernetesAuth, serveLogin, serveTokens } from './auth-endpoints.ts';
import { type Call, type Operation, type Reply, VaultCore } from './core.ts';
import { listenWithList, standInMethod } from './list-method.ts';
import { secretExists, serveSecrets } from './secret-endpoints.ts';
import { fingerprint, serveMountLookup, serveOpenSystem, serveSystem } from './system-endpoints.ts';

/** Bytes of a request's body. */
const maxBodyBytes = 2 * 1024 * 1024;
const maxPathLength = 1024;
const collectEvery = 600_000;

const statuses: Readonly<Record<VaultErrorCode, number>> = {
  INVALID_REQUEST: 400,
  POLICY_INVALID: 400,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  UNSUPPORTED_OPERATION: 405,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  STORE_DAMAGED: 500,
  UPSTREAM_UNREACHABLE: 502,
  UPSTREAM_REFUSED: 502,
  UPSTREAM_PROTOCOL: 502,
};

const operations: Readonly<Record<string, Operation>> = {
  GET: 'read',
  [standInMethod]: 'list',
  POST: 'write',
  PUT: 'write',
  PATCH: 'patch',
  DELETE: 'delete',
};

/**
 * The wire subset of HashiCorp Vault that the platform and the External Secrets Operator use: KV version 2, policies,
 * tokens, Kubernetes auth. Everything else answers 404 or a clear 400. The namespace header is ignored, as the community
 * edition does. It listens only when told to; it is never sealed while it runs.
 */
export async function createVaultServer(options: VaultServerOptions): Promise<VaultServer> {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLogger;
  registerSecret(options.rootToken);
  const store = await SealedStore.open(options.dataFolder);
  const core = new VaultCore(store, () => clock.now(), log, options.reviewToken);
  core.tokens.setRoot(options.rootToken);

  const answer = async (request: IncomingMessage): Promise<{ status: number; body: Json | undefined }> => {
    const call = await readCall(request);
    const open = serveOpenSystem(core, call);
    if (open) return open;
    if (request.headers['x-vault-wrap-ttl']) throw invalidRequest('response wrapping is not supported here');
    const login = /^auth\/(.+\/login)$/.exec(call.path)?.[1];
    if (login !== undefined) return envelope(await serveLogin(core, login, call));
    const caller = identify(core, request);
    const reply = serveAs(core, call, caller);
    if (core.tokens.spent(caller.live)) core.tokens.revoke(caller.live);
    log.debug({ operation: call.operation, path: call.path, caller: fingerprint(caller.live.record.accessor) }, 'Served a request.');
    return envelope(reply);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    request.on('error', () => {});
    response.on('error', () => {});
    let status: number;
    let body: Json | undefined;
    try {
      ({ status, body } = await answer(request));
    } catch (error) {
      status = error instanceof VaultError ? (error.status ?? statuses[error.code]) : 500;
      // Errors of our own making must not carry what a client sent or a record holds: only Vault's texts go out.
      const texts =
        error instanceof VaultError && status < 500
          ? [error.message].filter(Boolean)
          : [status < 500 ? '' : 'internal error'].filter(Boolean);
      body = { errors: texts };
      if (status >= 500)
        log.error({ code: error instanceof VaultError ? error.code : 'INTERNAL', name: (error as Error).name }, 'A request failed.');
    }
    const headers: Record<string, string> = { 'cache-control': 'no-store', ...(request.complete ? {} : { connection: 'close' }) };
    if (body === undefined) {
      response.writeHead(status, headers).end();
      return;
    }
    const text = `${JSON.stringify(body)}\n`;
    response.writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(request.method === 'HEAD' ? undefined : text);
  };

  const servers = new Set<Server>();
  const sockets = new Set<Socket>();
  const timer = setInterval(() => core.tokens.collect(), collectEvery);
  timer.unref();
  return {
    listen: async ({ host = '127.0.0.1', port }) => {
      const http = createServer(
        { maxHeaderSize: 32 * 1024, requestTimeout: 30_000, headersTimeout: 10_000 },
        (request, response) => void handle(request, response),
      );
      const server = listenWithList(http);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
      server.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
      });
      servers.add(server);
      const address = server.address() as AddressInfo;
      return {
        host,
        port: address.port,
        url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
      };
    },
    close: async () => {
      clearInterval(timer);
      const closed = [...servers].map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      // Every change is durable before its answer: nothing is lost with a connection.
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
      servers.clear();
      store.close();
    },
  };
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
  let path: string;
  try {
    path = decodeURIComponent(mark < 0 ? target : target.slice(0, mark));
  } catch (cause) {
    throw new VaultError('INVALID_REQUEST', 'the path is not well encoded', { cause });
  }
  if (!path.startsWith('/v1/')) throw new VaultError('NOT_FOUND', '');
  path = path.slice('/v1/'.length);
  if (path.length > maxPathLength || /[\x00-\x1f\x7f]/.test(path) || path.split('/').some((part) => part === '..' || part === '.')) {
    throw invalidRequest('relative paths not supported');
  }
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
  let operation = operations[method];
  if (!operation) throw unsupportedOperation();
  if (operation === 'read' && query.get('list') === 'true') operation = 'list';
  const contentType = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return { operation, path, query, body: await readBody(request), contentType };
}

async function readBody(request: IncomingMessage): Promise<JsonObject> {
  const pieces: Buffer[] = [];
  let total = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    total += piece.length;
    if (total > maxBodyBytes) throw new VaultError('TOO_LARGE', 'http: request body too large');
    pieces.push(piece);
  }
  if (total === 0) return {};
  let json: Json;
  try {
    json = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)));
  } catch {
    // The cause quotes the body, which may hold a secret.
    throw invalidRequest('failed to parse JSON input');
  }
  if (json === null) return {};
  if (!isObject(json)) throw invalidRequest('failed to parse JSON input: not an object');
  return json;
}

/** The token of `X-Vault-Token` or `Authorization: Bearer`. @throws VaultError PERMISSION_DENIED */
function identify(core: VaultCore, request: IncomingMessage): Caller {
  const header = request.headers['x-vault-token'];
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const token = typeof header === 'string' && header ? header : bearer;
  const live = token ? core.tokens.find(token) : undefined;
  if (!token || !live) throw permissionDenied();
  core.tokens.use(live);
  return { token, live };
}

const capabilityOf: Readonly<Record<Exclude<Operation, 'write'>, Capability>> = {
  read: 'read',
  list: 'list',
  patch: 'patch',
  delete: 'delete',
};

/** Paths that need `sudo` besides (Vault, "Root protected API endpoints"). */
const sudoPaths = /^(?:sys\/auth\/|auth\/token\/(?:create-orphan|revoke-orphan|accessors))/;

function serveAs(core: VaultCore, call: Call, caller: Caller): Reply {
  const lookup = /^sys\/internal\/ui\/mounts\/(.+)$/.exec(call.path)?.[1];
  if (lookup !== undefined) {
    if (call.operation !== 'read') throw unsupportedOperation();
    return serveMountLookup(core, lookup, caller);
  }
  if (call.path === 'sys/internal/ui/mounts') return serveSystem(core, call, caller);
  const secrets = core.findMount('mounts', call.path.includes('/') ? call.path : `${call.path}/`);
  const path = call.operation === 'list' && !call.path.endsWith('/') ? `${call.path}/` : call.path;
  const acl = core.acl(caller.live.record.policies);
  const needed = call.operation === 'write' ? (writeExists(core, call, secrets) ? 'update' : 'create') : capabilityOf[call.operation];
  // Reaching no mount at all is told to nobody who lacks the right to know.
  if (!acl.allows(path, needed) || (sudoPaths.test(call.path) && !acl.allows(path, 'sudo'))) throw permissionDenied();
  if (call.path.startsWith('sys/')) return serveSystem(core, call, caller);
  if (call.path.startsWith('auth/token/')) return serveTokens(core, call, call.path.slice('auth/token/'.length), caller);
  if (call.path.startsWith('auth/')) {
    const found = core.findMount('auth', call.path.slice('auth/'.length));
    if (found?.mount.type === 'kubernetes') return serveKubernetesAuth(core, found.mount, call, found.rest);
  }
  if (secrets) return serveSecrets(core.kv(secrets.mount), call, secrets.rest);
  throw new VaultError('NOT_FOUND', `no handler for route ${JSON.stringify(call.path.slice(0, 200))}. route entry not found.`);
}

function writeExists(core: VaultCore, call: Call, secrets: ReturnType<VaultCore['findMount']>): boolean {
  if (secrets) return secretExists(core.kv(secrets.mount), secrets.rest);
  const [, mountPath, role] = /^auth\/(.+)\/role\/([^/]+)$/.exec(call.path) ?? [];
  const found = mountPath === undefined ? undefined : core.findMount('auth', `${mountPath}/`);
  return found?.mount.type === 'kubernetes' && role !== undefined ? core.kubernetes(found.mount).roleExists(role) : true;
}

/** Vault's envelope of every answer that has a body. */
function envelope(reply: Reply): { status: number; body: Json | undefined } {
  if (reply.status === 204) return { status: 204, body: undefined };
  const body: JsonObject = {
    request_id: randomUUID(),
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data: reply.data ?? null,
    wrap_info: null,
    warnings: reply.warnings ? [...reply.warnings] : null,
    auth: reply.auth ?? null,
  };
  // The envelope's own keys win: a mount named `data/` must not replace the data.
  return { status: reply.status ?? 200, body: reply.top ? { ...reply.top, ...body } : body };
}
