import { createHash, type Hash, randomUUID } from 'node:crypto';
import { constants, existsSync, renameSync, unlinkSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { algorithmOf, type ContentDigest, type DigestAlgorithm, digestOfHash, hexOf } from '../digest.ts';
import { OciError } from '../errors.ts';

/** Bytes gathered before one write call; also what re-hashing reads at a time. */
const pieceBytes = 1024 * 1024;
/** Bytes of each of the two buffers of a download. */
const sendBytes = 256 * 1024;

/**
 * Blobs as files named after their digest, in the folder shape of an OCI image layout (`blobs/sha256/HEX`), and uploads
 * on their way there (`uploads/OWNER.UUID`).
 *
 * Principle: a file under `blobs/` is whole and true by construction: it is written and hashed under `uploads/`, synced,
 * then renamed. Whatever a crash leaves is under `uploads/`, where it can be resumed, or is collected by age.
 */
export class BlobFiles {
  readonly #folder: string;
  readonly #uploads = new Map<string, Upload>();
  readonly #folderSyncs = new Map<DigestAlgorithm, { running: Promise<void>; next: Promise<void> | undefined }>();
  #closed = false;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<BlobFiles> {
    for (const inner of ['blobs/sha256', 'blobs/sha512', 'uploads']) await mkdir(join(folder, inner), { recursive: true, mode: 0o700 });
    return new BlobFiles(folder);
  }

  #path(digest: ContentDigest): string {
    return join(this.#folder, 'blobs', algorithmOf(digest), hexOf(digest));
  }

  /** Starts an upload for `owner` (letters, digits, dashes: which repository and who). */
  async startUpload(owner: string): Promise<Upload> {
    const key = `${owner}.${randomUUID()}`;
    const path = join(this.#folder, 'uploads', key);
    const handle = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
    const upload = new Upload(key.slice(owner.length + 1), path, handle, 0);
    this.#uploads.set(key, upload);
    return upload;
  }

  /** The upload that `owner` started, this side of a restart or the other; undefined when there is none. */
  async findUpload(owner: string, id: string): Promise<Upload | undefined> {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return undefined;
    const key = `${owner}.${id}`;
    const known = this.#uploads.get(key);
    if (known) return known;
    const path = join(this.#folder, 'uploads', key);
    const handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!handle) return undefined;
    const other = this.#uploads.get(key);
    if (other) {
      await handle.close();
      return other;
    }
    const { size } = await handle.stat();
    const upload = new Upload(id, path, handle, size);
    this.#uploads.set(key, upload);
    return upload;
  }

  async cancelUpload(owner: string, upload: Upload): Promise<void> {
    this.#uploads.delete(`${owner}.${upload.id}`);
    await upload.discard();
  }

  /**
   * Ends an upload: checks the digest, syncs, and puts the file in its place. The caller then records it durably.
   * Whatever the outcome, the upload is over.
   *
   * @param record runs in the same turn of the event loop as the rename, so that the collector never sees one without the other.
   * @throws OciError DIGEST_INVALID when the bytes are not what the client said.
   */
  async finishUpload<T>(owner: string, upload: Upload, digest: ContentDigest, record: (size: number) => Promise<T>): Promise<T> {
    this.#uploads.delete(`${owner}.${upload.id}`);
    try {
      const actual = await upload.digest(algorithmOf(digest));
      if (actual !== digest) {
        throw new OciError('DIGEST_INVALID', `The uploaded bytes are ${actual}, not ${digest}.`, { cure: 'Push the content again.' });
      }
      await upload.sync();
    } catch (error) {
      await upload.discard();
      throw error;
    }
    const path = this.#path(digest);
    if (existsSync(path)) unlinkSync(upload.path);
    else renameSync(upload.path, path);
    const recorded = record(upload.offset);
    const [result] = await Promise.all([recorded, this.#syncFolder(algorithmOf(digest)), upload.close()]);
    return result;
  }

  /** Syncs the folder of an algorithm, once for all who wait for it. */
  #syncFolder(algorithm: DigestAlgorithm): Promise<void> {
    const sync = async () => {
      const handle = await open(join(this.#folder, 'blobs', algorithm));
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    };
    const state = this.#folderSyncs.get(algorithm);
    if (state) {
      // The one under way may have begun before our rename: the next one serves us.
      state.next ??= state.running.catch(() => {}).then(() => this.#startFolderSync(algorithm, sync));
      return state.next;
    }
    return this.#startFolderSync(algorithm, sync);
  }

  #startFolderSync(algorithm: DigestAlgorithm, sync: () => Promise<void>): Promise<void> {
    const state: { running: Promise<void>; next: Promise<void> | undefined } = { running: sync(), next: undefined };
    this.#folderSyncs.set(algorithm, state);
    const forget = () => {
      if (this.#folderSyncs.get(algorithm) === state && !state.next) this.#folderSyncs.delete(algorithm);
    };
    state.running.then(forget, forget);
    return state.running;
  }

  /**
   * Sends the blob's bytes from `start` to `end`, both included, through two buffers that take turns: one is read while
   * the other is sent. Fresh memory for each piece would cost more than the copying (measured: a third of the speed).
   */
  async send(digest: ContentDigest, start: number, end: number, target: Writable): Promise<void> {
    const handle = await open(this.#path(digest), constants.O_RDONLY);
    try {
      const size = Math.min(sendBytes, end - start + 1);
      const buffers = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)] as const;
      let writing: Promise<void> = Promise.resolve();
      for (let position = start, turn = 0; position <= end; turn ^= 1) {
        const { bytesRead } = await handle.read(buffers[turn as 0 | 1], 0, Math.min(size, end - position + 1), position);
        if (bytesRead === 0) throw new OciError('STORE_DAMAGED', `The file of blob ${digest} is too short.`, { kind: 'upstream' });
        await writing;
        writing = write(target, buffers[turn as 0 | 1].subarray(0, bytesRead));
        // A failure surfaces at the next await; it must not count as unhandled before.
        writing.catch(() => {});
        position += bytesRead;
      }
      await writing;
    } finally {
      await handle.close();
    }
  }

  async sizeOf(digest: ContentDigest): Promise<number | undefined> {
    return (await stat(this.#path(digest)).catch(() => undefined))?.size;
  }

  /** Synchronous, so that "nobody refers to it" still holds when the file goes. */
  removeNow(digest: ContentDigest): void {
    if (existsSync(this.#path(digest))) unlinkSync(this.#path(digest));
  }

  /** Digests of all files, for the collector. */
  async *list(): AsyncGenerator<{ digest: ContentDigest; modified: number }> {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      for (const name of await readdir(join(this.#folder, 'blobs', algorithm))) {
        const found = await stat(join(this.#folder, 'blobs', algorithm, name)).catch(() => undefined);
        if (found?.isFile()) yield { digest: `${algorithm}:${name}` as ContentDigest, modified: found.mtimeMs };
      }
    }
  }

  /** Removes uploads that nobody wrote to since `before` (milliseconds of the epoch); resolves to how many. */
  async collectUploads(before: number): Promise<number> {
    let removed = 0;
    for (const key of await readdir(join(this.#folder, 'uploads'))) {
      const path = join(this.#folder, 'uploads', key);
      const known = this.#uploads.get(key);
      const found = await stat(path).catch(() => undefined);
      if (!found || known?.busy || found.mtimeMs >= before) continue;
      this.#uploads.delete(key);
      if (known) await known.discard();
      else await rm(path, { force: true });
      removed += 1;
    }
    return removed;
  }

  /** Uploads open whose owner's name begins with `prefix`. */
  countUploads(prefix: string): number {
    let count = 0;
    for (const key of this.#uploads.keys()) if (key.startsWith(prefix)) count += 1;
    return count;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const upload of this.#uploads.values()) await upload.close();
    this.#uploads.clear();
  }
}

/** Resolves when the bytes left the process: the buffer may then be used again. Rejects when the reader goes away. */
function write(target: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(Object.assign(new Error('The reader went away.'), { code: 'ERR_STREAM_PREMATURE_CLOSE' }));
    if (target.destroyed) return gone();
    target.once('close', gone);
    target.write(bytes, (error) => {
      target.off('close', gone);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** One upload: an open file, how far it is, and the hash of what it holds. */
export class Upload {
  readonly id: string;
  readonly path: string;
  /** Bytes held so far, without a gap. */
  offset: number;
  /** True while a request is writing. */
  busy = false;
  readonly #handle: FileHandle;
  /** Undefined after a restart or a failed write: the file is then read again at the end. */
  #hash: Hash | undefined;
  #closed = false;

  constructor(id: string, path: string, handle: FileHandle, offset: number) {
    this.id = id;
    this.path = path;
    this.offset = offset;
    this.#handle = handle;
    this.#hash = offset === 0 ? createHash('sha256') : undefined;
  }

  /**
   * Appends a stream. When it breaks off, what came stays and can be resumed from `offset`.
   *
   * @param limit bytes that the whole upload may have.
   * @throws OciError SIZE_INVALID over the limit, STORE_FULL when the disk does not take it.
   */
  async append(source: AsyncIterable<Buffer>, limit: number): Promise<void> {
    let pieces: Buffer[] = [];
    let gathered = 0;
    let writing: Promise<void> = Promise.resolve();
    const flush = async () => {
      if (gathered === 0) return;
      await writing;
      const batch = pieces;
      pieces = [];
      gathered = 0;
      writing = this.#write(batch);
      // A failure surfaces at the next await; it must not count as unhandled before.
      writing.catch(() => {});
    };
    try {
      let total = this.offset;
      for await (const piece of source) {
        total += piece.length;
        if (total > limit) throw new OciError('SIZE_INVALID', `The blob is over ${limit} bytes.`, { cure: 'Make the layer smaller.' });
        pieces.push(piece);
        gathered += piece.length;
        if (gathered >= pieceBytes) await flush();
      }
    } finally {
      await flush();
      await writing;
    }
  }

  async #write(batch: Buffer[]): Promise<void> {
    const length = batch.reduce((sum, piece) => sum + piece.length, 0);
    const written = this.#handle.writev(batch, this.offset);
    for (const piece of batch) this.#hash?.update(piece);
    try {
      const { bytesWritten } = await written;
      if (bytesWritten !== length) throw new Error(`${bytesWritten} of ${length} bytes were written`);
      this.offset += length;
    } catch (cause) {
      this.#hash = undefined;
      throw new OciError('STORE_FULL', 'The blob could not be written to the disk.', {
        kind: 'upstream',
        retryable: true,
        cure: 'Free space on the disk of the data folder.',
        cause,
      });
    }
  }

  /** The digest of what the file holds. */
  async digest(algorithm: DigestAlgorithm): Promise<ContentDigest> {
    if (algorithm === 'sha256' && this.#hash) return digestOfHash('sha256', this.#hash.copy());
    const hash = createHash(algorithm);
    for (let position = 0; position < this.offset; ) {
      const { buffer, bytesRead } = await this.#handle.read(
        Buffer.allocUnsafe(pieceBytes),
        0,
        Math.min(pieceBytes, this.offset - position),
        position,
      );
      if (bytesRead === 0) throw new OciError('BLOB_UPLOAD_INVALID', 'The upload is shorter than what was received.', { kind: 'upstream' });
      hash.update(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
    return digestOfHash(algorithm, hash);
  }

  async sync(): Promise<void> {
    // What a failed write left behind the known end is no part of the blob.
    if (!this.#hash) await this.#handle.truncate(this.offset);
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }

  async discard(): Promise<void> {
    await this.close();
    await unlink(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
