import { Instant } from '@desp/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FoundPackage } from '../image/inventory.ts';
import { AdvisorySet } from './advisory-set.ts';
import { matchPackage } from './match.ts';
import { parseOsvRecord, parseOsvText } from './osv.ts';
import { rehearsalAdvisories } from './rehearsal.ts';
import { scoreVector } from './score.ts';

const date = Instant.parse('2026-11-22T00:00:00.000Z');

/** Vectors with the scores that FIRST's specifications, user guides and example documents print for them. */
test.each([
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', '3.1', 9.8],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', '3.1', 6.1],
  ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', '3.1', 6.4],
  ['CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', '3.0', 3.1],
  ['CVSS:3.0/AV:L/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H', '3.0', 8.1],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', '3.1', 0],
  ['CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H', '3.1', 7.8],
  ['CVSS:3.1/AV:L/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:H', '3.1', 7.0],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H', '4.0', 10],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', '4.0', 9.3],
  ['AV:N/AC:L/Au:N/C:N/I:N/A:C', '2.0', 7.8],
  ['AV:N/AC:L/Au:N/C:C/I:C/A:C', '2.0', 10],
  ['AV:L/AC:H/Au:N/C:C/I:C/A:C', '2.0', 6.2],
])('%s is %s %d', (vector, version, base) => {
  expect(scoreVector(vector)).toEqual({ vector, version, base });
});

test.each(['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O/RC:U/MAV:P', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:X'])(
  'temporal and environmental metrics do not lower the base score: %s',
  (vector) => {
    expect(scoreVector(vector).base).toBe(9.8);
  },
);

test.each([
  '',
  'CVSS:3.1',
  'CVSS:3.1/',
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H',
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X',
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/A:H',
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/Q:1',
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/constructor:H',
  'CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  'CVSS:4.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  'AV:N/AC:L/Au:N/C:C/I:C',
  'cvss:3.1/av:n/ac:l/pr:n/ui:n/s:u/c:h/i:h/a:h',
  'high',
])('refuses the vector %j', (vector) => {
  expect(() => scoreVector(vector)).toThrow(expect.objectContaining({ code: 'VECTOR_INVALID' }));
});

const record = (change: object = {}, range: object = { type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '1.2.0' }] }) => ({
  id: 'TEST-1',
  modified: '2026-01-01T00:00:00Z',
  affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [range] }],
  ...change,
});
const setOf = (...records: object[]): AdvisorySet =>
  new AdvisorySet([{ name: 'test', date, ecosystems: ['npm'], records: records.map((item) => parseOsvRecord('test', item)) }]);
const found = (version: string, change: Partial<FoundPackage> = {}): FoundPackage => ({
  manager: 'npm',
  purl: '',
  name: 'a',
  version,
  ecosystem: 'npm',
  locations: ['x'],
  layer: '',
  ...change,
});
const hits = (version: string, ...records: object[]): string[] =>
  matchPackage(found(version), setOf(...records)).matches.map((match) => match.id);

describe('records', () => {
  test.each([
    ['no id', { id: undefined }],
    ['no date', { modified: 'yesterday' }],
    ['a newer major schema', { schema_version: '2.0.0' }],
    [
      'an unknown range type',
      { affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [{ type: 'MAGIC', events: [{ introduced: '0' }] }] }] },
    ],
    [
      'an event of two kinds',
      { affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0', fixed: '1' }] }] }] },
    ],
    ['an event of no kind', { affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [{ type: 'SEMVER', events: [{}] }] }] }],
  ])('refuses %s', (_, change) => {
    expect(() => parseOsvRecord('test', record(change))).toThrow(expect.objectContaining({ code: 'ADVISORY_INVALID' }));
  });

  test('refuses a vector that cannot be scored', () => {
    expect(() => parseOsvRecord('test', record({ severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N' }] }))).toThrow(
      expect.objectContaining({ code: 'VECTOR_INVALID' }),
    );
  });

  test.each(['null', '[]', '{}', 'x', '"a"'])('refuses %s', (text) => {
    expect(() => parseOsvText('test', text)).toThrow(expect.objectContaining({ code: 'ADVISORY_INVALID' }));
  });

  test('any JSON gives an advisory or a SecurityError', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          parseOsvRecord('test', value);
        } catch (error) {
          expect((error as Error).name).toBe('SecurityError');
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('ranges', () => {
  const range = (...events: object[]) => record({}, { type: 'SEMVER', events });
  test.each([
    ['0.0.1', true],
    ['1.1.9', true],
    ['1.2.0-rc.1', true],
    ['1.2.0', false],
    ['2.0.0', false],
  ])('introduced 0, fixed 1.2.0: %s', (version, affected) => {
    expect(hits(version, record())).toEqual(affected ? ['TEST-1'] : []);
  });

  test.each([
    ['1.0.0', false],
    ['1.0.1', true],
    ['1.5.0', true],
    ['1.5.1', false],
    ['2.0.0', true],
    ['3.0.0', false],
  ])('several events in any order, last_affected: %s', (version, affected) => {
    const events = range({ fixed: '3.0.0' }, { introduced: '2.0.0' }, { last_affected: '1.5.0' }, { introduced: '1.0.1' });
    expect(hits(version, events)).toEqual(affected ? ['TEST-1'] : []);
  });

  test('limits, version lists and withdrawn records', () => {
    expect(hits('1.0.0', range({ introduced: '0' }, { limit: '0.9.0' }))).toEqual([]);
    expect(hits('0.8.0', range({ introduced: '0' }, { limit: '0.9.0' }))).toEqual(['TEST-1']);
    expect(hits('9.0.0', record({ affected: [{ package: { ecosystem: 'npm', name: 'a' }, versions: ['9.0.0'] }] }))).toEqual(['TEST-1']);
    expect(hits('1.0.0', record({ withdrawn: '2026-01-01T00:00:00Z' }))).toEqual([]);
  });

  test('a version without a place, or a record of commits only, is undecided, not clean', () => {
    expect(matchPackage(found('banana'), setOf(record())).undecided).toHaveLength(1);
    expect(matchPackage(found('1.0.0'), setOf(record({}, { type: 'GIT', events: [{ introduced: 'abc' }] }))).undecided).toHaveLength(1);
  });

  test('the lowest higher fix is named', () => {
    const events = range(
      { introduced: '0' },
      { fixed: '1.0.5' },
      { introduced: '1.1.0' },
      { fixed: '1.1.7' },
      { introduced: '2.0.0' },
      { fixed: '2.0.1' },
    );
    expect(matchPackage(found('1.1.3'), setOf(events)).matches[0]?.fixedIn).toBe('1.1.7');
  });

  test('records of one weakness are one match, with the scores of all, of other ecosystems too', () => {
    const elsewhere = record({
      id: 'CVE-1',
      affected: [],
      severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    });
    const { matches } = matchPackage(
      found('1.0.0'),
      setOf(record({ aliases: ['CVE-1'] }), record({ id: 'TEST-2', aliases: ['CVE-1'] }), elsewhere),
    );
    expect(matches).toHaveLength(1);
    expect(matches[0]?.scores.map((score) => score.base)).toEqual([9.8]);
    expect(matches[0]?.aliases).toEqual(['CVE-1', 'TEST-2']);
  });

  test('a distribution is looked up by source package and its own release', () => {
    const set = new AdvisorySet([
      {
        name: 'd',
        date,
        ecosystems: ['Debian:12'],
        records: [
          parseOsvRecord(
            'd',
            record({
              affected: [
                {
                  package: { ecosystem: 'Debian:12', name: 'openssl' },
                  ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.11-1~deb12u2' }] }],
                },
              ],
            }),
          ),
        ],
      },
    ]);
    const libssl = (version: string, ecosystem = 'Debian:12') =>
      matchPackage(found(`${version}+b1`, { name: 'libssl3', ecosystem, source: { name: 'openssl', version } }), set).matches.length;
    expect([libssl('3.0.11-1~deb12u1'), libssl('3.0.11-1~deb12u2'), libssl('3.0.11-1~deb12u1', 'Debian:11')]).toEqual([1, 0, 0]);
  });
});

describe('the rehearsal set', () => {
  const set = new AdvisorySet(rehearsalAdvisories());

  test('is read, covers its ecosystems, and is dated', () => {
    expect(['npm', 'Debian:12', 'Alpine:v3.20', 'Go', 'PyPI'].filter((ecosystem) => !set.covers(ecosystem))).toEqual([]);
    expect(set.databases.every((database) => database.records > 0 && database.date <= date)).toBe(true);
  });

  test.each([
    ['npm', 'minimist', '1.2.5', 'GHSA-xvch-5gv4-984h', '1.2.6'],
    ['npm', 'minimist', '1.2.6', undefined, undefined],
    ['npm', 'minimist', '0.2.3', 'GHSA-xvch-5gv4-984h', '0.2.4'],
    ['npm', 'minimist', '0.2.4', undefined, undefined],
    ['npm', 'qs', '6.7.0', 'GHSA-hrpp-h998-j3pp', '6.7.3'],
    ['npm', 'ws', '8.17.0', 'GHSA-3h5v-q93c-6h6q', '8.17.1'],
    ['npm', 'lodash', '4.17.20', 'GHSA-35jh-r3h4-6jhm', '4.17.21'],
    ['Go', 'stdlib', '1.21.2', 'GO-2023-2102', '1.21.3'],
    ['Go', 'golang.org/x/text', 'v0.3.7', 'GO-2022-1059', '0.3.8'],
    ['Debian:12', 'glibc', '2.36-9+deb12u2', 'DEBIAN-CVE-2023-4911', '2.36-9+deb12u3'],
    ['Debian:12', 'glibc', '2.36-9+deb12u10', undefined, undefined],
    ['Alpine:v3.18', 'openssl', '3.1.3-r0', 'ALPINE-CVE-2023-5363', '3.1.4-r0'],
    ['PyPI', 'urllib3', '1.26.16', 'PYSEC-2023-192', '1.26.17'],
    ['PyPI', 'URLLib3', '2.0.6', undefined, undefined],
  ])('%s %s %s: %s', (ecosystem, name, version, id, fixedIn) => {
    const match = matchPackage(found(version, { ecosystem, name }), set).matches[0];
    expect([match?.id, match?.fixedIn]).toEqual([id, fixedIn]);
  });

  test('minimist is the 9.8 that the first version of the sample shows', () => {
    const match = matchPackage(found('1.2.5', { name: 'minimist' }), set).matches[0];
    expect(match).toMatchObject({ aliases: ['CVE-2021-44906'], labels: ['critical'], scores: [{ base: 9.8, version: '3.1' }] });
    expect(match?.advisories[0]?.published).toBe('2022-03-18T00:01:09.000Z');
  });
});
