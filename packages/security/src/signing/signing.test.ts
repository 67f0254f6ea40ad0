import { Digest, Instant, type Verdict } from '@desp/model';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { canonicalBytes } from '../canonical-json.ts';
import { fromUtf8, toBase64, utf8 } from '../encoding.ts';
import { openSbom, openVerdict, signSbom, signVerdict, verdictPredicateType } from './attest.ts';
import {
  type Envelope,
  inTotoPayloadType,
  openEnvelope,
  parseEnvelope,
  preAuthenticationEncoding,
  signEnvelope,
  verifyEnvelope,
} from './envelope.ts';
import { generateKeyPair, importKeyPair, importPublicKey, type KeyPairPem, type Signer, type Verifier } from './keys.ts';

const digest = Digest.parse(`sha256:${'a'.repeat(64)}`);
const other = Digest.parse(`sha256:${'b'.repeat(64)}`);
const now = Instant.parse('2026-11-22T12:00:00.000Z');
const verdict: Verdict = {
  subject: { name: 'registry/a', digest },
  outcome: 'pass',
  policy: { profile: 'p', environment: 'e2e', digest: other },
  reasons: ['Nothing known blocks the image.'],
  findings: [],
  notAssessed: [],
  advisories: { databases: [{ name: 'GitHub', date: now, records: 1 }], oldest: now },
  sbom: other,
  judgedAt: now,
};

let pair: KeyPairPem;
let key: Signer & Verifier;
let stranger: Signer & Verifier;
beforeAll(async () => {
  pair = await generateKeyPair();
  key = await importKeyPair(pair);
  stranger = await importKeyPair(await generateKeyPair('ed25519'));
});

test('the encoding is that of the DSSE specification', () => {
  expect(fromUtf8(preAuthenticationEncoding('http://example.com/HelloWorld', utf8('hello world')))).toBe(
    'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
  );
  expect(fromUtf8(preAuthenticationEncoding('ü', utf8('')))).toBe('DSSEv1 2 ü 0 ');
});

test.each(['ecdsa-p256', 'ed25519'] as const)('%s keys sign and verify, and survive PEM', async (algorithm) => {
  const made = await generateKeyPair(algorithm);
  const signer = await importKeyPair(made);
  const verifier = await importPublicKey(made.publicKey);
  expect([signer.keyId, verifier.keyId]).toEqual([made.keyId, made.keyId]);
  for (let round = 0; round < 20; round++) {
    const data = crypto.getRandomValues(new Uint8Array(round * 7));
    const signature = await signer.sign(data);
    expect(await verifier.verify(data, signature)).toBe(true);
    expect(await verifier.verify(new Uint8Array([...data, 0]), signature)).toBe(false);
  }
});

test('refuses what is no key, and halves of two pairs', async () => {
  const second = await generateKeyPair();
  await expect(importKeyPair({ privateKey: pair.privateKey, publicKey: second.publicKey })).rejects.toMatchObject({ code: 'KEY_INVALID' });
  for (const pem of ['', 'x', pair.privateKey, `${pair.publicKey}${pair.publicKey}`, pair.publicKey.replace('MF', 'AA')]) {
    await expect(importPublicKey(pem)).rejects.toMatchObject({ code: 'KEY_INVALID' });
  }
});

describe('an envelope', () => {
  const open = (envelope: unknown, trusted: readonly Verifier[] = [key], subject = digest, type = verdictPredicateType) =>
    verifyEnvelope(envelope, trusted, subject, type);
  const untrusted = { code: 'ENVELOPE_UNTRUSTED' };
  const invalid = { code: 'ENVELOPE_INVALID' };
  const sign = (signer: Signer = key) => signVerdict(verdict, 'https://desp.example', signer);
  const again = (statement: unknown) => signEnvelope(inTotoPayloadType, canonicalBytes(statement), key);
  const good = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'a', digest: { sha256: 'a'.repeat(64) } }],
    predicateType: verdictPredicateType,
    predicate: {},
  };

  test('holds', async () => {
    expect(await open(await sign())).toMatchObject({ subject: { name: 'registry/a', digest }, predicateType: verdictPredicateType });
  });

  test('of an unknown key, another subject, type or payload type is not trusted', async () => {
    await expect(open(await sign(stranger))).rejects.toMatchObject(untrusted);
    await expect(open(await sign(), [])).rejects.toMatchObject(untrusted);
    await expect(open(await sign(), [key], other)).rejects.toMatchObject(untrusted);
    await expect(open(await sign(), [key], digest, 'https://cyclonedx.org/bom')).rejects.toMatchObject(untrusted);
    await expect(open(await signEnvelope('text/plain', canonicalBytes(good), key))).rejects.toMatchObject(untrusted);
  });

  test('a key ID is no proof', async () => {
    const forged = await sign(stranger);
    forged.signatures[0]!.keyid = key.keyId;
    await expect(open(forged)).rejects.toMatchObject(untrusted);
  });

  test('further signatures neither help nor harm, but a false one by a trusted key does', async () => {
    const [mine, theirs] = [await sign(), await sign(stranger)];
    await expect(open({ ...theirs, signatures: [...theirs.signatures, ...theirs.signatures] })).rejects.toMatchObject(untrusted);
    await expect(open({ ...mine, signatures: [...theirs.signatures, ...mine.signatures] })).resolves.toBeDefined();
    await expect(
      open({ ...mine, signatures: [...mine.signatures, { keyid: key.keyId, sig: theirs.signatures[0]!.sig }] }),
    ).rejects.toMatchObject(untrusted);
  });

  test.each([
    ['no signature', (envelope: Envelope) => ({ ...envelope, signatures: [] })],
    ['a field more', (envelope: Envelope) => ({ ...envelope, note: 'x' })],
    ['white space in the payload', (envelope: Envelope) => ({ ...envelope, payload: `${envelope.payload} ` })],
    ['base64 without padding', (envelope: Envelope) => ({ ...envelope, payload: toBase64(utf8('a')).replace(/=/g, '') })],
    ['base64 with spare bits', (envelope: Envelope) => ({ ...envelope, payload: 'YR==' })],
    ['no text', () => 'no json'],
    ['null', () => null],
  ])('with %s is malformed', async (_, change) => {
    await expect(open(change(await sign()))).rejects.toMatchObject(invalid);
  });

  test.each([
    ['two subjects', { ...good, subject: [...good.subject, ...good.subject] }],
    ['no subject', { ...good, subject: [] }],
    ['two digests', { ...good, subject: [{ name: 'a', digest: { sha256: 'a'.repeat(64), sha512: 'b' } }] }],
    ['another statement version', { ...good, _type: 'https://in-toto.io/Statement/v0.1' }],
    ['a field more', { ...good, extra: 1 }],
  ])('around a statement with %s is malformed', async (_, statement) => {
    await expect(open(await again(statement))).rejects.toMatchObject(invalid);
  });

  test('any changed byte of payload or signature is noticed', async () => {
    const sound = await sign();
    const text = JSON.stringify(sound);
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom(...'AZaz09+/= "{}'), async (at, character) => {
        fc.pre(text[at] !== character);
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        await expect(Promise.resolve().then(() => open(parseEnvelope(changed)))).rejects.toMatchObject({ name: 'SecurityError' });
      }),
      { numRuns: 150 },
    );
  });
});

test('a verdict comes back whole, and one that contradicts its summary does not', async () => {
  expect(await openVerdict(await signVerdict(verdict, 'https://desp.example', key), [key], digest)).toEqual(verdict);
  const blocked = await signVerdict({ ...verdict, outcome: 'blocked' }, 'https://desp.example', key);
  const statement = JSON.parse(fromUtf8(await openEnvelope(blocked, [key], inTotoPayloadType)) as string);
  expect(statement.predicate).toMatchObject({
    verificationResult: 'FAILED',
    verifiedLevels: ['FAILED'],
    policy: { digest: { sha256: 'b'.repeat(64) } },
  });
  statement.predicate.verificationResult = 'PASSED';
  await expect(openVerdict(await signEnvelope(inTotoPayloadType, canonicalBytes(statement), key), [key], digest)).rejects.toMatchObject({
    code: 'ENVELOPE_UNTRUSTED',
  });
});

test('an SBOM is bound to its image', async () => {
  const envelope = await signSbom({ name: 'registry/a', digest }, utf8('{"bomFormat":"CycloneDX"}'), key);
  expect(await openSbom(envelope, [key], digest)).toEqual({ bomFormat: 'CycloneDX' });
  await expect(openSbom(envelope, [key], other)).rejects.toMatchObject({ code: 'ENVELOPE_UNTRUSTED' });
});
