import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '@desp/runtime';
import { StorageError } from './storage-error.ts';

/**
 * The data folder holds everything that an embedded part keeps, and one process at a time may use it.
 *
 * The lock is SQLite's: an open exclusive transaction on `lock.db` holds a POSIX record lock that the kernel drops when
 * the process ends, however it ends. Rejected: a pid file (stale after kill -9, racy), `flock` of a child (lives on when
 * we are killed), a native add-on (no install scripts here). See docs/decisions/2026-11-22-data-folder-lock.md.
 */
export interface DataFolder {
  readonly path: string;
  /** A path inside the folder; its parent exists afterwards. */
  file(...parts: string[]): string;
  /** Gives the folder to the next process. */
  release(): void;
}

/** Free bytes below which nothing starts: a full disk in the middle of a delivery helps nobody. */
export const leastFreeBytes = 1024 * 1024 * 1024;

/**
 * Creates the folder (mode 0700) and takes its lock.
 *
 * @throws StorageError DATA_FOLDER_IN_USE naming the holder, DATA_FOLDER_NOT_USABLE, DISK_FULL.
 */
export function openDataFolder(path: string, options: { leastFreeBytes?: number } = {}): DataFolder {
  const folder = resolve(path);
  const unusable = (why: string, cause?: unknown) =>
    new StorageError('DATA_FOLDER_NOT_USABLE', `The data folder ${folder} cannot be used: ${why}`, {
      kind: 'user',
      cure: 'Name a folder of your own on a local disk: desp up --data DIR.',
      cause,
    });
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
  } catch (cause) {
    throw unusable(messageOf(cause), cause);
  }
  const { bavail, bsize } = statfsSync(folder);
  const least = options.leastFreeBytes ?? leastFreeBytes;
  if (bavail * bsize < least) {
    const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`;
    throw new StorageError(
      'DISK_FULL',
      `The disk of ${folder} has ${mebibytes(bavail * bsize)} free, and ${mebibytes(least)} are needed.`,
      {
        kind: 'user',
        cure: 'Free some space, or name a folder on another disk: desp up --data DIR.',
      },
    );
  }
  let lock: DatabaseSync;
  try {
    // Made private before SQLite makes it for all to read: whoever reads it can take its lock.
    closeSync(openSync(join(folder, 'lock.db'), 'a', 0o600));
    lock = new DatabaseSync(join(folder, 'lock.db'));
  } catch (cause) {
    throw unusable(messageOf(cause), cause);
  }
  const holder = join(folder, 'holder');
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    if (!/locked|busy/i.test(messageOf(cause))) throw unusable(messageOf(cause), cause);
    throw new StorageError('DATA_FOLDER_IN_USE', `The data folder ${folder} is in use by process ${readHolder(holder)}.`, {
      kind: 'user',
      cure: 'Use that rehearsal (desp status), end it (desp down), or name another folder: desp up --data DIR.',
      cause,
    });
  }
  writeFileSync(holder, `${process.pid}\n`, { mode: 0o600 });
  return {
    path: folder,
    file(...parts) {
      const full = join(folder, ...parts);
      mkdirSync(dirname(full), { recursive: true, mode: 0o700 });
      return full;
    },
    release() {
      rmSync(holder, { force: true });
      lock.close();
    },
  };
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim() || 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Writes a file so that after any crash either the old or the new content is there, whole; mode 0600. */
export function writeFileDurably(file: string, content: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`;
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(descriptor, typeof content === 'string' ? Buffer.from(content) : content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  const parent = openSync(dirname(file), 'r');
  try {
    fsyncSync(parent);
  } finally {
    closeSync(parent);
  }
}
