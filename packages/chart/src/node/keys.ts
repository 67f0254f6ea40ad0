import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import type { KeyKind, Keys, PrivateKey } from '../x509/certificates.ts';
import { bodyOf, integer, members, readElements, sequence } from '../x509/der.ts';
import { writePem } from '../x509/pem.ts';
import { RsaKeys } from './rsa-keys.ts';

/** Node's keys for certificates. */
export const nodeKeys: Keys = {
  generate: (kind, bits) => wrap(newKey(kind, bits)),
  read: (pem) => wrap(createPrivateKey(pem)),
  sha256: (data) => createHash('sha256').update(data).digest(),
  // By a call: to name it here would load all of Node's cryptography at once.
  randomBytes: (length) => randomBytes(length),
  checkCertificate: (pem) => {
    new X509Certificate(pem);
  },
};

const rsaKeys = new RsaKeys();

function newKey(kind: KeyKind, bits: number): KeyObject {
  switch (kind) {
    case 'ec':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'dsa':
      return generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey;
    case 'rsa':
      return rsaKeys.generate(bits);
  }
}

function wrap(key: KeyObject): PrivateKey {
  const kind = key.asymmetricKeyType as KeyKind;
  return {
    kind,
    publicKey: createPublicKey(key).export({ format: 'der', type: 'spki' }),
    get pem() {
      if (kind === 'dsa') return exportDsa(key);
      return key.export({ format: 'pem', type: kind === 'rsa' ? 'pkcs1' : kind === 'ec' ? 'sec1' : 'pkcs8' }).toString();
    },
    sign: (data) => sign(kind === 'ed25519' ? null : 'sha256', data, key),
  };
}

/** OpenSSL's own form of DSA keys: version, p, q, g, y, x. */
function exportDsa(key: KeyObject): string {
  const [, algorithm, octets] = members(key.export({ format: 'der', type: 'pkcs8' }));
  const parameters = readElements(bodyOf(readElements(bodyOf(algorithm))[1]));
  const x = readElements(bodyOf(octets))[0]?.whole as Uint8Array;
  const y = bodyOf(members(createPublicKey(key).export({ format: 'der', type: 'spki' }))[1]).subarray(1);
  return writePem('DSA PRIVATE KEY', sequence(integer(Uint8Array.of(0)), ...parameters.map((part) => part.whole), y, x));
}
