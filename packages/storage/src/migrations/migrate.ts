import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Sql } from '../database.ts';
import { StorageError } from '../storage-error.ts';
import { platform } from './0001-platform.ts';
import { tokenScopes } from './0002-token-scopes.ts';

/** Every migration, oldest first. To add one: a file `NNNN-name.ts` of the same shape, and a line here. */
export const migrations: readonly { name: string; sql: string }[] = [platform, tokenScopes];

const sum = (text: string) => createHash('sha256').update(text).digest('hex');

/**
 * Runs what is missing in one transaction under an advisory lock, so that two servers starting at once do it once.
 *
 * @throws StorageError DATABASE_TOO_NEW, MIGRATION_CHANGED.
 */
export async function migrate(db: Sql): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(723401)`.execute(transaction);
    await sql`create table if not exists migrations (name text primary key, sum text not null, at timestamptz not null default now())`.execute(
      transaction,
    );
    const { rows } = await sql<{ name: string; sum: string }>`select name, sum from migrations order by name`.execute(transaction);
    for (const [index, row] of rows.entries()) {
      const known = migrations[index];
      if (!known) {
        throw new StorageError('DATABASE_TOO_NEW', `The database was made by a newer version of desp (it has ${row.name}).`, {
          kind: 'user',
          cure: 'Run that version, or restore a copy from before the upgrade.',
        });
      }
      if (known.name !== row.name || sum(known.sql) !== row.sum) {
        throw new StorageError('MIGRATION_CHANGED', `The migration ${row.name} differs from what made this database.`, { kind: 'bug' });
      }
    }
    for (const migration of migrations.slice(rows.length)) {
      for (const statement of splitStatements(migration.sql)) await sql.raw(statement).execute(transaction);
      await sql`insert into migrations (name, sum) values (${migration.name}, ${sum(migration.sql)})`.execute(transaction);
    }
  });
}

/** The wire protocol's extended form takes one statement at a time; a statement here ends with `;` at a line's end. */
function splitStatements(text: string): string[] {
  return text
    .split(/;\n/)
    .map((statement) => statement.trim())
    .filter(Boolean);
}
