import { Digest } from '@desp/model';
import { SecurityError } from './errors.ts';

/** Text and byte forms that signatures and digests depend on; strict, so that one value has one form. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);

/** The text, or undefined when the bytes are no well-formed UTF-8 (a byte order mark stays in the text). */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x2000) text += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  return btoa(text);
}

/** RFC 4648 section 4, canonical only: padding present, no white space, unused bits zero. Anything else is an error. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const raw = atob(text);
    bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  } catch (cause) {
    throw new SecurityError('ENVELOPE_INVALID', 'A base64 field cannot be decoded.', { cause });
  }
  if (toBase64(bytes) !== text)
    throw new SecurityError('ENVELOPE_INVALID', 'A base64 field is not in its canonical form (RFC 4648, section 4).');
  return bytes;
}

/** A view that WebCrypto takes: its types refuse shared memory. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

/** `sha256:` and the hex digest of the bytes. */
export async function digestOf(bytes: Uint8Array): Promise<Digest> {
  return Digest.parse(`sha256:${toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', ownBytes(bytes))))}`);
}

/** Strings of digests compared without an early exit: how far two agree is not shown by time. */
export function equalText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ (b.charCodeAt(i) || 0);
  return difference === 0;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
