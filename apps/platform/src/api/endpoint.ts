import { createHash, timingSafeEqual } from 'node:crypto';
import { type Action, may, type Principal, type Target } from '@desp/identity';
import { ApiProblem } from '@desp/model';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ZodType, z } from 'zod';
import type { Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';

/**
 * An endpoint names its action of the table of rights, or says that anybody may call it: one that does neither does not
 * compile. What it acts on is found first, so that a service that the caller may not see answers as one that is not there; all
 * of this before the body is read, so that who may not call learns nothing of what the body should be, and sends none.
 */
export interface Endpoint<Body, Query> {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly summary: string;
  /** `git-host`: whoever shows the webhook's token, and nobody else, not even the operator. */
  readonly access: Action | 'anybody' | 'git-host';
  readonly body?: ZodType<Body>;
  readonly query?: ZodType<Query>;
  readonly answer?: ZodType;
  /** The largest body in bytes; default `standardBodyLimit`. */
  readonly bodyLimit?: number;
  /** Media type of an answer that is not JSON. */
  readonly produces?: string;
  /** The service that the request is about; undefined when what the address names is not there. */
  readonly service?: (about: About<Query>) => string | undefined | Promise<string | undefined>;
  /** What the address names, when it is not the service itself: whether it is not there or not the caller's, the answer is the same. */
  readonly subject?: (about: About<Query>) => string;
  readonly run: (call: Call<Body, Query>) => Promise<unknown>;
}

/** Bytes that a body may have where an endpoint does not say otherwise. */
export const standardBodyLimit = 1024 * 1024;

export interface Call<Body, Query> {
  readonly platform: Platform;
  readonly principal: Principal;
  readonly params: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** What is known of a call before its body is read. */
export type About<Query> = Pick<Call<undefined, Query>, 'platform' | 'params' | 'query'>;

const nobody: Principal = { kind: 'person', name: 'nobody', company: undefined, roles: [] };

export function endpoint<Body = undefined, Query = undefined>(definition: Endpoint<Body, Query>): Endpoint<Body, Query> {
  return definition;
}

/** What a request and its answer look like; the OpenAPI document is made of it. */
export function schemaOf<Body, Query>(definition: Endpoint<Body, Query>) {
  const { method, url, access } = definition;
  return {
    operationId: [method.toLowerCase(), ...url.split('/').filter((part) => part && part !== 'api')].join('-').replaceAll(':', ''),
    summary: definition.summary,
    ...securityOf(access),
    ...(definition.body ? { body: definition.body } : {}),
    ...(definition.query ? { querystring: definition.query } : {}),
    ...(definition.produces ? { produces: [definition.produces] } : {}),
    response: { 200: definition.answer ?? (definition.produces ? z.string() : z.unknown()), '4XX': ApiProblem },
  };
}

function securityOf(access: Endpoint<unknown, unknown>['access']): object {
  if (access === 'anybody') return { security: [] };
  if (access === 'git-host') return { description: "The Git host's, with the webhook's token.", security: [{ gitlabToken: [] }] };
  return { description: `Right: \`${access}\`.` };
}

/** Registers an endpoint: credentials, target, right, then body and work; all the same for all. */
export function register<Body, Query>(app: FastifyInstance, platform: Platform, definition: Endpoint<Body, Query>): void {
  const callers = new WeakMap<FastifyRequest, Principal>();
  app.route({
    method: definition.method,
    url: definition.url,
    bodyLimit: definition.bodyLimit ?? standardBodyLimit,
    schema: schemaOf(definition),
    onRequest: async (request) => {
      // No name holds one, and the database takes none.
      if (/%00/.test(request.url)) throw new PlatformError('INVALID', 'The address holds a NUL character.', { kind: 'user' });
      if (definition.access === 'anybody') return;
      if (definition.access === 'git-host') return demandHookToken(platform, request);
      const principal = await principalOf(platform, request);
      callers.set(request, principal);
      const about = { platform, params: request.params as Record<string, string>, query: parseQuery(definition, request.query) };
      if (!definition.service) return requireRight(platform, principal, definition.access);
      const service = await definition.service(about);
      await requireRight(platform, principal, definition.access, {
        service,
        named: definition.subject?.(about) ?? `service ${(service ?? '').slice(0, 60)}`,
      });
    },
    handler: async (request, reply) => {
      const answer = await definition.run({
        platform,
        principal: callers.get(request) ?? nobody,
        params: request.params as Record<string, string>,
        body: request.body as Body,
        query: request.query as Query,
        request,
        reply,
      });
      if (definition.produces) reply.type(definition.produces);
      return answer;
    },
  });
}

function parseQuery<Body, Query>({ query }: Endpoint<Body, Query>, value: unknown): Query {
  const parsed = query?.safeParse(value);
  if (parsed && !parsed.success) {
    const why = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new PlatformError('INVALID', `The address's query cannot be read: ${why}`, { kind: 'user' });
  }
  return parsed?.data as Query;
}

/** `X-Gitlab-Token`, compared by hash, so that time tells nothing of the secret. */
function demandHookToken(platform: Platform, request: FastifyRequest): void {
  const shown = request.headers['x-gitlab-token'];
  const hash = (text: string) => createHash('sha256').update(text).digest();
  if (typeof shown === 'string' && timingSafeEqual(hash(shown), hash(platform.gitHost.hookToken))) return;
  throw new PlatformError('NOT_AUTHENTICATED', 'This is not the token of the webhook.', {
    kind: 'user',
    cure: 'The platform sets the webhook itself: desp service create, or a restart, sets it anew.',
  });
}

async function principalOf(platform: Platform, request: FastifyRequest): Promise<Principal> {
  const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ');
  let principal: Principal | undefined;
  if (scheme.toLowerCase() === 'bearer') principal = await platform.authenticator.bearer(value, 'api');
  if (scheme.toLowerCase() === 'basic') {
    const [username = '', ...rest] = Buffer.from(value, 'base64').toString('utf8').split(':');
    principal = await platform.authenticator.basic(username, rest.join(':'), 'api');
  }
  if (!principal)
    throw new PlatformError('NOT_AUTHENTICATED', 'Nobody is logged in, the login is over, or the token is not one for the API.', {
      kind: 'user',
      cure: 'desp login',
    });
  return principal;
}

/**
 * Lets pass whoever may take the action; `about` is what it is taken on, where it is taken on a service.
 *
 * @throws PlatformError NOT_FOUND for what is not there and for what this caller may not even see, in the same words;
 * NOT_ALLOWED for an action that it may not take on what it sees.
 */
export async function requireRight(
  platform: Platform,
  principal: Principal,
  action: Action,
  about?: { service: string | undefined; named: string },
): Promise<void> {
  const target = about?.service === undefined ? undefined : await targetOf(platform, about.service);
  if (about && (!target || !may(principal, 'service.read', target).allowed)) {
    throw new PlatformError('NOT_FOUND', `There is no ${about.named}.`, {
      kind: 'user',
      cure: 'desp service list shows the services that you may see, desp delivery list their deliveries.',
    });
  }
  const decision = may(principal, action, target);
  if (!decision.allowed) throw new PlatformError('NOT_ALLOWED', `This is not yours to do: ${decision.reason}`, { kind: 'user' });
}

export async function targetOf(platform: Platform, service: string): Promise<Target | undefined> {
  const row = await platform.database.sql.selectFrom('services').select(['name', 'company']).where('name', '=', service).executeTakeFirst();
  return row && { service: row };
}

/** The services that a caller may see: all, or those of its company. */
export async function visibleServices(platform: Platform, principal: Principal): Promise<string[]> {
  const rows = await platform.database.sql.selectFrom('services').select(['name', 'company']).orderBy('name').execute();
  return rows.filter((row) => may(principal, 'service.read', { service: row }).allowed).map((row) => row.name);
}
