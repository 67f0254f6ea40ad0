import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SteppingClock } from '@desp/runtime';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type AccessTokens, createAccessTokens } from '../index.ts';

/** Another provider, as Keycloak is one: a discovery document and a key set over HTTP. */
type Keys = Awaited<ReturnType<typeof generateKeyPair>>;
const audience = 'http://127.0.0.1:7300/api';
const now = 1_767_225_600;
let server: Server;
let issuer: string;
let key: Keys;
let otherKey: Keys;
let asked: string[];
let answer: (path: string) => { status?: number; body: unknown };
let clock: SteppingClock;
let accessTokens: AccessTokens;
let goodAnswer: typeof answer;

beforeAll(async () => {
  [key, otherKey] = await Promise.all([generateKeyPair('ES256', { extractable: true }), generateKeyPair('ES256')]);
  const jwk = { ...(await exportJWK(key.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const { status = 200, body } = answer(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/desp`;
  goodAnswer = (path) => ({ body: path.endsWith('/certs') ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/certs` } });
});
beforeEach(() => {
  asked = [];
  answer = goodAnswer;
  clock = new SteppingClock(new Date(now * 1000));
  accessTokens = createAccessTokens({ issuer, audience, clock });
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const good: JWTPayload = { iss: '', sub: 'f3a0', aud: ['account', audience], iat: now, exp: now + 600 };
const sign = (change: JWTPayload = {}, header: object = {}, signer: Keys = key): Promise<string> =>
  new SignJWT({ ...good, iss: issuer, ...change })
    .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'JWT', ...header })
    .sign(signer.privateKey);

test('a token of the issuer, for us: its subject; the keys are fetched once', async () => {
  const token = await sign();
  for (let time = 0; time < 3; time++) expect(await accessTokens.verify(token)).toEqual({ issuer, subject: 'f3a0' });
  expect(await accessTokens.verify(await sign({}, { typ: 'at+jwt' }))).toEqual({ issuer, subject: 'f3a0' });
  expect(asked).toEqual(['/realms/desp/.well-known/openid-configuration', '/realms/desp/certs']);
});

test.each<[string, () => Promise<string>]>([
  ['of another issuer', () => sign({ iss: 'https://elsewhere.example.com' })],
  ['for somebody else', () => sign({ aud: 'account' })],
  ['without an audience', () => sign({ aud: undefined as never })],
  ['that is over', () => sign({ exp: now - 6 })],
  ['without an end', () => sign({ exp: undefined as never })],
  ['not yet good', () => sign({ nbf: now + 60 })],
  ['without a subject', () => sign({ sub: undefined as never })],
  ['signed by another key', () => sign({}, {}, otherKey)],
  ['of a key that the issuer has not', () => sign({}, { kid: 'two' })],
  ['of another type, as a logout token', () => sign({}, { typ: 'logout+jwt' })],
  [
    'that demands what we do not know',
    async () =>
      `${Buffer.from('{"alg":"ES256","crit":["x"],"x":1}').toString('base64url')}.${(await sign()).split('.').slice(1).join('.')}`,
  ],
  ['without a signature', async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await sign()).split('.')[1]}.`],
  [
    'signed with the public key as a secret',
    async () =>
      new SignJWT({ ...good, iss: issuer })
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .sign(Buffer.from(JSON.stringify(await exportJWK(key.publicKey)))),
  ],
  [
    'changed after signing',
    async () =>
      (await sign()).replace(
        /\.([^.]+)\./,
        (_, claims) => `.${Buffer.from(Buffer.from(claims, 'base64url').toString().replace('f3a0', 'root')).toString('base64url')}.`,
      ),
  ],
  ['longer than any', () => sign({ padding: 'x'.repeat(10_000) })],
])('a token %s is nobody', async (_, make) => expect(await accessTokens.verify(await make())).toBeUndefined());

test.each(['', 'a.b.c', 'eyJ.eyJ.x', '..', 'dpat_x', '{}', '\0'.repeat(100)])(
  '%j is nobody, and nothing is fetched for it',
  async (text) => {
    expect(await accessTokens.verify(text)).toBeUndefined();
    expect(asked).toEqual([]);
  },
);

test.each<[string, typeof answer]>([
  ['answers with an error', () => ({ status: 500, body: {} })],
  ['speaks for another issuer', () => ({ body: { issuer: 'https://elsewhere.example.com', jwks_uri: `${issuer}/certs` } })],
  ['sends no JSON', () => ({ body: '<html>' })],
  ['sends without end', () => ({ body: 'x'.repeat(400_000) })],
  ['has no keys', (path) => (path.endsWith('/certs') ? { status: 404, body: {} } : goodAnswer(path))],
])('nobody gets in while the issuer %s', async (_, wrong) => {
  const token = await sign();
  answer = wrong;
  await expect(accessTokens.verify(token)).rejects.toMatchObject({ code: 'PROVIDER_UNREACHABLE', kind: 'upstream', retryable: true });
});

test('an issuer that is down is asked again after five seconds, not at every token', async () => {
  const token = await sign();
  answer = () => ({ status: 503, body: {} });
  for (let time = 0; time < 5; time++) await expect(accessTokens.verify(token)).rejects.toThrow('could not be asked');
  expect(asked).toHaveLength(1);
  answer = goodAnswer;
  clock.step(5_000);
  expect(await accessTokens.verify(token)).toEqual({ issuer, subject: 'f3a0' });
});
