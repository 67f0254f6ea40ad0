import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { silentLogger, systemClock } from '@desp/runtime';
import { OciError } from '../errors.ts';
import { isRepositoryName } from '../names.ts';
import { Gatekeeper } from './access.ts';
import { cancelUpload, deleteBlob, patchUpload, putUpload, serveBlob, startUpload, uploadStatus } from './blobs.ts';
import type { RegistryContext } from './context.ts';
import { serveHarbor } from './harbor.ts';
import { serveCatalog, serveTags } from './listings.ts';
import { deleteManifest, putManifest, serveManifest, serveReferrers } from './manifests.ts';
import { createRobot } from './robots.ts';
import { Tokens } from './tokens.ts';
import type { Registry, RegistryOptions } from './types.ts';
import { type Exchange, sendEmpty, sendError, sendJson } from './wire.ts';

type Endpoint = (context: RegistryContext, exchange: Exchange, name: string, reference: string) => Promise<void>;

/** distribution-spec, "Endpoints": end-2 to end-14 by what follows the repository's name. */
const endpoints: readonly (readonly [RegExp, Readonly<Record<string, Endpoint>>])[] = [
  [/^\/v2\/(.+)\/blobs\/uploads\/?()$/, { POST: startUpload }],
  [/^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/, { GET: uploadStatus, PATCH: patchUpload, PUT: putUpload, DELETE: cancelUpload }],
  [/^\/v2\/(.+)\/blobs\/([^/]+)$/, { GET: serveBlob, HEAD: serveBlob, DELETE: deleteBlob }],
  [/^\/v2\/(.+)\/manifests\/([^/]+)$/, { GET: serveManifest, HEAD: serveManifest, PUT: putManifest, DELETE: deleteManifest }],
  [/^\/v2\/(.+)\/tags\/list()$/, { GET: serveTags }],
  [/^\/v2\/(.+)\/referrers\/([^/]+)$/, { GET: serveReferrers }],
];

const unsupported = (method: string) => new OciError('UNSUPPORTED', `The method ${method} is not supported here.`);

async function route(context: RegistryContext, exchange: Exchange): Promise<void> {
  const { path, method, request } = exchange;
  exchange.response.setHeader('docker-distribution-api-version', 'registry/2.0');
  if (path === '/service/token') {
    if (method !== 'GET') throw unsupported(method);
    return context.gate.serveToken(exchange);
  }
  if (path.startsWith('/api/')) return serveHarbor(context, exchange);
  if (path === '/v2/' || path === '/v2') {
    if (method !== 'GET' && method !== 'HEAD') throw unsupported(method);
    await context.gate.demandAnybody(exchange);
    return sendJson(exchange, 200, {});
  }
  if (path === '/v2/_catalog') {
    if (method !== 'GET') throw unsupported(method);
    return serveCatalog(context, exchange);
  }
  for (const [pattern, methods] of endpoints) {
    const [, name, reference] = pattern.exec(path) ?? [];
    if (name === undefined || reference === undefined) continue;
    if (!isRepositoryName(name) || !name.includes('/')) {
      // Who is nobody learns nothing, not even the grammar.
      await context.gate.demandAnybody(exchange);
      throw new OciError('NAME_INVALID', `${JSON.stringify(name.slice(0, 300))} is no repository name.`, {
        cure: 'Use PROJECT/IMAGE in lower case.',
      });
    }
    const endpoint = methods[method];
    if (!endpoint) throw unsupported(method);
    return endpoint(context, exchange, name, reference);
  }
  request.resume();
  if (path === '/' && method === 'GET') return sendEmpty(exchange, 204);
  throw new OciError('NOT_FOUND', `There is nothing at ${path.slice(0, 200)}.`);
}

function parseTarget(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  try {
    return {
      path: decodeURIComponent(mark < 0 ? target : target.slice(0, mark)),
      query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
    };
  } catch (cause) {
    throw new OciError('NAME_INVALID', 'The path is not well encoded.', { cause });
  }
}

/**
 * A registry as Harbor shows itself: OCI Distribution 1.1 under `/v2/`, its token service, and a part of its API.
 * Several registries share one store; each has its own projects, robots and tokens. It listens only when told to.
 */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const clock = options.clock ?? systemClock;
  const log = (options.log ?? silentLogger).child({ registry: options.name });
  const tokens = await Tokens.open(options.store.folder, options.name, clock);
  const { metadata, blobs } = options.store;
  const context: RegistryContext = {
    options,
    gate: new Gatekeeper(options, tokens, () => clock.now()),
    blobs,
    metadata,
    clock,
    log,
    limits: { blobBytes: 20 * 1024 ** 3, openUploads: 1000, transfers: 256, ...options.limits },
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // A client that goes away in the middle is no failure of ours.
    request.on('error', () => {});
    response.on('error', () => {});
    const exchange = { request, response, method: request.method ?? 'GET', path: '', query: new URLSearchParams() };
    try {
      Object.assign(exchange, parseTarget(request));
      await route(context, exchange);
    } catch (error) {
      const failure = sendError(exchange, error);
      if (failure !== undefined) log.error({ error: failure, method: exchange.method, path: exchange.path }, 'A request failed.');
    }
  };

  const servers = new Set<Server>();
  return {
    name: options.name,
    ensureProject: async (name, { tags }) => {
      if (!isRepositoryName(name) || name.includes('/')) throw new OciError('NAME_INVALID', `${JSON.stringify(name)} is no project name.`);
      return metadata.ensureProject(options.name, name, tags, clock.now().toISOString());
    },
    listProjects: () => metadata.projects(options.name),
    createRobot: (robot) => createRobot(context, robot),
    deleteRobot: (name) => metadata.deleteRobot(options.name, name),
    listRobots: (project) => metadata.robots(options.name).filter((robot) => project === undefined || robot.project === project),
    listen: async ({ host = '127.0.0.1', port, tls }) => {
      const limits = {
        maxHeaderSize: 32 * 1024,
        requestTimeout: 0,
        headersTimeout: 30_000,
        keepAliveTimeout: 60_000,
        highWaterMark: 256 * 1024,
      };
      const listener = (request: IncomingMessage, response: ServerResponse) => void handle(request, response);
      const server = tls ? createTlsServer({ ...limits, ...tls }, listener) : createServer(limits, listener);
      // A body may take long, but not stand still.
      server.setTimeout(120_000);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
      servers.add(server);
      const address = server.address() as AddressInfo;
      const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      return { host, port: address.port, url: `${tls ? 'https' : 'http'}://${shown}:${address.port}` };
    },
    close: async () => {
      await Promise.all([...servers].map(closeServer));
      servers.clear();
    },
  };
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), 2000);
  await closed;
  clearTimeout(timer);
}
