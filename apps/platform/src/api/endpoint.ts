import { type Action, may, type Principal, type Target } from '@desp/identity';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodType } from 'zod';
import { PlatformError } from '../platform-error.ts';
import type { Platform } from '../platform.ts';

/**
 * An endpoint names its action of the table of rights, or says that anybody may call it: one that does neither does not
 * compile. What it acts on is found first, so that a service that the caller may not see answers as one that is not there.
 */
export interface Endpoint<Body, Query> {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly summary: string;
  readonly access: Action | 'anybody';
  readonly body?: ZodType<Body>;
  readonly query?: ZodType<Query>;
  readonly answer?: ZodType;
  /** Media type of an answer that is not JSON. */
  readonly produces?: string;
  /** The service that the request is about; undefined for none. */
  readonly service?: (request: Call<Body, Query>) => string | undefined | Promise<string | undefined>;
  readonly run: (call: Call<Body, Query>) => Promise<unknown>;
}

export interface Call<Body, Query> {
  readonly platform: Platform;
  readonly principal: Principal;
  readonly params: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

const nobody: Principal = { kind: 'person', name: 'nobody', company: undefined, roles: [] };

export function endpoint<Body = undefined, Query = undefined>(definition: Endpoint<Body, Query>): Endpoint<Body, Query> {
  return definition;
}

/** Registers an endpoint: credentials, target, right, then the work; all the same for all. */
export function register<Body, Query>(app: FastifyInstance, platform: Platform, definition: Endpoint<Body, Query>): void {
  app.route({
    method: definition.method,
    url: definition.url,
    schema: {
      summary: definition.summary,
      ...(definition.body ? { body: definition.body } : {}),
      ...(definition.query ? { querystring: definition.query } : {}),
      ...(definition.answer ? { response: { 200: definition.answer } } : {}),
    },
    config: { access: definition.access },
    handler: async (request, reply) => {
      const principal = definition.access === 'anybody' ? nobody : await principalOf(platform, request);
      const call: Call<Body, Query> = {
        platform,
        principal,
        params: request.params as Record<string, string>,
        body: request.body as Body,
        query: request.query as Query,
        request,
        reply,
      };
      if (definition.access !== 'anybody') {
        const name = await definition.service?.(call);
        await requireRight(platform, principal, definition.access, name);
      }
      const answer = await definition.run(call);
      if (definition.produces) reply.type(definition.produces);
      return answer;
    },
  });
}

async function principalOf(platform: Platform, request: FastifyRequest): Promise<Principal> {
  const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ');
  let principal: Principal | undefined;
  if (scheme?.toLowerCase() === 'bearer') principal = await platform.authenticator.bearer(value);
  if (scheme?.toLowerCase() === 'basic') {
    const [username = '', ...rest] = Buffer.from(value, 'base64').toString('utf8').split(':');
    principal = await platform.authenticator.basic(username, rest.join(':'));
  }
  if (!principal) throw new PlatformError('NOT_AUTHENTICATED', 'Nobody is logged in, or the login is over.', { kind: 'user', cure: 'desp login --as PERSON' });
  return principal;
}

/** Throws NOT_FOUND for a service that this caller may not even see, NOT_ALLOWED for an action that it may not take. */
export async function requireRight(platform: Platform, principal: Principal, action: Action, service: string | undefined): Promise<void> {
  const target = service === undefined ? {} : await targetOf(platform, service);
  if (service !== undefined && (!target || !may(principal, 'service.read', target).allowed)) {
    throw new PlatformError('NOT_FOUND', `There is no service ${service.slice(0, 60)}.`, { kind: 'user', cure: 'desp service list shows those that you may see.' });
  }
  const decision = may(principal, action, target ?? {});
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
