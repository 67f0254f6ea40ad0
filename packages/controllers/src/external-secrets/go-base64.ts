/**
 * Base64 as Go's `encoding/base64` decodes it: padding required, line ends skipped, and an error that names the byte.
 * The offset is part of the message that `kubectl describe` shows, so it has to be Go's.
 */

const alphabets = {
  standard: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
  url: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
} as const;

export type Base64Alphabet = keyof typeof alphabets;
export type Decoded = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly offset: number };

const [lineFeed, carriageReturn, padding] = [0x0a, 0x0d, 0x3d];
const isLineEnd = (byte: number | undefined): boolean => byte === lineFeed || byte === carriageReturn;

const values = Object.fromEntries(
  Object.entries(alphabets).map(([name, letters]) => {
    const table = new Int8Array(256).fill(-1);
    for (let index = 0; index < letters.length; index += 1) table[letters.charCodeAt(index)] = index;
    return [name, table];
  }),
) as Record<Base64Alphabet, Int8Array>;

/** Source: Go `encoding/base64` decodeQuantum, non-strict. */
export function decodeBase64(input: Uint8Array, alphabet: Base64Alphabet): Decoded {
  const table = values[alphabet];
  const out = new Uint8Array(Math.ceil(input.length / 4) * 3);
  let written = 0;
  let at = 0;
  const skipLineEnds = () => {
    while (isLineEnd(input[at])) at += 1;
  };
  for (;;) {
    let quantum = 0;
    let digits = 0;
    while (digits < 4) {
      if (at === input.length) {
        if (digits === 0) return { ok: true, bytes: out.subarray(0, written) };
        return { ok: false, offset: at - digits };
      }
      const byte = input[at] as number;
      at += 1;
      const value = table[byte] as number;
      if (value >= 0) {
        quantum = (quantum << 6) | value;
        digits += 1;
        continue;
      }
      if (isLineEnd(byte)) continue;
      if (byte !== padding || digits < 2) return { ok: false, offset: at - 1 };
      skipLineEnds();
      if (digits === 2) {
        if (at === input.length) return { ok: false, offset: input.length };
        if (input[at] !== padding) return { ok: false, offset: at - 1 };
        at += 1;
        skipLineEnds();
      }
      if (at < input.length) return { ok: false, offset: at };
      out[written] = digits === 2 ? quantum >> 4 : quantum >> 10;
      if (digits === 3) out[written + 1] = (quantum >> 2) & 0xff;
      return { ok: true, bytes: out.subarray(0, written + digits - 1) };
    }
    out[written] = quantum >> 16;
    out[written + 1] = (quantum >> 8) & 0xff;
    out[written + 2] = quantum & 0xff;
    written += 3;
  }
}
