import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../limits.ts';
import { Budget, LimitReached } from '../render/budget.ts';
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

test('bytes that are no UTF-8 are no expression', () => {
  expect(() => new Regex('a\udcffb')).toThrow('invalid UTF-8: `\udcffb`');
});

describe('an expression of a stranger ends within the budget', () => {
  const wide = String.fromCodePoint(...Array.from({ length: 20_000 }, (_item, index) => 0x10000 + 2 * index));
  test.each([
    ['long', 'a'.repeat(20_000_000), ''],
    ['of many groups', '()'.repeat(500_000), ''],
    ['of a large set', `[${'a-c'.repeat(500_000)}]`, ''],
    ['of a set that a text is compared with in vain', `[${wide}]`, 'x'.repeat(1_000_000)],
    ['of a negated set that every character passes', `[^${wide}]*$`, 'x'.repeat(1_000_000)],
    ['of a set without regard to case', `(?i)[${wide}]`, 'é'.repeat(1_000_000)],
    ['of names that do not end', '[[:'.repeat(400_000), ''],
    ['of nothing, often', '(?:){1000}'.repeat(200_000), ''],
    ['of loops within loops, on a long text', `${'(?:'.repeat(400)}${'a?'.repeat(20_000)}${')*'.repeat(400)}b`, 'a'.repeat(1000)],
    ['of alternatives that all go on', `(?:${'(a)|'.repeat(5000)}b)*c`, 'a'.repeat(100_000)],
  ])('%s', (_name, pattern, text) => {
    const budget = new Budget(defaultLimits);
    const started = performance.now();
    const search = (): boolean => new Regex(pattern, (steps) => budget.step(steps)).test(text, budget);
    expect(search).toThrow(LimitReached);
    // Two seconds are promised on an idle machine; tests share theirs.
    expect(performance.now() - started).toBeLessThan(8000);
  });
});
