import type { PGlite, Transaction } from '@electric-sql/pglite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';

/**
 * Kysely on PGlite. Kysely brings a dialect of its own, but all its callers share one connection, so that a query beside an
 * open transaction runs inside it; here each caller has a connection, and PGlite's own mutex keeps transactions apart.
 */
export function pgliteDialect(pglite: PGlite): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PgliteDriver(pglite),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class PgliteDriver implements Driver {
  readonly #pglite: PGlite;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
  }

  async init(): Promise<void> {
    await this.#pglite.waitReady;
  }

  async acquireConnection(): Promise<PgliteConnection> {
    return new PgliteConnection(this.#pglite);
  }

  async beginTransaction(connection: PgliteConnection, _settings: TransactionSettings): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: PgliteConnection): Promise<void> {
    await connection.end('commit');
  }

  async rollbackTransaction(connection: PgliteConnection): Promise<void> {
    await connection.end('rollback');
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    // The database's owner closes PGlite: jobs use it too.
  }
}

class PgliteConnection implements DatabaseConnection {
  readonly #pglite: PGlite;
  #transaction: { on: Transaction; settle: (how: 'commit' | 'rollback') => void; closed: Promise<unknown> } | undefined;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
  }

  async begin(): Promise<void> {
    const settled = Promise.withResolvers<'commit' | 'rollback'>();
    const begun = Promise.withResolvers<Transaction>();
    const closed = this.#pglite.transaction(async (transaction) => {
      begun.resolve(transaction);
      if ((await settled.promise) === 'rollback') await transaction.rollback();
    });
    closed.catch(begun.reject);
    this.#transaction = { on: await begun.promise, settle: settled.resolve, closed };
  }

  async end(how: 'commit' | 'rollback'): Promise<void> {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    transaction?.settle(how);
    await transaction?.closed;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const result = await (this.#transaction?.on ?? this.#pglite).query<R>(query.sql, [...query.parameters]);
    return {
      rows: result.rows,
      ...(result.affectedRows === undefined ? {} : { numAffectedRows: BigInt(result.affectedRows) }),
    };
  }

  // biome-ignore lint/correctness/useYield: PGlite has no cursors over its API, so streaming refuses.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('PGlite does not stream; select in pages.');
  }
}
