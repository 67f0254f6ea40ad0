import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fromBase64, toHex, utf8 } from '../encoding.ts';
import { preAuthenticationEncoding, signEnvelope } from './envelope.ts';
import { generateKeyPair, importKeyPair, importPublicKey } from './keys.ts';

const missing = spawnSync('openssl', ['version']).status !== 0;
const why = missing ? ' (skipped: openssl is not installed)' : '';

function folder(): (name: string, content?: string | Uint8Array) => string {
  const path = mkdtempSync(join(tmpdir(), 'desp-openssl-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return (name, content) => {
    if (content !== undefined) writeFileSync(join(path, name), content);
    return join(path, name);
  };
}

const openssl = (...argv: string[]) => spawnSync('openssl', argv);

test.skipIf(missing)(`OpenSSL verifies our envelopes, and refuses changed ones${why}`, async () => {
  const file = folder();
  const pair = await generateKeyPair('ecdsa-p256');
  const envelope = await signEnvelope('application/x', utf8('hello'), await importKeyPair(pair));
  const sig = file('sig', fromBase64(envelope.signatures[0]?.sig ?? ''));
  const verify = (content: string) =>
    openssl(
      'dgst',
      '-sha256',
      '-verify',
      file('key', pair.publicKey),
      '-signature',
      sig,
      file('pae', preAuthenticationEncoding('application/x', utf8(content))),
    ).status;
  expect([verify('hello'), verify('hullo')]).toEqual([0, 1]);
});

test.skipIf(missing)(`OpenSSL verifies our Ed25519 envelopes${why}`, async () => {
  const file = folder();
  const pair = await generateKeyPair('ed25519');
  const envelope = await signEnvelope('application/x', utf8('hello'), await importKeyPair(pair));
  const sig = file('sig', fromBase64(envelope.signatures[0]?.sig ?? ''));
  const pae = file('pae', preAuthenticationEncoding('application/x', utf8('hello')));
  expect(openssl('pkeyutl', '-verify', '-pubin', '-inkey', file('key', pair.publicKey), '-rawin', '-in', pae, '-sigfile', sig).status).toBe(
    0,
  );
});

test.skipIf(missing)(`a key pair and a signature that OpenSSL made hold here; the key's ID is the SHA-256 of its DER${why}`, async () => {
  const file = folder();
  const key = file('key');
  expect(openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key).status).toBe(0);
  const privateKey = openssl('pkcs8', '-topk8', '-nocrypt', '-in', key).stdout.toString();
  const publicKey = openssl('pkey', '-in', key, '-pubout').stdout.toString();
  const der = openssl('pkey', '-in', key, '-pubout', '-outform', 'DER').stdout;
  const signer = await importKeyPair({ privateKey, publicKey });
  expect(signer.keyId).toBe(toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(der)))));
  const verifier = await importPublicKey(publicKey);
  for (let round = 0; round < 10; round++) {
    const data = utf8(`round ${round}`);
    expect(openssl('dgst', '-sha256', '-sign', key, '-out', file('sig'), file('data', data)).status).toBe(0);
    expect(await verifier.verify(data, new Uint8Array(readFileSync(file('sig'))))).toBe(true);
  }
});
