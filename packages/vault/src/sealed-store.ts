import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { VaultError } from './errors.ts';
import { type Json, parseJson } from './exact-json.ts';

/** Nonce (12 bytes), tag (16 bytes), ciphertext. */
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Records by path, each encrypted with AES-256-GCM under the master key; the path is authenticated with it, so that a
 * record cannot be moved to another path. As in Vault, the paths themselves are in clear. One SQLite file, every change
 * durable when the call returns (`synchronous = FULL`). One process at a time.
 */
export class SealedStore {
  readonly #key: Buffer;
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #list: StatementSync;

  private constructor(key: Buffer, database: DatabaseSync) {
    this.#key = key;
    this.#database = database;
    this.#get = database.prepare('SELECT sealed FROM records WHERE path = ?');
    this.#put = database.prepare('INSERT INTO records (path, sealed) VALUES (?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed');
    this.#delete = database.prepare('DELETE FROM records WHERE path = ?');
    this.#list = database.prepare('SELECT path FROM records WHERE path >= ? AND path < ? ORDER BY path');
  }

  /** Opens, or makes, the store. @throws VaultError STORE_DAMAGED when records are there and their key is not. */
  static async open(folder: string): Promise<SealedStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, 'vault.sqlite');
    const key = await masterKey(join(folder, 'master.key'), existsSync(file));
    const database = new DatabaseSync(file);
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA busy_timeout = 5000; CREATE TABLE IF NOT EXISTS records (path TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID, STRICT;',
    );
    const store = new SealedStore(key, database);
    try {
      // A wrong key shows here, before anything is answered.
      if (store.get('core/check') === undefined) store.put('core/check', 'ok');
    } catch (error) {
      database.close();
      throw error;
    }
    return store;
  }

  get(path: string): Json | undefined {
    const row = this.#get.get(path) as { sealed: Uint8Array } | undefined;
    if (!row) return undefined;
    const sealed = Buffer.from(row.sealed);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, nonceBytes));
    decipher.setAAD(Buffer.from(path)).setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
    try {
      const plain = Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]);
      return parseJson(plain.toString('utf8'));
    } catch (cause) {
      throw new VaultError('STORE_DAMAGED', 'A record of the secret store cannot be decrypted: it or the master key was changed.', {
        kind: 'upstream',
        cure: 'Restore master.key and vault.sqlite together from one backup.',
        cause,
      });
    }
  }

  put(path: string, value: Json): void {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(Buffer.from(path));
    const body = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
    this.#put.run(path, Buffer.concat([nonce, cipher.getAuthTag(), body]));
  }

  delete(path: string): void {
    this.#delete.run(path);
  }

  /** Paths that begin with `prefix` (which ends in a slash), without it, in byte order. */
  list(prefix: string): string[] {
    const end = `${prefix.slice(0, -1)}0`; // '0' follows '/'
    return (this.#list.all(prefix, end) as { path: string }[]).map(({ path }) => path.slice(prefix.length));
  }

  /** All of `change` or nothing; it is synchronous. */
  transaction<T>(change: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = change();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }
}

async function masterKey(path: string, hasRecords: boolean): Promise<Buffer> {
  const known = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (known?.length === 32) return known;
  if (known || hasRecords) {
    throw new VaultError('STORE_DAMAGED', `The secret store's master key is ${known ? 'damaged' : 'gone'}, and its records are there.`, {
      kind: 'upstream',
      cure: 'Restore master.key from a backup; without it the secrets cannot be read by anybody.',
    });
  }
  const key = randomBytes(32);
  const handle = await open(`${path}.new`, 'w', 0o600);
  await handle.writeFile(key);
  await handle.sync();
  await handle.close();
  await rename(`${path}.new`, path);
  return key;
}
