import { existsSync, mkdirSync } from 'node:fs';
import { messageOf } from '@desp/runtime';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { fromPglite } from 'pg-boss';
import { migrate } from './migrations/migrate.ts';
import { pgliteDialect } from './pglite-dialect.ts';
import type { Schema } from './schema.ts';
import { StorageError } from './storage-error.ts';

export type Sql = Kysely<Schema>;
export type SqlTransaction = Transaction<Schema>;

/** One database, embedded or real, behind the same SQL. */
export interface Database {
  readonly sql: Sql;
  readonly kind: 'pglite' | 'postgres';
  /** What the job queue talks through. */
  readonly jobs: { readonly db: ReturnType<typeof fromPglite> } | { readonly connectionString: string };
  close(): Promise<void>;
}

/**
 * Opens the database and brings its tables up to date.
 *
 * @param url `pglite:FOLDER` (embedded) or `postgres://…` (PostgreSQL 15 or later).
 * @throws StorageError DATABASE_UNREACHABLE, DATABASE_TOO_OLD (below PostgreSQL 15), DATABASE_TOO_NEW, MIGRATION_CHANGED.
 */
export async function openDatabase(url: string): Promise<Database> {
  const database = url.startsWith('pglite:') ? await openPglite(url.slice('pglite:'.length)) : await openPostgres(url);
  try {
    await migrate(database.sql);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

async function openPglite(folder: string): Promise<Database> {
  const fresh = !existsSync(folder);
  if (fresh) mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    const pglite = await PGlite.create(folder, {
      // Measured: 148–250 MB resident instead of 300–373; it counts only when the folder is made.
      ...(fresh ? { postgresqlconf: ['shared_buffers=8MB', 'max_connections=5'] } : {}),
    });
    return {
      sql: new Kysely<Schema>({ dialect: pgliteDialect(pglite) }),
      kind: 'pglite',
      jobs: { db: fromPglite(pglite) },
      close: () => pglite.close(),
    };
  } catch (cause) {
    throw new StorageError('DATABASE_UNREACHABLE', `The embedded database in ${folder} could not be opened: ${messageOf(cause)}`, {
      kind: 'upstream',
      cure: 'Run desp down --purge to start anew, or restore the folder from a copy.',
      cause,
    });
  }
}

async function openPostgres(url: string): Promise<Database> {
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 10_000 });
  // A connection that the server drops while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  try {
    const { rows } = await sql<{ version: string }>`select current_setting('server_version_num') as version`.execute(db);
    const version = Number(rows[0]?.version);
    if (version < 150_000) {
      throw new StorageError('DATABASE_TOO_OLD', `The database is PostgreSQL ${Math.floor(version / 10_000)}, and 15 or later is needed.`, {
        kind: 'user',
        cure: 'Upgrade the server, or name another in desp.config.yaml (database.url).',
      });
    }
  } catch (cause) {
    await pool.end();
    if (cause instanceof StorageError) throw cause;
    throw new StorageError('DATABASE_UNREACHABLE', `The database does not answer: ${messageOf(cause)}`, {
      kind: 'upstream',
      retryable: true,
      cure: 'Check database.url in desp.config.yaml, and that the server runs and accepts this user.',
      cause,
    });
  }
  return { sql: db, kind: 'postgres', jobs: { connectionString: url }, close: () => db.destroy() };
}
