import { expect, test } from 'vitest';
import { generatePassword, hashPassword, verifyPassword } from './index.ts';

test('a password matches its own hash only, and two hashes of it differ', async () => {
  const [first, second] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
  expect(first).toMatch(/^scrypt\$32768\$[\w-]{22}\$[\w-]{43}$/);
  expect(first).not.toBe(second);
  expect(await verifyPassword('correct horse', first)).toBe(true);
  expect(await verifyPassword('correct horse ', first)).toBe(false);
  expect(await verifyPassword('', first)).toBe(false);
});

test.each([undefined, '', 'scrypt$32768$$', 'plain text', 'scrypt$32768$AAAA$AAAA'])('nobody has the stored form %s', async (stored) =>
  expect(await verifyPassword('', stored)).toBe(false),
);

test('generated passwords are of 20 characters without look-alikes, and differ', () => {
  const made = Array.from({ length: 200 }, generatePassword);
  for (const password of made) expect(password).toMatch(/^[a-hjkmnp-z2-9A-H]{20}$/);
  expect(new Set(made).size).toBe(made.length);
});
