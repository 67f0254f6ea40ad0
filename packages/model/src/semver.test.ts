import { describe, expect, test } from 'vitest';
import { compareSemVer, parseSemVer } from './semver.ts';

/** The orders that the specification itself prints in section 11. */
const ascending = [
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  '2.0.0',
  '2.1.0',
  '2.1.1',
];

describe('SemVer 2.0.0', () => {
  test('orders as section 11 prints', () => {
    for (const [i, a] of ascending.entries())
      for (const [j, b] of ascending.entries()) expect(compareSemVer(parseSemVer(a)!, parseSemVer(b)!), `${a} ${b}`).toBe(Math.sign(i - j));
  });

  test.each(['1.0.0+001', '1.0.0+20130313144700', '1.0.0-beta+exp.sha.5114f85', '1.0.0-x-y-z.--', '1.0.0-0.3.7'])('takes %s', (text) => {
    expect(parseSemVer(text)?.text).toBe(text);
  });

  test.each(['v1.0.0', '1.0', '1', '01.0.0', '1.0.0-01', '1.0.0-', '1.0.0-a..b', ' 1.0.0', '1.0.0\n', '', '1.0.0+a+b'])(
    'refuses %j',
    (text) => {
      expect(parseSemVer(text)).toBeUndefined();
    },
  );

  test('build metadata does not count', () => {
    expect(compareSemVer(parseSemVer('1.0.0+a')!, parseSemVer('1.0.0+b')!)).toBe(0);
  });
});
