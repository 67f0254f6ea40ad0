import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ProfileName } from '@desp/chart';
import type { Flags } from '../flags.ts';
import { HelmError, isSystemError, systemReason } from '../helm-command.ts';

/** Files of certificates and keys, which flags and repositories.yaml name: read, looked into, and refused in Helm's words. */

export interface TlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** The server's certificate is not looked at. */
  readonly insecure: boolean;
}

/** PEM texts, ready for Node. */
export interface TlsSettings {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure: boolean;
}

export const tlsFilesOf = (flags: Flags): TlsFiles => ({
  caFile: flags.text('ca-file') ?? '',
  certFile: flags.text('cert-file') ?? '',
  keyFile: flags.text('key-file') ?? '',
  insecure: flags.isOn('insecure-skip-tls-verify'),
});

/**
 * Reads what there is. A certificate without its key, or the other way round, counts for nothing where nothing else is
 * given; beside a CA, Helm 4 wants both.
 *
 * @throws HelmError
 */
export function readTls({ caFile, certFile, keyFile, insecure }: TlsFiles, helm: ProfileName): TlsSettings {
  const hasPair = certFile !== '' && keyFile !== '';
  if (!hasPair && caFile === '' && !insecure) return { insecure };
  const reader = helm === 'helm4' ? helm4 : helm3;
  const problems: string[] = [];
  const attempt = <T>(run: () => T): T | undefined => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof TlsProblem)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const pair = attempt(() => reader.pair(certFile, keyFile));
  const ca = problems.length > 0 && helm === 'helm3' ? undefined : attempt(() => reader.ca(caFile));
  if (problems.length > 0) throw new HelmError(`can't create TLS config for client: ${problems.join('\n')}`);
  // Helm 4 looks into the files once it has read them all.
  const contents = attempt(() => ({ ...(pair?.() ?? {}), ...(ca?.() ?? {}) }));
  if (!contents) throw new HelmError(`can't create TLS config for client: ${problems[0]}`);
  return { ...contents, insecure };
}

const ofFlags = new WeakMap<Flags, TlsSettings>();

/** Reads the files of flags, before a verb does anything; whoever connects later takes what was read. @throws HelmError */
export function checkTlsFlags(flags: Flags, helm: ProfileName): void {
  try {
    ofFlags.set(flags, readTls(tlsFilesOf(flags), helm));
  } catch (error) {
    throw error instanceof HelmError ? new HelmError(`missing registry client: ${error.message}`) : error;
  }
}

/** What flags say of TLS. */
export const tlsOf = (flags: Flags): TlsSettings => ofFlags.get(flags) ?? { insecure: tlsFilesOf(flags).insecure };

class TlsProblem extends Error {}

interface Reader {
  pair(certFile: string, keyFile: string): (() => { cert: string; key: string }) | undefined;
  ca(caFile: string): (() => { ca: string }) | undefined;
}

const helm4: Reader = {
  pair: (certFile, keyFile) => {
    if (certFile === '' && keyFile === '') return undefined;
    const named = (what: string, path: string) => read(path, (why) => `unable to read ${what} file: ${JSON.stringify(path)}: ${why}`);
    const [cert, key] = [named('cert', certFile), named('key', keyFile)];
    if (cert === '' || key === '') return undefined;
    return () => pairOf(cert, key, 'unable to load cert from key pair');
  },
  ca: (caFile) => {
    if (caFile === '') return undefined;
    const text = read(caFile, (why) => `can't read CA file: ${JSON.stringify(caFile)}: ${why}`);
    return text === '' ? undefined : () => ({ ca: certificatesOf(text, 'failed to append certificates from pem block') });
  },
};

const helm3: Reader = {
  pair: (certFile, keyFile) => {
    if (certFile === '' || keyFile === '') return undefined;
    const doing = `can't load key pair from cert ${certFile} and key ${keyFile}`;
    const [cert, key] = [certFile, keyFile].map((path) => read(path, (why) => `${doing}: ${why}`)) as [string, string];
    const pair = pairOf(cert, key, doing);
    return () => pair;
  },
  ca: (caFile) => {
    if (caFile === '') return undefined;
    const text = read(caFile, () => `can't read CA file: ${caFile}`);
    const ca = certificatesOf(text, `failed to append certificates from file: ${caFile}`);
    return () => ({ ca });
  },
};

function read(path: string, problem: (why: string) => string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new TlsProblem(problem(`${error.syscall === 'read' ? 'read' : 'open'} ${path}: ${systemReason(error)}`));
  }
}

interface Block {
  readonly type: string;
  readonly text: string;
}

const blocksOf = (pem: string): Block[] =>
  [...pem.matchAll(/^-----BEGIN ([^\n-]+)-----[ \t\r]*\n(?:[^-]|-(?!----))*^-----END \1-----/gm)].map(([text, type = '']) => ({
    type,
    text,
  }));

/** The certificates that can be read, of a text that may hold others. */
function certificatesOf(pem: string, problem: string): string {
  const good = blocksOf(pem).filter(({ type, text }) => type === 'CERTIFICATE' && certificateOf(text) !== undefined);
  if (good.length === 0) throw new TlsProblem(problem);
  return good.map(({ text }) => text).join('\n');
}

function certificateOf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** A certificate with those that vouch for it, and its key. The words are those of Go's crypto/tls. */
function pairOf(cert: string, key: string, doing: string): { cert: string; key: string } {
  const fail = (why: string): never => {
    throw new TlsProblem(`${doing}: ${why}`);
  };
  const [certBlocks, keyBlocks] = [blocksOf(cert), blocksOf(key)];
  const isKey = ({ type }: Block): boolean => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY');
  const types = (blocks: readonly Block[]): string =>
    `after skipping PEM blocks of the following types: [${blocks.map(({ type }) => type).join(' ')}]`;
  const first = certBlocks.find(({ type }) => type === 'CERTIFICATE');
  if (!first) {
    if (certBlocks.length === 0) return fail('tls: failed to find any PEM data in certificate input');
    if (certBlocks.length === 1 && isKey(certBlocks[0] as Block))
      return fail(
        'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
      );
    return fail(`tls: failed to find "CERTIFICATE" PEM block in certificate input ${types(certBlocks)}`);
  }
  const keyBlock = keyBlocks.find(isKey);
  if (!keyBlock) {
    if (keyBlocks.length === 0) return fail('tls: failed to find any PEM data in key input');
    if (keyBlocks.length === 1 && keyBlocks[0]?.type === 'CERTIFICATE')
      return fail('tls: found a certificate rather than a key in the PEM for the private key');
    return fail(`tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input ${types(keyBlocks)}`);
  }
  const certificate = certificateOf(first.text) ?? fail('x509: malformed certificate');
  const privateKey = privateKeyOf(keyBlock.text) ?? fail('tls: failed to parse private key');
  if (certificate.publicKey.asymmetricKeyType !== privateKey.asymmetricKeyType)
    return fail('tls: private key type does not match public key type');
  if (!certificate.checkPrivateKey(privateKey)) return fail('tls: private key does not match public key');
  const chain = certBlocks.filter(({ type }) => type === 'CERTIFICATE').map(({ text }) => text);
  return { cert: chain.join('\n'), key: keyBlock.text };
}

function privateKeyOf(pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
