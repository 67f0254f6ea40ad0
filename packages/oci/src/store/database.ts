import { type FileHandle, open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { OciError } from '../errors.ts';

const schema = `
CREATE TABLE IF NOT EXISTS projects (
  registry TEXT NOT NULL, name TEXT NOT NULL, tags TEXT NOT NULL, created_at TEXT NOT NULL, metadata TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (registry, name)) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS repositories (
  id INTEGER PRIMARY KEY, registry TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL, created_at TEXT NOT NULL,
  UNIQUE (registry, name)) STRICT;
CREATE TABLE IF NOT EXISTS blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS repository_blobs (
  repository INTEGER NOT NULL, digest TEXT NOT NULL, linked_at INTEGER NOT NULL,
  PRIMARY KEY (repository, digest)) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS repository_blobs_digest ON repository_blobs (digest);
CREATE TABLE IF NOT EXISTS manifests (
  id INTEGER PRIMARY KEY, repository INTEGER NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, artifact_type TEXT,
  subject TEXT, annotations TEXT NOT NULL, size INTEGER NOT NULL, pushed_at TEXT NOT NULL, bytes BLOB NOT NULL,
  UNIQUE (repository, digest)) STRICT;
CREATE INDEX IF NOT EXISTS manifests_subject ON manifests (repository, subject) WHERE subject IS NOT NULL;
CREATE TABLE IF NOT EXISTS manifest_references (
  manifest INTEGER NOT NULL, repository INTEGER NOT NULL, child TEXT NOT NULL,
  PRIMARY KEY (manifest, child)) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS manifest_references_child ON manifest_references (repository, child);
CREATE TABLE IF NOT EXISTS tags (
  repository INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, pushed_at TEXT NOT NULL,
  PRIMARY KEY (repository, name)) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS tags_digest ON tags (repository, digest);
CREATE TABLE IF NOT EXISTS robots (
  id INTEGER PRIMARY KEY, registry TEXT NOT NULL, name TEXT NOT NULL, project TEXT NOT NULL, actions TEXT NOT NULL,
  secret_hash BLOB NOT NULL, expires_at TEXT, UNIQUE (registry, name)) STRICT;
CREATE TABLE IF NOT EXISTS project_numbers (number INTEGER PRIMARY KEY, registry TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (registry, name)) STRICT;
INSERT OR IGNORE INTO project_numbers (registry, name) SELECT registry, name FROM projects;
CREATE TABLE IF NOT EXISTS members (
  id INTEGER PRIMARY KEY, registry TEXT NOT NULL, project TEXT NOT NULL, username TEXT NOT NULL, role INTEGER NOT NULL,
  UNIQUE (registry, project, username)) STRICT;
PRAGMA user_version = 2;
`;
const latest = 2;

/**
 * One SQLite file with group commit.
 *
 * Principle: every write of one turn of the event loop lands in one transaction; the commit itself does not wait for
 * the disk (`synchronous = NORMAL`), the write-ahead log is then synced on a thread of the pool, once for all writers
 * that wait. An acknowledged write is on disk, and the event loop never stands still for a disk. Rejected: `FULL`,
 * which syncs on the main thread (2.7 ms each on the machines we measured).
 */
export class Database {
  readonly sqlite: DatabaseSync;
  readonly #log: FileHandle;
  #open = false;
  #waiting: PromiseWithResolvers<void>[] = [];
  #syncing = false;
  #failure: unknown;

  private constructor(sqlite: DatabaseSync, log: FileHandle) {
    this.sqlite = sqlite;
    this.#log = log;
  }

  static async open(file: string): Promise<Database> {
    const sqlite = new DatabaseSync(file);
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
    const { user_version } = sqlite.prepare('PRAGMA user_version').get() as { user_version: number };
    if (user_version > latest) {
      sqlite.close();
      throw new OciError('STORE_DAMAGED', `The registry's database has version ${user_version}; this program knows version ${latest}.`, {
        cure: 'Start the newer program that wrote it.',
      });
    }
    if (user_version === 1)
      sqlite.exec("BEGIN; ALTER TABLE projects ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}'; PRAGMA user_version = 2; COMMIT;");
    sqlite.exec(schema);
    const log = await open(`${file}-wal`, 'r');
    const database = new Database(sqlite, log);
    await log.datasync();
    return database;
  }

  /**
   * Runs `change` inside the open transaction; resolves when it is durable. `change` is synchronous and all or nothing:
   * when it throws, nothing of it stays.
   */
  async write<T>(change: () => T): Promise<T> {
    if (this.#failure) throw this.#failed();
    if (!this.#open) {
      this.sqlite.exec('BEGIN IMMEDIATE');
      this.#open = true;
      setImmediate(() => this.#commit());
    }
    this.sqlite.exec('SAVEPOINT change');
    let result: T;
    try {
      result = change();
    } catch (error) {
      this.sqlite.exec('ROLLBACK TO change; RELEASE change');
      throw error;
    }
    this.sqlite.exec('RELEASE change');
    const done = Promise.withResolvers<void>();
    this.#waiting.push(done);
    await done.promise;
    return result;
  }

  #commit(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.sqlite.exec('COMMIT');
    } catch (error) {
      // Readers may have seen what is now lost: nothing more is promised until a restart.
      this.#fail(error);
      return;
    }
    if (!this.#syncing) void this.#sync();
  }

  async #sync(): Promise<void> {
    this.#syncing = true;
    while (this.#waiting.length > 0 && !this.#open) {
      const served = this.#waiting;
      this.#waiting = [];
      try {
        await this.#log.datasync();
      } catch (error) {
        for (const one of served) one.reject(error);
        this.#fail(error);
        break;
      }
      for (const one of served) one.resolve();
    }
    this.#syncing = false;
  }

  #failed(): OciError {
    return new OciError('STORE_FULL', 'The registry cannot write its database.', {
      kind: 'upstream',
      cure: 'Free space on the disk of the data folder, then start again.',
      cause: this.#failure,
    });
  }

  #fail(error: unknown): void {
    this.#failure = error;
    for (const one of this.#waiting) one.reject(this.#failed());
    this.#waiting = [];
  }

  /** Commits what is open, waits until it is durable, and closes. */
  async close(): Promise<void> {
    this.#commit();
    while (this.#syncing || this.#waiting.length > 0) await new Promise((resolve) => setImmediate(resolve));
    await this.#log.close();
    this.sqlite.close();
  }
}
