import type { IncomingMessage, ServerResponse } from 'node:http';
import { DespError } from '@desp/runtime';
import { OciError, type OciErrorCode } from '../errors.ts';

/** One request on its way through the server. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Status, and the code on the wire where it is not our own. Statuses as distribution-spec "Error Codes" and Harbor use them. */
const answers: Partial<Record<OciErrorCode, readonly [status: number, code?: string]>> = {
  BLOB_UNKNOWN: [404],
  BLOB_UPLOAD_INVALID: [400],
  BLOB_UPLOAD_UNKNOWN: [404],
  DIGEST_INVALID: [400],
  MANIFEST_BLOB_UNKNOWN: [400],
  MANIFEST_INVALID: [400],
  MANIFEST_UNKNOWN: [404],
  NAME_INVALID: [400],
  NAME_UNKNOWN: [404],
  SIZE_INVALID: [400],
  UNAUTHORIZED: [401],
  DENIED: [403],
  UNSUPPORTED: [405],
  TOOMANYREQUESTS: [429],
  PROJECTPOLICYVIOLATION: [412],
  PRECONDITION: [412],
  NOT_FOUND: [404],
  CONFLICT: [409],
  BAD_REQUEST: [400],
  TAG_INVALID: [400, 'MANIFEST_INVALID'],
  RANGE_INVALID: [416, 'BLOB_UPLOAD_INVALID'],
  CONTENT_TOO_LARGE: [413, 'SIZE_INVALID'],
  STORE_FULL: [507, 'UNKNOWN'],
};

/** Sends JSON; a HEAD gets the headers alone. */
export function sendJson(exchange: Exchange, status: number, body: unknown, headers: Record<string, string | number> = {}): void {
  const text = JSON.stringify(body);
  exchange.response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers });
  exchange.response.end(exchange.method === 'HEAD' ? undefined : text);
}

/** Sends a status with headers and no body. */
export function sendEmpty(exchange: Exchange, status: number, headers: Record<string, string | number> = {}): void {
  exchange.response.writeHead(status, status === 204 ? headers : { 'content-length': 0, ...headers });
  exchange.response.end();
}

/** The one place where a failure becomes an answer. Returns the failure when it is ours and must be logged. */
export function sendError(exchange: Exchange, error: unknown): unknown {
  const { request, response } = exchange;
  const known = error instanceof OciError ? answers[error.code] : undefined;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return known ? undefined : error;
  }
  // A body that nobody read is not worth reading: the connection ends with the answer.
  const headers: Record<string, string> = request.complete ? {} : { connection: 'close' };
  if (error instanceof OciError && known) {
    const [status, code = error.code] = known;
    const message = error.cure && status !== 412 ? `${error.message} ${error.cure}` : error.message;
    sendJson(exchange, status, { errors: [{ code, message }] }, { ...headers, ...error.headers });
    return status >= 500 ? error : undefined;
  }
  sendJson(exchange, 500, { errors: [{ code: 'UNKNOWN', message: 'The registry failed; its log says why.' }] }, headers);
  return error instanceof DespError && error.kind === 'user' ? undefined : error;
}

/** The whole body, at most `limit` bytes. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = () => new OciError('CONTENT_TOO_LARGE', `The request's body is over ${limit} bytes.`, { cure: 'Send less.' });
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const pieces: Buffer[] = [];
  let total = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    total += piece.length;
    if (total > limit) throw tooLarge();
    pieces.push(piece);
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** `n` of a listing: undefined when absent, else 0 or more. */
export function pageSize(query: URLSearchParams): number | undefined {
  const text = query.get('n');
  if (text === null) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new OciError('BAD_REQUEST', `n must be a number, not ${JSON.stringify(text.slice(0, 40))}.`);
  return Number(text);
}
