import { SecurityError } from '../errors.ts';

/** Reads an asynchronous stream of chunks by exact numbers of bytes. Holds one chunk at a time. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0 && !this.#ended) {
      const next = await this.#source.next();
      if (next.done) this.#ended = true;
      else this.#chunk = next.value;
    }
    return this.#chunk.length > 0;
  }

  /** Up to `size` bytes, as many as lie ready; undefined at the end. */
  async some(size: number): Promise<Uint8Array | undefined> {
    if (!(await this.#fill())) return undefined;
    const part = this.#chunk.subarray(0, size);
    this.#chunk = this.#chunk.subarray(part.length);
    return part;
  }

  /** Exactly `size` bytes; undefined when the stream ends before the first of them; an error when it ends within. */
  async exactly(size: number): Promise<Uint8Array | undefined> {
    const all = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      const part = await this.some(size - at);
      if (!part) {
        if (at === 0) return undefined;
        throw new SecurityError('ARCHIVE_INVALID', `The archive ends in the middle of a block: ${at} of ${size} bytes are there.`);
      }
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  /** Passes over `size` bytes. */
  async skip(size: number): Promise<void> {
    let left = size;
    while (left > 0) {
      const part = await this.some(left);
      if (!part) throw new SecurityError('ARCHIVE_INVALID', `The archive ends ${left} bytes too early.`);
      left -= part.length;
    }
  }

  /** Tells the source that nobody reads on. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#chunk = new Uint8Array(0);
    await this.#source.return?.();
  }
}
