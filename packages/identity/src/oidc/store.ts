import { createHash } from 'node:crypto';
import { type Instant, instantOf } from '@desp/model';
import type { Clock } from '@desp/runtime';
import type { Sql } from '@desp/storage';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';

/**
 * What oidc-provider remembers, in the platform's records, so that sessions and logins survive a restart.
 *
 * An authorization code or refresh token is good for whoever holds it, and is only ever looked up by itself: the table keeps
 * its SHA-256 instead (256 random bits need no slow hash). The others either are worthless alone (a session's or
 * interaction's cookie is signed) or are found by another column and live for minutes (a device code).
 */
const keptAsHash: ReadonlySet<string> = new Set(['AuthorizationCode', 'RefreshToken']);
/** What ends with its grant. */
const endsWithGrant: ReadonlySet<string> = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken', 'DeviceCode']);

export type OidcStore = (kind: string) => Adapter;

/** The adapter of a kind, on the `oidc` table. Expired rows are not found, and go when `sweepOidc` comes by. */
export function createOidcStore(db: Sql, clock: Clock): OidcStore {
  return (kind) => {
    const idOf = (id: string) => (keptAsHash.has(kind) ? createHash('sha256').update(id).digest('hex') : id);
    const now = (): Instant => instantOf(clock.now());
    const read = (column: 'id' | 'user_code' | 'uid', value: string) =>
      db
        .selectFrom('oidc')
        .select('payload')
        .where('kind', '=', kind)
        .where(column, '=', value)
        .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now())]))
        .executeTakeFirst();
    return {
      async upsert(id, payload, expiresIn) {
        const { jti: _, ...rest } = payload;
        const row = {
          payload: JSON.stringify(keptAsHash.has(kind) ? rest : payload),
          grant_id: payload.grantId ?? null,
          user_code: payload.userCode ?? null,
          uid: payload.uid ?? null,
          expires_at: expiresIn ? instantOf(new Date(clock.now().getTime() + expiresIn * 1000)) : null,
        };
        await db
          .insertInto('oidc')
          .values({ kind, id: idOf(id), ...row })
          .onConflict((conflict) => conflict.columns(['kind', 'id']).doUpdateSet(row))
          .execute();
      },
      async find(id) {
        const row = await read('id', idOf(id));
        if (!row) return undefined;
        return keptAsHash.has(kind) ? { ...(row.payload as AdapterPayload), jti: id } : (row.payload as AdapterPayload);
      },
      findByUserCode: async (userCode) => (await read('user_code', userCode))?.payload as AdapterPayload | undefined,
      findByUid: async (uid) => (await read('uid', uid))?.payload as AdapterPayload | undefined,
      async consume(id) {
        await db.transaction().execute(async (transaction) => {
          const row = await transaction
            .selectFrom('oidc')
            .select('payload')
            .where('kind', '=', kind)
            .where('id', '=', idOf(id))
            .forUpdate()
            .executeTakeFirst();
          const payload = row?.payload as AdapterPayload | undefined;
          // Two that use one code or refresh token at the same moment: the row's lock lets one of them.
          if (!payload || payload.consumed) throw new errors.InvalidGrant('it was used already');
          await transaction
            .updateTable('oidc')
            .set({ payload: JSON.stringify({ ...payload, consumed: Math.floor(clock.now().getTime() / 1000) }) })
            .where('kind', '=', kind)
            .where('id', '=', idOf(id))
            .execute();
        });
      },
      async destroy(id) {
        await db.deleteFrom('oidc').where('kind', '=', kind).where('id', '=', idOf(id)).execute();
      },
      async revokeByGrantId(grantId) {
        if (endsWithGrant.has(kind)) await db.deleteFrom('oidc').where('kind', '=', kind).where('grant_id', '=', grantId).execute();
      },
    };
  };
}

/** Removes what is over. */
export async function sweepOidc(db: Sql, clock: Clock): Promise<void> {
  await db.deleteFrom('oidc').where('expires_at', '<=', instantOf(clock.now())).execute();
}
