import { createHash } from 'node:crypto';
import { findPerson, IdentityError, type Principal, type Tokens, verifyPassword } from '@desp/identity';
import type { Clock } from '@desp/runtime';
import type { Sql } from '@desp/storage';

/** Tells whose credentials these are, for Git, the registry and the API alike. */
export interface Authenticator {
  /** A person with a password, or anybody with one of our tokens as the password. */
  basic(username: string, password: string): Promise<Principal | undefined>;
  bearer(token: string): Promise<Principal | undefined>;
}

const rememberMs = 60_000;
const tries = { count: 10, perMs: 60_000 };

/**
 * A password takes 60 ms to check, and Git and registries send it with each request: a good one is remembered for a minute by
 * a hash. Ten wrong ones within a minute close a name for the rest of that minute.
 *
 * Throws IdentityError TOO_MANY_TRIES.
 */
export function createAuthenticator(db: Sql, tokens: Tokens, clock: Clock, platformToken: string): Authenticator {
  const good = new Map<string, number>();
  const wrong = new Map<string, { count: number; since: number }>();

  const bearer = async (token: string): Promise<Principal | undefined> => {
    if (sameText(token, platformToken)) return { kind: 'platform' };
    return tokens.verify(token);
  };

  return {
    bearer,
    async basic(username, password) {
      if (/^d(pat|job|rob)_/.test(password) || username === '$platform') return bearer(password);
      const now = clock.monotonic();
      const key = hash(`${username}\0${password}`);
      const row = username.length <= 64 ? await db.selectFrom('people').select('password').where('name', '=', username).executeTakeFirst() : undefined;
      if ((good.get(key) ?? 0) < now) {
        const failed = wrong.get(username);
        const recent = failed && now - failed.since < tries.perMs ? failed : { count: 0, since: now };
        if (recent.count >= tries.count) {
          throw new IdentityError('TOO_MANY_TRIES', 'Too many wrong passwords.', { kind: 'user', retryable: true, cure: 'Wait a minute.' });
        }
        if (!(await verifyPassword(password, row?.password ?? undefined))) {
          if (wrong.size > 10_000) wrong.clear();
          wrong.set(username, { count: recent.count + 1, since: recent.since });
          return undefined;
        }
        if (good.size > 1_000) good.clear();
        good.set(key, now + rememberMs);
      }
      const person = await findPerson(db, username);
      return person && { kind: 'person', name: person.name, company: person.company, roles: person.roles };
    },
  };
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

/** Compared by hash, so that time tells nothing of the secret. */
function sameText(a: string, b: string): boolean {
  return hash(a) === hash(b);
}
