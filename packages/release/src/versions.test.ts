import { describe, expect, test } from 'vitest';
import { decideVersion, demandNextVersion, nextVersionAllowed } from './versions.ts';

test.each([
  [[], '0.0.1', true],
  [['1.0.0'], '1.0.1', true],
  [['1.0.0'], '1.0.0', false],
  [['1.0.0'], '0.9.9', false],
  [['1.0.0', '1.10.0', '1.9.0'], '1.9.5', false],
  [['1.9.0'], '1.10.0', true],
  [['1.0.0-rc.1'], '1.0.0', true],
  [['1.0.0'], '1.0.0-rc.2', false],
  [['1.0.0-rc.2'], '1.0.0-rc.10', true],
  [['1.0.0'], '1.0.0+build.2', false],
  [[], 'v1.0.0', false],
  [[], '1.0', false],
  [[], '01.0.0', false],
])('after %j, %s: %s', (released, candidate, allowed) => {
  expect(nextVersionAllowed(released, candidate)).toBe(allowed);
});

test('the refusal names the version to go above', () => {
  expect(() => demandNextVersion(['1.0.0', '1.2.0', '1.1.0'], '1.0.5')).toThrow(
    expect.objectContaining({ code: 'VERSION_REFUSED', cure: 'Choose a version above 1.2.0.' }),
  );
});

describe('the version of a commit', () => {
  const charts = (...versions: string[]) => new Map(versions.map((version, index) => [`deployment/${index}/Chart.yaml`, version]));
  test.each([
    [['1.2.3'], charts('0.1.0'), { version: '1.2.3', from: 'git-tag' }],
    [['latest', '1.2.3', 'v9'], charts(), { version: '1.2.3', from: 'git-tag' }],
    [[], charts('0.1.0', '0.1.0'), { version: '0.1.0', from: 'chart' }],
  ])('%j', (tagsOnCommit, chartVersions, decided) => {
    expect(decideVersion({ tagsOnCommit, chartVersions })).toEqual(decided);
  });

  test.each([
    [['1.0.0', '1.0.1'], charts('1.0.0'), '2 version tags'],
    [[], charts(), 'no chart'],
    [[], charts('0.1.0', '0.2.0'), 'different versions'],
    [['v1.0.0'], charts('1.0'), 'not SemVer'],
  ])('refuses %j', (tagsOnCommit, chartVersions, message) => {
    expect(() => decideVersion({ tagsOnCommit, chartVersions })).toThrow(
      expect.objectContaining({ code: 'VERSION_REFUSED', message: expect.stringContaining(message) }),
    );
  });
});
