import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '@desp/runtime';
import * as x509 from '@peculiar/x509';
import { ClusterApiError } from './errors.ts';
import { writePrivate } from './private-file.ts';

/** The cluster's own certificate authority, kept in the data folder, and the serving certificate, made anew at each start. */

x509.cryptoProvider.set(crypto);

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const day = 24 * 3600_000;
const serial = (): string => `00${randomBytes(15).toString('hex')}`;

export interface Authority {
  /** PEM */
  readonly certificate: string;
  /** A serving certificate for these names and addresses, as PEM with its key. */
  issue(names: readonly string[]): Promise<{ cert: string; key: string }>;
}

const pemOf = (label: string, der: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;

/** Opens or makes the authority; key and certificate are one file (mode 0600), so that they cannot come apart. */
export async function openAuthority(dataFolder: string, name: string, clock: Clock): Promise<Authority> {
  const file = join(dataFolder, 'certificate-authority.pem');
  const stored = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const pem = stored ?? (await makeAuthority(file, name, clock));
  const key = /-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----/.exec(pem)?.[1];
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(pem)?.[0];
  if (key === undefined || certificate === undefined) {
    throw new ClusterApiError('STORE_BROKEN', `The certificate authority in ${file} is not readable.`, {
      kind: 'user',
      cure: 'Restore the file, or remove it and hand out kubeconfigs anew.',
    });
  }
  const signingKey = await crypto.subtle.importKey('pkcs8', Buffer.from(key, 'base64'), algorithm, false, ['sign']);
  const issuer = new x509.X509Certificate(certificate);
  return {
    certificate,
    issue: async (names) => {
      const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const now = clock.now().getTime();
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: 'CN=kube-apiserver',
        issuer: issuer.subject,
        notBefore: new Date(now - day),
        notAfter: new Date(now + 825 * day),
        publicKey: keys.publicKey,
        signingKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
          ),
          await x509.AuthorityKeyIdentifierExtension.create(issuer),
        ],
      });
      return { cert: leaf.toString('pem'), key: pemOf('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)) };
    },
  };
}

async function makeAuthority(file: string, name: string, clock: Clock): Promise<string> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const now = clock.now().getTime();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${name.replace(/[^\w.-]/g, '-')} rehearsal cluster`,
    notBefore: new Date(now - day),
    notAfter: new Date(now + 3650 * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pem = `${certificate.toString('pem')}\n${pemOf('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey))}`;
  await writePrivate(file, pem);
  return pem;
}
