import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzip } from 'node:zlib';
import { ApiError, ClusterApiError } from '../errors.ts';

const gzipFrom = 128 * 1024;

/** Sends JSON; large answers gzipped where the client takes it. */
export function sendJson(request: IncomingMessage, response: ServerResponse, status: number, value: unknown, parameters = ''): void {
  sendText(request, response, status, `${JSON.stringify(value)}\n`, `application/json${parameters}`);
}

export function sendText(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: string | Uint8Array,
  type: string,
): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader('Content-Type', type);
  response.setHeader('Cache-Control', 'no-cache, private');
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  const compress = bytes.length >= gzipFrom && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  if (!compress) {
    response.setHeader('Content-Length', bytes.length);
    response.end(request.method === 'HEAD' ? undefined : bytes);
    return;
  }
  gzip(bytes, { level: 1 }, (error, packed) => {
    if (error) {
      response.destroy(error);
      return;
    }
    response.setHeader('Content-Encoding', 'gzip');
    response.setHeader('Vary', 'Accept-Encoding');
    response.setHeader('Content-Length', packed.length);
    response.end(request.method === 'HEAD' ? undefined : packed);
  });
}

/** One sentence for the `Warning:` header (RFC 7234, code 299), as kubectl prints it. */
export function addWarning(response: ServerResponse, sentence: string): void {
  if (response.headersSent) return;
  const clean = sentence.replace(/[^\x20-\x7e]/g, '?').slice(0, 1000);
  response.appendHeader('Warning', `299 - "${clean.replace(/(["\\])/g, '\\$1')}"`);
}

/** Anything thrown as a Status; what we did not foresee becomes an InternalError that tells nothing of the inside. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ClusterApiError) {
    return new ApiError(error.code === 'CLOSED' ? 'ServiceUnavailable' : 'InternalError', error.message, undefined, error);
  }
  return new ApiError('InternalError', 'an error on the server has prevented the request from succeeding', undefined, error);
}

export function sendError(request: IncomingMessage, response: ServerResponse, error: ApiError): void {
  if (error.details?.retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(error.details.retryAfterSeconds));
  if (error.code === 'Unauthorized') response.setHeader('WWW-Authenticate', 'Bearer realm="kubernetes-master"');
  // The rest of a body that was not read would be taken for the next request.
  if (!request.complete) response.setHeader('Connection', 'close');
  sendJson(request, response, error.status, error.toStatus());
}
