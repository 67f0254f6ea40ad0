import { expect, test } from 'vitest';
import { atoi } from './atoi.ts';

test.each([
  ['0', 0n],
  ['-0', 0n],
  ['+007', 7n],
  ['9223372036854775807', 2n ** 63n - 1n],
  ['-9223372036854775808', -(2n ** 63n)],
  ['9223372036854775808', 'value out of range'],
  ['-9223372036854775809', 'value out of range'],
  [`1${'0'.repeat(1_000_000)}`, 'value out of range'],
  [`${'0'.repeat(1_000_000)}1`, 1n],
  ['', 'invalid syntax'],
  ['+', 'invalid syntax'],
  ['1_0', 'invalid syntax'],
  ['0x1', 'invalid syntax'],
  [' 1', 'invalid syntax'],
  ['1\n', 'invalid syntax'],
  ['١', 'invalid syntax'],
])('%.30s', (text, expected) => {
  expect(atoi(text)).toBe(expected);
});
