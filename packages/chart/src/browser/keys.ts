import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { sha256 } from '@noble/hashes/sha2.js';
import forge from 'node-forge/lib/forge.js';
import 'node-forge/lib/rsa.js';
import { platformCrypto } from '../functions/crypto.ts';
import type { KeyKind, Keys, PrivateKey } from '../x509/certificates.ts';
import { bitString, bodyOf, element, integer, join, members, objectId, readElements, sequence, tag } from '../x509/der.ts';
import { readPem, writePem } from '../x509/pem.ts';

// Without this it takes Node's keys where it runs in Node, in a form of its own.
forge.options.usePureJavaScript = true;

/**
 * Keys for certificates without Node: elliptic curves of noble, RSA of forge, both synchronous. DSA is not here: no
 * kept library makes such keys, and no certificate takes them.
 */
export const browserKeys: Keys = {
  generate,
  read,
  sha256: (data) => sha256(data),
  randomBytes: platformCrypto.randomBytes,
  checkCertificate: (pem) => {
    if (members(readPem(pem)?.der ?? new Uint8Array()).length !== 3) throw new Error('x509: malformed certificate');
  },
};

const oid = { rsa: '1.2.840.113549.1.1.1', ec: '1.2.840.10045.2.1', p256: '1.2.840.10045.3.1.7', ed25519: '1.3.101.112' } as const;
const nothing = Uint8Array.of(5, 0);
const version = (number: number): Uint8Array => integer(Uint8Array.of(number));

function generate(kind: KeyKind, bits: number): PrivateKey {
  switch (kind) {
    case 'ec':
      return ecKey(p256.utils.randomSecretKey());
    case 'ed25519':
      return edKey(ed25519.utils.randomSecretKey());
    case 'rsa':
      return rsaKey(forge.pki.rsa.generateKeyPair({ bits, e: 0x10001 }).privateKey);
    case 'dsa':
      throw new Error('DSA keys are not made in a browser');
  }
}

function ecKey(secret: Uint8Array): PrivateKey {
  const point = p256.getPublicKey(secret, false);
  const curve = objectId(oid.p256);
  return {
    kind: 'ec',
    publicKey: sequence(sequence(objectId(oid.ec), curve), bitString(point)),
    pem: writePem(
      'EC PRIVATE KEY',
      sequence(version(1), element(tag.octetString, secret), element(0xa0, curve), element(0xa1, bitString(point))),
    ),
    sign: (data) => p256.sign(data, secret, { format: 'der' }),
  };
}

function edKey(secret: Uint8Array): PrivateKey {
  const algorithm = sequence(objectId(oid.ed25519));
  return {
    kind: 'ed25519',
    publicKey: sequence(algorithm, bitString(ed25519.getPublicKey(secret))),
    pem: writePem('PRIVATE KEY', sequence(version(0), algorithm, element(tag.octetString, element(tag.octetString, secret)))),
    sign: (data) => ed25519.sign(data, secret),
  };
}

type RsaKey = forge.pki.rsa.PrivateKey;

const number = (value: forge.jsbn.BigInteger): Uint8Array => {
  const hex = value.toString(16);
  return integer(fromHex(hex.length % 2 === 0 ? hex : `0${hex}`));
};

const fromHex = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

function rsaKey(key: RsaKey): PrivateKey {
  const parts = [key.n, key.e, key.d, key.p, key.q, key.dP, key.dQ, key.qInv].map(number);
  return {
    kind: 'rsa',
    publicKey: sequence(sequence(objectId(oid.rsa), nothing), bitString(sequence(...parts.slice(0, 2)))),
    pem: writePem('RSA PRIVATE KEY', sequence(version(0), ...parts)),
    sign: (data) => Uint8Array.from(key.sign(sha256Info(data), null), (character) => character.charCodeAt(0)),
  };
}

/** What PKCS#1 signs: which hash, and the hash. */
function sha256Info(data: Uint8Array): string {
  const info = sequence(sequence(objectId('2.16.840.1.101.3.4.2.1'), nothing), element(tag.octetString, sha256(data)));
  return String.fromCharCode(...info);
}

function read(pem: string): PrivateKey {
  const block = readPem(pem);
  if (!block) throw new Error('no PEM data in input');
  const fields = members(block.der);
  if (block.label === 'RSA PRIVATE KEY') return rsaFrom(block.der);
  if (block.label === 'EC PRIVATE KEY') return ecKey(bodyOf(fields[1]));
  if (block.label !== 'PRIVATE KEY') throw new Error(`keys of type ${block.label} are not read in a browser`);
  const algorithm = readElements(bodyOf(fields[1]))[0]?.whole ?? new Uint8Array();
  const inner = bodyOf(fields[2]);
  if (algorithm.length === objectId(oid.ed25519).length) return edKey(bodyOf(readElements(inner)[0]));
  if (join(algorithm).at(-1) === objectId(oid.rsa).at(-1) && algorithm.length > 10) return rsaFrom(inner);
  return ecKey(bodyOf(members(inner)[1]));
}

function rsaFrom(der: Uint8Array): PrivateKey {
  const [n, e, d, p, q, dP, dQ, qInv] = members(der)
    .slice(1, 9)
    .map(({ body }) => new forge.jsbn.BigInteger(Array.from(body, (byte) => byte.toString(16).padStart(2, '0')).join(''), 16));
  if (!n || !e || !d || !p || !q || !dP || !dQ || !qInv) throw new Error('asn1: structure error');
  return rsaKey(forge.pki.setRsaPrivateKey(n, e, d, p, q, dP, dQ, qInv) as RsaKey);
}
