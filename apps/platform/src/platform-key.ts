import { existsSync, readFileSync } from 'node:fs';
import { generateKeyPair, importKeyPair, type Signer, type Verifier } from '@desp/security';
import { type DataFolder, writeFileDurably } from '@desp/storage';

/** The key with which the platform signs verdicts and release records. Whoever verifies pins its public half. */
export interface PlatformKey {
  readonly signer: Signer;
  readonly verifier: Verifier;
  /** SubjectPublicKeyInfo, PEM: what `desp release verify --key` takes. */
  readonly publicPem: string;
}

/** Reads the key of the data folder, or makes it; the private half is readable by the owner only. */
export async function openPlatformKey(data: DataFolder): Promise<PlatformKey> {
  const privateFile = data.file('keys', 'platform.key');
  const publicFile = data.file('keys', 'platform.pub');
  if (!existsSync(privateFile)) {
    const made = await generateKeyPair('ed25519');
    // The public half first: a kill in between leaves no private key, and the next start makes both anew.
    writeFileDurably(publicFile, made.publicKey);
    writeFileDurably(privateFile, made.privateKey);
  }
  const publicPem = readFileSync(publicFile, 'utf8');
  const pair = await importKeyPair({ privateKey: readFileSync(privateFile, 'utf8'), publicKey: publicPem });
  return { signer: pair, verifier: pair, publicPem };
}
