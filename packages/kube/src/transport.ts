import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { createSecureContext } from 'node:tls';
import { messageOf } from '@desp/runtime';
import { KubeError } from './errors.ts';

/**
 * HTTP/1.1 with kept connections to one API server.
 *
 * Why not `fetch`: it takes no CA and no client certificate without a dispatcher of an extra package, and a watch
 * needs to see the end of the response, which in Node is the response's own `close`.
 */
export interface TransportOptions {
  readonly server: string;
  /** PEM; without it the system's authorities are trusted. */
  readonly ca?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** The name that the server's certificate must carry, where it differs from the URL's. */
  readonly serverName?: string;
  /** Called for each request, and once more with `refresh` after a 401. */
  readonly token?: (refresh: boolean) => string | Promise<string>;
  readonly userAgent: string;
}

export interface TransportRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds from when there is a connection until an answer must have arrived whole. */
  readonly timeoutMs: number;
}

export interface TransportAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Transport {
  send(request: TransportRequest): Promise<TransportAnswer>;
  /** Resolves as soon as the headers are there; the caller reads and ends the response. */
  open(request: TransportRequest): Promise<IncomingMessage>;
  close(): void;
}

/** Bytes of one answer that are read; a list is asked for in pages, so that none comes near. */
const maxAnswerBytes = 256 * 1024 * 1024;

const loopback = /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/;

/** @throws KubeError InvalidKubeconfig for a URL that is neither https nor plain http to loopback. */
export function createTransport(options: TransportOptions): Transport {
  const base = parseServer(options.server);
  const secure = base.protocol === 'https:';
  // One for all connections: made anew for each, reading the certificates was a tenth of a start's work.
  const secureContext = secure
    ? createSecureContext({ ca: options.ca, cert: options.clientCertificate, key: options.clientKey })
    : undefined;
  const newAgent = (maxSockets: number) =>
    secure
      ? new HttpsAgent({ keepAlive: true, maxSockets, secureContext, servername: options.serverName })
      : new HttpAgent({ keepAlive: true, maxSockets });
  // A watch keeps its connection for itself. Were they counted together, enough watches would leave none for anything else.
  const agents = { requests: newAgent(16), watches: newAgent(Number.POSITIVE_INFINITY) };
  const prefix = base.pathname.replace(/\/$/, '');

  async function openOnce(request: TransportRequest, refresh: boolean): Promise<IncomingMessage> {
    const token = await options.token?.(refresh);
    return new Promise((resolve, reject) => {
      const headers: Record<string, string | number> = {
        accept: request.accept ?? 'application/json',
        'user-agent': options.userAgent,
      };
      if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
      if (request.body !== undefined) {
        headers['content-type'] = request.contentType ?? 'application/json';
        headers['content-length'] = Buffer.byteLength(request.body);
      }
      const send = secure ? httpsRequest : httpRequest;
      const outgoing = send(
        {
          agent: /[?&]watch=(true|1)/.test(request.path) ? agents.watches : agents.requests,
          protocol: base.protocol,
          hostname: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port === '' ? undefined : base.port,
          method: request.method,
          path: prefix + request.path,
          headers,
          signal: request.signal,
        },
        (response) => {
          clearTimeout(timer);
          resolve(response);
        },
      );
      let timer: NodeJS.Timeout | undefined;
      // From when it has a connection: what waits here for its turn says nothing about the server.
      outgoing.once('socket', () => {
        timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${request.timeoutMs / 1000} s`)), request.timeoutMs);
      });
      outgoing.on('error', (error) => {
        clearTimeout(timer);
        // A kept connection that the server had closed already: nothing was read, so nothing but a creation could have happened twice.
        const stale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET' && request.method !== 'POST';
        if (stale && !request.signal?.aborted) resolve(openOnce(request, refresh));
        else reject(error);
      });
      outgoing.end(request.body);
    });
  }

  async function open(request: TransportRequest): Promise<IncomingMessage> {
    try {
      const response = await openOnce(request, false);
      if (response.statusCode !== 401 || options.token === undefined) return response;
      response.resume();
      return await openOnce(request, true);
    } catch (cause) {
      if (request.signal?.aborted) throw request.signal.reason;
      throw unreachable(request, cause);
    }
  }

  function unreachable(request: TransportRequest, cause: unknown): KubeError {
    if (cause instanceof KubeError) return cause;
    return new KubeError('Unreachable', `${request.method} ${base.origin}${request.path} failed: ${messageOf(cause)}`, {
      cause,
      cure: 'Check that the cluster runs and that its address and certificate authority are those of the kubeconfig.',
    });
  }

  return {
    open,
    async send(request) {
      const response = await open(request);
      try {
        return { status: response.statusCode ?? 0, headers: response.headers, text: await readAll(response, request.timeoutMs) };
      } catch (cause) {
        if (request.signal?.aborted) throw request.signal.reason;
        throw unreachable(request, cause);
      }
    },
    close: () => {
      agents.requests.destroy();
      agents.watches.destroy();
    },
  };
}

function parseServer(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback.test(url.hostname))) return url;
  throw new KubeError('InvalidKubeconfig', `The API server's address ${JSON.stringify(server)} is not usable.`, {
    cure: 'Give an https:// URL; plain http:// is accepted on loopback only.',
  });
}

function readAll(response: IncomingMessage, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => response.destroy(new Error(`the answer did not end within ${timeoutMs / 1000} s`)), timeoutMs);
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxAnswerBytes) response.destroy(new Error(`the answer is larger than ${maxAnswerBytes} bytes`));
      else chunks.push(chunk);
    });
    response.on('end', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    response.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    response.on('close', () => {
      clearTimeout(timer);
      if (!response.complete) reject(new Error('the connection ended before the answer did'));
    });
  });
}
