import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '@desp/runtime';
import { OciError } from '../errors.ts';

export interface HttpAnswer {
  /** The request that it answers. */
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Must be read or destroyed: the connection waits for it. */
  readonly body: IncomingMessage;
}

export interface HttpCall {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable;
  readonly signal?: AbortSignal | undefined;
}

/** How servers are reached and trusted. */
export interface HttpTrust {
  /** PEM certificates that are trusted instead of the machine's. */
  readonly ca?: string | undefined;
  /** A client's certificate and its key, PEM. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Takes any certificate: for tests of a registry, on the user's own word. */
  readonly insecure?: boolean | undefined;
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY; default: no proxy. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Kept-alive connections to one registry, its token service and where it redirects. */
export class HttpConnections {
  readonly #plain: HttpAgent;
  readonly #encrypted: HttpsAgent;
  readonly #idleMs: number;

  constructor({ ca, cert, key, insecure, proxyEnv, ...options }: HttpTrust & { readonly idleMs?: number } = {}) {
    const shared = { keepAlive: true, maxSockets: 32, ...(proxyEnv ? { proxyEnv } : {}) };
    this.#plain = new HttpAgent(shared);
    this.#encrypted = new HttpsAgent({
      ...shared,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(insecure ? { rejectUnauthorized: false } : {}),
    });
    this.#idleMs = options.idleMs ?? 60_000;
  }

  /** One exchange; any status is an answer. @throws OciError UPSTREAM_UNREACHABLE */
  call({ method, url, headers, body, signal }: HttpCall): Promise<HttpAnswer> {
    const secure = url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const unreachable = (cause: unknown) =>
        reject(
          new OciError('UPSTREAM_UNREACHABLE', `${method} ${url.origin}${url.pathname} failed: ${messageOf(cause)}`, {
            kind: 'upstream',
            retryable: true,
            cure: 'Look whether the registry runs and its address is right.',
            cause,
          }),
        );
      const options = { method, headers, agent: secure ? this.#encrypted : this.#plain, ...(signal ? { signal } : {}) };
      const request = (secure ? httpsRequest : httpRequest)(url, options, (response) =>
        resolve({ method, url, status: response.statusCode ?? 0, headers: response.headers, body: response }),
      );
      request.setTimeout(this.#idleMs, () => request.destroy(new Error(`nothing came for ${this.#idleMs / 1000} s`)));
      request.on('error', unreachable);
      if (body instanceof Readable) pipeline(body, request).catch(unreachable);
      else request.end(body);
    });
  }

  close(): void {
    this.#plain.destroy();
    this.#encrypted.destroy();
  }
}

/** The whole answer in memory, at most `limit` bytes. @throws OciError UPSTREAM_PROTOCOL when it is longer */
export async function readAnswer(answer: HttpAnswer, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let total = 0;
  for await (const piece of answer.body as AsyncIterable<Buffer>) {
    total += piece.length;
    if (total > limit) {
      answer.body.destroy();
      throw new OciError('UPSTREAM_PROTOCOL', `The registry's answer is over ${limit} bytes.`, { kind: 'upstream' });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Lets the connection go without reading much. */
export function dropAnswer(answer: HttpAnswer): void {
  if (Number(answer.headers['content-length'] ?? 0) > 64 * 1024) answer.body.destroy();
  else answer.body.resume();
}
