import { expect, test } from 'vitest';
import { Regex } from './regex.ts';

const large = `${'key: value\n'.repeat(100_000)}end: true\n`;

test.each([
  ['a plain text', '\nend: true\n', '\nend: true\n'],
  ['a text before other things', 'end: (true|false)', 'end: true'],
  ['a text that begins in many places', 'key: value\nend', 'key: value\nend'],
])('%s is looked for before the machine runs', (_name, pattern, found) => {
  let steps = 0;
  const meter = {
    step: (units: number) => {
      steps += units;
    },
    size: () => {},
  };
  expect(new Regex(pattern).find(large, meter)).toBe(found);
  expect(steps).toBeLessThan(large.length / 100);
});

test('matches are those of the machine', () => {
  expect(new Regex('ab').findAll('xabab', -1)).toEqual([
    [1, 3],
    [3, 5],
  ]);
  expect(new Regex('a\\b').findAll('ab a', -1)).toEqual([[3, 4]]);
  expect(new Regex('😀+').findAll('x😀😀', -1)).toEqual([[1, 5]]);
  expect(new Regex('(?i)ab').find('xAB')).toBe('AB');
  expect(new Regex('a(b)?').replaceAll('aabx', '<$1>', false)).toBe('<><b>x');
});
