import { fromBytes } from '../value/text.ts';

/**
 * Reads the entries of a tar as Go's archive/tar does, POSIX (ustar and pax) and GNU: what one reader takes for one
 * file and another for two is how strangers hide things. Sparse files alone are refused.
 */

export interface TarEntry {
  readonly name: string;
  /** `0` a file, `5` a folder, `1` and `2` links. */
  readonly type: string;
  readonly isFolder: boolean;
  /** Of the header or its pax record; links and the like may have one without data. */
  readonly size: number;
  readonly data: Uint8Array;
}

/** The message is Go's. */
export class TarError extends Error {}

const blockSize = 512;
/** Largest name or set of records; Go's own figure. */
const maxExtension = 1024 * 1024;

/** @throws TarError */
export function* readTar(tar: Uint8Array): Generator<TarEntry> {
  let records: ReadonlyMap<string, string> = new Map();
  let longName: string | undefined;
  for (let at = 0; ; ) {
    const header = blockAt(tar, at);
    if (!header) return;
    at += blockSize;
    const type = String.fromCharCode(header[156] as number);
    const own = numberIn(header, 124, 12);
    const isExtension = 'xgLK'.includes(type);
    const size = isExtension ? own : (sizeRecord(records) ?? own);
    if (size < 0 || !Number.isSafeInteger(size)) throw invalid();
    const stored = hasNoData(type) ? 0 : size;
    // Whether all of it is there is seen by who asks for it: first its size may be too large.
    const data = tar.subarray(at, at + stored);
    const entry = { name: '', type, isFolder: false, size, data };
    at += Math.ceil(stored / blockSize) * blockSize;
    if (isExtension) {
      checkWhole(entry);
      if (size > maxExtension) throw new TarError('archive/tar: header field too long');
      // Records stand for what comes next alone, in place of earlier ones; those for all that follows are not used, as in Go.
      if (type === 'x') records = recordsOf(data);
      else if (type === 'L') longName = textIn(data, 0, data.length);
      else if (type === 'g') {
        recordsOf(data);
        records = new Map();
        longName = undefined;
      }
      continue;
    }
    if (type === 'S' || [...records.keys()].some((key) => key.startsWith('GNU.sparse.')))
      throw new TarError('archive/tar: sparse files are not read');
    const name = longName || records.get('path') || nameOf(header);
    const isOldFolder = type === '\0' && name.endsWith('/');
    yield { ...entry, name, isFolder: type === '5' || isOldFolder || (numberIn(header, 100, 8) & 0o170000) === 0o040000 };
    records = new Map();
    longName = undefined;
  }
}

/** @throws TarError where the tar ends within the entry */
export function checkWhole({ data, size, type }: Pick<TarEntry, 'data' | 'size' | 'type'>): void {
  if (!hasNoData(type) && data.length < size) throw cutOff();
}

/** Links, devices, folders and pipes. */
const hasNoData = (type: string): boolean => type >= '1' && type <= '6';

const invalid = (): TarError => new TarError('archive/tar: invalid tar header');
const cutOff = (): TarError => new TarError('unexpected EOF');

/** The header there; undefined at the end, which is two blocks of zeros or that of the text. */
function blockAt(tar: Uint8Array, at: number): Uint8Array | undefined {
  if (at === tar.length) return undefined;
  const block = tar.subarray(at, at + blockSize);
  if (block.length < blockSize) throw cutOff();
  if (!isZero(block)) {
    if (!hasChecksum(block)) throw invalid();
    return block;
  }
  const next = tar.subarray(at + blockSize, at + 2 * blockSize);
  if (next.length > 0 && !isZero(next)) throw next.length < blockSize ? cutOff() : invalid();
  return undefined;
}

const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0);

/** The sum of all bytes, its own field as spaces; some old programs add them as signed ones. */
function hasChecksum(block: Uint8Array): boolean {
  let plain = 0;
  let signed = 0;
  for (const [index, byte] of block.entries()) {
    const counted = index >= 148 && index < 156 ? 0x20 : byte;
    plain += counted;
    signed += counted > 127 ? counted - 256 : counted;
  }
  const said = octal(block, 148, 8);
  return said === plain || said === signed;
}

const textIn = (bytes: Uint8Array, at: number, length: number): string => {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return fromBytes(end < 0 ? field : field.subarray(0, end));
};

function octal(block: Uint8Array, at: number, length: number): number {
  const field = fromBytes(block.subarray(at, at + length)).replace(/^[ \0]+|[ \0]+$/g, '');
  const digits = field.split('\0', 1)[0] as string;
  if (!/^[0-7]*$/.test(digits)) throw invalid();
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** Octal digits, or with the highest bit set a binary number. */
function numberIn(block: Uint8Array, at: number, length: number): number {
  const first = block[at] as number;
  if ((first & 0x80) === 0) return octal(block, at, length);
  const isNegative = (first & 0x40) !== 0;
  let value = BigInt(first & 0x3f);
  for (let i = 1; i < length; i++) value = value * 256n + BigInt(block[at + i] as number);
  if (isNegative) value -= 1n << BigInt(8 * length - 2);
  return Number(value);
}

function nameOf(header: Uint8Array): string {
  const name = textIn(header, 0, 100);
  // GNU's format, `ustar  `, has times where the prefix is.
  const prefix = fromBytes(header.subarray(257, 265)) === 'ustar\x0000' ? textIn(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

const numbers = new Set(['size', 'uid', 'gid']);
const names = new Set(['path', 'linkpath', 'uname', 'gname']);

/** Records of pax, `LENGTH KEY=VALUE\n`; the last of a key counts, an empty one stands for none. */
function recordsOf(data: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length; ) {
    const [prefix, length] = /^(\d{1,9}) /.exec(fromBytes(data.subarray(at, at + 10))) ?? ['', '0'];
    const end = at + Number(length);
    const record = fromBytes(data.subarray(at + prefix.length, Math.max(end - 1, at)));
    const equals = record.indexOf('=');
    if (prefix === '' || end > data.length || data[end - 1] !== 0x0a || equals < 1) throw invalid();
    const key = record.slice(0, equals);
    const value = record.slice(equals + 1);
    if (key.includes('\0') || (names.has(key) && value.includes('\0'))) throw invalid();
    if (numbers.has(key) && value !== '' && !/^-?\d+$/.test(value)) throw invalid();
    if (value === '') records.delete(key);
    else records.set(key, value);
    at = end;
  }
  return records;
}

function sizeRecord(records: ReadonlyMap<string, string>): number | undefined {
  const value = records.get('size');
  return value === undefined ? undefined : Number(value);
}
