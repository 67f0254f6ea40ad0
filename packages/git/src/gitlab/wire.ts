import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';

/** An answer that is no success: GitLab's status, and `message` or `error` as the endpoint of GitLab has it. */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly body: object;

  constructor(status: number, body: object) {
    super(`${status} ${JSON.stringify(body)}`);
    this.status = status;
    this.body = body;
  }
}

/** GitLab's words for what is not there, or may not be seen: `404 Project Not Found`. */
export const notFound = (what: string): ApiRefusal => new ApiRefusal(404, { message: `404 ${what}${what ? ' ' : ''}Not Found` });
export const forbidden = (): ApiRefusal => new ApiRefusal(403, { message: '403 Forbidden' });
export const unauthorized = (): ApiRefusal => new ApiRefusal(401, { message: '401 Unauthorized' });
/** A parameter that is missing or has no meaning, in the words of GitLab's parameter check. */
export const badParameter = (text: string): ApiRefusal => new ApiRefusal(400, { error: text });

export interface ApiReply {
  readonly status: number;
  /** Undefined for 204. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const created = (body: unknown): ApiReply => ({ status: 201, body });
export const ok = (body: unknown): ApiReply => ({ status: 200, body });
export const noContent: ApiReply = { status: 204, body: undefined };

const maxBodyBytes = 256 * 1024;
const maxParameters = 200;

/**
 * The parameters of a call: the query's and the body's (JSON or a form, as GitLab takes both), flat.
 * @throws ApiRefusal 400, 413, 415
 */
export async function readParameters(request: IncomingMessage, query: URLSearchParams): Promise<Record<string, unknown>> {
  const parameters: Record<string, unknown> = Object.create(null);
  const take = (entries: Iterable<[string, unknown]>) => {
    for (const [name, value] of entries) parameters[name] = value;
    if (Object.keys(parameters).length > maxParameters) throw badParameter('too many parameters');
  };
  take(query);
  const bytes = await readBody(request);
  if (bytes.length === 0) return parameters;
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded') take(new URLSearchParams(bytes.toString('utf8')));
  else if (type === 'application/json') {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch {
      throw badParameter('Invalid JSON');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badParameter('Invalid JSON');
    take(Object.entries(value));
  } else throw new ApiRefusal(415, { error: 'The provided content-type is not supported.' });
  return parameters;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let total = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    total += piece.length;
    if (total > maxBodyBytes) throw new ApiRefusal(413, { error: 'Request Entity Too Large' });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Parses an endpoint's parameters. @throws ApiRefusal 400 naming the first that is missing or wrong */
export function parse<T extends z.ZodType>(schema: T, parameters: Record<string, unknown>): z.infer<T> {
  const parsed = schema.safeParse({ ...parameters });
  if (parsed.success) return parsed.data;
  const missing = parsed.error.issues.find((issue) => issue.code === 'invalid_type' && parameters[String(issue.path[0])] === undefined);
  const issue = missing ?? parsed.error.issues[0];
  const name = String(issue?.path[0] ?? 'The request');
  throw badParameter(missing ? `${name} is missing` : `${name} ${issue?.code === 'custom' ? issue.message : 'is invalid'}`);
}

/** One page of a listing with GitLab's paging headers (API documentation, "Offset-based pagination"). */
export function page<T>(all: readonly T[], query: URLSearchParams, view: (one: T) => unknown): ApiReply {
  const number = (name: string, fallback: number, most: number) => {
    const text = query.get(name);
    if (text === null || text === '') return fallback;
    if (!/^\d{1,9}$/.test(text)) throw badParameter(`${name} is invalid`);
    return Math.min(Math.max(1, Number(text)), most);
  };
  const current = number('page', 1, 1_000_000);
  const size = number('per_page', 20, 100);
  const pages = Math.max(1, Math.ceil(all.length / size));
  return {
    status: 200,
    body: all.slice((current - 1) * size, current * size).map(view),
    headers: {
      'x-page': String(current),
      'x-per-page': String(size),
      'x-total': String(all.length),
      'x-total-pages': String(pages),
      'x-next-page': current < pages ? String(current + 1) : '',
      'x-prev-page': current > 1 ? String(current - 1) : '',
    },
  };
}

export function send(response: ServerResponse, request: IncomingMessage, { status, body, headers = {} }: ApiReply): void {
  if (response.headersSent || response.destroyed) return;
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    'cache-control': 'max-age=0, private, must-revalidate, no-store',
    // A body that nobody read is not worth reading: the connection ends with the answer.
    ...(request.complete ? {} : { connection: 'close' }),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
