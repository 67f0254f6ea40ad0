import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@desp/runtime';
import * as x509 from '@peculiar/x509';
import { AcmeError } from './errors.ts';

/** Root and intermediate of the rehearsal, kept in one private file so that keys and certificates cannot come apart. */

x509.cryptoProvider.set(crypto);

export interface Authority {
  /** PEM of the root: what `curl --cacert` is given. */
  readonly root: string;
  /** @returns PEM of leaf and intermediate. @throws AcmeError badCSR */
  issue(csr: Uint8Array, names: readonly string[]): Promise<string>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const day = 24 * 3600_000;
const lifetimes = { root: 3650 * day, intermediate: 1825 * day, leaf: 90 * day } as const;
const organisation = 'O=DESP rehearsal (trust it on this machine only)';
/** Certificates begin a little earlier, for machines whose clocks go behind. */
const leeway = 3600_000;

const serial = (): string => `00${randomBytes(15).toString('hex')}`;
const usages = x509.KeyUsageFlags;
const subjectAlternativeName = '2.5.29.17';

export async function openAuthority(dataFolder: string, clock: Clock): Promise<Authority> {
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  const file = join(dataFolder, 'authority.pem');
  const stored = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const text = stored ?? (await makeAuthority(file, clock));
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
  const key = /-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----/.exec(text)?.[1];
  const [root, intermediate] = certificates;
  if (root === undefined || intermediate === undefined || key === undefined) {
    throw new AcmeError('storeDamaged', `The certificate authority in ${file} is not readable.`, {
      cure: 'Restore the file, or remove it: all certificates are then made anew, under a new root.',
    });
  }
  const signingKey = await crypto.subtle.importKey('pkcs8', Buffer.from(key, 'base64'), algorithm, false, ['sign']);
  const issuer = new x509.X509Certificate(intermediate);
  return { root, issue: async (csr, names) => (await issueLeaf(csr, names, { issuer, signingKey, clock })) + intermediate };
}

interface Issuing {
  readonly issuer: x509.X509Certificate;
  readonly signingKey: CryptoKey;
  readonly clock: Clock;
}

async function issueLeaf(der: Uint8Array, names: readonly string[], { issuer, signingKey, clock }: Issuing): Promise<string> {
  const request = await readRequest(der, names);
  const now = clock.now().getTime();
  const notAfter = Math.min(now + lifetimes.leaf, issuer.notAfter.getTime());
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${names.find((name) => name.length <= 64) ?? ''}`,
    issuer: issuer.subject,
    notBefore: new Date(now - leeway),
    notAfter: new Date(notAfter),
    publicKey: request.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(usages.digitalSignature | usages.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value }))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
    ],
  });
  return `${leaf.toString('pem')}\n`;
}

/** The request's own key, signature and names; what else it asks for is not taken over. */
async function readRequest(der: Uint8Array, names: readonly string[]): Promise<x509.Pkcs10CertificateRequest> {
  let request: x509.Pkcs10CertificateRequest;
  let verified: boolean;
  try {
    request = new x509.Pkcs10CertificateRequest(Uint8Array.from(der));
    verified = await request.verify();
  } catch (cause) {
    throw new AcmeError('badCSR', 'The certificate request cannot be read.', { cause });
  }
  if (!verified) throw new AcmeError('badCSR', "The certificate request's signature is wrong.");
  const { algorithm: keyAlgorithm } = request.publicKey;
  const { name, modulusLength = 0 } = keyAlgorithm as Algorithm & { modulusLength?: number };
  if (name.startsWith('RSA') ? modulusLength < 2048 || modulusLength > 4096 : name !== 'ECDSA') {
    throw new AcmeError('badCSR', `A key of kind ${name} ${modulusLength || ''} is not certified.`, {
      cure: 'Use RSA with 2048 to 4096 bits, or ECDSA with P-256, P-384 or P-521.',
    });
  }
  const extension = request.getExtension(subjectAlternativeName);
  const alternative = extension === null ? [] : new x509.SubjectAlternativeNameExtension(extension.rawData).names.items;
  const common = request.subjectName.getField('CN');
  const asked = new Set([
    ...alternative.map(({ type, value }) => (type === 'dns' ? value.toLowerCase() : `${type}:${value}`)),
    ...common.map((one) => one.toLowerCase()),
  ]);
  if (asked.size !== names.length || !names.every((one) => asked.has(one))) {
    throw new AcmeError('badCSR', `The certificate request names ${[...asked].join(', ') || 'nothing'}, the order ${names.join(', ')}.`);
  }
  return request;
}

async function makeAuthority(file: string, clock: Clock): Promise<string> {
  const now = clock.now().getTime();
  const [rootKeys, keys] = await Promise.all([makeKeys(), makeKeys()]);
  const base = { serialNumber: serial(), notBefore: new Date(now - leeway), signingAlgorithm: algorithm };
  const caUsages = new x509.KeyUsagesExtension(usages.keyCertSign | usages.cRLSign, true);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...base,
    name: `CN=DESP rehearsal root, ${organisation}`,
    notAfter: new Date(now + lifetimes.root),
    keys: rootKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      caUsages,
      await x509.SubjectKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  });
  const intermediate = await x509.X509CertificateGenerator.create({
    ...base,
    serialNumber: serial(),
    subject: `CN=DESP rehearsal issuing CA, ${organisation}`,
    issuer: root.subject,
    notAfter: new Date(now + lifetimes.intermediate),
    publicKey: keys.publicKey,
    signingKey: rootKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      caUsages,
      await x509.AuthorityKeyIdentifierExtension.create(root),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  // The root's key has signed all that it ever will and is not kept.
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const pem = `-----BEGIN PRIVATE KEY-----\n${key.replace(/.{1,64}/g, '$&\n')}-----END PRIVATE KEY-----\n`;
  const text = `${root.toString('pem')}\n${intermediate.toString('pem')}\n${pem}`;
  await writePrivate(file, text);
  return text;
}

const makeKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

/** Mode 0600, whole or not at all. */
export async function writePrivate(file: string, text: string): Promise<void> {
  const fresh = `${file}.new`;
  const handle = await open(fresh, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(fresh, 0o600);
  await rename(fresh, file);
}
