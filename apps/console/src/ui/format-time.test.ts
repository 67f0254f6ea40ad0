import { expect, test } from 'vitest';
import { formatAge, formatDuration } from './format-time.ts';

test.each([
  [-5, '0 s'],
  [0, '0 s'],
  [1, '0.1 s'],
  [949, '1.0 s'],
  [950, '1 s'],
  [42_400, '42 s'],
  [60_000, '1 min 00 s'],
  [185_000, '3 min 05 s'],
  [7_800_000, '2 h 10 min'],
  [7_200_000, '2 h'],
  [90_000_000, '1 d 01 h'],
])('%d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

test.each([
  [-1, 'just now'],
  [4_999, 'just now'],
  [5_000, '5 s ago'],
  [119_000, '1 min ago'],
  [3_600_000, '1 h ago'],
  [400_000_000, '4 d ago'],
])('%d ms ago reads %s', (ms, text) => expect(formatAge(ms)).toBe(text));
