import { toBytes } from '../value/text.ts';

/** How Go's time package quotes: bytes beyond ASCII and below space in hexadecimal, without names for any. */
export const quoteTime = (text: string): string =>
  `"${text
    .replace(/["\\]/g, '\\$&')
    .replace(/[^ -\x7f]+/g, (part) => Array.from(toBytes(part), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''))}"`;
