/**
 * bcrypt (OpenBSD, version 2a). Blowfish's tables are the hexadecimal digits of pi, which are computed on first use:
 * shorter than listing 1042 numbers, and nothing to copy wrongly.
 */

const rounds = 16;
const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

let tables: { readonly keys: Uint32Array; readonly boxes: Uint32Array } | undefined;

/** The first 33,344 bits of pi's fraction, as 18 round keys and four boxes of 256. */
function piTables(): { keys: Uint32Array; boxes: Uint32Array } {
  if (!tables) {
    const words = 18 + 1024;
    const guard = 64n;
    const bits = BigInt(words * 32);
    const one = 1n << (bits + guard);
    const arctanOfInverse = (x: bigint): bigint => {
      let power = one / x;
      let sum = power;
      for (let n = 3n, sign = -1n; power > 0n; n += 2n, sign = -sign) {
        power /= x * x;
        sum += (sign * power) / n;
      }
      return sum;
    };
    // Machin: pi / 4 = 4 arctan(1/5) - arctan(1/239).
    const pi = 4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n));
    const fraction = (pi >> guard) & ((1n << bits) - 1n);
    const hex = fraction.toString(16).padStart(words * 8, '0');
    const all = Uint32Array.from({ length: words }, (_word, index) => Number.parseInt(hex.slice(index * 8, index * 8 + 8), 16));
    tables = { keys: all.slice(0, 18), boxes: all.slice(18) };
  }
  return { keys: tables.keys.slice(), boxes: tables.boxes.slice() };
}

class Blowfish {
  readonly #keys: Uint32Array;
  readonly #boxes: Uint32Array;
  left = 0;
  right = 0;

  constructor() {
    const { keys, boxes } = piTables();
    this.#keys = keys;
    this.#boxes = boxes;
  }

  /** Enciphers `left` and `right` in place. */
  encipher(): void {
    const keys = this.#keys;
    const boxes = this.#boxes;
    let l = this.left;
    let r = this.right;
    for (let i = 0; i < rounds; i += 2) {
      l ^= keys[i] as number;
      r ^=
        ((((boxes[l >>> 24] as number) + (boxes[256 + ((l >>> 16) & 255)] as number)) ^ (boxes[512 + ((l >>> 8) & 255)] as number)) +
          (boxes[768 + (l & 255)] as number)) |
        0;
      r ^= keys[i + 1] as number;
      l ^=
        ((((boxes[r >>> 24] as number) + (boxes[256 + ((r >>> 16) & 255)] as number)) ^ (boxes[512 + ((r >>> 8) & 255)] as number)) +
          (boxes[768 + (r & 255)] as number)) |
        0;
    }
    this.left = (r ^ (keys[17] as number)) >>> 0;
    this.right = (l ^ (keys[16] as number)) >>> 0;
  }

  /** Mixes a key, and a salt where there is one, into the tables. */
  expand(key: Uint8Array, salt?: Uint8Array): void {
    let at = 0;
    for (let i = 0; i < this.#keys.length; i++) {
      let word = 0;
      for (let k = 0; k < 4; k++, at = (at + 1) % key.length) word = (word << 8) | (key[at] as number);
      this.#keys[i] = (this.#keys[i] as number) ^ word;
    }
    this.left = 0;
    this.right = 0;
    let saltAt = 0;
    const saltWord = (): number => {
      if (!salt) return 0;
      let word = 0;
      for (let k = 0; k < 4; k++, saltAt = (saltAt + 1) % salt.length) word = (word << 8) | (salt[saltAt] as number);
      return word;
    };
    for (const table of [this.#keys, this.#boxes]) {
      for (let i = 0; i < table.length; i += 2) {
        this.left = (this.left ^ saltWord()) >>> 0;
        this.right = (this.right ^ saltWord()) >>> 0;
        this.encipher();
        table[i] = this.left;
        table[i + 1] = this.right;
      }
    }
  }
}

/** Longest password that Go's bcrypt takes. */
export const maxPasswordBytes = 72;

/**
 * @param password at most 72 bytes
 * @param salt 16 bytes
 * @param cost two to this power rounds; 10 by default in Go
 */
export function bcrypt(password: Uint8Array, salt: Uint8Array, cost: number): string {
  const key = new Uint8Array(password.length + 1);
  key.set(password);
  const cipher = new Blowfish();
  cipher.expand(key, salt);
  for (let i = 0; i < 2 ** cost; i++) {
    cipher.expand(key);
    cipher.expand(salt);
  }
  const text = new TextEncoder().encode('OrpheanBeholderScryDoubt');
  const view = new DataView(text.buffer);
  for (let at = 0; at < 24; at += 8) {
    cipher.left = view.getUint32(at);
    cipher.right = view.getUint32(at + 4);
    for (let i = 0; i < 64; i++) cipher.encipher();
    view.setUint32(at, cipher.left);
    view.setUint32(at + 4, cipher.right);
  }
  return `$2a$${String(cost).padStart(2, '0')}$${encode(salt)}${encode(text.subarray(0, 23))}`;
}

/** bcrypt's own base64: another alphabet, no padding. */
function encode(bytes: Uint8Array): string {
  let out = '';
  let buffer = 0;
  let held = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    held += 8;
    while (held >= 6) {
      held -= 6;
      out += alphabet[(buffer >> held) & 63];
    }
  }
  return held > 0 ? out + alphabet[(buffer << (6 - held)) & 63] : out;
}
