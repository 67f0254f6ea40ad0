import { toBytes } from '../value/text.ts';

/** Distinguished encoding of ASN.1: the few forms that certificates need. */

export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function element(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = join(...parts);
  return join(Uint8Array.of(type), lengthOf(body.length), body);
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest & 0xff);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => element(tag.sequence, ...parts);

export function objectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const digits = [part & 0x7f];
    for (let value = part >> 7; value > 0; value >>= 7) digits.unshift(0x80 | (value & 0x7f));
    bytes.push(...digits);
  }
  return element(tag.objectId, Uint8Array.from(bytes));
}

/** A positive integer of big-endian bytes. */
export function integer(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const body = bytes.subarray(start);
  return element(tag.integer, (body[0] as number) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(), body);
}

export const bitString = (bytes: Uint8Array, unused = 0): Uint8Array => element(tag.bitString, Uint8Array.of(unused), bytes);

export function time(date: Date): Uint8Array {
  const text = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return date.getUTCFullYear() < 2050 ? element(tag.utcTime, toBytes(text.slice(2))) : element(tag.generalizedTime, toBytes(text));
}

export interface Element {
  readonly type: number;
  readonly body: Uint8Array;
  /** With its type and length. */
  readonly whole: Uint8Array;
}

/** The elements of a body, one after another. */
export function readElements(bytes: Uint8Array): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const type = bytes[at] as number;
    let length = bytes[at + 1] as number;
    let start = at + 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[start + i] ?? 0);
      start += count;
    }
    if (start + length > bytes.length) throw new Error('asn1: syntax error: data truncated');
    elements.push({ type, body: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) });
    at = start + length;
  }
  return elements;
}

export const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, index) => byte === b[index]);

/** The body of an element that must be there. */
export function bodyOf(found: Element | undefined): Uint8Array {
  if (!found) throw new Error('asn1: structure error');
  return found.body;
}

/** The elements inside an outermost sequence. */
export const members = (der: Uint8Array): Element[] => readElements(bodyOf(readElements(der)[0]));
