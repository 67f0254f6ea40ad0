import type { Finding, Severity } from '@desp/model';

const weights: Readonly<Record<Severity, number>> = { critical: 5, high: 4, unknown: 3, medium: 2, low: 1, none: 0 };

const highest = (finding: Finding): number => Math.max(0, ...finding.scores.map((score) => score.base));

/** What blocks comes first, then the graver, then the higher score; an unknown severity counts as more than a medium one. */
export function byWeight(a: Finding, b: Finding): number {
  return (
    Number(b.blocks !== undefined) - Number(a.blocks !== undefined) ||
    weights[b.severity] - weights[a.severity] ||
    highest(b) - highest(a) ||
    a.id.localeCompare(b.id)
  );
}

/** CVE names first: they are what people search for. */
export const cvesOf = (finding: Finding): readonly string[] => {
  const names = [...new Set([finding.id, ...finding.aliases])];
  const isCve = (name: string): boolean => name.startsWith('CVE-');
  return [...names.filter(isCve), ...names.filter((name) => !isCve(name))];
};
