import { z } from 'zod';
import { type Json, parseCanonicalJson } from '../canonical-json.ts';
import { concatBytes, equalText, fromBase64, fromUtf8, toBase64, utf8 } from '../encoding.ts';
import { SecurityError } from '../errors.ts';
import type { Signer, Verifier } from './keys.ts';

/** DSSE envelopes (secure-systems-lab/dsse, protocol 1.0 and envelope 1.0). */

export const envelopeMediaType = 'application/vnd.dsse.envelope.v1+json';
export const inTotoPayloadType = 'application/vnd.in-toto+json';

/** No field beside the standard's: one that we ignore could be one that somebody else believes. */
export const Envelope = z.strictObject({
  payloadType: z.string().min(1).max(200),
  payload: z.string().max(64 << 20),
  signatures: z
    .array(z.strictObject({ keyid: z.string().max(200), sig: z.string().min(1).max(1000) }))
    .min(1)
    .max(16),
});
export type Envelope = z.infer<typeof Envelope>;

/** The bytes that are signed: DSSE's pre-authentication encoding. Lengths are those of bytes. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const type = utf8(payloadType);
  return concatBytes([utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload]);
}

/** Signs a payload; one signature with the signer's key ID. */
export async function signEnvelope(payloadType: string, payload: Uint8Array, signer: Signer): Promise<Envelope> {
  const signature = await signer.sign(preAuthenticationEncoding(payloadType, payload));
  return { payloadType, payload: toBase64(payload), signatures: [{ keyid: signer.keyId, sig: toBase64(signature) }] };
}

const untrusted = (message: string, cure?: string): SecurityError => new SecurityError('ENVELOPE_UNTRUSTED', message, cure ? { cure } : {});

/** Reads an envelope from JSON text or from a parsed value; throws ENVELOPE_INVALID. */
export function parseEnvelope(input: string | unknown): Envelope {
  let value: unknown = input;
  if (typeof input === 'string') {
    try {
      value = JSON.parse(input);
    } catch (cause) {
      throw new SecurityError('ENVELOPE_INVALID', 'The DSSE envelope is no JSON.', { cause });
    }
  }
  const parsed = Envelope.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new SecurityError('ENVELOPE_INVALID', `The DSSE envelope is malformed: ${issue?.path.join('.')}: ${issue?.message}.`);
}

/**
 * The payload, once a trusted key has signed it as the expected type. Trust comes from `trusted` alone: the `keyid` in
 * an envelope only says which key to try. Every signature by a trusted key must hold; those by others neither help nor harm.
 */
export async function openEnvelope(
  envelope: Envelope,
  trusted: readonly Verifier[],
  payloadType: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { payload: encoded, signatures, payloadType: type } = parseEnvelope(envelope);
  if (!equalText(type, payloadType)) throw untrusted(`The envelope holds ${JSON.stringify(type)}, not ${JSON.stringify(payloadType)}.`);
  const payload = fromBase64(encoded);
  const signed = preAuthenticationEncoding(type, payload);
  let holds = false;
  for (const { keyid, sig } of signatures) {
    const signature = fromBase64(sig);
    const key = trusted.find((candidate) => equalText(candidate.keyId, keyid));
    if (!key) continue;
    if (!(await key.verify(signed, signature)))
      throw untrusted(`The signature by the key ${keyid.slice(0, 16)} does not fit the content: it was changed after it was signed.`);
    holds = true;
  }
  if (!holds) {
    throw untrusted(
      `No trusted key has signed the envelope; it names ${signatures.map((item) => item.keyid.slice(0, 16) || 'no key').join(', ')}.`,
      'Give the public key of the platform that signed it, from a source that you trust.',
    );
  }
  return payload;
}

const statement = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z
    .array(z.strictObject({ name: z.string().max(1000), digest: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }) }))
    .length(1),
  predicateType: z.string().min(1).max(200),
  predicate: z.unknown(),
});

/** An in-toto statement (in-toto/attestation, v1) about exactly one image. */
export interface Statement {
  readonly subject: { readonly name: string; readonly digest: string };
  readonly predicateType: string;
  readonly predicate: Json;
}

const maximumStatement = 48 << 20;

/**
 * Opens an envelope and demands that its statement is about the expected digest and of the expected predicate type.
 * Throws ENVELOPE_INVALID or ENVELOPE_UNTRUSTED; whatever it returns was signed by one of `trusted`.
 */
export async function verifyEnvelope(
  envelope: unknown,
  trusted: readonly Verifier[],
  expectedDigest: string,
  expectedPredicateType: string,
): Promise<Statement> {
  const bytes = await openEnvelope(parseEnvelope(envelope), trusted, inTotoPayloadType);
  const parsed = statement.safeParse(parseStatement(bytes));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SecurityError(
      'ENVELOPE_INVALID',
      `The signed statement is no in-toto statement about one image: ${issue?.path.join('.')}: ${issue?.message}.`,
    );
  }
  const { subject, predicateType, predicate } = parsed.data;
  const [first] = subject;
  const digest = `sha256:${first?.digest.sha256}`;
  if (!equalText(predicateType, expectedPredicateType))
    throw untrusted(`The statement is of type ${predicateType}, not ${expectedPredicateType}.`);
  if (!equalText(digest, expectedDigest)) throw untrusted(`The statement is about ${digest}, not about ${expectedDigest}.`);
  return { subject: { name: first?.name ?? '', digest }, predicateType, predicate: predicate as Json };
}

/** Statements of ours are canonical JSON; demanding it leaves no room for a key given twice. */
function parseStatement(bytes: Uint8Array): Json {
  if (fromUtf8(bytes) === undefined) throw new SecurityError('ENVELOPE_INVALID', 'The signed statement is not well-formed UTF-8.');
  return parseCanonicalJson(bytes, maximumStatement);
}
