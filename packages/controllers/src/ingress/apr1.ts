import { createHash } from 'node:crypto';

const letters = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const magic = '$apr1$';
const rounds = 1000;

/** Apache's MD5 password hash, as `htpasswd` and `openssl passwd -apr1` make it. @param salt at most 8 characters */
export function hashApr1(password: string, salt: string): string {
  const text = Buffer.from(password);
  const md5 = (...parts: (string | Uint8Array)[]): Buffer => {
    const hash = createHash('md5');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const inner = md5(text, salt, text);
  const parts: (string | Uint8Array)[] = [text, magic, salt];
  for (let left = text.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)));
  for (let bits = text.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? Buffer.of(0) : text.subarray(0, 1));
  let digest = md5(...parts);
  for (let round = 0; round < rounds; round += 1) {
    const odd = round % 2 === 1;
    digest = md5(odd ? text : digest, ...(round % 3 === 0 ? [] : [salt]), ...(round % 7 === 0 ? [] : [text]), odd ? digest : text);
  }
  return `${magic}${salt}$${encode(digest)}`;
}

function encode(digest: Buffer): string {
  const at = (index: number): number => digest[index] ?? 0;
  const groups: [number, number][] = [0, 1, 2, 3, 4].map((index) => [
    (at(index) << 16) | (at(index + 6) << 8) | at(index === 4 ? 5 : index + 12),
    4,
  ]);
  groups.push([at(11), 2]);
  let out = '';
  for (let [value, count] of groups) {
    for (; count > 0; count -= 1) {
      out += letters[value & 63];
      value >>= 6;
    }
  }
  return out;
}
