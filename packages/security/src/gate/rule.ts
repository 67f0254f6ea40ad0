import type { Score, Severity } from '@desp/model';
import type { Policy } from './policy.ts';

/** How one finding stands under the rule. */

const severities: readonly Severity[] = ['unknown', 'none', 'low', 'medium', 'high', 'critical'];

/** The gravest of the labels; `unknown` without any. */
export const gravest = (labels: readonly Severity[]): Severity =>
  labels.reduce<Severity>((worst, label) => (severities.indexOf(label) > severities.indexOf(worst) ? label : worst), 'unknown');

/** Version 2 scores count only where nobody gave a newer one. */
export function countedScores(scores: readonly Score[]): Score[] {
  const newer = scores.filter((score) => score.version !== '2.0');
  return newer.length > 0 ? newer : [...scores];
}

export const highest = (scores: readonly Score[]): Score | undefined =>
  countedScores(scores).reduce<Score | undefined>((top, score) => (!top || score.base > top.base ? score : top), undefined);

/** Why the rule counts the finding against the image; undefined when it does not. */
export function blocking(scores: readonly Score[], labels: readonly Severity[], policy: Policy): string | undefined {
  const top = highest(scores);
  const label = gravest(labels);
  const clauses: string[] = [];
  if (top && top.base > policy.scoreAbove) {
    clauses.push(
      `its CVSS ${top.version} base score ${top.base.toFixed(1)} (${top.source}) is above ${policy.scoreAbove.toFixed(1)} (procedure, section 3)`,
    );
  }
  if ((policy.labels as readonly Severity[]).includes(label)) clauses.push(`it is rated ${label.toUpperCase()} (DESP-DEV-051)`);
  if (!top && label === 'unknown' && policy.unscored === 'block') clauses.push('nobody has scored or rated it yet');
  return clauses.length > 0 ? clauses.join(' and ') : undefined;
}
