import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AccessTokens, bootstrapPeople, createTokens, IdentityError, type Tokens } from '@desp/identity';
import { SteppingClock } from '@desp/runtime';
import { type Database, openDatabase } from '@desp/storage';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Authenticator, createAuthenticator } from './authenticator.ts';

const issuer = 'http://127.0.0.1:7300/oidc';
const platformToken = 'platform-token-of-this-test-0123456789';
const jwtOf = (subject: string) => `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify({ subject })).toString('base64url')}.c2ln`;
/** Believes every token of the right form: what makes one right is tested where it is decided. */
const accessTokens: AccessTokens = {
  verify: async (token) => ({
    issuer,
    ...(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { subject: string }),
  }),
};

let folder: string;
let database: Database;
let password: string;
let clock: SteppingClock;
let tokens: Tokens;
let authenticator: Authenticator;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'desp-authenticator-'));
  database = await openDatabase(`pglite:${join(folder, 'db')}`);
  const made = await bootstrapPeople(database.sql, issuer, new SteppingClock());
  password = made.find(({ person }) => person === 'provider')?.password ?? '';
});
beforeEach(() => {
  clock = new SteppingClock();
  tokens = createTokens(database.sql, clock);
  authenticator = createAuthenticator({ db: database.sql, tokens, accessTokens, issuer, clock, platformToken });
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true });
});

const provider = { kind: 'person', name: 'provider', company: 'acme', roles: ['provider'] };
const closed = expect.objectContaining({ code: 'TOO_MANY_TRIES' });

test('a name and its password, and no other pair', async () => {
  expect(await authenticator.basic('provider', password, 'git')).toEqual(provider);
  expect(await authenticator.basic('operator', password, 'git')).toBeUndefined();
  expect(await authenticator.basic('provider', `${password}x`, 'git')).toBeUndefined();
  expect(await authenticator.basic('nobody', password, 'git')).toBeUndefined();
  expect(await authenticator.basic('x'.repeat(65), password, 'git')).toBeUndefined();
});

test('a token is a password for any name, for Git and registries have two fields to fill', async () => {
  const token = await tokens.createPersonal('provider', 'laptop', 1, ['api', 'git']);
  for (const name of ['desp', 'provider', 'operator', '']) expect(await authenticator.basic(name, token, 'git')).toEqual(provider);
  expect(await authenticator.basic('desp', jwtOf('provider'), 'git')).toEqual(provider);
  expect(await authenticator.bearer(token, 'api')).toEqual(provider);
});

test('a token is nobody where it is not good, and a password good everywhere', async () => {
  const token = await tokens.createPersonal('provider', 'kubeconfig e2e', 1, ['kubernetes:e2e']);
  for (const place of ['api', 'git', 'registry', 'kubernetes:prod'] as const) {
    expect(await authenticator.basic('desp', token, place)).toBeUndefined();
    expect(await authenticator.bearer(token, place)).toBeUndefined();
  }
  for (const place of ['api', 'git', 'registry'] as const) expect(await authenticator.basic('provider', password, place)).toEqual(provider);
});

test('an access token is the person of our records with its subject, or nobody', async () => {
  expect(await authenticator.bearer(jwtOf('provider'), 'api')).toEqual(provider);
  expect(await authenticator.bearer(jwtOf('stranger'), 'api')).toBeUndefined();
});

test("the platform's token is the platform, under its own name only with it", async () => {
  expect(await authenticator.basic('$platform', platformToken, 'git')).toEqual({ kind: 'platform' });
  expect(await authenticator.bearer(platformToken, 'api')).toEqual({ kind: 'platform' });
  expect(await authenticator.basic('$platform', 'wrong', 'git')).toBeUndefined();
  expect(await authenticator.basic('$platform', password, 'git')).toBeUndefined();
});

test('ten wrong passwords close a name for the rest of a minute, the right one included, and no other name', async () => {
  for (let one = 0; one < 10; one++) expect(await authenticator.basic('ivv', `wrong ${one}`, 'git')).toBeUndefined();
  await expect(authenticator.basic('ivv', 'wrong again', 'git')).rejects.toEqual(closed);
  expect(await authenticator.basic('provider', password, 'git')).toEqual(provider);
  clock.step(59_999);
  await expect(authenticator.basic('ivv', 'wrong again', 'git')).rejects.toBeInstanceOf(IdentityError);
  clock.step(1);
  expect(await authenticator.basic('ivv', 'wrong again', 'git')).toBeUndefined();
});

test('wrong passwords that come side by side all count', async () => {
  const tries = await Promise.allSettled(Array.from({ length: 30 }, (_, one) => authenticator.basic('security', `wrong ${one}`, 'git')));
  expect(tries.filter(({ status }) => status === 'rejected')).toHaveLength(20);
});

test('a right password that comes thirty times side by side is no attack', async () => {
  const tries = await Promise.all(Array.from({ length: 30 }, () => authenticator.basic('provider', password, 'git')));
  expect(tries).toEqual(Array.from({ length: 30 }, () => provider));
});

test('what a login page is told is the subject, under the same limit', async () => {
  expect(await authenticator.login('provider', password)).toBe('provider');
  for (let one = 0; one < 10; one++) expect(await authenticator.login('executive', `wrong ${one}`)).toBeUndefined();
  await expect(authenticator.basic('executive', 'wrong', 'git')).rejects.toEqual(closed);
});

test('no token passes for a password of a person on the login page', async () => {
  expect(await authenticator.login('provider', await tokens.createPersonal('provider', 'laptop', 1, ['api', 'git']))).toBeUndefined();
  expect(await authenticator.login('$platform', platformToken)).toBeUndefined();
});
