import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { compareDebian } from './debian.ts';

const missing = spawnSync('dpkg', ['--version']).status !== 0;

test.skipIf(missing)(`the order is dpkg's own${missing ? ' (skipped: dpkg is not installed)' : ''}`, () => {
  const versions = [
    '1.0',
    '1.0-1',
    '1.0~rc1',
    '1:0.9',
    '1.0+dfsg-1',
    '1.0a',
    '1.0.0',
    '2.36-9+deb12u3',
    '2.36-9+deb12u10',
    '1.0~~',
    '0',
    '1.2.13.dfsg-1',
    '1.0-1~bpo12+1',
    '1.0-1+b2',
  ];
  for (const a of versions) {
    for (const b of versions) {
      const holds = (operator: string): boolean => spawnSync('dpkg', ['--compare-versions', a, operator, b]).status === 0;
      const expected = holds('lt') ? -1 : holds('gt') ? 1 : 0;
      expect(compareDebian(a, b), `${a} ${b}`).toBe(expected);
    }
  }
});
