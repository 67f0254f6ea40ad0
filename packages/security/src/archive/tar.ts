import { fromUtf8 } from '../encoding.ts';
import { SecurityError } from '../errors.ts';
import type { EntryKind, LayerEntry } from '../image/source.ts';
import { ByteReader } from './byte-reader.ts';
import { blockSize, checksumHolds, type PaxRecords, parsePax, readNumber, readText } from './tar-header.ts';

/**
 * A streaming reader of tar archives as OCI layers carry them (image-spec, layer.md): ustar (POSIX.1-1988), pax
 * (POSIX.1-2001) and GNU long names.
 *
 * What readers disagree about is refused, never guessed: an archive that one tool unpacks in another way than this
 * reader sees it is the way past a gate. So sparse files, unknown kinds, global headers that rename, a single zero
 * block and paths with `..` are errors.
 */
export interface TarLimits {
  readonly entries: number;
  /** Of a path or a link text, in bytes. */
  readonly nameBytes: number;
  /** Of one extended header, in bytes. */
  readonly headerBytes: number;
  /** Of all contents together, in bytes. */
  readonly totalBytes: number;
}

export const defaultTarLimits: TarLimits = { entries: 400_000, nameBytes: 4096, headerBytes: 1 << 20, totalBytes: 16 * 2 ** 30 };

const invalid = (message: string): SecurityError =>
  new SecurityError('ARCHIVE_INVALID', message, { cure: 'Build the image again with a usual builder (docker, podman, buildah, kaniko).' });

/** A relative path without `.` and empty parts; `..`, NUL and what is too long are errors; the root is the empty text. */
export function normalizePath(path: string, nameBytes: number): string {
  if (path.length > nameBytes) throw new SecurityError('ARCHIVE_LIMIT', `The archive holds a path of over ${nameBytes} characters.`);
  if (path.includes('\0')) throw invalid('The archive holds a path with a NUL character.');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw invalid(`The archive holds a path that leads out of it: ${JSON.stringify(path.slice(0, 200))}.`);
  return parts.join('/');
}

/** Names are UTF-8; other bytes are shown as `\xNN`, so that different names stay different. */
const nameText = (bytes: Uint8Array): string =>
  fromUtf8(bytes) ?? Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)).join('');

function kindOf(flag: string, name: string): EntryKind {
  switch (flag) {
    case '0':
    case '\0':
    case '7':
      return name.endsWith('/') ? 'directory' : 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '5':
      return 'directory';
    case '3':
    case '4':
    case '6':
      return 'other';
    default:
      throw invalid(
        `The archive holds an entry of the unknown or unsafe kind ${JSON.stringify(flag)} (${JSON.stringify(name.slice(0, 200))}).`,
      );
  }
}

interface Overrides {
  path?: string;
  linkPath?: string;
  size?: number;
}

function applyPax(records: PaxRecords, overrides: Overrides): void {
  for (const [key, value] of records) {
    if (key.startsWith('GNU.sparse')) throw invalid('The archive holds a sparse file, which readers do not agree about.');
    if (key === 'path') overrides.path = value;
    if (key === 'linkpath') overrides.linkPath = value;
    if (key === 'size') {
      if (!/^\d{1,15}$/.test(value)) throw invalid(`An extended header has the size ${JSON.stringify(value.slice(0, 40))}.`);
      overrides.size = Number(value);
    }
  }
}

const trimNul = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.indexOf(0) < 0 ? bytes.length : bytes.indexOf(0));

/**
 * The entries of a tar stream, in order. The content of an entry can be read until the next one is asked for; what was
 * not read is passed over. Throws SecurityError ARCHIVE_INVALID or ARCHIVE_LIMIT.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>, limits: TarLimits = defaultTarLimits): AsyncGenerator<LayerEntry, void> {
  const reader = new ByteReader(source);
  let entries = 0;
  let total = 0;
  let overrides: Overrides = {};
  try {
    for (;;) {
      const header = await reader.exactly(blockSize);
      if (!header) {
        if (Object.keys(overrides).length > 0) throw invalid('The archive ends after an extended header.');
        return;
      }
      if (header.every((byte) => byte === 0)) {
        const second = await reader.exactly(blockSize);
        if (second && !second.every((byte) => byte === 0)) throw invalid('The archive goes on after a single zero block.');
        return;
      }
      if (!checksumHolds(header)) throw invalid(`The header of entry ${entries + 1} has a wrong checksum.`);
      if (++entries > limits.entries) throw new SecurityError('ARCHIVE_LIMIT', `The archive holds over ${limits.entries} entries.`);

      const flag = String.fromCharCode(header[156] as number);
      const headerSize = readNumber(header.subarray(124, 136));
      if (headerSize === undefined) throw invalid(`The header of entry ${entries} has an unreadable size.`);

      if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K') {
        if (headerSize > limits.headerBytes) throw new SecurityError('ARCHIVE_LIMIT', `An extended header has ${headerSize} bytes.`);
        const body = (await reader.exactly(headerSize)) ?? new Uint8Array(0);
        if (body.length !== headerSize) throw invalid('The archive ends within an extended header.');
        await reader.skip(-headerSize & (blockSize - 1));
        if (flag === 'L') overrides.path = nameText(trimNul(body));
        else if (flag === 'K') overrides.linkPath = nameText(trimNul(body));
        else if (flag === 'x') applyPax(parsePax(body), overrides);
        else {
          const global: Overrides = {};
          applyPax(parsePax(body), global);
          if (Object.keys(global).length > 0) throw invalid('A global extended header renames or resizes entries.');
        }
        continue;
      }

      const magic = readText(header.subarray(257, 265), false);
      const prefix = magic.startsWith('ustar\0') ? nameText(trimNul(header.subarray(345, 500))) : '';
      const shortName = nameText(trimNul(header.subarray(0, 100)));
      const rawName = overrides.path ?? (prefix ? `${prefix}/${shortName}` : shortName);
      const kind = kindOf(flag, rawName);
      // Go's and GNU's readers take no content for what is no file, whatever the size field says.
      const size = kind === 'file' ? (overrides.size ?? headerSize) : 0;
      if (kind === 'hardlink' && headerSize > 0) throw invalid('The archive holds a hard link with content.');
      total += size;
      if (total > limits.totalBytes) throw new SecurityError('ARCHIVE_LIMIT', `The archive's files have over ${limits.totalBytes} bytes.`);
      const rawLink = overrides.linkPath ?? nameText(trimNul(header.subarray(157, 257)));
      if (rawLink.length > limits.nameBytes)
        throw new SecurityError('ARCHIVE_LIMIT', `A link text has over ${limits.nameBytes} characters.`);
      overrides = {};

      const content = new EntryContent(reader, size);
      yield {
        path: normalizePath(rawName, limits.nameBytes),
        kind,
        size,
        mode: (readNumber(header.subarray(100, 108)) ?? 0) & 0o7777,
        ...(kind === 'symlink' ? { linkTarget: rawLink } : {}),
        ...(kind === 'hardlink' ? { linkTarget: normalizePath(rawLink, limits.nameBytes) } : {}),
        read: () => content.read(),
      };
      await content.finish();
    }
  } finally {
    await reader.close();
  }
}

/** What is left of one entry in the shared stream. */
class EntryContent {
  readonly #reader: ByteReader;
  readonly #padding: number;
  #left: number;
  #started = false;
  #closed = false;

  constructor(reader: ByteReader, size: number) {
    this.#reader = reader;
    this.#left = size;
    this.#padding = -size & (blockSize - 1);
  }

  async *read(): AsyncGenerator<Uint8Array, void> {
    if (this.#started || this.#closed) {
      throw new SecurityError('ARCHIVE_INVALID', 'The content of an archive entry was asked for twice or too late.', { kind: 'bug' });
    }
    this.#started = true;
    while (this.#left > 0 && !this.#closed) {
      const part = await this.#reader.some(this.#left);
      if (!part) throw invalid(`The archive ends ${this.#left} bytes before the end of a file.`);
      this.#left -= part.length;
      yield part;
    }
  }

  async finish(): Promise<void> {
    this.#closed = true;
    await this.#reader.skip(this.#left + this.#padding);
    this.#left = 0;
  }
}
