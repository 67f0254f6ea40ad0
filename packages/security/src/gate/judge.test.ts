import { type GateRules, Instant, type Verdict } from '@desp/model';
import { describe, expect, test } from 'vitest';
import { AdvisorySet } from '../advisories/advisory-set.ts';
import { parseOsvRecord } from '../advisories/osv.ts';
import { fixtureDigest } from '../archive/tar-fixture.ts';
import type { FoundPackage, Inventory } from '../image/inventory.ts';
import { readReport } from '../reports/read-report.ts';
import { gateRules } from './gate-rules-fixture.ts';
import { digestOfUnassessed, type JudgeInput, judge } from './judge.ts';
import { parsePolicy, policyFor } from './policy.ts';

const now = Instant.parse('2026-11-22T12:00:00.000Z');
const day = (text: string) => Instant.parse(`${text}T00:00:00.000Z`);
const profile = { name: 'of-this-test', gate: gateRules };
const e2e = policyFor(profile, { name: 'e2e', entry: 'direct' });
const prod = policyFor(profile, { name: 'prod', entry: 'promotion' });

const library = (change: Partial<FoundPackage> = {}): FoundPackage => ({
  manager: 'npm',
  purl: 'pkg:npm/a@1.0.0',
  name: 'a',
  version: '1.0.0',
  ecosystem: 'npm',
  locations: ['app/node_modules/a/package.json'],
  layer: `sha256:${'2'.repeat(64)}`,
  ...change,
});
const inventory = (change: Partial<Inventory> = {}): Inventory => ({
  subject: fixtureDigest,
  packages: [library()],
  unowned: [],
  problems: [],
  layers: [`sha256:${'2'.repeat(64)}`],
  files: 1,
  ...change,
});

const vectors = {
  '9.8': 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  '7.0': 'CVSS:3.1/AV:L/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:H',
  '7.3': 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L',
  '5.3': 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L',
};
function advisories(grade: { v3?: keyof typeof vectors; v2?: string; label?: string } | undefined, date = day('2026-11-20')): AdvisorySet {
  const severity = [
    ...(grade?.v3 ? [{ type: 'CVSS_V3', score: vectors[grade.v3] }] : []),
    ...(grade?.v2 ? [{ type: 'CVSS_V2', score: grade.v2 }] : []),
  ];
  const record = {
    id: 'GHSA-1',
    aliases: ['CVE-1'],
    modified: '2026-01-01T00:00:00Z',
    severity,
    ...(grade?.label ? { database_specific: { severity: grade.label } } : {}),
    affected: [
      {
        package: { ecosystem: 'npm', name: grade ? 'a' : 'other' },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.2.0' }] }],
      },
    ],
  };
  return new AdvisorySet([{ name: 'GitHub', date, ecosystems: ['npm'], records: [parseOsvRecord('GitHub', record)] }]);
}
const ask = (change: Partial<JudgeInput> = {}): Promise<Verdict> =>
  judge({
    subject: { name: 'registry/a', digest: fixtureDigest },
    inventory: inventory(),
    sbom: fixtureDigest,
    advisories: advisories(undefined),
    policy: e2e,
    now,
    ...change,
  });

describe('the two clauses', () => {
  test.each([
    ['no finding', undefined, 'pass'],
    ['9.8', { v3: '9.8' }, 'blocked'],
    ['7.3 rated low by its distribution', { v3: '7.3', label: 'LOW' }, 'blocked'],
    ['exactly 7.0 without a label', { v3: '7.0' }, 'pass'],
    ['exactly 7.0 rated high', { v3: '7.0', label: 'HIGH' }, 'blocked'],
    ['5.3 rated critical', { v3: '5.3', label: 'critical' }, 'blocked'],
    ['5.3 rated moderate', { v3: '5.3', label: 'MODERATE' }, 'pass'],
    ['neither score nor label', {}, 'blocked'],
    ['a label that grades nothing', { label: 'not yet assigned' }, 'blocked'],
    ['rated low, without score', { label: 'low' }, 'pass'],
    ['an old score of 10 beside a newer one of 5.3', { v3: '5.3', v2: 'AV:N/AC:L/Au:N/C:C/I:C/A:C' }, 'pass'],
    ['an old score of 10 alone', { v2: 'AV:N/AC:L/Au:N/C:C/I:C/A:C' }, 'blocked'],
  ] as const)('%s', async (_, grade, outcome) => {
    expect((await ask({ advisories: advisories(grade) })).outcome).toBe(outcome);
  });

  test('the reason says which package, where, by which advisory of which date, and what to do', async () => {
    const verdict = await ask({ advisories: advisories({ v3: '9.8', label: 'critical' }) });
    expect(verdict.reasons).toEqual([
      'a 1.0.0 (app/node_modules/a/package.json, layer sha256:222222222222) has GHSA-1, CVE-1: its CVSS 3.1 base score 9.8 (GitHub) is above 7.0 (procedure, section 3) and it is rated CRITICAL (DESP-DEV-051); advisory of GitHub as of 2026-11-20. Raise a to 1.2.0 or later in package.json or the lock file, and rebuild.',
    ]);
    expect(verdict.findings[0]).toMatchObject({ id: 'GHSA-1', fixedIn: '1.2.0', severity: 'critical', advisory: { database: 'GitHub' } });
  });

  test('the same input gives the same verdict', async () => {
    expect(await ask({ advisories: advisories({ v3: '9.8' }) })).toEqual(await ask({ advisories: advisories({ v3: '9.8' }) }));
  });
});

describe('closed', () => {
  const cases: [string, Partial<JudgeInput>][] = [
    ['another image was read', { inventory: inventory({ subject: `sha256:${'9'.repeat(64)}` }) }],
    ['no advisories', { advisories: new AdvisorySet([]) }],
    ['stale advisories', { advisories: advisories(undefined, day('2024-11-01')) }],
    ['advisories from the future: the clock was set back', { advisories: advisories(undefined, day('2026-11-24')) }],
    [
      'an ecosystem without advisories',
      { inventory: inventory({ packages: [library(), library({ ecosystem: 'PyPI', manager: 'pypi' })] }) },
    ],
    ['an unknown operating system', { inventory: inventory({ packages: [library({ ecosystem: 'unknown', manager: 'dpkg' })] }) }],
    ['a part that could not be read', { inventory: inventory({ problems: [{ what: 'layer x', why: 'zstd' }] }) }],
    [
      'a version without a place',
      { advisories: advisories({ v3: '5.3' }), inventory: inventory({ packages: [library({ version: 'banana' })] }) },
    ],
    ['a scanner that failed', { scannerErrors: ['exit code 1'] }],
  ];
  test.each(cases)('%s', async (_, change) => {
    const verdict = await ask(change);
    expect(verdict.outcome).toBe('incomplete');
    expect(verdict.reasons.length).toBeGreaterThan(0);
  });

  test('an operating system past its end blocks', async () => {
    const system = { id: 'debian', versionId: '10', prettyName: 'Debian 10', ecosystem: 'Debian:10' };
    const verdict = await ask({ inventory: inventory({ operatingSystem: system }) });
    expect(verdict).toMatchObject({ outcome: 'blocked', reasons: [expect.stringContaining('2024-06-30')] });
  });

  test.each([null, {}, { ...e2e, scoreAbove: 'seven' }, { ...e2e, extra: true }])('refuses the policy %#', (policy) => {
    expect(() => parsePolicy(policy)).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }));
  });
});

describe("the limits are the profile's: changing them changes the verdict", () => {
  const judged = async (gate: Partial<GateRules>, input: Partial<JudgeInput>, entry: 'direct' | 'promotion' = 'direct') =>
    (await ask({ ...input, policy: policyFor({ name: 'changed', gate: { ...gateRules, ...gate } }, { name: 'x', entry }) })).outcome;
  const direct = (change: Partial<GateRules['entries']['direct']>) => ({
    entries: { ...gateRules.entries, direct: { ...gateRules.entries.direct, ...change } },
  });
  const weak = { advisories: advisories({ v3: '5.3', label: 'MODERATE' }) };
  const unowned = { inventory: inventory({ unowned: [{ path: 'bin/x', layer: '', why: 'ELF file that no package owns' }] }) };
  const stranger = { inventory: inventory({ packages: [library({ ecosystem: 'PyPI', manager: 'pypi' })] }) };
  test.each([
    ['scoreAbove', { scoreAbove: 5 }, weak, 'pass', 'blocked'],
    ['labels', { labels: ['medium'] }, weak, 'pass', 'blocked'],
    ['unscored', { unscored: 'list' }, { advisories: advisories({}) }, 'blocked', 'pass'],
    ['uncovered', { uncovered: 'list' }, stranger, 'incomplete', 'pass'],
    ['unowned', direct({ unowned: 'acceptance-required' }), unowned, 'pass', 'incomplete'],
    ['advisoryAgeDays', direct({ advisoryAgeDays: 1 }), {}, 'pass', 'incomplete'],
  ] as const)('%s', async (_, change, input, before, after) => {
    expect(await judged({}, input)).toBe(before);
    expect(await judged(change, input)).toBe(after);
  });

  test('each way of entry has its own', async () => {
    expect(await judged(direct({ advisoryAgeDays: 1 }), {}, 'promotion')).toBe('pass');
  });

  test('the verdict says which they were', async () => {
    const { policy } = await ask({ policy: prod });
    expect(policy).toMatchObject({ profile: 'of-this-test', environment: 'prod', limits: { scoreAbove: 7, advisoryAgeDays: 7 } });
    expect(policy.digest).not.toBe((await ask()).policy.digest);
  });
});

describe('what nobody owns', () => {
  const unowned = inventory({ unowned: [{ path: 'bin/server', layer: '', why: 'ELF file that no package owns' }] });

  test('is listed and passes where the profile says so', async () => {
    expect(await ask({ inventory: unowned })).toMatchObject({ outcome: 'pass', notAssessed: [{ what: 'bin/server' }] });
  });

  test('needs an acceptance of this very list elsewhere', async () => {
    const without = await ask({ inventory: unowned, policy: prod });
    expect(without.outcome).toBe('incomplete');
    const acceptance = {
      subject: fixtureDigest,
      list: await digestOfUnassessed(without.notAssessed),
      by: 'security',
      until: day('2026-12-01'),
    };
    const outcome = async (change: object) =>
      (await ask({ inventory: unowned, policy: prod, acceptance: { ...acceptance, ...change } })).outcome;
    expect(await outcome({})).toBe('pass');
    expect(await outcome({ subject: `sha256:${'9'.repeat(64)}` })).toBe('incomplete');
    expect(await outcome({ list: fixtureDigest })).toBe('incomplete');
    expect(await outcome({ until: day('2026-11-01') })).toBe('incomplete');
  });
});

describe('reports of other scanners', () => {
  const trivy = (vulnerability: object | undefined, change: object = {}, suppressed?: object) =>
    JSON.stringify({
      SchemaVersion: 2,
      CreatedAt: '2026-11-22T10:00:00.000000001Z',
      Metadata: { RepoDigests: [`registry/a@${fixtureDigest}`] },
      Results: [
        {
          Target: 'a',
          Packages: [{ Name: 'a' }],
          ...(vulnerability ? { Vulnerabilities: [vulnerability] } : {}),
          ...(suppressed ? { ExperimentalModifiedFindings: [suppressed] } : {}),
        },
      ],
      ...change,
    });
  const high = {
    VulnerabilityID: 'CVE-9',
    PkgName: 'b',
    InstalledVersion: '1',
    FixedVersion: '2',
    Severity: 'LOW',
    CVSS: { nvd: { V3Vector: vectors['9.8'], V3Score: 9.8 } },
  };
  const grype = (change: object = {}) =>
    JSON.stringify({
      matches: [
        {
          vulnerability: { id: 'CVE-9', severity: 'Low', cvss: [], fix: { versions: ['2'] } },
          relatedVulnerabilities: [{ id: 'CVE-9', severity: 'High', cvss: [{ source: 'nvd', version: '3.1', vector: vectors['9.8'] }] }],
          artifact: { name: 'b', version: '1', locations: [{ path: '/b' }] },
        },
      ],
      source: { type: 'image', target: { manifestDigest: fixtureDigest } },
      descriptor: { name: 'grype', version: '0.110.0', timestamp: '2026-11-22T10:00:00Z' },
      ...change,
    });
  const withReport = (text: string): Promise<Verdict> => ask({ reports: [readReport(text)] });

  test.each([
    ['a clean Trivy report', trivy(undefined), 'pass'],
    ['the highest score of any source', trivy(high), 'blocked'],
    [
      'what the tool suppressed, again',
      trivy(undefined, {}, { Type: 'vulnerability', Statement: 'not reachable', Source: '.trivyignore', Finding: high }),
      'blocked',
    ],
    ['missing Results', trivy(undefined, { Results: undefined }), 'incomplete'],
    ['results without the packages that were looked at', trivy(undefined, { Results: [{ Target: 'a' }] }), 'incomplete'],
    ['another image', trivy(undefined, { Metadata: { RepoDigests: [`registry/a@sha256:${'9'.repeat(64)}`] } }), 'incomplete'],
    ['no image', trivy(undefined, { Metadata: null }), 'incomplete'],
    ['an old report', trivy(undefined, { CreatedAt: '2026-01-01T00:00:00Z' }), 'incomplete'],
    ['a report of tomorrow', trivy(undefined, { CreatedAt: '2026-11-23T12:00:00Z' }), 'incomplete'],
    ['a report without date', trivy(undefined, { CreatedAt: undefined }), 'incomplete'],
    [
      'an operating system past its end',
      trivy(undefined, { Metadata: { RepoDigests: [`x@${fixtureDigest}`], OS: { EOSL: true } } }),
      'incomplete',
    ],
    ['Grype: scores that stand under related records', grype(), 'blocked'],
    ['Grype: nothing found', grype({ matches: [] }), 'pass'],
    ['Grype: matches ignored', grype({ matches: [], ignoredMatches: JSON.parse(grype()).matches }), 'blocked'],
    ['Grype: no image', grype({ matches: [], source: { type: 'directory', target: '/x' } }), 'incomplete'],
  ])('%s', async (_, text, outcome) => {
    expect((await withReport(text)).outcome).toBe(outcome);
  });

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '"x"',
    trivy(undefined, { SchemaVersion: 3 }),
    trivy({ PkgName: 'x' }),
    grype({ descriptor: { name: 'other' } }),
    '{"version":"2.1.0","runs":[]}',
    '{"matches":null}',
  ])('refuses the report %#', (text) => {
    expect(() => readReport(text)).toThrow(expect.objectContaining({ code: 'REPORT_INVALID' }));
  });

  test('refuses a report with a vector that cannot be scored', () => {
    expect(() => readReport(trivy({ ...high, CVSS: { nvd: { V3Vector: 'CVSS:3.1/AV:N' } } }))).toThrow(
      expect.objectContaining({ code: 'VECTOR_INVALID' }),
    );
  });

  test('a finding that both know is one finding with both scores', async () => {
    const both = trivy({ ...high, VulnerabilityID: 'CVE-1', PkgName: 'a', InstalledVersion: '1.0.0' });
    const verdict = await ask({ advisories: advisories({ v3: '5.3', label: 'low' }), reports: [readReport(both)] });
    expect(verdict).toMatchObject({
      outcome: 'blocked',
      findings: [{ id: 'GHSA-1', scores: [{ base: 5.3 }, { base: 9.8, source: 'Trivy: nvd' }] }],
    });
  });
});
