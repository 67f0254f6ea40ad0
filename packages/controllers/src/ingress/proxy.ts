import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { Logger } from '@desp/runtime';
import { answerPlainly, socketAnswer } from './answers.ts';
import { type Destination, forward, forwardUpgrade } from './forward.ts';
import type { RouteTable } from './route-table.ts';
import type { RouteBackend } from './types.ts';
import type { Upstream } from './upstream.ts';

/** The key authorization of an HTTP-01 challenge; undefined when nobody waits for it. */
export type AnswerChallenge = (host: string, token: string) => string | undefined;
/** Undefined: let in. Otherwise why not, and what to answer. */
export type Authenticate = (
  request: IncomingMessage,
  auth: { readonly secret: string; readonly realm: string },
  namespace: string,
) => Promise<{ status: number; sentence: string; headers?: Record<string, string> } | undefined>;

export interface ProxyOptions {
  readonly listen: { readonly host: string; readonly http: number; readonly https: number };
  readonly table: () => RouteTable;
  readonly upstream: (backend: RouteBackend) => Upstream;
  readonly context: (host: string) => SecureContext | undefined;
  readonly defaultCertificate: { readonly cert: string; readonly key: string };
  readonly answerChallenge: AnswerChallenge;
  readonly authenticate: Authenticate;
  readonly log: Logger;
}

export interface Proxy {
  readonly http: number;
  readonly https: number;
  close(): Promise<void>;
}

const limits = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 20_000,
  requestTimeout: 0,
  keepAliveTimeout: 30_000,
  maxConnections: 2048,
} as const;
const challengePath = /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]{1,256})$/;

/** Serves what the table says at both ports until it is closed. @throws when a port is taken */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { listen } = options;
  const plain = createServer({ maxHeaderSize: limits.maxHeaderSize });
  const secure = createTlsServer({
    maxHeaderSize: limits.maxHeaderSize,
    ...options.defaultCertificate,
    minVersion: 'TLSv1.2',
    SNICallback: (name, done) => done(null, options.context(name.toLowerCase())),
  });
  const ports = { http: 0, https: 0 };
  for (const [server, scheme] of [
    [plain, 'http'],
    [secure, 'https'],
  ] as const) {
    server.headersTimeout = limits.headersTimeout;
    // Uploads may last; what stands still is ended by the Ingress's own times.
    server.requestTimeout = limits.requestTimeout;
    server.keepAliveTimeout = limits.keepAliveTimeout;
    server.maxConnections = limits.maxConnections;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void serve(request, response, scheme));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => void upgrade(request, socket, head, scheme));
    server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end(socketAnswer(400, 'The request is no HTTP that can be understood.'));
      else socket.destroy();
    });
  }
  secure.on('tlsClientError', () => {});
  ports.http = await listenAt(plain, listen.host, listen.http);
  try {
    ports.https = await listenAt(secure, listen.host, listen.https);
  } catch (error) {
    plain.close();
    throw error;
  }

  type Decision =
    | { readonly answer: { status: number; sentence: string; headers?: Record<string, string> } }
    | { readonly forward: Destination };

  async function decide(request: IncomingMessage, scheme: Destination['scheme']): Promise<Decision> {
    const host = hostOf(request);
    const url = splitTarget(request.url ?? '/');
    if (host === undefined || url === undefined)
      return { answer: { status: 400, sentence: 'The request names no host and path that can be read.' } };
    const found = options.table().find(host, url.path);
    if (found === undefined) return { answer: { status: 404, sentence: `No Ingress serves ${host}${url.path}.` } };
    const { route, path } = found;
    const { settings } = route;
    if (settings.refusal !== undefined)
      return { answer: { status: 503, sentence: `The Ingress ${route.ingress} is not served: ${settings.refusal}.` } };
    if (scheme === 'http' && (settings.forceSslRedirect || (route.tls && settings.sslRedirect))) {
      const port = ports.https === 443 ? '' : `:${ports.https}`;
      const location = `https://${host}${port}${request.url}`;
      return { answer: { status: 308, sentence: `This service answers at ${location}`, headers: { location } } };
    }
    if (settings.basicAuth !== undefined) {
      const refusal = await options.authenticate(request, settings.basicAuth, route.backend.namespace);
      if (refusal !== undefined) return { answer: refusal };
    }
    if (settings.appRoot !== undefined && url.path === '/') {
      return { answer: { status: 302, sentence: `Go to ${settings.appRoot}`, headers: { location: settings.appRoot } } };
    }
    const upstream = options.upstream(route.backend);
    if ('missing' in upstream) return { answer: { status: 503, sentence: `No pod answers for ${host}: ${upstream.missing}.` } };
    return { forward: { ...upstream, target: path + url.query, settings, scheme, publicPort: ports[scheme] } };
  }

  async function serve(request: IncomingMessage, response: ServerResponse, scheme: Destination['scheme']): Promise<void> {
    response.on('error', () => {});
    const token = challengePath.exec(request.url ?? '')?.[1];
    const authorization = token === undefined || scheme === 'https' ? undefined : options.answerChallenge(hostOf(request) ?? '', token);
    if (authorization !== undefined) {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(authorization) });
      response.end(authorization);
      return;
    }
    try {
      const decision = await decide(request, scheme);
      if ('forward' in decision) return forward(request, response, decision.forward);
      request.resume();
      answerPlainly(response, decision.answer.status, decision.answer.sentence, decision.answer.headers);
    } catch (error) {
      options.log.error({ err: error }, 'a request failed in the proxy');
      answerPlainly(response, 500, 'The proxy itself failed; its log says why.');
    }
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, scheme: Destination['scheme']): Promise<void> {
    socket.on('error', () => {});
    try {
      const decision = await decide(request, scheme);
      if ('forward' in decision) forwardUpgrade(request, socket, head, decision.forward);
      else socket.end(socketAnswer(decision.answer.status, decision.answer.sentence));
    } catch (error) {
      options.log.error({ err: error }, 'an upgrade failed in the proxy');
      socket.destroy();
    }
  }

  return {
    ...ports,
    async close() {
      await Promise.all([plain, secure].map((server) => closeServer(server)));
    },
  };
}

function listenAt(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** The host that the client asked for, without its port. */
function hostOf(request: IncomingMessage): string | undefined {
  const [, host] = /^([A-Za-z0-9.-]{1,253})(?::\d{1,5})?$/.exec(request.headers.host ?? '') ?? [];
  return host?.toLowerCase().replace(/\.$/, '');
}

/**
 * Path and query of an origin-form target. Encoded or plain `..` would let a path leave the one that it was matched by,
 * once an upstream resolves it: such targets are refused.
 */
function splitTarget(target: string): { path: string; query: string } | undefined {
  const [, path = '', query = ''] = /^(\/[^?#]*)(\?[^#]*)?/.exec(target) ?? [];
  if (path === '') return undefined;
  const plain = path.replace(/%2e/gi, '.').replace(/%2f|%5c|\\/gi, '/');
  return plain.split('/').includes('..') ? undefined : { path, query };
}
