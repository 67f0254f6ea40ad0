import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@desp/runtime';
import acme from 'acme-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AcmeServer, createAcmeServer } from './index.ts';

/** The CA against the npm package acme-client, which knows nothing of ours. */

let folder: string;
let server: AcmeServer;
let directory: string;
const answers = new Map<string, string>();

async function start(port = 0): Promise<void> {
  server = await createAcmeServer({
    dataFolder: folder,
    allowedSuffixes: ['desp.space'],
    fetchChallenge: async (domain, token) => answers.get(`${domain}/${token}`) ?? 'nothing here',
    clock: { ...systemClock, sleep: async () => {} },
    log: silentLogger,
  });
  directory = (await server.listen({ host: '127.0.0.1', port })).directory;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'desp-acme-'));
  answers.clear();
  await start();
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const pemOf = (kind: 'ec' | 'rsa' | 'p384'): string => {
  const options = { privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } } as const;
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048, ...options }).privateKey.toString();
  return generateKeyPairSync('ec', { namedCurve: kind === 'ec' ? 'P-256' : 'P-384', ...options }).privateKey.toString();
};

async function obtain(client: acme.Client, names: string[], key: string, present = true): Promise<string> {
  const [commonName] = names;
  const [, csr] = await acme.crypto.createCsr({ altNames: names, ...(commonName === undefined ? {} : { commonName }) }, key);
  const certificate = await client.auto({
    csr,
    email: 'provider@desp.space',
    termsOfServiceAgreed: true,
    skipChallengeVerification: true,
    challengePriority: ['http-01'],
    challengeCreateFn: async ({ identifier }, challenge, keyAuthorization) => {
      if (present) answers.set(`${identifier.value}/${challenge.token}`, keyAuthorization);
    },
    challengeRemoveFn: async () => {},
  });
  return String(certificate);
}
const clientOf = (accountKey: string) =>
  new acme.Client({ directoryUrl: directory, accountKey, backoffAttempts: 3, backoffMin: 10, backoffMax: 20 });

describe('the certificate authority', () => {
  test.each(['ec', 'rsa', 'p384'] as const)('certifies for an account and a key of kind %s', async (kind) => {
    const names = ['sample-app.e2e.desp.space', 'other.desp.space'];
    const chain = await obtain(clientOf(pemOf(kind)), names, pemOf(kind));
    const [leaf, intermediate] = chain.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g)!.map((pem) => new X509Certificate(pem));
    const root = new X509Certificate(server.root);
    expect(leaf!.subjectAltName).toBe('DNS:sample-app.e2e.desp.space, DNS:other.desp.space');
    expect([leaf!.verify(intermediate!.publicKey), leaf!.checkIssued(intermediate!)]).toEqual([true, true]);
    expect([intermediate!.verify(root.publicKey), intermediate!.checkIssued(root), leaf!.ca]).toEqual([true, true, false]);
    const days = (Date.parse(leaf!.validTo) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(89.9);
    expect(days).toBeLessThanOrEqual(90);
  });

  test('names outside the platform, wildcards and addresses are refused with a reason', async () => {
    const client = clientOf(pemOf('ec'));
    await client.createAccount({ termsOfServiceAgreed: true });
    const order = (value: string, type = 'dns') => client.createOrder({ identifiers: [{ type, value }] });
    await expect(order('app.example.com')).rejects.toThrow('app.example.com does not end with .desp.space');
    await expect(order('evildesp.space')).rejects.toThrow('does not end with');
    await expect(order('*.desp.space')).rejects.toThrow('is a wildcard');
    await expect(order('a..desp.space')).rejects.toThrow('is no host name');
    await expect(order('127.0.0.1', 'ip')).rejects.toThrow('are not certified');
  });

  test('without an answer to the challenge there is no certificate', async () => {
    const client = clientOf(pemOf('ec'));
    await expect(obtain(client, ['a.desp.space'], pemOf('ec'), false)).rejects.toThrow('does not answer with the key authorization');
  });

  test('a request for other names than ordered is refused, and the order of another account is not seen', async () => {
    const client = clientOf(pemOf('ec'));
    await client.createAccount({ termsOfServiceAgreed: true });
    const order = await client.createOrder({ identifiers: [{ type: 'dns', value: 'a.desp.space' }] });
    const [, csr] = await acme.crypto.createCsr({ altNames: ['b.desp.space'] }, pemOf('ec'));
    await expect(client.finalizeOrder(order, csr)).rejects.toThrow('The order is pending, not ready');
    const [authorization] = await client.getAuthorizations(order);
    const challenge = authorization!.challenges[0]!;
    answers.set(`a.desp.space/${challenge.token}`, await client.getChallengeKeyAuthorization(challenge));
    await client.completeChallenge(challenge);
    await client.waitForValidStatus(challenge);
    await expect(client.finalizeOrder(order, csr)).rejects.toThrow('names b.desp.space, the order a.desp.space');

    const stranger = clientOf(pemOf('ec'));
    await stranger.createAccount({ termsOfServiceAgreed: true });
    await expect(stranger.getOrder(order)).rejects.toThrow('no such order of this account');
  });

  test('account and authority survive a restart; both files are private', async () => {
    const key = pemOf('ec');
    const { port } = new URL(directory);
    await obtain(clientOf(key), ['a.desp.space'], pemOf('ec'));
    const { root } = server;
    await server.close();
    await start(Number(port));
    expect(server.root).toBe(root);
    const client = clientOf(key);
    await client.createAccount({ onlyReturnExisting: true });
    expect(client.getAccountUrl()).toContain('/acme/account/');
    for (const file of ['authority.pem', 'accounts.json']) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  });

  test('what is no signed request is refused', async () => {
    const base = directory.replace('/directory', '');
    const ask = async (path: string, init: RequestInit) => (await (await fetch(base + path, init)).json()) as { type: string };
    const jose = { 'content-type': 'application/jose+json' };
    expect((await ask('/acme/new-account', { method: 'POST', headers: jose, body: '{}' })).type).toMatch(/malformed$/);
    expect((await ask('/acme/new-account', { method: 'POST', headers: jose, body: 'x'.repeat(70_000) })).type).toMatch(/malformed$/);
    expect((await ask('/acme/order/x', { method: 'GET' })).type).toMatch(/malformed$/);
    const header = Buffer.from(
      JSON.stringify({ alg: 'none', nonce: 'x', url: `${base}/acme/new-account`, jwk: { kty: 'oct', k: 'AA' } }),
    ).toString('base64url');
    const body = JSON.stringify({ protected: header, payload: 'e30', signature: 'AA' });
    expect((await ask('/acme/new-account', { method: 'POST', headers: jose, body })).type).toMatch(/badPublicKey$/);
  });
});
