import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Logger, messageOf } from '@desp/runtime';
import { type Authenticator, anonymous } from '../auth/authenticator.ts';
import type { Attributes, Authorizer } from '../auth/rbac.ts';
import { ApiError, forbidden } from '../errors.ts';
import { serveUpgrade } from '../streams/upgrade.ts';
import type { UserInfo } from '../types.ts';
import { type Discovery, unknownPath } from './discovery.ts';
import { type RequestInfo, type ResourceTarget, readRequest } from './request-info.ts';
import { type ResourceContext, serveResource } from './resource-handler.ts';
import { asApiError, sendError, sendJson, sendText } from './respond.ts';

/** The way of every request: read what it is about, find who sends it, may they, then the handler; errors end here. */

export interface HandlerParts {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly discovery: Discovery;
  readonly resources: ResourceContext;
  readonly log: Logger;
  readonly url: () => string;
}

const openPaths = new Set(['/version', '/healthz', '/livez', '/readyz']);

export class RequestHandler {
  #parts: HandlerParts;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const info = readRequest(request.method ?? 'GET', request.url ?? '/');
      const user = await this.#admit(request, info);
      if (info.target === undefined) this.#serveOther(request, response, info);
      else await serveResource(this.#parts.resources, request, response, info, user);
    } catch (thrown) {
      this.#fail(request, response, thrown);
    }
  }

  /** A request that asks to speak another protocol: exec over WebSocket or SPDY. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const info = readRequest(request.method ?? 'GET', request.url ?? '/');
      await this.#admit(request, info);
      if (info.target === undefined) throw unknownPath();
      await serveUpgrade(this.#parts.resources, request, socket, head, { ...info, target: info.target });
    } catch (thrown) {
      const error = asApiError(thrown);
      if (error.code === 'InternalError')
        this.#parts.log.error({ path: request.url?.split('?')[0], cause: messageOf(thrown) }, 'stream failed');
      const body = `${JSON.stringify(error.toStatus())}\n`;
      socket.end(
        `HTTP/1.1 ${error.status} ${error.code}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    }
  }

  /** Authentication and authorization; nothing of the body was read before. */
  async #admit(request: IncomingMessage, info: RequestInfo): Promise<UserInfo> {
    const user = await this.#parts.authenticator.authenticate(request);
    if (openPaths.has(info.path.replace(/\/$/, '')) && info.method === 'GET') return user;
    if (user === anonymous) throw new ApiError('Unauthorized', 'Unauthorized');
    authorize(this.#parts.authorizer, user, attributesOf(info));
    return user;
  }

  #serveOther(request: IncomingMessage, response: ServerResponse, info: RequestInfo): void {
    const { discovery, resources, url } = this.#parts;
    if (info.method !== 'GET' && info.method !== 'HEAD') throw unknownPath();
    const path = info.path.length > 1 ? info.path.replace(/\/$/, '') : info.path;
    if (path === '/healthz' || path === '/livez' || path === '/readyz') sendText(request, response, 200, 'ok', 'text/plain; charset=utf-8');
    else if (path === '/openid/v1/jwks')
      sendText(request, response, 200, JSON.stringify(resources.tokens.keySet()), 'application/jwk-set+json');
    else if (path === '/.well-known/openid-configuration') sendJson(request, response, 200, resources.tokens.configuration(url()));
    else if (path === '/')
      sendJson(request, response, 200, {
        paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'],
      });
    else if (!discovery.serve(request, response, path)) throw unknownPath();
  }

  #fail(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    const error = asApiError(thrown);
    if (error.status >= 500 && error.code !== 'NotImplemented') {
      const cause = error.cause === undefined ? undefined : messageOf(error.cause);
      this.#parts.log.error({ method: request.method, path: request.url?.split('?')[0], code: error.code, cause }, error.message);
    }
    if (response.headersSent) response.destroy();
    else sendError(request, response, error);
  }
}

/** A list or watch of one object by name is authorized for that name, as in the real server. */
export function attributesOf(info: RequestInfo): Attributes {
  if (info.target === undefined) return { kind: 'path', verb: info.verb, path: info.path };
  const byName = /^metadata\.name==?([^,]+)$/.exec(info.query.get('fieldSelector') ?? '');
  const single = info.target.name === '' && (info.verb === 'list' || info.verb === 'watch') && byName;
  return { ...attributesOfTarget(info.target), verb: info.verb, ...(single ? { name: byName[1]! } : {}) };
}

const attributesOfTarget = ({ group, plural, subresource, namespace, name }: ResourceTarget) =>
  ({ kind: 'resource', group, plural, subresource, namespace, name }) as const;

/** @throws ApiError Forbidden, in the real server's words */
export function authorize(authorizer: Authorizer, user: UserInfo, wanted: Attributes): void {
  if (authorizer.allows(user, wanted)) return;
  if (wanted.kind === 'path')
    throw forbidden(undefined, '', `forbidden: User "${user.username}" cannot ${wanted.verb} path "${wanted.path}"`);
  const { group, plural, subresource, namespace, name, verb } = wanted;
  const resource = subresource ? `${plural}/${subresource}` : plural;
  const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
  throw forbidden(
    { group, plural },
    name,
    `User "${user.username}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`,
  );
}
