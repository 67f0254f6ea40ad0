import { createHash, type Hash } from 'node:crypto';
import { Digest } from '@desp/model';
import { z } from 'zod';
import { OciError } from './errors.ts';

/** `sha512:` and 128 hex digits (image-spec, descriptor.md "SHA-512"). */
export const Sha512Digest = z
  .string()
  .regex(/^sha512:[0-9a-f]{128}$/, 'sha512: and 128 hex digits')
  .brand('Sha512Digest');
export type Sha512Digest = z.infer<typeof Sha512Digest>;

/** What a registry takes as a digest; the rest of the platform speaks SHA-256 alone. */
export const ContentDigest = z.union([Digest, Sha512Digest]);
export type ContentDigest = Digest | Sha512Digest;

export type DigestAlgorithm = 'sha256' | 'sha512';

/** The digest, or DIGEST_INVALID: an algorithm that we do not know counts as invalid. */
export function parseDigest(text: string): ContentDigest {
  const parsed = ContentDigest.safeParse(text);
  if (!parsed.success) {
    throw new OciError('DIGEST_INVALID', `${JSON.stringify(text.slice(0, 150))} is no sha256 or sha512 digest.`, {
      cure: 'Give sha256: and 64, or sha512: and 128 lower-case hex digits.',
    });
  }
  return parsed.data;
}

export function algorithmOf(digest: ContentDigest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

export function hexOf(digest: ContentDigest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Ends the hash and names its digest. */
export function digestOfHash(algorithm: DigestAlgorithm, hash: Hash): ContentDigest {
  return `${algorithm}:${hash.digest('hex')}` as ContentDigest;
}

/** The SHA-256 digest of bytes in memory. */
export function digestOf(bytes: Uint8Array): Digest;
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm): ContentDigest;
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): ContentDigest {
  return digestOfHash(algorithm, createHash(algorithm).update(bytes));
}
