import { instantOf, type Score } from '@desp/model';
import { z } from 'zod';
import { severityOf } from '../advisories/osv.ts';
import { scoreVector } from '../advisories/score.ts';
import type { OutsideFinding, OutsideReport } from './report.ts';

/** Grype's JSON report with the CVSS shape of 0.10 and later; NVD's scores of a distribution's match often stand under the related records alone. */
const cvss = z.object({
  source: z.string().nullish(),
  version: z.string(),
  vector: z.string().nullish(),
  metrics: z.object({ baseScore: z.number().min(0).max(10) }).nullish(),
});

const record = z.object({
  id: z.string().min(1).max(200),
  dataSource: z.string().nullish(),
  namespace: z.string().nullish(),
  severity: z.string().nullish(),
  cvss: z.array(cvss).nullish(),
  description: z.string().nullish(),
});

const match = z.object({
  vulnerability: record.extend({ fix: z.object({ versions: z.array(z.string()).nullish() }).nullish() }),
  relatedVulnerabilities: z.array(record).nullish(),
  artifact: z.object({
    name: z.string(),
    version: z.string(),
    purl: z.string().nullish(),
    locations: z.array(z.object({ path: z.string() })).nullish(),
  }),
  appliedIgnoreRules: z.array(z.object({ reason: z.string().nullish(), vulnerability: z.string().nullish() })).nullish(),
});

export const GrypeReport = z.object({
  matches: z.array(match),
  ignoredMatches: z.array(match).nullish(),
  source: z.object({ type: z.string(), target: z.unknown() }).nullish(),
  descriptor: z.object({ name: z.literal('grype'), version: z.string().nullish(), timestamp: z.iso.datetime({ offset: true }).nullish() }),
});

const imageTarget = z.object({ manifestDigest: z.string().nullish(), repoDigests: z.array(z.string()).nullish() });

function scoresOf(item: z.infer<typeof record>): Score[] {
  return (item.cvss ?? []).flatMap((one): Score[] => {
    const source = one.source || item.namespace || 'grype';
    if (one.vector) return [{ source, ...scoreVector(one.vector) }];
    const version = (['2.0', '3.0', '3.1', '4.0'] as const).find((known) => known === one.version);
    return one.metrics && version ? [{ source, version, base: one.metrics.baseScore }] : [];
  });
}

function toFinding(item: z.infer<typeof match>, why?: string): OutsideFinding {
  const related = item.relatedVulnerabilities ?? [];
  return {
    id: item.vulnerability.id,
    aliases: related.map((one) => one.id).filter((id) => id !== item.vulnerability.id),
    package: { name: item.artifact.name, version: item.artifact.version, ...(item.artifact.purl ? { purl: item.artifact.purl } : {}) },
    location: item.artifact.locations?.[0]?.path ?? '',
    scores: [item.vulnerability, ...related].flatMap(scoresOf),
    labels: [item.vulnerability, ...related].flatMap((one) => severityOf(one.severity) ?? []),
    summary: '',
    ...(item.vulnerability.fix?.versions?.[0] ? { fixedIn: item.vulnerability.fix.versions[0] } : {}),
    ...(why === undefined ? {} : { suppressed: why }),
  };
}

export function readGrype(report: z.infer<typeof GrypeReport>): OutsideReport {
  const target = imageTarget.safeParse(report.source?.target);
  const problems = report.source?.type === 'image' && target.success ? [] : ['the report is not about an image'];
  const repoDigests = target.success ? (target.data.repoDigests ?? []) : [];
  return {
    tool: 'Grype',
    format: 'grype-json',
    subjects: [
      ...(target.success && target.data.manifestDigest ? [target.data.manifestDigest] : []),
      ...repoDigests.map((reference) => reference.slice(reference.lastIndexOf('@') + 1)),
    ],
    ...(report.descriptor.timestamp ? { producedAt: instantOf(new Date(report.descriptor.timestamp)) } : {}),
    findings: [
      ...report.matches.map((item) => toFinding(item)),
      ...(report.ignoredMatches ?? []).map((item) =>
        toFinding(item, item.appliedIgnoreRules?.map((rule) => rule.reason || rule.vulnerability || 'rule').join('; ') ?? 'ignored'),
      ),
    ],
    problems,
  };
}
