import type { Finding } from '@desp/model';
import type { OutsideFinding, OutsideReport } from '../reports/report.ts';
import type { Policy } from './policy.ts';
import { blocking, gravest } from './rule.ts';

/** Joins what an outside scanner found with our own findings; a finding that the tool suppressed counts like any other. */
export function addReport(findings: readonly Finding[], report: OutsideReport, policy: Policy): Finding[] {
  const result = [...findings];
  for (const outside of report.findings) {
    const names = new Set([outside.id, ...outside.aliases]);
    const at = result.findIndex(
      (finding) =>
        finding.package?.version === outside.package.version &&
        [finding.id, ...finding.aliases].some((name) => names.has(name)) &&
        samePackage(finding, outside),
    );
    const joined = at < 0 ? fresh(outside, report, policy) : join(result[at] as Finding, outside, report, policy);
    if (at < 0) result.push(joined);
    else result[at] = joined;
  }
  return result;
}

const samePackage = (finding: Finding, outside: OutsideFinding): boolean =>
  finding.package?.name === outside.package.name ||
  finding.package?.source?.name === outside.package.name ||
  finding.package?.purl === outside.package.purl;

const sourced = (outside: OutsideFinding, report: OutsideReport): Finding['scores'] =>
  outside.scores.map((score) => ({ ...score, source: `${report.tool}: ${score.source}` }));

function join(finding: Finding, outside: OutsideFinding, report: OutsideReport, policy: Policy): Finding {
  const scores = [...finding.scores, ...sourced(outside, report)];
  const labels = [finding.severity, ...outside.labels];
  const { blocks: _, ...rest } = finding;
  const why = blocking(scores, labels, policy);
  return { ...rest, scores, severity: gravest(labels), ...(why ? { blocks: why } : {}) };
}

function fresh(outside: OutsideFinding, report: OutsideReport, policy: Policy): Finding {
  const scores = sourced(outside, report);
  const why = blocking(scores, outside.labels, policy);
  const suppressed = outside.suppressed === undefined ? '' : ` (the tool left it out: ${outside.suppressed || 'no reason given'})`;
  return {
    kind: 'vulnerability',
    id: outside.id,
    aliases: [...outside.aliases],
    package: {
      purl: outside.package.purl ?? '',
      name: outside.package.name,
      version: outside.package.version,
      ecosystem: '',
      locations: outside.location ? [outside.location] : [],
    },
    location: outside.location,
    severity: gravest(outside.labels),
    scores,
    summary: `${outside.summary}${suppressed}`.trim(),
    ...(outside.fixedIn ? { fixedIn: outside.fixedIn } : {}),
    ...(why ? { blocks: `${why}; found by ${report.tool}${suppressed}` } : {}),
    cure: outside.fixedIn
      ? `Raise ${outside.package.name} to ${outside.fixedIn} or later, and rebuild.`
      : `No fixed version of ${outside.package.name} is known yet: remove it, replace it, or ask the security officer for a waiver.`,
  };
}
