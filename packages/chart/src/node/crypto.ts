import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, scryptSync } from 'node:crypto';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Crypto } from '../functions/crypto.ts';
import { makeCertificates } from '../x509/certificates.ts';
import { nodeKeys } from './keys.ts';
import { kernelRandom } from './random.ts';

/**
 * Bytes up to which a checksum is made without Node's cryptography, which takes 5 ms to load: many charts want nothing
 * of it but checksums of a few ConfigMaps.
 */
const smallText = 32 * 1024;

/** Node's cryptography for templates. */
export const nodeCrypto: Crypto = {
  randomBytes(length) {
    try {
      return kernelRandom(length);
    } catch {
      return randomBytes(length);
    }
  },
  digest: (algorithm, data) =>
    algorithm === 'sha256' && data.length < smallText ? sha256(data) : createHash(algorithm).update(data).digest(),
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
  scrypt: (password, salt, cost, blockSize, parallelism, length) =>
    scryptSync(password, salt, length, { N: cost, r: blockSize, p: parallelism, maxmem: 256 * cost * blockSize }),
  aes256cbc(direction, key, iv, data) {
    const cipher = direction === 'encrypt' ? createCipheriv('aes-256-cbc', key, iv) : createDecipheriv('aes-256-cbc', key, iv);
    cipher.setAutoPadding(false);
    return Buffer.concat([cipher.update(data), cipher.final()]);
  },
  certificates: makeCertificates(nodeKeys),
};
