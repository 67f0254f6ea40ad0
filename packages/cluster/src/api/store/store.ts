import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { ClusterApiError } from '../errors.ts';
import type { ApiObject } from '../object.ts';

/**
 * The cluster's memory: an append-only log of changes under one global revision, and the state that it adds up to.
 *
 * Principle: a change is decided, logged, synced to disk and only then seen by anybody. `transact` queues a synchronous
 * function; all that were queued within one turn of the event loop run one after another in one SQLite transaction, so
 * that a burst of writes pays for one disk sync (`synchronous=FULL`: an acknowledged write survives a power loss too).
 * Readers and watchers see the state in memory, which is moved on in the same turn in which the commit returns.
 *
 * Rejected: one transaction a write (each costs a sync), and reading from SQLite (each list would parse all its JSON).
 */
export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: number;
  readonly object: ApiObject;
  /** What the object was before; undefined for a creation, and in a replay when it is no longer in the log. */
  readonly previous: ApiObject | undefined;
}

/** Reads and writes of one transaction. Reads see its own writes. */
export interface Transaction {
  get(resource: string, namespace: string, name: string): ApiObject | undefined;
  list(resource: string, namespace?: string): ApiObject[];
  /** Stores the object (its resourceVersion is set here) and returns it. */
  put(resource: string, object: ApiObject): ApiObject;
  /** Removes the object; `last` is what watchers get to see. */
  remove(resource: string, last: ApiObject): ApiObject;
}

export interface StoreOptions {
  /** Path of the database, or `:memory:`. */
  readonly file: string;
  /** How many revisions a watch may look back; default 20,000. */
  readonly retain?: number;
}

interface Queued {
  readonly work: (transaction: Transaction) => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

type Listener = (event: StoreEvent) => void;

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;
const objectKey = (object: ApiObject): string => keyOf(object.metadata.namespace ?? '', object.metadata.name);

export class Store {
  #database: DatabaseSync;
  #retain: number;
  #revision = 0;
  #compacted = 0;
  #objects = new Map<string, Map<string, ApiObject>>();
  #listeners = new Map<string, Set<Listener>>();
  #queue: Queued[] = [];
  #closed = false;
  #putLog: StatementSync;
  #putObject: StatementSync;
  #removeObject: StatementSync;

  constructor(options: StoreOptions) {
    this.#retain = options.retain ?? 20_000;
    this.#database = openDatabase(options.file);
    this.#putLog = this.#database.prepare('INSERT INTO log (revision, resource, namespace, name, type, value) VALUES (?, ?, ?, ?, ?, ?)');
    this.#putObject = this.#database.prepare('INSERT OR REPLACE INTO objects (resource, namespace, name, value) VALUES (?, ?, ?, ?)');
    this.#removeObject = this.#database.prepare('DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?');
    this.#load();
  }

  /** The revision of the newest committed change. */
  get revision(): number {
    return this.#revision;
  }

  /** The oldest revision from which a watch can still start. */
  get compacted(): number {
    return this.#compacted;
  }

  get(resource: string, namespace: string, name: string): ApiObject | undefined {
    return this.#objects.get(resource)?.get(keyOf(namespace, name));
  }

  /** All objects of a resource, or of one of its namespaces, ordered by namespace and name. */
  list(resource: string, namespace?: string): ApiObject[] {
    const prefix = namespace === undefined ? '' : `${namespace}/`;
    const found: [string, ApiObject][] = [];
    for (const entry of this.#objects.get(resource) ?? []) if (entry[0].startsWith(prefix)) found.push(entry);
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  /** Every resource that has objects. */
  resources(): string[] {
    return [...this.#objects].filter(([, objects]) => objects.size > 0).map(([resource]) => resource);
  }

  /** Runs `work` in the next transaction; resolves once its changes are on disk. What `work` throws rejects, and leaves no trace. */
  transact<T>(work: (transaction: Transaction) => T): Promise<T> {
    if (this.#closed) return Promise.reject(new ClusterApiError('CLOSED', 'The cluster store is closed.', { kind: 'user' }));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (value: never) => void, reject });
      if (this.#queue.length === 1) setImmediate(() => this.#flush());
    });
  }

  /** Calls `listener` for each later change of the resource, in order, after it is on disk. Returns how to stop. */
  subscribe(resource: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(resource) ?? new Set();
    this.#listeners.set(resource, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** The retained changes of a resource after a revision, oldest first. The caller has compared with `compacted`. */
  *replay(resource: string, after: number): Generator<StoreEvent> {
    const rows = this.#database
      .prepare('SELECT revision, namespace, name, type, value FROM log WHERE resource = ? AND revision > ? ORDER BY revision')
      .all(resource, after);
    const before = this.#database.prepare(
      "SELECT value FROM log WHERE resource = ? AND namespace = ? AND name = ? AND revision < ? AND type != 'DELETED' ORDER BY revision DESC LIMIT 1",
    );
    for (const row of rows) {
      const revision = Number(row.revision);
      const previous = row.type === 'ADDED' ? undefined : before.get(resource, String(row.namespace), String(row.name), revision);
      yield {
        type: row.type as StoreEvent['type'],
        revision,
        object: JSON.parse(String(row.value)) as ApiObject,
        previous: previous === undefined ? undefined : (JSON.parse(String(previous.value)) as ApiObject),
      };
    }
  }

  /** Forgets changes up to a revision: an older watch is answered with 410. */
  compact(revision: number): void {
    if (revision <= this.#compacted) return;
    this.#database.prepare('DELETE FROM log WHERE revision <= ?').run(revision);
    this.#database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('compacted', ?)").run(revision);
    this.#compacted = revision;
  }

  /** Finishes what is queued and closes the file. */
  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#listeners.clear();
    this.#database.close();
  }

  #flush(): void {
    const batch = this.#queue;
    this.#queue = [];
    if (batch.length === 0 || this.#closed) return;
    const startRevision = this.#revision;
    const events: { resource: string; event: StoreEvent }[] = [];
    const settled: (() => void)[] = [];
    try {
      for (const queued of batch) {
        const mark = events.length;
        const revision = this.#revision;
        try {
          const value = queued.work(this.#transaction(events));
          settled.push(() => queued.resolve(value as never));
        } catch (error) {
          this.#undo(events, mark);
          this.#revision = revision;
          settled.push(() => queued.reject(error));
        }
      }
      if (events.length > 0) this.#commit(events);
    } catch (cause) {
      this.#undo(events, 0);
      this.#revision = startRevision;
      const error = new ClusterApiError('STORE_BROKEN', `Writing the cluster's log failed: ${String(cause)}`, {
        kind: 'upstream',
        retryable: true,
        cure: 'Look at the free space and the health of the disk that holds the data folder.',
        cause,
      });
      for (const queued of batch) queued.reject(error);
      return;
    }
    for (const settle of settled) settle();
    for (const { resource, event } of events) for (const listener of [...(this.#listeners.get(resource) ?? [])]) listener(event);
    if (this.#revision - this.#compacted > this.#retain * 1.25) this.compact(this.#revision - this.#retain);
  }

  #transaction(events: { resource: string; event: StoreEvent }[]): Transaction {
    const record = (resource: string, type: StoreEvent['type'], object: ApiObject, previous: ApiObject | undefined): ApiObject => {
      this.#revision += 1;
      const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } };
      const key = objectKey(stored);
      const objects = this.#objects.get(resource) ?? new Map<string, ApiObject>();
      this.#objects.set(resource, objects);
      if (type === 'DELETED') objects.delete(key);
      else objects.set(key, stored);
      events.push({ resource, event: { type, revision: this.#revision, object: stored, previous } });
      return stored;
    };
    return {
      get: (resource, namespace, name) => this.get(resource, namespace, name),
      list: (resource, namespace) => this.list(resource, namespace),
      put: (resource, object) => {
        const previous = this.#objects.get(resource)?.get(objectKey(object));
        return record(resource, previous === undefined ? 'ADDED' : 'MODIFIED', object, previous);
      },
      remove: (resource, last) => record(resource, 'DELETED', last, this.#objects.get(resource)?.get(objectKey(last))),
    };
  }

  #undo(events: { resource: string; event: StoreEvent }[], mark: number): void {
    while (events.length > mark) {
      const { resource, event } = events.pop()!;
      const objects = this.#objects.get(resource)!;
      if (event.previous === undefined) objects.delete(objectKey(event.object));
      else objects.set(objectKey(event.previous), event.previous);
    }
  }

  #commit(events: readonly { resource: string; event: StoreEvent }[]): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const { resource, event } of events) {
        const value = JSON.stringify(event.object);
        const { namespace = '', name } = event.object.metadata;
        this.#putLog.run(event.revision, resource, namespace, name, event.type, value);
        if (event.type === 'DELETED') this.#removeObject.run(resource, namespace, name);
        else this.#putObject.run(resource, namespace, name, value);
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #load(): void {
    for (const row of this.#database.prepare('SELECT resource, value FROM objects').iterate()) {
      const object = JSON.parse(String(row.value)) as ApiObject;
      const objects = this.#objects.get(String(row.resource)) ?? new Map<string, ApiObject>();
      this.#objects.set(String(row.resource), objects.set(objectKey(object), object));
    }
    const newest = this.#database.prepare('SELECT max(revision) AS revision FROM log').get();
    const compacted = this.#database.prepare("SELECT value FROM meta WHERE key = 'compacted'").get();
    this.#compacted = Number(compacted?.value ?? 0);
    this.#revision = Math.max(Number(newest?.revision ?? 0), this.#compacted);
  }
}

function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec(`
      PRAGMA busy_timeout = 0;
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -2000;
      PRAGMA journal_size_limit = 8388608;
      CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS objects (
        resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (resource, namespace, name)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS log (
        revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
        type TEXT NOT NULL, value TEXT NOT NULL
      );
      CREATE INDEX IF NOT EXISTS log_by_object ON log (resource, namespace, name, revision);
      CREATE INDEX IF NOT EXISTS log_by_resource ON log (resource, revision);
      BEGIN EXCLUSIVE; COMMIT;
    `);
    return database;
  } catch (cause) {
    database?.close();
    const locked = cause instanceof Error && /locked|busy/i.test(cause.message);
    throw new ClusterApiError(locked ? 'STORE_LOCKED' : 'STORE_BROKEN', `The cluster's log ${file} could not be opened: ${String(cause)}`, {
      kind: 'user',
      cure: locked ? 'Another process uses this data folder: stop it first.' : 'Look at the file and its folder.',
      cause,
    });
  }
}
