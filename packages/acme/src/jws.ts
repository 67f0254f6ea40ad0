import { calculateJwkThumbprint, flattenedVerify, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { AcmeError } from './errors.ts';

/** Signed requests: RFC 8555 section 6. */

const Envelope = z.object({ protected: z.string().max(16_384), payload: z.string(), signature: z.string().max(4096) });
const Header = z.object({
  alg: z.string(),
  nonce: z.string().max(256),
  url: z.string().max(2048),
  kid: z.string().max(2048).optional(),
  jwk: z.record(z.string(), z.unknown()).optional(),
});
const Key = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('EC'), crv: z.enum(['P-256', 'P-384', 'P-521']), x: z.string(), y: z.string() }),
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
  z.object({ kty: z.literal('RSA'), n: z.string().min(342).max(1024), e: z.string() }),
]);

const algorithms: Readonly<Record<string, readonly string[]>> = {
  EC: ['ES256', 'ES384', 'ES512'],
  OKP: ['EdDSA', 'Ed25519'],
  RSA: ['RS256'],
};

export interface SignedRequest {
  readonly url: string;
  readonly nonce: string;
  /** Undefined for POST-as-GET. */
  readonly payload: unknown;
  readonly key: JWK;
  readonly thumbprint: string;
  /** The account's URL; undefined where the request brings its key. */
  readonly kid: string | undefined;
}

/**
 * Verifies a request's signature with the key that it brings or the account's.
 *
 * @param keyOf the key of an account's URL; throws for an account that does not exist
 * @throws AcmeError malformed, badSignatureAlgorithm, badPublicKey
 */
export async function readSigned(text: string, keyOf: (kid: string) => JWK): Promise<SignedRequest> {
  const envelope = parse(Envelope, text, 'The request is no flattened JWS.');
  const header = parse(
    Header,
    Buffer.from(envelope.protected, 'base64url').toString('utf8'),
    'The protected header lacks alg, nonce or url.',
  );
  if ((header.jwk === undefined) === (header.kid === undefined))
    throw new AcmeError('malformed', 'The protected header needs either jwk or kid.');
  const key = header.kid === undefined ? readKey(header.jwk) : keyOf(header.kid);
  const allowed = algorithms[key.kty ?? ''] ?? [];
  if (!allowed.includes(header.alg)) {
    throw new AcmeError(
      'badSignatureAlgorithm',
      `${JSON.stringify(header.alg)} is not accepted; ${Object.values(algorithms).flat().join(', ')} are, each with its kind of key.`,
    );
  }
  try {
    await flattenedVerify(envelope, await importJWK(key, header.alg), { algorithms: [...allowed] });
  } catch (cause) {
    throw new AcmeError('malformed', "The request's signature does not verify.", { cause });
  }
  const payload = Buffer.from(envelope.payload, 'base64url').toString('utf8');
  return {
    url: header.url,
    nonce: header.nonce,
    payload: payload === '' ? undefined : parse(z.unknown(), payload, 'The payload is no JSON.'),
    key,
    thumbprint: await calculateJwkThumbprint(key),
    kid: header.kid,
  };
}

function readKey(jwk: unknown): JWK {
  const parsed = Key.safeParse(jwk);
  if (!parsed.success) throw new AcmeError('badPublicKey', 'The key is none of EC P-256, P-384, P-521, Ed25519 and RSA from 2048 bits.');
  return parsed.data;
}

function parse<T>(schema: z.ZodType<T>, text: string, sentence: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AcmeError('malformed', sentence, { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new AcmeError('malformed', sentence);
  return parsed.data;
}
