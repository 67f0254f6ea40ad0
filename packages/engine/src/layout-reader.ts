import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { EngineError } from './errors.ts';
import type { ImageLayout } from './oci-layout.ts';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const Descriptor = z.object({ digest, size: z.number().int().min(0), mediaType: z.string() });
const Index = z.object({ manifests: z.array(Descriptor).length(1) });
const Manifest = z.object({ config: Descriptor, layers: z.array(Descriptor).max(200) });

const invalid = (why: string) =>
  new EngineError('RESULT_INVALID', `The built image is refused: ${why}.`, { kind: 'user', cure: 'Build again.' });

/**
 * Takes an OCI layout that comes as a tar stream out of a build. The build ran foreign code: nothing in the stream is
 * believed. Only `oci-layout`, `index.json` and blobs by their digest are taken, each blob is hashed as it is written,
 * and the whole is bounded.
 * @param bases layouts of ours whose blobs the stream need not hold
 * @throws EngineError RESULT_INVALID, LIMIT_REACHED
 */
export async function receiveLayout(
  stream: AsyncIterable<Buffer>,
  folder: string,
  maxBytes: number,
  bases: readonly string[] = [],
): Promise<ImageLayout> {
  await rm(folder, { recursive: true, force: true });
  const unfinished = `${folder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(join(unfinished, 'blobs', 'sha256'), { recursive: true });
  const source = new ByteSource(stream, maxBytes);
  for (;;) {
    const header = await source.exactly(512);
    if (header === undefined || header.every((byte) => byte === 0)) break;
    const name = cString(header.subarray(0, 100)).replace(/^\.\//, '');
    const size = Number.parseInt(cString(header.subarray(124, 136)).trim() || '0', 8);
    const type = String.fromCharCode(header[156] as number);
    if (!Number.isSafeInteger(size) || size < 0) throw invalid('its archive is broken');
    if (type === '5') continue;
    if (type !== '0' && type !== '\0') throw invalid('its archive holds something else than files');
    const [, hex] = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name) ?? [];
    if (!hex && name !== 'index.json' && name !== 'oci-layout') throw invalid('its archive holds a file that no image layout has');
    const hash = createHash('sha256');
    if (existsSync(join(unfinished, name))) throw invalid('its archive holds a file twice');
    const file = await open(join(unfinished, name), 'wx', 0o644);
    try {
      for await (const chunk of source.pieces(size)) {
        hash.update(chunk);
        await file.write(chunk);
      }
    } finally {
      await file.close();
    }
    if (hex && hash.digest('hex') !== hex) throw invalid(`the blob sha256:${hex} has other content`);
    await source.exactly((512 - (size % 512)) % 512);
  }
  await source.drain();
  const layout = await checkLayout(unfinished, bases);
  await rename(unfinished, folder);
  return { ...layout, layout: folder };
}

/** Follows index, manifest, config and layers; every blob named must be there with the size it claims. */
async function checkLayout(folder: string, bases: readonly string[]): Promise<ImageLayout> {
  const blob = async (descriptor: z.infer<typeof Descriptor>) =>
    readFile(join(folder, 'blobs', 'sha256', descriptor.digest.slice('sha256:'.length)));
  try {
    const index = Index.parse(JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')));
    const descriptor = index.manifests[0] as z.infer<typeof Descriptor>;
    const manifest = Manifest.parse(JSON.parse((await blob(descriptor)).toString('utf8')));
    for (const part of [manifest.config, ...manifest.layers]) {
      const path = join(folder, 'blobs', 'sha256', part.digest.slice('sha256:'.length));
      await takeFromBases(path, bases);
      const file = await open(path);
      const { size } = await file.stat();
      await file.close();
      if (size !== part.size) throw invalid(`the blob ${part.digest} has ${size} bytes instead of ${part.size}`);
    }
    return { layout: folder, manifestDigest: descriptor.digest, configDigest: manifest.config.digest };
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError('RESULT_INVALID', 'The build left no complete image.', { kind: 'user', cause: error });
  }
}

/** Puts a blob of a base image where the layout lacks it: as a link, or as a copy when that is on another file system. */
async function takeFromBases(path: string, bases: readonly string[]): Promise<void> {
  if (existsSync(path)) return;
  const blob = bases.map((base) => join(base, 'blobs', 'sha256', basename(path))).find((candidate) => existsSync(candidate));
  if (blob) await link(blob, path).catch(() => copyFile(blob, path));
}

const cString = (bytes: Buffer): string => {
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? bytes.length : end).toString('latin1');
};

/** A stream read in exact portions. */
class ByteSource {
  readonly #iterator: AsyncIterator<Buffer>;
  #left: Buffer = Buffer.alloc(0);
  #taken = 0;
  readonly #maxBytes: number;

  constructor(stream: AsyncIterable<Buffer>, maxBytes: number) {
    this.#iterator = stream[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
  }

  async #more(): Promise<boolean> {
    const next = await this.#iterator.next();
    if (next.done) return false;
    this.#taken += next.value.length;
    if (this.#taken > this.#maxBytes)
      throw new EngineError('LIMIT_REACHED', `The built image is larger than ${this.#maxBytes} bytes.`, {
        kind: 'user',
        cure: 'Make it smaller.',
      });
    this.#left = this.#left.length === 0 ? next.value : Buffer.concat([this.#left, next.value]);
    return true;
  }

  /** Undefined at the end of the stream. */
  async exactly(size: number): Promise<Buffer | undefined> {
    while (this.#left.length < size) if (!(await this.#more())) return undefined;
    const portion = this.#left.subarray(0, size);
    this.#left = this.#left.subarray(size);
    return portion;
  }

  async *pieces(size: number): AsyncGenerator<Buffer> {
    let missing = size;
    while (missing > 0) {
      if (this.#left.length === 0 && !(await this.#more())) throw invalid('its archive ends too early');
      const portion = this.#left.subarray(0, missing);
      this.#left = this.#left.subarray(portion.length);
      missing -= portion.length;
      yield portion;
    }
  }

  async drain(): Promise<void> {
    do this.#left = Buffer.alloc(0);
    while (await this.#more());
  }
}
