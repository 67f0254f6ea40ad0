import { type Digest, Instant, Verdict } from '@desp/model';
import { z } from 'zod';
import { canonicalBytes, type Json } from '../canonical-json.ts';
import { digestOf, equalText } from '../encoding.ts';
import { SecurityError } from '../errors.ts';
import { type Envelope, inTotoPayloadType, parseEnvelope, signEnvelope, verifyEnvelope } from './envelope.ts';
import type { Signer, Verifier } from './keys.ts';

/** Statements that the platform signs about an image: its verdict and its SBOM. Each is attached to the digest as an OCI referrer. */

/** SLSA Verification Summary Attestation, v1. */
export const verdictPredicateType = 'https://slsa.dev/verification_summary/v1';
export const sbomPredicateType = 'https://cyclonedx.org/bom';
const statementType = 'https://in-toto.io/Statement/v1';

const hexOf = (digest: Digest): { sha256: string } => ({ sha256: digest.slice('sha256:'.length) });

async function signStatement(
  subject: { name: string; digest: Digest },
  predicateType: string,
  predicate: unknown,
  signer: Signer,
): Promise<Envelope> {
  const statement = { _type: statementType, subject: [{ name: subject.name, digest: hexOf(subject.digest) }], predicateType, predicate };
  return signEnvelope(inTotoPayloadType, canonicalBytes(statement), signer);
}

/** The VSA's standard fields; ours stand under a URI of our own, as the VSA specification asks of extensions. */
const verdictField = 'https://desp.space/verdict/v1';

const predicateOfVerdict = z.object({
  verifier: z.object({ id: z.string().min(1) }),
  timeVerified: Instant,
  resourceUri: z.string().min(1),
  policy: z.object({ uri: z.string().min(1), digest: z.object({ sha256: z.string() }) }),
  verificationResult: z.enum(['PASSED', 'FAILED']),
  verifiedLevels: z.array(z.string()),
  slsaVersion: z.string(),
  [verdictField]: Verdict,
});

/** Signs a verdict. `verifierId` is the platform's URI. The result is bound to the digest in the verdict's subject. */
export function signVerdict(verdict: Verdict, verifierId: string, signer: Signer): Promise<Envelope> {
  const passed = verdict.outcome === 'pass';
  return signStatement(
    verdict.subject,
    verdictPredicateType,
    {
      verifier: { id: verifierId },
      timeVerified: verdict.judgedAt,
      resourceUri: `${verdict.subject.name}@${verdict.subject.digest}`,
      policy: {
        uri: `${verifierId}/policies/${verdict.policy.profile}/${verdict.policy.environment}`,
        digest: hexOf(verdict.policy.digest),
      },
      inputAttestations: [{ uri: `${verdict.subject.name}@${verdict.sbom}`, digest: hexOf(verdict.sbom) }],
      verificationResult: passed ? 'PASSED' : 'FAILED',
      // The gate judges contents, not how they were built: no SLSA build level is claimed.
      verifiedLevels: [passed ? 'SLSA_BUILD_LEVEL_UNEVALUATED' : 'FAILED'],
      slsaVersion: '1.0',
      [verdictField]: verdict,
    },
    signer,
  );
}

/** The verdict in a signed envelope about `digest`. Throws ENVELOPE_INVALID or ENVELOPE_UNTRUSTED. Whether it passes, and is fresh, is the caller's question. */
export async function openVerdict(envelope: unknown, trusted: readonly Verifier[], digest: Digest): Promise<Verdict> {
  const { predicate } = await verifyEnvelope(envelope, trusted, digest, verdictPredicateType);
  const parsed = predicateOfVerdict.safeParse(predicate);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SecurityError('ENVELOPE_INVALID', `The signed verdict is malformed: ${issue?.path.join('.')}: ${issue?.message}.`);
  }
  const verdict = parsed.data[verdictField];
  const agrees =
    equalText(verdict.subject.digest, digest) &&
    (verdict.outcome === 'pass') === (parsed.data.verificationResult === 'PASSED') &&
    verdict.judgedAt === parsed.data.timeVerified;
  if (!agrees) throw new SecurityError('ENVELOPE_UNTRUSTED', 'The signed verdict contradicts its own summary.', { kind: 'bug' });
  return verdict;
}

/** Signs a CycloneDX document about the image. */
export function signSbom(subject: { name: string; digest: Digest }, sbom: Uint8Array, signer: Signer): Promise<Envelope> {
  return signStatement(subject, sbomPredicateType, JSON.parse(new TextDecoder().decode(sbom)), signer);
}

/** The CycloneDX document in a signed envelope about `digest`. */
export async function openSbom(envelope: unknown, trusted: readonly Verifier[], digest: Digest): Promise<Json> {
  return (await verifyEnvelope(envelope, trusted, digest, sbomPredicateType)).predicate;
}

/** The digest under which an envelope is named: of its canonical JSON. */
export const digestOfEnvelope = (envelope: Envelope): Promise<Digest> => digestOf(canonicalBytes(parseEnvelope(envelope)));
