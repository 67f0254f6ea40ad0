import { int } from '../value/kinds.ts';
import { base64Encode } from './bases.ts';
import { type CallContext, contextual, type FunctionGroup, fail } from './define.ts';

/** Random texts and numbers, all from the given cryptography's bytes. */

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const printable = Array.from({ length: 95 }, (_item, index) => String.fromCharCode(32 + index)).join('');

/** A number below the bound, without bias. */
function below(context: CallContext, bound: bigint): bigint {
  const bytes = Math.ceil(bound.toString(2).length / 8) + 1;
  const range = 256n ** BigInt(bytes);
  for (;;) {
    const value = context.crypto.randomBytes(bytes).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    if (value < range - (range % bound)) return value % bound;
  }
}

function randomText(context: CallContext, count: bigint, alphabet: string): string {
  if (count < 0n) return '';
  const length = Number(count);
  context.budget.size(length);
  context.budget.step(length >> 2);
  // Whole multiples of the alphabet keep every character equally likely.
  const limit = 256 - (256 % alphabet.length);
  let out = '';
  while (out.length < length) {
    for (const byte of context.crypto.randomBytes(Math.min(length - out.length + 16, 65_536))) {
      if (byte < limit && out.length < length) out += alphabet[byte % alphabet.length];
    }
  }
  return out;
}

const text = (alphabet: string) => contextual(['int'], (context, count) => randomText(context, count.value, alphabet));

function uuid(context: CallContext): string {
  const bytes = context.crypto.randomBytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export const randomFunctions: FunctionGroup = {
  randAlpha: text(letters),
  randAlphaNum: text(letters + digits),
  randAscii: text(printable),
  randBytes: contextual(['int'], (context, count) => {
    if (count.value < 0n) return fail('runtime error: makeslice: len out of range');
    context.budget.size(Number(count.value));
    context.budget.step(Number(count.value) >> 3);
    return base64Encode(context.crypto.randomBytes(Number(count.value)));
  }),
  randInt: contextual(['int', 'int'], (context, low, high) => {
    if (high.value <= low.value) return fail('invalid argument to Intn');
    return int(low.value + below(context, high.value - low.value));
  }),
  randNumeric: text(digits),
  shuffle: contextual(['string'], (context, value) => {
    const characters = [...value];
    for (let i = characters.length - 1; i > 0; i--) {
      const j = Number(below(context, BigInt(i + 1)));
      [characters[i], characters[j]] = [characters[j] as string, characters[i] as string];
    }
    return characters.join('');
  }),
  uuidv4: contextual([], uuid),
};
