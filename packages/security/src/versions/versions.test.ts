import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareAlpine } from './alpine.ts';
import { compareDebian } from './debian.ts';
import { compareSemantic, goVersion, orderOf, type VersionOrder } from './order.ts';
import { comparePython } from './python.ts';

/** Each list ascends. Debian: the examples of Policy 5.6.12 and real archive versions; Alpine: apk's documented suffix order; Python: PEP 440's own examples. */
const ascending: [string, VersionOrder, string[]][] = [
  [
    'Debian',
    compareDebian,
    [
      '0~~',
      '0~~a',
      '0~',
      '0',
      '0a',
      '1.0~beta1~svn1245',
      '1.0~beta1',
      '1.0',
      '1.0-1',
      '1.0-1+deb12u1',
      '1.0-1.1',
      '1.0-2',
      '1.0-10',
      '1.0+dfsg-1',
      '1.0.1',
      '1.10',
      '3.0.11-1~deb12u1',
      '3.0.11-1~deb12u2',
      '3.0.11-1',
      '1:0.1',
    ],
  ],
  ['Debian revisions', compareDebian, ['2.36-9', '2.36-9+deb12u3', '2.36-9+deb12u10', '2.36-10']],
  [
    'Alpine',
    compareAlpine,
    [
      '0.9',
      '1.0_alpha',
      '1.0_alpha2',
      '1.0_beta1',
      '1.0_pre1',
      '1.0_rc1',
      '1.0',
      '1.0-r1',
      '1.0-r10',
      '1.0_cvs1',
      '1.0_git20200101',
      '1.0_p1',
      '1.0_p1-r2',
      '1.0a',
      '1.0b',
      '1.0.1',
      '1.01',
      '1.1',
      '1.10',
      '3.1.4-r0',
      '3.1.4-r1',
      '10',
    ],
  ],
  [
    'Python',
    comparePython,
    [
      '1.0.dev1',
      '1.0a1.dev1',
      '1.0a1',
      '1.0a2',
      '1.0b1',
      '1.0rc1',
      '1.0',
      '1.0+local.1',
      '1.0.post1.dev1',
      '1.0.post1',
      '1.0.1',
      '1.1',
      '1.10',
      '1!0.1',
    ],
  ],
  ['npm', compareSemantic, ['0.0.1-alpha', '0.0.1', '0.2.4', '1.0.0-rc.1', '1.0.0', '1.2.6', '1.10.0']],
  [
    'Go',
    orderOf('Go') as VersionOrder,
    [
      'v0.0.0-20200622213623-75b288015ac9',
      'v0.0.0-20220412211240-33da011f77ad',
      'v0.1.0',
      'v1.2.3',
      '1.21rc2',
      '1.21',
      'go1.21.3',
      '1.22.0-0',
      'v2.0.0+incompatible',
    ],
  ],
];

describe.each(ascending)('%s', (_, order, list) => {
  test('orders', () => {
    for (const [i, a] of list.entries()) for (const [j, b] of list.entries()) expect(order(a, b), `${a} ${b}`).toBe(Math.sign(i - j));
  });
});

test.each([
  ['1.0', '1.00'],
  ['0:1.0', '1.0'],
  ['1.0-0', '1.0'],
])('Debian holds %s and %s for the same', (a, b) => {
  expect(compareDebian(a, b)).toBe(0);
});

test.each([
  ['1.0', '1.0.0'],
  ['1.0-1', '1.0.post1'],
  ['1.0ALPHA1', '1.0a1'],
  ['v1.0', '1'],
])('Python holds %s and %s for the same', (a, b) => {
  expect(comparePython(a, b)).toBe(0);
});

test.each([
  [compareDebian, 'a b'],
  [compareDebian, ''],
  [compareDebian, 'x:1'],
  [compareDebian, '1.0-'.repeat(80)],
  [compareAlpine, 'v1'],
  [compareAlpine, '1.0-rc1'],
  [comparePython, '1.0-beta-x'],
  [compareSemantic, 'latest'],
  [compareSemantic, '1.0'],
] as [VersionOrder, string][])('no version: %#', (order, text) => {
  expect(order(text, '1.0.0')).toBeUndefined();
});

test('toolchain versions of Go', () => {
  expect(['go1.22', '1.22rc1', 'v0.1.0', 'go1.21.3'].map(goVersion)).toEqual(['1.22.0', '1.22.0-rc.1', '0.1.0', '1.21.3']);
});

test('the orders are total', () => {
  const part = fc.constantFrom('0', '1', '2', '10', '01');
  const version = fc
    .tuple(part, part, fc.constantFrom('', '-1', '-2', '+b1', '~rc1', '~', '-1~deb12u1', 'a'))
    .map(([a, b, c]) => `${a}.${b}${c}`);
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      const [ab, ba, bc, ac] = [compareDebian(a, b), compareDebian(b, a), compareDebian(b, c), compareDebian(a, c)] as [
        number,
        number,
        number,
        number,
      ];
      expect(ab + ba).toBe(0);
      if (ab <= 0 && bc <= 0) expect(ac).toBeLessThanOrEqual(0);
    }),
    { numRuns: 500 },
  );
});
