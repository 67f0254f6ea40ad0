import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { OciError } from '../errors.ts';
import { isRepositoryName } from '../names.ts';
import { roleAllows } from './harbor/roles.ts';
import { type Access, type Tokens, tokenSeconds } from './tokens.ts';
import type { RegistryAction, RegistryOptions, RegistryPrincipal } from './types.ts';
import { type Exchange, sendJson } from './wire.ts';

/** The name that Harbor's token service gives itself; clients send it back. */
export const serviceName = 'harbor-registry';

const maxScopes = 64;

/** A caller who has shown who they are, and what the credential allows besides what the person may. */
export interface Caller {
  readonly principal: RegistryPrincipal;
  /** Undefined for Basic credentials, which are not narrowed. */
  readonly access: readonly Access[] | undefined;
}

/** A robot's secret is 32 random bytes: one hash suffices, there is nothing to guess. */
export const hashSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest();
export const newSecret = (): string => randomBytes(32).toString('base64url');

/**
 * Who calls, and may they: Harbor's two ways in (Bearer from the token service, Basic), one decision.
 *
 * A repository of a project where the caller has no right answers as Harbor does for one that does not exist: 401 with
 * a challenge, in the same words.
 */
export class Gatekeeper {
  readonly #options: RegistryOptions;
  readonly #tokens: Tokens;
  readonly #now: () => Date;

  constructor(options: RegistryOptions, tokens: Tokens, now: () => Date) {
    this.#options = options;
    this.#tokens = tokens;
    this.#now = now;
  }

  /** The caller, or undefined for nobody: no credentials, or wrong ones. */
  async identify(request: IncomingMessage): Promise<Caller | undefined> {
    const header = request.headers.authorization ?? '';
    const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(header) ?? [];
    if (scheme.toLowerCase() === 'bearer') {
      const claims = await this.#tokens.check(value);
      if (!claims) return undefined;
      if (claims.principal.kind === 'robot' && !this.#liveRobot(claims.principal.name)) return undefined;
      return { principal: claims.principal, access: claims.access };
    }
    if (scheme.toLowerCase() === 'basic') {
      const principal = await this.#basic(value);
      return principal && { principal, access: undefined };
    }
    return undefined;
  }

  #liveRobot(name: string) {
    const robot = this.#options.store.metadata.robot(this.#options.name, name);
    if (!robot || (robot.expiresAt !== undefined && Date.parse(robot.expiresAt) <= this.#now().getTime())) return undefined;
    return robot;
  }

  async #basic(encoded: string): Promise<RegistryPrincipal | undefined> {
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon < 1 || text.length > 16_384) return undefined;
    const username = text.slice(0, colon);
    const password = text.slice(colon + 1);
    if (!username.startsWith('robot$')) {
      const principal = await this.#options.authenticate(username, password);
      // Robots are this registry's own: nobody else may name one.
      return principal?.kind === 'robot' ? undefined : principal;
    }
    const robot = this.#liveRobot(username);
    const right = timingSafeEqual(robot?.secretHash ?? Buffer.alloc(32), hashSecret(password));
    return robot && right ? { kind: 'robot', name: robot.name } : undefined;
  }

  /** What the principal may do now in the project. */
  mayDo(principal: RegistryPrincipal, project: string, action: RegistryAction): boolean {
    if (principal.kind === 'robot') {
      const robot = this.#liveRobot(principal.name);
      return robot !== undefined && robot.project === project && robot.actions.includes(action);
    }
    if (this.#options.authorize) return this.#options.authorize(principal, project, action);
    if (principal.kind === 'platform') return true;
    const member =
      principal.kind === 'person' ? this.#options.store.metadata.member(this.#options.name, project, principal.name) : undefined;
    return member !== undefined && roleAllows(member.role, action);
  }

  mayAdminister(principal: RegistryPrincipal, project: string): boolean {
    if (this.#options.administers) return this.#options.administers(principal, project);
    if (principal.kind === 'platform') return true;
    return principal.kind === 'person' && this.#options.store.metadata.member(this.#options.name, project, principal.name)?.role === 1;
  }

  allows(caller: Caller, repository: string, action: RegistryAction): boolean {
    const granted =
      caller.access === undefined ||
      caller.access.some((entry) => entry.type === 'repository' && entry.name === repository && entry.actions.includes(action));
    return granted && this.mayDo(caller.principal, repository.split('/', 1)[0]!, action);
  }

  /** The caller, when they may; else UNAUTHORIZED with the challenge. */
  async demand(exchange: Exchange, repository: string, action: RegistryAction): Promise<Caller> {
    const caller = await this.identify(exchange.request);
    if (caller && this.allows(caller, repository, action)) return caller;
    const wanted = action === 'push' ? 'pull,push' : action;
    throw this.unauthorized(
      exchange.request,
      `unauthorized to access repository: ${repository}, action: ${action}: unauthorized to access repository: ${repository}, action: ${action}`,
      `repository:${repository}:${wanted}`,
    );
  }

  /** Anybody with valid credentials. */
  async demandAnybody(exchange: Exchange, scope?: string): Promise<Caller> {
    const caller = await this.identify(exchange.request);
    if (caller) return caller;
    throw this.unauthorized(exchange.request, 'unauthorized: authentication required', scope);
  }

  unauthorized(request: IncomingMessage, message: string, scope?: string): OciError {
    const challenge = `Bearer realm="${this.#baseUrl(request)}/service/token",service="${serviceName}"${scope ? `,scope="${scope}"` : ''}`;
    return new OciError('UNAUTHORIZED', message, { headers: { 'www-authenticate': challenge } });
  }

  /** The configured address, or the one that this client used: it surely can reach that. */
  #baseUrl(request: IncomingMessage): string {
    if (this.#options.url) return this.#options.url.replace(/\/+$/, '');
    const host = request.headers.host ?? '';
    const encrypted = 'encrypted' in request.socket && request.socket.encrypted === true;
    const safe = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host) ? host : 'localhost';
    return `${encrypted ? 'https' : 'http'}://${safe}`;
  }

  /**
   * `GET /service/token`: Basic in, a token out that grants what was asked for and is allowed. Nobody gets nothing: no
   * anonymous tokens. Harbor's reply, `expires_in` never under 60 s.
   */
  async serveToken(exchange: Exchange): Promise<void> {
    const caller = await this.identify(exchange.request);
    if (!caller || caller.access !== undefined) {
      throw new OciError('UNAUTHORIZED', 'unauthorized: authentication required', {
        headers: { 'www-authenticate': `Basic realm="${serviceName}"` },
      });
    }
    const scopes = exchange.query.getAll('scope').flatMap((scope) => scope.split(' ').filter(Boolean));
    if (scopes.length > maxScopes) throw new OciError('BAD_REQUEST', `Over ${maxScopes} scopes were asked for at once.`);
    const access = scopes.flatMap((scope) => this.#grant(caller.principal, scope));
    const { token, issuedAt } = await this.#tokens.issue(caller.principal, access);
    sendJson(
      exchange,
      200,
      { token, access_token: token, expires_in: tokenSeconds, issued_at: issuedAt.toISOString() },
      { 'cache-control': 'no-store' },
    );
  }

  /** `type:name:actions`; an entry that cannot be read or is not allowed is left out, as Harbor does. */
  #grant(principal: RegistryPrincipal, scope: string): Access[] {
    const [, type, name = '', wanted = ''] = /^(repository|registry):([^:]+):([a-z*,]*)$/.exec(scope) ?? [];
    if (type === 'registry') return name === 'catalog' ? [{ type, name, actions: ['*'] }] : [];
    if (type !== 'repository' || !isRepositoryName(name)) return [];
    const asked = wanted.split(',');
    const project = name.split('/', 1)[0]!;
    const actions = (['pull', 'push', 'delete'] as const).filter(
      (action) => (asked.includes(action) || asked.includes('*')) && this.mayDo(principal, project, action),
    );
    return actions.length > 0 ? [{ type, name, actions }] : [];
  }
}
