import { constants, createReadStream } from 'node:fs';
import { type FileHandle, lstat, open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { Readable } from 'node:stream';
import { OciError } from '../errors.ts';

/** The files of an image archive, by their path inside it. */
export interface ArchiveFiles {
  /** Undefined when there is none. @throws OciError ARCHIVE_UNSAFE */
  find(path: string): Promise<{ size: number; open(): Readable } | undefined>;
  close(): Promise<void>;
}

/** Entries of a tar that are looked at before it is refused. */
const maxEntries = 10_000;
const block = 512;

const unsafe = (path: string, why: string) =>
  new OciError('ARCHIVE_UNSAFE', `The image archive's entry ${JSON.stringify(path.slice(0, 200))} ${why}.`, {
    cure: 'Write the archive anew with skopeo, podman or docker.',
  });
const invalid = (why: string) =>
  new OciError('ARCHIVE_INVALID', `The image archive cannot be read: ${why}.`, {
    cure: 'Write the archive anew with skopeo, podman or docker.',
  });

/** Relative, no empty, `.` or `..` segment, no control character: or ARCHIVE_UNSAFE. */
export function checkedPath(path: string): string {
  const plain = path.replace(/^\.\//, '').replace(/\/$/, '');
  if (plain !== '' && (/[\x00-\x1f\\]/.test(plain) || plain.split('/').some((part) => part === '' || part === '.' || part === '..'))) {
    throw unsafe(path, 'leads out of the archive');
  }
  return plain;
}

/** Opens a folder or a tar archive that is not compressed as a whole. @throws OciError ARCHIVE_INVALID, ARCHIVE_UNSAFE, ARCHIVE_TOO_LARGE */
export async function openArchiveFiles(path: string): Promise<ArchiveFiles> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new OciError('ARCHIVE_INVALID', `There is no image archive at ${path}.`, {
      cause,
      cure: 'Give the path of an OCI layout folder or a tar archive.',
    });
  });
  return found.isDirectory() ? folderFiles(await realpath(path)) : tarFiles(path, found.size);
}

function folderFiles(root: string): ArchiveFiles {
  return {
    find: async (path) => {
      const file = join(root, checkedPath(path));
      const found = await lstat(file).catch(() => undefined);
      if (!found) return undefined;
      // A link anywhere on the way could lead to a file of the machine.
      const real = await realpath(file);
      if (!found.isFile() || real !== file || !real.startsWith(root + sep)) throw unsafe(path, 'is no plain file');
      return { size: found.size, open: () => createReadStream(file, { flags: constants.O_RDONLY | constants.O_NOFOLLOW } as never) };
    },
    close: async () => {},
  };
}

async function tarFiles(path: string, size: number): Promise<ArchiveFiles> {
  const handle = await open(path);
  try {
    const entries = await indexTar(handle, size);
    return {
      find: async (wanted) => {
        // docker save before 25 wrote equal layers as links to one another.
        let entry = entries.get(checkedPath(wanted));
        for (let hops = 0; entry?.link !== undefined; hops += 1) {
          if (hops > 4) throw unsafe(wanted, 'is a link to a link without end');
          entry = entries.get(entry.link);
        }
        if (!entry) return undefined;
        const { start, size: length } = entry;
        return {
          size: length,
          open: () => (length === 0 ? Readable.from([]) : createReadStream(path, { start, end: start + length - 1 })),
        };
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

interface TarEntry {
  readonly start: number;
  readonly size: number;
  readonly link?: string;
}

/** Reads the headers alone (POSIX ustar, GNU long names, pax paths and sizes). */
async function indexTar(handle: FileHandle, total: number): Promise<Map<string, TarEntry>> {
  const entries = new Map<string, TarEntry>();
  const header = Buffer.alloc(block);
  let override: { path?: string; link?: string; size?: number } = {};
  let count = 0;
  for (let position = 0; position + block <= total; ) {
    await handle.read(header, 0, block, position);
    position += block;
    if (header.every((byte) => byte === 0)) break;
    if (++count > maxEntries) throw new OciError('ARCHIVE_TOO_LARGE', `The image archive has over ${maxEntries} entries.`);
    if (!hasChecksum(header)) throw invalid('it is no tar archive (an archive that is compressed as a whole must be unpacked first)');
    const type = String.fromCharCode(header[156]!);
    const size = override.size ?? tarNumber(header.subarray(124, 136));
    if (size > total - position) throw invalid('it ends in the middle of an entry');
    const next = position + Math.ceil(size / block) * block;
    if ('xgLK'.includes(type)) {
      if (size > 1024 * 1024) throw new OciError('ARCHIVE_TOO_LARGE', 'An entry of the image archive has over 1 MiB of attributes.');
      const body = (await handle.read(Buffer.alloc(size), 0, size, position)).buffer;
      if (type === 'L') override.path = text(body);
      else if (type === 'K') override.link = text(body);
      else if (type === 'x') override = { ...override, ...paxRecords(body) };
      position = next;
      continue;
    }
    const prefix = header.toString('latin1', 257, 262) === 'ustar' ? text(header.subarray(345, 500)) : '';
    const name = override.path ?? `${prefix ? `${prefix}/` : ''}${text(header.subarray(0, 100))}`;
    const plain = checkedPath(name);
    if (entries.has(plain)) throw unsafe(name, 'is there twice');
    if (type === '0' || type === '\0') entries.set(plain, { start: position, size });
    else if (type === '1' || type === '2') {
      const target = override.link ?? text(header.subarray(157, 257));
      const base = type === '2' ? plain.split('/').slice(0, -1) : [];
      const parts = [...base];
      for (const part of target.split('/')) part === '..' ? parts.pop() : parts.push(part);
      entries.set(plain, { start: 0, size: 0, link: checkedPath(parts.join('/')) });
    } else if (type !== '5') throw unsafe(name, 'is neither file, folder nor link');
    override = {};
    position = type === '0' || type === '\0' ? next : position;
  }
  return entries;
}

function hasChecksum(header: Buffer): boolean {
  let sum = 8 * 32;
  for (let index = 0; index < block; index += 1) if (index < 148 || index >= 156) sum += header[index]!;
  return sum === Number.parseInt(text(header.subarray(148, 156)).trim() || 'x', 8);
}

function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

function tarNumber(bytes: Buffer): number {
  // GNU's base 256 for sizes over 8 GiB.
  const value = bytes[0]! & 0x80 ? Number(BigInt(`0x${bytes.subarray(1).toString('hex')}`)) : Number.parseInt(text(bytes).trim() || '0', 8);
  if (!Number.isSafeInteger(value) || value < 0) throw invalid('an entry has no readable size');
  return value;
}

function paxRecords(body: Buffer): { path?: string; link?: string; size?: number } {
  const found: { path?: string; link?: string; size?: number } = {};
  for (let at = 0; at < body.length; ) {
    const length = Number.parseInt(body.toString('latin1', at, at + 10), 10);
    if (!(length > 4) || at + length > body.length) throw invalid('an entry has unreadable attributes');
    const [, key, value] = /^\d+ ([^=]+)=([\s\S]*)\n$/.exec(body.toString('utf8', at, at + length)) ?? [];
    if (key === 'path' && value !== undefined) found.path = value;
    else if (key === 'linkpath' && value !== undefined) found.link = value;
    else if (key === 'size' && value !== undefined && /^\d{1,15}$/.test(value)) found.size = Number(value);
    at += length;
  }
  return found;
}
