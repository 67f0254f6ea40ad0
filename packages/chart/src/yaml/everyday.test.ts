import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { declined, readEverydayYaml } from './everyday.ts';
import { readYaml } from './reader.ts';

const words = [
  'a',
  'b.c/d',
  'true',
  '~',
  '1',
  '0x1f',
  '1e3',
  '.5',
  '2020-01-01',
  'x:y',
  'h#i',
  '-z',
  '-',
  '*r',
  '&r',
  '!t',
  '<<',
  '%',
  '@',
];
const marks = [
  ': ',
  ':',
  ' ',
  '  ',
  ' # note',
  '#',
  "'",
  "''",
  '"',
  '\\"',
  '\\n',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ', ',
  ',',
  '|',
  '|-',
  '>',
  '\t',
  '- ',
];
const starts = [
  '',
  '- ',
  '-',
  '- - ',
  'k: ',
  'k:',
  '"q": ',
  "'s': ",
  '- k: ',
  '# ',
  '---',
  '--- ',
  '...',
  'k: |',
  'k: |+',
  'k: >-',
  '- |',
  'k: "',
  "k: '",
];
const line = fc
  .tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom(...starts), fc.array(fc.constantFrom(...words, ...marks), { maxLength: 4 }))
  .map(([indent, start, rest]) => ' '.repeat(indent) + start + rest.join(''));
const texts = fc
  .tuple(fc.array(line, { maxLength: 7 }), fc.constantFrom('', '\n', '\n\n', ' '))
  .map(([lines, end]) => lines.join('\n') + end);

describe('everyday YAML', () => {
  test('is read as the full reader reads it, or not at all', () => {
    let read = 0;
    fc.assert(
      fc.property(texts, (text) => {
        const value = readEverydayYaml(text, true);
        if (value === declined) return;
        read++;
        expect(value).toStrictEqual(readYaml(text, { exactIntegers: true }));
      }),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  test.each([
    [
      'a manifest',
      'apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\n  labels:\n    "a/b": c\ndata: {}\nlist:\n- a: 1\n  b: [1, "two"]\n- - x\n',
    ],
    ['comments and empty lines', '# one\n\na: # two\n  # three\n  b: c # four\n\n'],
    ['texts over several lines', 'a: one\n  two\n\n  three\nb: "x \\"y\\"\n\n  z"\nc: \'it\'\'s\n  so\'\nd: >-\n  p\n  q\n'],
    ['literal blocks', 'a: |\n  x\n\n   y\n\nb: |-\n  x\nc: |+\n  x\n\nd: |\ne: 1\n'],
    ['a value on the line after its key', 'a:\n  {}\nb:\n  - c\nd:\n- e\nf:\n  word\n'],
    ['keys that are whole numbers', '9000: a\n'],
  ])('takes %s', (_name, text) => {
    expect(readEverydayYaml(text)).toStrictEqual(readYaml(text));
  });

  test.each([
    ['anchors', 'a: &x 1\nb: *x\n'],
    ['a second document', 'a: 1\n---\nb: 2\n'],
    ['a tab for indentation', 'a:\n\tb: 1\n'],
    ['a mapping where none may be', 'a: b: c\n'],
    ['a line between two columns', 'a:\n    b: 1\n  c: 2\n'],
    ['control characters', 'a: \u0001\n'],
    ['no end of a quoted text', 'a: "b\n'],
    ['depth without bound', `${'- '.repeat(2000)}a\n`],
  ])('declines %s', (_name, text) => {
    expect(readEverydayYaml(text)).toBe(declined);
  });
});
