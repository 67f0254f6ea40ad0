import { fromBytes, toBytes } from '../value/text.ts';
import { base32Decode, base32Encode, base64Decode, base64Encode } from './bases.ts';
import { type CallContext, contextual, type FunctionGroup, fail, fn } from './define.ts';

/** Encodings and checksums. */

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

function digest(context: CallContext, algorithm: 'sha1' | 'sha256' | 'sha512', text: string): string {
  if (!context.crypto.digest) return fail(`no cryptography is given to this render: ${algorithm} cannot be computed`);
  return hex(context.crypto.digest(algorithm, toBytes(text)));
}

function adler32(text: string): string {
  let a = 1;
  let b = 0;
  for (const byte of toBytes(text)) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return String(b * 65_536 + a);
}

export const encodingFunctions: FunctionGroup = {
  adler32sum: fn(['string'], adler32),
  b32dec: fn(['string'], (text) => decoded(base32Decode(text))),
  b32enc: fn(['string'], (text) => base32Encode(toBytes(text))),
  b64dec: fn(['string'], (text) => decoded(base64Decode(text))),
  b64enc: fn(['string'], (text) => base64Encode(toBytes(text))),
  sha1sum: contextual(['string'], (context, text) => digest(context, 'sha1', text)),
  sha256sum: contextual(['string'], (context, text) => digest(context, 'sha256', text)),
  sha512sum: contextual(['string'], (context, text) => digest(context, 'sha512', text)),
};

/** sprig gives an error's text as the result. */
const decoded = (result: Uint8Array | string): string => (typeof result === 'string' ? result : fromBytes(result));
