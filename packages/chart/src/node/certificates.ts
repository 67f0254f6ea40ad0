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
import { isIPv4, isIPv6 } from 'node:net';
import type { CertificateRequest, Certificates } from '../functions/crypto.ts';
import { bitString, type Element, element, integer, objectId, readElements, sequence, tag, time } from './der.ts';

/** X.509 certificates with the contents that sprig gives them, made with Node's keys and signatures. */
export const nodeCertificates: Certificates = { generateKey, issue, check };

function generateKey(type: string): string {
  switch (type) {
    case 'ecdsa':
      return exportKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    case 'ed25519':
      return exportKey(generateKeyPairSync('ed25519').privateKey);
    case 'dsa':
      return exportDsa(generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey);
    default:
      return exportKey(generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey);
  }
}

function exportKey(key: KeyObject): string {
  const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs8';
  return key.export({ format: 'pem', type }).toString();
}

/** OpenSSL's own form of DSA keys: version, p, q, g, y, x. */
function exportDsa(key: KeyObject): string {
  const [, algorithm, octets] = members(key.export({ format: 'der', type: 'pkcs8' }));
  const parameters = readElements(bodyOf(readElements(bodyOf(algorithm))[1]));
  const x = readElements(bodyOf(octets))[0]?.whole as Buffer;
  const y = subjectBits(createPublicKey(key).export({ format: 'der', type: 'spki' }));
  const body = sequence(integer(Buffer.from([0])), ...parameters.map((part) => part.whole), y, x);
  const lines = body.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN DSA PRIVATE KEY-----\n${lines.join('\n')}\n-----END DSA PRIVATE KEY-----\n`;
}

function bodyOf(found: Element | undefined): Buffer {
  if (!found) throw new Error('asn1: structure error');
  return found.body;
}

/** The elements inside an outermost sequence. */
const members = (der: Buffer): Element[] => readElements(bodyOf(readElements(der)[0]));

const pemForm = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/;

/** The key of a PEM text. Throws with sprig's words. */
function readKey(pem: string): KeyObject {
  const label = pemForm.exec(pem)?.[1];
  if (label === undefined) throw new Error('no PEM data in input');
  if (label !== 'PRIVATE KEY' && !label.endsWith(' PRIVATE KEY')) throw new Error(`no private key data in PEM block of type ${label}`);
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const what = label === 'PRIVATE KEY' ? 'decoding PEM as PKCS#8' : `parsing ${label.replace(' PRIVATE KEY', '')} private key from PEM`;
    throw new Error(`${what}: ${(error as Error).message}`);
  }
}

function readCertificate(pem: string, what: string): X509Certificate {
  if (pemForm.exec(pem) === null) throw new Error('unable to decode certificate');
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new Error(`error parsing certificate: ${what}: ${(error as Error).message}`);
  }
}

function check(certificate: string, key: string): void {
  readCertificate(certificate, 'decodedCert.Bytes');
  try {
    readKey(key);
  } catch (error) {
    throw new Error(`error parsing private key: ${(error as Error).message}`);
  }
}

interface Signer {
  readonly name: Buffer;
  readonly key: KeyObject;
  readonly keyId: Buffer | undefined;
}

function issue(request: CertificateRequest): { certificate: string; key: string } {
  const key = request.key === undefined ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey : parsedKey(request.key);
  const subject = commonName(request.commonName);
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const keyId = createHash('sha256').update(subjectBits(publicKey)).digest().subarray(0, 20);
  const signer: Signer = request.signer ? readSigner(request.signer) : { name: subject, key, keyId: undefined };
  const algorithm = signatureAlgorithm(signer.key);
  const end = new Date(request.now.getTime() + request.days * 86_400_000);
  const body = sequence(
    element(0xa0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    algorithm,
    signer.name,
    sequence(time(request.now), time(end)),
    subject,
    publicKey,
    element(0xa3, sequence(...extensions(request, keyId, signer.keyId))),
  );
  const digest = signer.key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const der = sequence(body, algorithm, bitString(sign(digest, body, signer.key)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return { certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`, key: exportKey(key) };
}

function parsedKey(pem: string): KeyObject {
  try {
    return readKey(pem);
  } catch (error) {
    throw new Error(`parsing private key: ${(error as Error).message}`);
  }
}

function readSigner({ certificate, key }: { certificate: string; key: string }): Signer {
  const parsed = readCertificate(certificate, 'decodedSignerCert.Bytes');
  const fields = readElements(bodyOf(members(parsed.raw)[0]));
  const subject = fields[5]?.whole as Buffer;
  let signingKey: KeyObject;
  try {
    signingKey = readKey(key);
  } catch (error) {
    throw new Error(`error parsing private key: ${(error as Error).message}`);
  }
  if (!parsed.checkPrivateKey(signingKey))
    throw new Error("error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey");
  return { name: subject, key: signingKey, keyId: keyIdOf(fields.at(-1)?.body as Buffer) };
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
function keyIdOf(extensionsField: Buffer): Buffer | undefined {
  const list = readElements(readElements(extensionsField)[0]?.body as Buffer);
  for (const extension of list) {
    const parts = readElements(extension.body);
    if (parts[0]?.whole.equals(objectId(oid.keyId))) return readElements(parts.at(-1)?.body as Buffer)[0]?.body;
  }
  return undefined;
}

const commonName = (name: string): Buffer =>
  sequence(element(tag.set, sequence(objectId(oid.commonName), element(tag.utf8String, Buffer.from(name)))));

/** The bits of a public key without their algorithm. */
function subjectBits(publicKey: Buffer): Buffer {
  return bodyOf(members(publicKey)[1]).subarray(1);
}

function signatureAlgorithm(key: KeyObject): Buffer {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return sequence(objectId(oid.sha256Rsa), Buffer.from([5, 0]));
    case 'ec':
      return sequence(objectId(oid.sha256Ecdsa));
    case 'ed25519':
      return sequence(objectId(oid.ed25519));
    default:
      throw new Error('error creating certificate: x509: only RSA, ECDSA and Ed25519 keys supported');
  }
}

const critical = element(tag.boolean, Buffer.from([0xff]));

function extensions(request: CertificateRequest, keyId: Buffer, authority: Buffer | undefined): Buffer[] {
  const list = [
    // Digital signature and key encipherment; an authority signs certificates too.
    extension(oid.keyUsage, bitString(Buffer.from([request.isCa ? 0xa4 : 0xa0]), request.isCa ? 2 : 5), true),
    extension(oid.extendedKeyUsage, sequence(objectId(oid.serverAuth), objectId(oid.clientAuth))),
    extension(oid.basicConstraints, request.isCa ? sequence(critical) : sequence(), true),
  ];
  if (request.isCa) list.push(extension(oid.keyId, element(tag.octetString, keyId)));
  if (authority) list.push(extension(oid.authorityKeyId, sequence(element(0x80, authority))));
  const names = [
    ...request.dnsNames.map((name) => element(0x82, Buffer.from(name))),
    ...request.ips.map((ip) => element(0x87, addressBytes(ip))),
  ];
  if (names.length > 0) list.push(extension(oid.alternativeNames, sequence(...names)));
  return list;
}

const extension = (id: string, value: Buffer, isCritical = false): Buffer =>
  sequence(objectId(id), ...(isCritical ? [critical] : []), element(tag.octetString, value));

function addressBytes(ip: string): Buffer {
  if (isIPv4(ip)) return Buffer.from(ip.split('.').map(Number));
  if (!isIPv6(ip) || ip.includes('%')) throw new Error(`error parsing ip: ${ip}`);
  const [head = '', tail] = ip.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_whole, ...parts: string[]) => mappedPart(parts)).split('::');
  const words = (text: string): number[] => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)));
  const [front, back] = [words(head), words(tail ?? '')];
  const all = tail === undefined ? front : [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

/** The last four decimals of an IPv6 address as two words. */
function mappedPart(parts: readonly string[]): string {
  const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
