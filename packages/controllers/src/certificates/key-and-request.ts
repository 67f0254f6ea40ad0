import 'reflect-metadata';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { ControllerError } from '../controller-error.ts';
import type { Certificate } from './types.ts';

x509.cryptoProvider.set(crypto);

const algorithms = {
  RSA: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 },
  ECDSA: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
} as const;

/** A new private key as the Certificate asks for it, PKCS #8 PEM. @throws ControllerError NOT_SUPPORTED */
export async function makePrivateKey({ algorithm = 'RSA', size }: NonNullable<Certificate['spec']['privateKey']> = {}): Promise<string> {
  if (algorithm === 'Ed25519')
    throw new ControllerError('NOT_SUPPORTED', 'privateKey.algorithm Ed25519 is not supported', {
      kind: 'user',
      cure: 'Use RSA or ECDSA.',
    });
  const usable = algorithm === 'RSA' ? [2048, 3072, 4096] : [256];
  if (size !== undefined && !usable.includes(size)) {
    throw new ControllerError('NOT_SUPPORTED', `privateKey.size ${size} of ${algorithm} is not supported; ${usable.join(', ')} are`, {
      kind: 'user',
    });
  }
  const parameters = algorithm === 'RSA' ? { ...algorithms.RSA, modulusLength: size ?? 2048 } : algorithms.ECDSA;
  const keys = (await crypto.subtle.generateKey(parameters, true, ['sign', 'verify'])) as CryptoKeyPair;
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{1,64}/g, '$&\n')}-----END PRIVATE KEY-----\n`;
}

/** A certificate request of the key for the names. @returns DER */
export async function makeRequest(privateKey: string, names: readonly string[]): Promise<Uint8Array> {
  const key = createPrivateKey(privateKey);
  const parameters = key.asymmetricKeyType === 'rsa' ? algorithms.RSA : algorithms.ECDSA;
  const secret = Uint8Array.from(key.export({ type: 'pkcs8', format: 'der' }));
  const open = Uint8Array.from(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: '',
    keys: {
      privateKey: await crypto.subtle.importKey('pkcs8', secret, parameters, false, ['sign']),
      publicKey: await crypto.subtle.importKey('spki', open, parameters, true, ['verify']),
    },
    signingAlgorithm: parameters,
    extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))],
  });
  return new Uint8Array(request.rawData);
}

export interface Held {
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly names: readonly string[];
}

/** What a Secret's certificate says; undefined when it is none, or not of the key. */
export function readHeld(certificate: string, privateKey: string): Held | undefined {
  try {
    const leaf = new X509Certificate(certificate);
    if (!leaf.checkPrivateKey(createPrivateKey(privateKey))) return undefined;
    const names = (leaf.subjectAltName ?? '').split(', ').map((name) => name.replace(/^DNS:/, ''));
    return { notBefore: new Date(leaf.validFrom), notAfter: new Date(leaf.validTo), names };
  } catch {
    return undefined;
  }
}
