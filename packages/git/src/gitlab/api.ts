import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Logger, messageOf } from '@desp/runtime';
import type { GitAccount } from './access.ts';
import type { ApiContext, Handler, Route } from './call.ts';
import { groupRoutes } from './groups.ts';
import { memberRoutes } from './members.ts';
import { projectRoutes } from './projects.ts';
import { settingRoutes } from './settings.ts';
import { userRoutes } from './users.ts';
import { ApiRefusal, type ApiReply, badParameter, readParameters, send, unauthorized } from './wire.ts';

const prefix = '/api/v4';
const maxTarget = 4096;

/** Every endpoint. To add a resource: a file of the same shape beside these, and a line here. */
export const apiRoutes: readonly Route[] = [...userRoutes, ...groupRoutes, ...projectRoutes, ...memberRoutes, ...settingRoutes];

const compiled = apiRoutes.map(([method, path, handler]) => ({
  method,
  pattern: new RegExp(`^${path.replace(/:[a-z]+/g, '([^/]+)')}/?$`),
  handler,
}));

export interface GitLabApiOptions extends ApiContext {
  /** Whose token this is; undefined when nobody's. */
  authenticateToken(token: string): Promise<GitAccount | undefined> | GitAccount | undefined;
  readonly log: Logger;
}

export const isApiPath = (url: string): boolean => url === prefix || url.startsWith(`${prefix}/`);

/**
 * The part of GitLab's REST API, version 4, that makes and rules what a service needs. What is not here answers GitLab's 404; a
 * parameter that is here and cannot be honoured answers 400 with its name. Tokens come as `PRIVATE-TOKEN` or as a Bearer.
 */
export function createGitLabApi(options: GitLabApiOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const answer = async (request: IncomingMessage): Promise<ApiReply> => {
    const target = request.url ?? '/';
    if (target.length > maxTarget) throw new ApiRefusal(414, { error: 'Request-URI Too Long' });
    const mark = target.indexOf('?');
    const path = (mark < 0 ? target : target.slice(0, mark)).slice(prefix.length);
    const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
    // Who is nobody learns nothing, not even which endpoints there are.
    const account = await authenticate(request);
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
    const found = match(method, path);
    if (!found) throw new ApiRefusal(404, { error: '404 Not Found' });
    const parameters = await readParameters(request, query);
    return found.handler({ context: options, account, query, parameters }, ...found.parts);
  };

  const authenticate = async (request: IncomingMessage): Promise<GitAccount> => {
    const header = request.headers['private-token'];
    const bearer = /^Bearer +(\S{1,4096})$/i.exec(request.headers.authorization ?? '')?.[1];
    const token = typeof header === 'string' && header !== '' ? header : bearer;
    const account = token === undefined || token.length > 4096 ? undefined : await options.authenticateToken(token);
    if (!account) throw unauthorized();
    return account;
  };

  return async (request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    let reply: ApiReply;
    try {
      reply = await answer(request);
    } catch (error) {
      if (error instanceof ApiRefusal) reply = { status: error.status, body: error.body };
      else {
        options.log.error({ error: messageOf(error), method: request.method }, "A call of the Git host's API failed.");
        reply = { status: 500, body: { message: '500 Internal Server Error' } };
      }
    }
    send(response, request, reply);
  };
}

/** The route, and its variable segments decoded once: a path of a group or project comes with its slashes encoded. */
function match(method: string, path: string): { handler: Handler; parts: string[] } | undefined {
  let known = false;
  for (const { method: own, pattern, handler } of compiled) {
    const found = pattern.exec(path);
    if (!found) continue;
    known = true;
    if (own !== method) continue;
    return { handler, parts: found.slice(1).map(decode) };
  }
  if (known) throw new ApiRefusal(405, { error: '405 Not Allowed' });
  return undefined;
}

function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw badParameter('id is invalid');
  }
  if (decoded.length > 600 || /\p{Cc}/u.test(decoded)) throw badParameter('id is invalid');
  return decoded;
}
