import { createHash } from 'node:crypto';
import {
  type AccessTokens,
  createTryLimit,
  findPerson,
  findPersonBySubject,
  findSubject,
  type Principal,
  principalOf,
  type Tokens,
  verifyPassword,
} from '@desp/identity';
import type { TokenScope } from '@desp/model';
import type { Clock } from '@desp/runtime';
import type { Sql } from '@desp/storage';

/** Tells whose credentials these are, for Git, the registry and the API alike. */
export interface Authenticator {
  /**
   * A person with a password, or anybody with a token as the password; the name then does not matter. `scope` is where it is
   * shown: a token that is not good there is nobody's.
   *
   * @throws IdentityError TOO_MANY_TRIES, PROVIDER_UNREACHABLE.
   */
  basic(username: string, password: string, scope: TokenScope): Promise<Principal | undefined>;
  /**
   * One of our own tokens that is good at `scope`, or an access token of the identity provider: the login itself, good everywhere
   * but at clusters.
   *
   * @throws IdentityError PROVIDER_UNREACHABLE.
   */
  bearer(token: string, scope: TokenScope): Promise<Principal | undefined>;
  /**
   * What our own identity provider calls the person with this name and password.
   *
   * @throws IdentityError TOO_MANY_TRIES.
   */
  login(username: string, password: string): Promise<string | undefined>;
}

export interface AuthenticatorOptions {
  readonly db: Sql;
  readonly tokens: Tokens;
  readonly accessTokens: AccessTokens;
  readonly issuer: string;
  readonly clock: Clock;
  readonly platformToken: string;
}

const rememberMs = 60_000;
const mostRemembered = 1_000;
const tries = { count: 10, perMs: 60_000 };
const longestName = 64;
/** `header.payload.signature` of a signed JWT; the header begins with `{"`. */
const jwt = /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/;

/**
 * A password takes 60 ms to check, and Git and registries send it with each request, several at once: a good one is
 * remembered for a minute by a hash, and the same one is checked once however many wait for it. Ten wrong ones within a minute
 * close a name for the rest of that minute.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { db, tokens, accessTokens, issuer, clock, platformToken } = options;
  const good = new Map<string, number>();
  const checking = new Map<string, Promise<boolean>>();
  const limit = createTryLimit(tries, clock);

  const bearer = async (token: string, scope: TokenScope): Promise<Principal | undefined> => {
    if (sameText(token, platformToken)) return { kind: 'platform' };
    if (!jwt.test(token)) return tokens.verify(token, scope);
    const claimed = await accessTokens.verify(token);
    const person = claimed && (await findPersonBySubject(db, claimed.issuer, claimed.subject));
    return person && principalOf(person);
  };

  const check = async (key: string, username: string, password: string): Promise<boolean> => {
    limit.take(username);
    const row = await db.selectFrom('people').select('password').where('name', '=', username).executeTakeFirst();
    if (!(await verifyPassword(password, row?.password ?? undefined))) return false;
    limit.forget(username);
    if (good.size >= mostRemembered) good.delete(good.keys().next().value as string);
    good.set(key, clock.monotonic() + rememberMs);
    return true;
  };

  const isPassword = async (username: string, password: string): Promise<boolean> => {
    if (username.length > longestName || username.includes('\0')) return false;
    const key = hash(`${username}\0${password}`);
    if ((good.get(key) ?? 0) > clock.monotonic()) return true;
    let running = checking.get(key);
    if (!running) {
      running = check(key, username, password).finally(() => checking.delete(key));
      checking.set(key, running);
    }
    return running;
  };

  return {
    bearer,
    async basic(username, password, scope) {
      if (/^d(pat|job|rob)_/.test(password) || jwt.test(password) || username === '$platform') return bearer(password, scope);
      if (!(await isPassword(username, password))) return undefined;
      const person = await findPerson(db, username);
      return person && principalOf(person);
    },
    login: async (username, password) => ((await isPassword(username, password)) ? findSubject(db, issuer, username) : undefined),
  };
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

/** Compared by hash, so that time tells nothing of the secret. */
function sameText(a: string, b: string): boolean {
  return hash(a) === hash(b);
}
