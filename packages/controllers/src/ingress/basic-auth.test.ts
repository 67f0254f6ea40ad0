import { expect, test } from 'vitest';
import { isPassword } from './basic-auth.ts';

test('passwords against hashes made by OpenSSL 3 (`passwd -apr1`) and Apache', () => {
  const apr1 = '$apr1$abcdefgh$CqJPN4ZXn9D0KdSZVMZhu0';
  expect(isPassword('pässword1', apr1)).toBe(true);
  expect(isPassword('password1', apr1)).toBe(false);
  expect(isPassword('password', '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=')).toBe(true);
  expect(isPassword('other', '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=')).toBe(false);
  expect(isPassword('plain', '{PLAIN}plain')).toBe(true);
  // A kind of hash that we do not know lets nobody in, not even with the hash itself.
  for (const hash of ['$2y$05$abcdefghijklmnopqrstuv', 'plain', '']) expect(isPassword(hash, hash)).toBe(false);
});
