import 'reflect-metadata';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Informer, Secret } from '@desp/kube';
import { type Clock, type Logger, messageOf } from '@desp/runtime';
import * as x509 from '@peculiar/x509';

/** The certificate of a name, from its Secret as it is now; a changed Secret counts for the next connection. */
export interface TlsContexts {
  of(secretKey: string | undefined): SecureContext | undefined;
}

const remembered = 1000;

export function createTlsContexts(secrets: Informer<Secret>, log: Logger): TlsContexts {
  const known = new Map<string, { version: string | undefined; context: SecureContext | undefined }>();
  return {
    of(secretKey) {
      const secret = secretKey === undefined ? undefined : secrets.get(secretKey);
      if (secretKey === undefined || secret === undefined) return undefined;
      const version = secret.metadata.resourceVersion;
      const before = known.get(secretKey);
      if (before !== undefined && before.version === version) return before.context;
      const context = contextOf(secret, secretKey, log);
      if (known.size >= remembered) known.clear();
      known.set(secretKey, { version, context });
      return context;
    },
  };
}

function contextOf(secret: Secret, secretKey: string, log: Logger): SecureContext | undefined {
  const [cert, key] = ['tls.crt', 'tls.key'].map((name) => Buffer.from(secret.data?.[name] ?? '', 'base64'));
  if (cert === undefined || key === undefined || cert.length === 0 || key.length === 0) return undefined;
  try {
    return createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  } catch (error) {
    log.warn({ secret: secretKey, error: messageOf(error) }, 'the certificate of a Secret is not usable; the default one is shown');
    return undefined;
  }
}

/** What is shown for names without a certificate: one that nobody trusts, and that says so. */
export async function makeDefaultCertificate(clock: Clock): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
  x509.cryptoProvider.set(crypto);
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const now = clock.now().getTime();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=No certificate for this name, O=DESP rehearsal',
    notBefore: new Date(now - 3600_000),
    notAfter: new Date(now + 365 * 24 * 3600_000),
    signingAlgorithm: algorithm,
    keys,
  });
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    cert: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key.replace(/.{1,64}/g, '$&\n')}-----END PRIVATE KEY-----\n`,
  };
}
