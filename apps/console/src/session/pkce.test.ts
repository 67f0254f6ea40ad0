import { expect, test } from 'vitest';
import { challengeOf, idTokenProblem, randomText } from './pkce.ts';

test('the challenge is that of RFC 7636, appendix B', async () =>
  expect(await challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'));

test('random texts are long, differ, and need no escape', () => {
  const texts = Array.from({ length: 50 }, randomText);
  expect(new Set(texts).size).toBe(50);
  for (const text of texts) expect(text).toMatch(/^[\w-]{43}$/);
});

const expected = { issuer: 'https://id.example', clientId: 'desp-console', nonce: 'n', now: 1_000_000_000_000 };
const claims = { iss: 'https://id.example', aud: 'desp-console', nonce: 'n', exp: 1_000_000_600 };
const token = (change: object): string => `e30.${btoa(JSON.stringify({ ...claims, ...change })).replaceAll('=', '')}.x`;

test('the answer to our own question is taken', () => {
  expect(idTokenProblem(token({}), expected)).toBeUndefined();
  expect(idTokenProblem(token({ aud: ['desp-console', 'other'], azp: 'desp-console' }), expected)).toBeUndefined();
});
test.each([
  [{ iss: 'https://other.example' }, 'another provider'],
  [{ aud: 'other' }, 'another program'],
  [{ aud: ['desp-console', 'other'] }, 'another program'],
  [{ nonce: 'm' }, 'another login'],
  [{ nonce: undefined }, 'another login'],
  [{ exp: 999_999_000 }, 'over'],
  [{ exp: undefined }, 'over'],
])('refuses %j', (change, why) => expect(idTokenProblem(token(change), expected)).toContain(why));
test.each(['', 'x', 'a.b.c', 'a..c'])('refuses %j', (text) => expect(idTokenProblem(text, expected)).toBe('it cannot be read'));
