import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { messageOf, registerSecret } from '@desp/runtime';
import { writeFileDurably } from '@desp/storage';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';
import { IdentityError } from '../identity-error.ts';

/** What the provider signs with: tokens by the private JWKs (the first signs, all verify), cookies by the keys (likewise). */
export const OidcKeys = z.object({
  jwks: z.object({
    keys: z
      .array(z.looseObject({ kty: z.literal('RSA'), kid: z.string(), alg: z.literal('RS256'), use: z.literal('sig'), d: z.string() }))
      .min(1),
  }),
  cookies: z.array(z.string().min(32)).min(1),
});
export type OidcKeys = z.infer<typeof OidcKeys>;

/**
 * Reads the provider's keys from `file`, or makes them (mode 0600). RS256, for it is the one algorithm that every client of
 * OpenID Connect must know (Core 1.0, section 15.1). To change keys: put a new one first, and drop the old one when its last
 * token is over.
 *
 * @throws IdentityError KEYS when the file is not what it was.
 */
export async function openOidcKeys(file: string): Promise<OidcKeys> {
  if (!existsSync(file)) {
    const { privateKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
    const jwk = await exportJWK(privateKey);
    const key = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'RS256', use: 'sig' };
    writeFileDurably(file, JSON.stringify({ jwks: { keys: [key] }, cookies: [randomBytes(32).toString('base64url')] }));
  }
  let keys: OidcKeys;
  try {
    keys = OidcKeys.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new IdentityError('KEYS', `The identity provider's keys in ${file} cannot be used: ${messageOf(cause).split('\n')[0]}`, {
      kind: 'user',
      cure: 'Restore the file, or remove it: everybody then logs in again.',
      cause,
    });
  }
  for (const { d } of keys.jwks.keys) registerSecret(d);
  for (const cookie of keys.cookies) registerSecret(cookie);
  return keys;
}
