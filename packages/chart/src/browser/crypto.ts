import { cbc } from '@noble/ciphers/aes.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { scrypt } from '@noble/hashes/scrypt.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { type Crypto, platformCrypto } from '../functions/crypto.ts';
import { makeCertificates } from '../x509/certificates.ts';
import { browserKeys } from './keys.ts';

const digests = { sha1, sha256, sha512 };

/** Cryptography for templates in a browser: kept libraries in plain JavaScript, for templates cannot wait for WebCrypto. */
export const browserCrypto: Crypto = {
  randomBytes: platformCrypto.randomBytes,
  digest: (algorithm, data) => digests[algorithm](data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  scrypt: (password, salt, cost, blockSize, parallelism, length) =>
    scrypt(password, salt, { N: cost, r: blockSize, p: parallelism, dkLen: length }),
  aes256cbc: (direction, key, iv, data) => cbc(key, iv, { disablePadding: true })[direction](data),
  certificates: makeCertificates(browserKeys),
};
