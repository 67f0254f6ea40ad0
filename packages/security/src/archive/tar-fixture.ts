import { concatBytes, utf8 } from '../encoding.ts';
import type { ImageSource } from '../image/source.ts';
import { readTar } from './tar.ts';

/** Archives and images made in memory, for tests. Writes ustar headers, and whatever wrong ones a test asks for. */
export interface TarFile {
  readonly path: string;
  readonly content?: string | Uint8Array;
  readonly type?: string;
  readonly linkTarget?: string;
  readonly mode?: number;
  /** A size that the header lies about. */
  readonly size?: number;
  readonly prefix?: string;
  /** Applied to the finished header, checksum included. */
  readonly spoil?: (header: Uint8Array) => void;
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;

export function tarHeader(file: TarFile, size: number): Uint8Array {
  const header = new Uint8Array(512);
  const put = (at: number, text: string): void => header.set(utf8(text), at);
  header.set(utf8(file.path).subarray(0, 100), 0);
  put(100, octal(file.mode ?? 0o644, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  put(124, octal(file.size ?? size, 12));
  put(136, octal(0, 12));
  put(148, '        ');
  put(156, file.type ?? '0');
  header.set(utf8(file.linkTarget ?? '').subarray(0, 100), 157);
  put(257, 'ustar\0' + '00');
  put(345, file.prefix ?? '');
  put(
    148,
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
  file.spoil?.(header);
  return header;
}

export function tarEntry(file: TarFile): Uint8Array {
  const content = typeof file.content === 'string' ? utf8(file.content) : (file.content ?? new Uint8Array(0));
  return concatBytes([tarHeader(file, content.length), content, new Uint8Array(-content.length & 511)]);
}

/** A pax header (`x`) with these records, to stand before an entry. */
export function paxEntry(records: Readonly<Record<string, string>>, type = 'x'): Uint8Array {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = utf8(` ${key}=${value}\n`).length;
    let length = rest + String(rest).length;
    if (rest + String(length).length > length) length++;
    return `${length} ${key}=${value}\n`;
  });
  return tarEntry({ path: 'pax', type, content: lines.join('') });
}

export const endOfTar = new Uint8Array(1024);
export const tar = (files: readonly TarFile[]): Uint8Array<ArrayBuffer> => concatBytes([...files.map(tarEntry), endOfTar]);

/** A stream of the bytes in chunks of the given size. */
export async function* chunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export const fixtureDigest = `sha256:${'1'.repeat(64)}` as ImageSource['digest'];

/** An image of layers given by their files, from the base upwards. */
export function image(...layers: (readonly TarFile[])[]): ImageSource {
  return {
    digest: fixtureDigest,
    config: {},
    layers: layers.map((files, index) => ({
      digest: `sha256:${String(index + 2)
        .repeat(64)
        .slice(0, 64)}`,
      entries: readTar(chunks(tar(files))),
    })),
  };
}
