import { createHash, randomBytes } from 'node:crypto';
import { instantOf, type TokenScope } from '@desp/model';
import { type Clock, registerSecret } from '@desp/runtime';
import type { Sql, SqlTransaction } from '@desp/storage';
import { findPerson, principalOf } from './people.ts';
import type { Principal } from './permissions.ts';

/**
 * Opaque tokens for Git, the registry, the API and the clusters: 256 random bits behind a prefix that says what they are,
 * kept as a SHA-256 only (a random of this size needs no slow hash), with an end. A job's token dies with its job.
 */
export interface Tokens {
  /** A person's token, good at the named places only; `days` until it ends. */
  createPersonal(person: string, title: string, days: number, scopes: readonly TokenScope[]): Promise<string>;
  createJob(job: { service: string; delivery: number; job: string; pushedBy: string }, seconds: number): Promise<string>;
  createRobot(service: string, title: string, days: number): Promise<string>;
  endJob(delivery: number, job: string): Promise<void>;
  /** Ends a personal token for whoever holds it; nothing happens when it is none of ours. */
  revoke(token: string): Promise<void>;
  /**
   * Whose token it is, when it is one of ours, not over, not revoked, and good where it is shown. What a job's or a robot's
   * token may do stands in the table of rights; at a cluster it is nobody's.
   */
  verify(token: string, scope: TokenScope): Promise<Principal | undefined>;
}

const prefixes = { personal: 'dpat_', job: 'djob_', robot: 'drob_' } as const;
const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

export function createTokens(db: Sql | SqlTransaction, clock: Clock): Tokens {
  const insert = async (
    kind: keyof typeof prefixes,
    row: { person: string | null; service: string | null; delivery: number | null; job: string | null; title: string },
    scopes: readonly TokenScope[],
    seconds: number,
  ): Promise<string> => {
    const token = `${prefixes[kind]}${randomBytes(32).toString('base64url')}`;
    registerSecret(token);
    const now = clock.now();
    await db
      .insertInto('tokens')
      .values({
        ...row,
        kind,
        hash: hashOf(token),
        scopes: JSON.stringify(scopes),
        created_at: instantOf(now),
        expires_at: instantOf(new Date(now.getTime() + seconds * 1000)),
        revoked_at: null,
      })
      .execute();
    return token;
  };
  return {
    createPersonal: (person, title, days, scopes) =>
      insert('personal', { person, service: null, delivery: null, job: null, title }, scopes, days * 86_400),
    createJob: (job, seconds) =>
      insert('job', { person: job.pushedBy, service: job.service, delivery: job.delivery, job: job.job, title: 'job' }, [], seconds),
    createRobot: (service, title, days) => insert('robot', { person: null, service, delivery: null, job: null, title }, [], days * 86_400),
    async endJob(delivery, job) {
      await db
        .updateTable('tokens')
        .set({ revoked_at: instantOf(clock.now()) })
        .where('delivery', '=', delivery)
        .where('job', '=', job)
        .where('revoked_at', 'is', null)
        .execute();
    },
    async revoke(token) {
      await db
        .updateTable('tokens')
        .set({ revoked_at: instantOf(clock.now()) })
        .where('hash', '=', hashOf(token))
        .where('kind', '=', 'personal')
        .where('revoked_at', 'is', null)
        .execute();
    },
    async verify(token, scope) {
      if (token.length > 128 || !Object.values(prefixes).some((prefix) => token.startsWith(prefix))) return undefined;
      // The database compares hashes: what its timing could tell is about a hash, never about a token.
      const row = await db.selectFrom('tokens').selectAll().where('hash', '=', hashOf(token)).executeTakeFirst();
      if (!row || row.revoked_at || row.expires_at <= instantOf(clock.now())) return undefined;
      if (row.kind === 'personal' ? !row.scopes.includes(scope) : scope.startsWith('kubernetes:')) return undefined;
      switch (row.kind) {
        case 'personal': {
          const person = row.person ? await findPerson(db, row.person) : undefined;
          return person && principalOf(person);
        }
        case 'job':
          if (!row.service || row.delivery === null || !row.job) return undefined;
          return { kind: 'job', service: row.service, delivery: row.delivery, job: row.job, pushedBy: row.person ?? '' };
        case 'robot':
          return row.service ? { kind: 'robot', service: row.service, name: row.title } : undefined;
      }
    },
  };
}
