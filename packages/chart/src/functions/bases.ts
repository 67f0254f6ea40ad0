/** Go's base64.StdEncoding and base32.StdEncoding; decoding yields Go's error text where the input is corrupt. */

const alphabet64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const alphabet32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const index64 = new Map(Array.from(alphabet64, (character, index) => [character, index]));
const index32 = new Map(Array.from(alphabet32, (character, index) => [character, index]));

export const base64Encode = (bytes: Uint8Array): string => encode(bytes, alphabet64, 6, 4);
export const base32Encode = (bytes: Uint8Array): string => encode(bytes, alphabet32, 5, 8);
export const base64Decode = (text: string): Uint8Array | string => decode(text, index64, 6, 4, 'base64');
export const base32Decode = (text: string): Uint8Array | string => decode(text, index32, 5, 8, 'base32');

function encode(bytes: Uint8Array, alphabet: string, bits: number, group: number): string {
  const out: string[] = [];
  let buffer = 0;
  let held = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    held += 8;
    while (held >= bits) {
      held -= bits;
      out.push(alphabet[(buffer >> held) & ((1 << bits) - 1)] as string);
    }
  }
  if (held > 0) out.push(alphabet[(buffer << (bits - held)) & ((1 << bits) - 1)] as string);
  while (out.length % group !== 0) out.push('=');
  return out.join('');
}

function decode(text: string, index: ReadonlyMap<string, number>, bits: number, group: number, name: string): Uint8Array | string {
  const corrupt = (at: number): string => `illegal ${name} data at input byte ${at}`;
  const out: number[] = [];
  let digits: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '\n' || character === '\r') continue;
    const digit = index.get(character);
    if (digit !== undefined) {
      digits.push(digit);
      if (digits.length === group) {
        push(out, digits, bits);
        digits = [];
      }
      continue;
    }
    if (character !== '=') return corrupt(at);
    const end = padding(text, at, digits.length, bits, group);
    if (typeof end === 'number') return corrupt(end);
    push(out, digits, bits);
    return Uint8Array.from(out);
  }
  if (digits.length > 0) return corrupt(text.length - digits.length);
  return Uint8Array.from(out);
}

/** Whether the padding from `at` completes the group and ends the text; else where it goes wrong. */
function padding(text: string, at: number, digits: number, bits: number, group: number): true | number {
  if (digits === 0 || (digits * bits) % 8 >= bits) return at;
  let missing = group - digits;
  for (let i = at; i < text.length; i++) {
    const character = text[i];
    if (character === '\n' || character === '\r') continue;
    if (character !== '=' || missing === 0) return i;
    missing--;
  }
  return missing === 0 ? true : text.length;
}

function push(out: number[], digits: readonly number[], bits: number): void {
  let buffer = 0;
  let held = 0;
  for (const digit of digits) {
    buffer = ((buffer << bits) | digit) & 0xffff;
    held += bits;
    if (held >= 8) {
      held -= 8;
      out.push((buffer >> held) & 0xff);
    }
  }
}
