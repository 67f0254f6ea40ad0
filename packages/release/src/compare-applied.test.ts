import { Digest } from '@desp/model';
import { expect, test } from 'vitest';
import { compareApplied } from './compare-applied.ts';

const [a, b] = ['a', 'b'].map((letter) => Digest.parse(`sha256:${letter.repeat(64)}`)) as [Digest, Digest];
const first = { release: 'app', operation: 'install', revision: 1, kubeVersion: '1.32.0' } as const;
const recorded = { chart: 'app', digest: a, rendered: first };

test('what was applied as recorded is equal', () => {
  expect(compareApplied([recorded], [{ ...first, digest: a }])).toBeUndefined();
  // The inputs may differ where no template looks at them.
  expect(compareApplied([recorded], [{ ...first, revision: 7, operation: 'upgrade', digest: a }])).toBeUndefined();
});

test.each([
  ['nobody says', undefined, /does not say what it applied/],
  [
    'other inputs',
    [{ ...first, revision: 3, operation: 'upgrade', digest: b }],
    /record's are of an install at revision 1 .* of an upgrade at revision 3/,
  ],
  ['the same inputs', [{ ...first, digest: b }], /random or time function/],
  [
    'a release that is not recorded',
    [
      { ...first, digest: a },
      { ...first, release: 'more', digest: b },
    ],
    /no such release/,
  ],
  ['a release that was not applied', [], /were not applied/],
] as const)('%s', (_, applied, why) => expect(compareApplied([recorded], applied)).toMatch(why));

test('one entry stands for one release', () =>
  expect(
    compareApplied(
      [recorded],
      [
        { ...first, digest: a },
        { ...first, release: 'twin', digest: a },
      ],
    ),
  ).toMatch(/twin was applied/));

test('a record that does not say with what it was rendered explains nothing', () =>
  expect(compareApplied([{ chart: 'app', digest: a }], [{ ...first, digest: b }])).toMatch(/no such release/));
