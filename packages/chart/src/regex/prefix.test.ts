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

test.each([
  ['(?m)^b', 'aa\nb\nb', ['b', 'b']],
  ['\\bx', 'aax ax x', ['x']],
  ['(?m)^[^=]*?=', 'a=1\n\nb=2\n', ['a=', '\nb=']],
  ['(?m)b$', 'ab a\nb', ['b']],
  ['\\Bx', 'x xx', ['x']],
  ['^b|^a', 'ab', ['a']],
  ['(^b)', 'ab', []],
  ['$', 'ab', ['']],
  ['(?:^|,)b', 'a,b,b', [',b', ',b']],
])('%s is found wherever it may begin', (pattern, text, found) => {
  expect(new Regex(pattern).findAll(text, -1).map(([start, end]) => text.slice(start, end))).toEqual(found);
});

test('what must begin at the beginning is not looked for further on', () => {
  let steps = 0;
  const meter = {
    step: (units: number) => {
      steps += units;
    },
    size: () => {},
  };
  expect(new Regex('^value').find(large, meter)).toBe('');
  expect(steps).toBeLessThan(100);
});
