import type { CertificateRequest, Certificates } from '../functions/crypto.ts';
import { toBytes } from '../value/text.ts';
import { addressBytes } from './address.ts';
import { bitString, bodyOf, element, equal, integer, members, objectId, readElements, sequence, tag, time } from './der.ts';
import { readPem, writePem } from './pem.ts';

/**
 * X.509 certificates with the contents that sprig gives them. Keys, and with them all arithmetic, come from outside:
 * Node's in Node, kept libraries in a browser.
 */

export type KeyKind = 'rsa' | 'ec' | 'ed25519' | 'dsa';

export interface PrivateKey {
  readonly kind: KeyKind;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
  /** As sprig prints it: PKCS#1, SEC 1, PKCS#8, or OpenSSL's own form for DSA. */
  readonly pem: string;
  /** Over SHA-256 of the data, ed25519 over the data itself; in the form that certificates hold. */
  sign(data: Uint8Array): Uint8Array;
}

export interface Keys {
  generate(kind: KeyKind, bits: number): PrivateKey;
  /** @throws Error with the library's reason */
  read(pem: string): PrivateKey;
  sha256(data: Uint8Array): Uint8Array;
  randomBytes(length: number): Uint8Array;
  /** Throws the library's reason for what is no certificate. */
  checkCertificate(pem: string): void;
}

export function makeCertificates(keys: Keys): Certificates {
  return {
    generateKey: (type) => keys.generate(kinds.get(type) ?? 'rsa', 4096).pem,
    checkKey: (key) => {
      parsedKey(key, keys);
    },
    issue: (request) => issue(request, keys),
    check: (certificate, key) => {
      readCertificate(certificate, 'decodedCert.Bytes', keys);
      try {
        readKey(key, keys);
      } catch (error) {
        throw new Error(`error parsing private key: ${(error as Error).message}`);
      }
    },
  };
}

const kinds = new Map<string, KeyKind>([
  ['ecdsa', 'ec'],
  ['ed25519', 'ed25519'],
  ['dsa', 'dsa'],
]);

/** The key of a PEM text. Throws with sprig's words. */
function readKey(pem: string, keys: Keys): PrivateKey {
  const label = readPem(pem)?.label;
  if (label === undefined) throw new Error('no PEM data in input');
  if (label !== 'PRIVATE KEY' && !label.endsWith(' PRIVATE KEY')) throw new Error(`no private key data in PEM block of type ${label}`);
  try {
    return keys.read(pem);
  } catch (error) {
    const what = label === 'PRIVATE KEY' ? 'decoding PEM as PKCS#8' : `parsing ${label.replace(' PRIVATE KEY', '')} private key from PEM`;
    throw new Error(`${what}: ${(error as Error).message}`);
  }
}

/** A certificate's DER. */
function readCertificate(pem: string, what: string, keys: Keys): Uint8Array {
  const block = readPem(pem);
  if (!block) throw new Error('unable to decode certificate');
  try {
    keys.checkCertificate(pem);
    return block.der;
  } catch (error) {
    throw new Error(`error parsing certificate: ${what}: ${(error as Error).message}`);
  }
}

interface Signer {
  readonly name: Uint8Array;
  readonly key: PrivateKey;
  readonly keyId: Uint8Array | undefined;
}

function issue(request: CertificateRequest, keys: Keys): { certificate: string; key: string } {
  const key = request.key === undefined ? keys.generate('rsa', 2048) : parsedKey(request.key, keys);
  const subject = commonName(request.commonName);
  const keyId = keys.sha256(bodyOf(members(key.publicKey)[1]).subarray(1)).subarray(0, 20);
  const names = alternativeNames(request);
  const signer: Signer = request.signer ? readSigner(request.signer, keys) : { name: subject, key, keyId: undefined };
  const algorithm = signatureAlgorithm(signer.key);
  const end = new Date(request.now.getTime() + request.days * 86_400_000);
  const body = sequence(
    element(0xa0, integer(Uint8Array.of(2))),
    integer(keys.randomBytes(16)),
    algorithm,
    signer.name,
    sequence(time(request.now), time(end)),
    subject,
    key.publicKey,
    element(0xa3, sequence(...extensions(request.isCa, names, keyId, signer.keyId))),
  );
  return { certificate: writePem('CERTIFICATE', sequence(body, algorithm, bitString(signer.key.sign(body)))), key: key.pem };
}

function parsedKey(pem: string, keys: Keys): PrivateKey {
  try {
    return readKey(pem, keys);
  } catch (error) {
    throw new Error(`parsing private key: ${(error as Error).message}`);
  }
}

function readSigner({ certificate, key }: { certificate: string; key: string }, keys: Keys): Signer {
  const fields = readElements(bodyOf(members(readCertificate(certificate, 'decodedSignerCert.Bytes', keys))[0]));
  let signingKey: PrivateKey;
  try {
    signingKey = readKey(key, keys);
  } catch (error) {
    throw new Error(`error parsing private key: ${(error as Error).message}`);
  }
  if (!equal(fields[6]?.whole ?? new Uint8Array(), signingKey.publicKey))
    throw new Error("error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey");
  return { name: fields[5]?.whole as Uint8Array, key: signingKey, keyId: keyIdOf(bodyOf(fields.at(-1))) };
}

const oid = {
  commonName: '2.5.4.3',
  keyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  sha256Rsa: '1.2.840.113549.1.1.11',
  sha256Ecdsa: '1.2.840.10045.4.3.2',
  ed25519: '1.3.101.112',
} as const;

/** The subject key identifier among a certificate's extensions. */
function keyIdOf(extensionsField: Uint8Array): Uint8Array | undefined {
  for (const extension of members(extensionsField)) {
    const parts = readElements(extension.body);
    if (parts[0] && equal(parts[0].whole, objectId(oid.keyId))) return readElements(bodyOf(parts.at(-1)))[0]?.body;
  }
  return undefined;
}

const commonName = (name: string): Uint8Array =>
  sequence(element(tag.set, sequence(objectId(oid.commonName), element(tag.utf8String, toBytes(name)))));

function signatureAlgorithm(key: PrivateKey): Uint8Array {
  switch (key.kind) {
    case 'rsa':
      return sequence(objectId(oid.sha256Rsa), Uint8Array.of(5, 0));
    case 'ec':
      return sequence(objectId(oid.sha256Ecdsa));
    case 'ed25519':
      return sequence(objectId(oid.ed25519));
    default:
      throw new Error('error creating certificate: x509: only RSA, ECDSA and Ed25519 keys supported');
  }
}

const critical = element(tag.boolean, Uint8Array.of(0xff));

/** Of a certificate, in DER. @throws Error for what is no IP address */
const alternativeNames = ({ dnsNames, ips }: CertificateRequest): Uint8Array[] => [
  ...dnsNames.map((name) => element(0x82, toBytes(name))),
  ...ips.map((ip) => element(0x87, addressBytes(ip))),
];

function extensions(isCa: boolean, names: readonly Uint8Array[], keyId: Uint8Array, authority: Uint8Array | undefined): Uint8Array[] {
  const list = [
    // Digital signature and key encipherment; an authority signs certificates too.
    extension(oid.keyUsage, bitString(Uint8Array.of(isCa ? 0xa4 : 0xa0), isCa ? 2 : 5), true),
    extension(oid.extendedKeyUsage, sequence(objectId(oid.serverAuth), objectId(oid.clientAuth))),
    extension(oid.basicConstraints, isCa ? sequence(critical) : sequence(), true),
  ];
  if (isCa) list.push(extension(oid.keyId, element(tag.octetString, keyId)));
  if (authority) list.push(extension(oid.authorityKeyId, sequence(element(0x80, authority))));
  if (names.length > 0) list.push(extension(oid.alternativeNames, sequence(...names)));
  return list;
}

const extension = (id: string, value: Uint8Array, isCritical = false): Uint8Array =>
  sequence(objectId(id), ...(isCritical ? [critical] : []), element(tag.octetString, value));
