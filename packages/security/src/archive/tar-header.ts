import { fromUtf8 } from '../encoding.ts';
import { SecurityError } from '../errors.ts';

/** Fields of tar headers (POSIX.1-2001, pax, "ustar Interchange Format" and "pax Header Block"). */

export const blockSize = 512;

export function readText(field: Uint8Array, stopAtNul = true): string {
  const end = stopAtNul ? field.indexOf(0) : -1;
  return String.fromCharCode(...(end < 0 ? field : field.subarray(0, end)));
}

/** An octal number, or GNU's big-endian form when the first bit is set; undefined when it is neither, negative or over 2^53. */
export function readNumber(field: Uint8Array): number | undefined {
  const first = field[0] as number;
  if (first & 0x80) {
    if (first & 0x40) return undefined;
    let value = first & 0x3f;
    for (const byte of field.subarray(1)) {
      value = value * 256 + byte;
      if (!Number.isSafeInteger(value)) return undefined;
    }
    return value;
  }
  const text = readText(field).trim();
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

/** The sum of the header's bytes with the checksum field as blanks; old writers summed signed bytes. */
export function checksumHolds(header: Uint8Array): boolean {
  const stored = readNumber(header.subarray(148, 156));
  let unsigned = 0;
  let signed = 0;
  for (const [at, byte] of header.entries()) {
    const value = at >= 148 && at < 156 ? 0x20 : byte;
    unsigned += value;
    signed += value > 127 ? value - 256 : value;
  }
  return stored !== undefined && (stored === unsigned || stored === signed);
}

export type PaxRecords = readonly (readonly [key: string, value: string])[];

const broken = (): SecurityError => new SecurityError('ARCHIVE_INVALID', 'An extended header of the archive (pax) is malformed.');

/** Records of the form `LENGTH KEY=VALUE\n`, LENGTH counting all of its bytes. */
export function parsePax(body: Uint8Array): PaxRecords {
  const records: [string, string][] = [];
  let at = 0;
  while (at < body.length) {
    const blank = body.indexOf(0x20, at);
    if (blank < 0 || blank - at > 9) throw broken();
    const digits = readText(body.subarray(at, blank), false);
    const end = at + Number(digits);
    if (!/^[1-9]\d*$/.test(digits) || end > body.length || end <= blank + 1 || body[end - 1] !== 0x0a) throw broken();
    const record = body.subarray(blank + 1, end - 1);
    const equals = record.indexOf(0x3d);
    if (equals < 1) throw broken();
    const key = fromUtf8(record.subarray(0, equals));
    const value = record.subarray(equals + 1);
    if (key === undefined) throw broken();
    // Binary values (extended attributes) are of no interest here; names must be text.
    const text = fromUtf8(value);
    if (text === undefined && (key === 'path' || key === 'linkpath' || key === 'size')) throw broken();
    if (text?.includes('\0') && (key === 'path' || key === 'linkpath')) throw broken();
    records.push([key, text ?? '']);
    at = end;
  }
  return records;
}
