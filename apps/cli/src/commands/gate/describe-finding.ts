import type { Finding } from '@desp/model';

/** A blocking finding as a person reads it: what, where, by which advisory, why, what to do. */
export function describeFinding(finding: Finding): string {
  const scores = finding.scores.map((score) => `${score.base} (CVSS ${score.version}, ${score.source})`).join(', ');
  return [
    `  ✗ ${[finding.id, ...finding.aliases].join(' = ')}  ${finding.severity}${scores ? `  ${scores}` : ''}\n`,
    `    ${finding.package ? `${finding.package.name} ${finding.package.version} in ${finding.location}` : finding.location}: ${finding.summary}\n`,
    finding.advisory
      ? `    advisory ${finding.advisory.id} of ${finding.advisory.modified.slice(0, 10)} (${finding.advisory.database})\n`
      : '',
    `    why: ${finding.blocks}\n    do: ${finding.cure}\n`,
  ].join('');
}
