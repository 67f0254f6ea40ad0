import { instantOf, type Score } from '@desp/model';
import { z } from 'zod';
import { severityOf } from '../advisories/osv.ts';
import { scoreVector } from '../advisories/score.ts';
import type { OutsideFinding, OutsideReport } from './report.ts';

/**
 * Trivy's JSON report, `SchemaVersion` 2. Every list in it may be left out, so a scan that did nothing looks like a
 * clean one: a result counts only when it names the packages it looked at (`--list-all-pkgs`).
 */
const grade = z.object({
  V2Vector: z.string().optional(),
  V3Vector: z.string().optional(),
  V40Vector: z.string().optional(),
  V2Score: z.number().min(0).max(10).optional(),
  V3Score: z.number().min(0).max(10).optional(),
  V40Score: z.number().min(0).max(10).optional(),
});

const vulnerability = z.object({
  VulnerabilityID: z.string().min(1).max(200),
  VendorIDs: z.array(z.string()).nullish(),
  PkgName: z.string(),
  PkgPath: z.string().nullish(),
  PkgIdentifier: z.object({ PURL: z.string().optional() }).nullish(),
  InstalledVersion: z.string(),
  FixedVersion: z.string().nullish(),
  Title: z.string().nullish(),
  Severity: z.string().nullish(),
  VendorSeverity: z.record(z.string(), z.number()).nullish(),
  CVSS: z.record(z.string(), grade).nullish(),
});

const suppressed = z.object({
  Type: z.string().nullish(),
  Statement: z.string().nullish(),
  Source: z.string().nullish(),
  Finding: z.unknown(),
});

export const TrivyReport = z.object({
  SchemaVersion: z.literal(2),
  CreatedAt: z.iso.datetime({ offset: true }).nullish(),
  ArtifactType: z.string().nullish(),
  Metadata: z
    .object({
      RepoDigests: z.array(z.string()).nullish(),
      OS: z.object({ EOSL: z.boolean().nullish(), Family: z.string().nullish(), Name: z.string().nullish() }).nullish(),
    })
    .nullish(),
  Results: z
    .array(
      z.object({
        Target: z.string().nullish(),
        Class: z.string().nullish(),
        Packages: z.array(z.unknown()).nullish(),
        Vulnerabilities: z.array(vulnerability).nullish(),
        ExperimentalModifiedFindings: z.array(suppressed).nullish(),
      }),
    )
    .nullish(),
});

function scoresOf(cvss: z.infer<typeof vulnerability>['CVSS']): Score[] {
  return Object.entries(cvss ?? {}).flatMap(([source, item]) => {
    const scores: Score[] = [];
    const add = (version: Score['version'], vector: string | undefined, base: number | undefined): void => {
      if (vector) scores.push({ source, ...scoreVector(vector) });
      if (base !== undefined && base > (vector ? (scores.at(-1)?.base ?? 0) : -1)) scores.push({ source, version, base });
    };
    add('2.0', item.V2Vector, item.V2Score);
    add('3.1', item.V3Vector, item.V3Score);
    add('4.0', item.V40Vector, item.V40Score);
    return scores;
  });
}

/** Trivy's own numbers for severities. */
const numbered = ['unknown', 'low', 'medium', 'high', 'critical'];

function toFinding(item: z.infer<typeof vulnerability>, target: string, why?: string): OutsideFinding {
  const words = [item.Severity, ...Object.values(item.VendorSeverity ?? {}).map((number) => numbered[number])];
  return {
    id: item.VulnerabilityID,
    aliases: item.VendorIDs ?? [],
    package: { name: item.PkgName, version: item.InstalledVersion, ...(item.PkgIdentifier?.PURL ? { purl: item.PkgIdentifier.PURL } : {}) },
    location: item.PkgPath || target,
    scores: scoresOf(item.CVSS),
    labels: words.flatMap((word) => severityOf(word) ?? []),
    summary: item.Title ?? '',
    ...(item.FixedVersion ? { fixedIn: item.FixedVersion } : {}),
    ...(why === undefined ? {} : { suppressed: why }),
  };
}

export function readTrivy(report: z.infer<typeof TrivyReport>): OutsideReport {
  const problems: string[] = [];
  const findings: OutsideFinding[] = [];
  const results = report.Results ?? [];
  if (!results.some((result) => result.Packages?.length)) {
    problems.push('the report names no packages that were looked at; run Trivy with --list-all-pkgs');
  }
  if (report.Metadata?.OS?.EOSL)
    problems.push(`the operating system (${report.Metadata.OS.Family} ${report.Metadata.OS.Name}) is past its end of life`);
  for (const result of results) {
    const target = result.Target ?? '';
    for (const item of result.Vulnerabilities ?? []) findings.push(toFinding(item, target));
    for (const item of result.ExperimentalModifiedFindings ?? []) {
      if (item.Type && item.Type !== 'vulnerability') continue;
      const finding = vulnerability.safeParse(item.Finding);
      if (finding.success) findings.push(toFinding(finding.data, target, [item.Source, item.Statement].filter(Boolean).join(': ')));
      else problems.push(`a suppressed finding in ${target} cannot be read`);
    }
  }
  return {
    tool: 'Trivy',
    format: 'trivy-json-2',
    subjects: (report.Metadata?.RepoDigests ?? []).map((reference) => reference.slice(reference.lastIndexOf('@') + 1)),
    ...(report.CreatedAt ? { producedAt: instantOf(new Date(report.CreatedAt)) } : {}),
    findings,
    problems,
  };
}
