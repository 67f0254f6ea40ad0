import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ApiError, forbidden } from '../errors.ts';
import type { UserInfo } from '../types.ts';
import type { Authorizer } from './rbac.ts';
import { digest, type ServiceAccountTokens } from './service-account-tokens.ts';

export const anonymous: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] };

/** Who sends a request: the platform's own token, a ServiceAccount, or one of the people. */
export class Authenticator {
  #adminDigest: Buffer;
  #tokens: ServiceAccountTokens;
  #people: ((token: string) => Promise<UserInfo | undefined>) | undefined;
  #authorizer: Authorizer;

  constructor(
    adminToken: string,
    tokens: ServiceAccountTokens,
    people: ((token: string) => Promise<UserInfo | undefined>) | undefined,
    authorizer: Authorizer,
  ) {
    this.#adminDigest = digest(adminToken);
    this.#tokens = tokens;
    this.#people = people;
    this.#authorizer = authorizer;
  }

  /**
   * The request's user; `anonymous` when it brings no credentials.
   * @throws ApiError Unauthorized for a token of nobody, Forbidden for an impersonation that is not allowed
   */
  async authenticate(request: IncomingMessage): Promise<UserInfo> {
    const token = bearerOf(request);
    if (token === undefined) return anonymous;
    const user = await this.identify(token);
    if (user === undefined) throw new ApiError('Unauthorized', 'Unauthorized');
    return this.#impersonated(request, user);
  }

  /** The user of a token for this server. */
  async identify(token: string): Promise<UserInfo | undefined> {
    if (timingSafeEqual(digest(token), this.#adminDigest)) {
      return { username: 'system:admin', groups: ['system:masters', 'system:authenticated'] };
    }
    const account = await this.#tokens.verify(token);
    if (account !== undefined) return account.user;
    const person = await this.#people?.(token);
    if (person === undefined) return undefined;
    // The names of the system are not for people, whatever their source says.
    if (person.username === '' || person.username.startsWith('system:')) return undefined;
    const groups = person.groups.filter((group) => !group.startsWith('system:'));
    return { ...person, groups: [...groups, 'system:authenticated'] };
  }

  /** `--as`, `--as-group`: allowed by the verb `impersonate` on users, groups and serviceaccounts. */
  #impersonated(request: IncomingMessage, user: UserInfo): UserInfo {
    const name = request.headers['impersonate-user'];
    const groups = headerList(request, 'impersonate-group');
    if (typeof name !== 'string' || name === '') {
      if (groups.length > 0) throw new ApiError('BadRequest', 'requested impersonation of groups without a user');
      return user;
    }
    const check = (plural: string, target: string, namespace = '') => {
      const wanted = { kind: 'resource', verb: 'impersonate', group: '', plural, subresource: '', namespace, name: target } as const;
      if (!this.#authorizer.allows(user, wanted)) {
        throw forbidden(
          { group: '', plural },
          target,
          `User "${user.username}" cannot impersonate resource "${plural}" in API group "" at the cluster scope`,
        );
      }
    };
    const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
    if (account) check('serviceaccounts', account[2]!, account[1]!);
    else check('users', name);
    for (const group of groups) check('groups', group);
    const own = account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : [];
    const given = groups.length > 0 ? groups : own;
    return {
      username: name,
      groups: [...new Set([...given, name === anonymous.username ? 'system:unauthenticated' : 'system:authenticated'])],
    };
  }
}

function headerList(request: IncomingMessage, name: string): string[] {
  const values = request.headersDistinct[name] ?? [];
  return values.filter((value) => value !== '');
}

/** The bearer token of a header, or of the WebSocket subprotocol that browsers must use. */
function bearerOf(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const match = /^Bearer +(\S+)$/i.exec(authorization);
    if (!match) throw new ApiError('Unauthorized', 'Unauthorized');
    return match[1];
  }
  const protocol = /\bbase64url\.bearer\.authorization\.k8s\.io\.([\w-]+)/.exec(request.headers['sec-websocket-protocol'] ?? '');
  return protocol === null ? undefined : Buffer.from(protocol[1]!, 'base64url').toString('utf8');
}
