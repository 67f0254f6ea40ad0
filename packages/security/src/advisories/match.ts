import type { Score, Severity } from '@desp/model';
import type { FoundPackage } from '../image/inventory.ts';
import { orderOf, type VersionOrder } from '../versions/order.ts';
import type { AdvisorySet } from './advisory-set.ts';
import type { Advisory, AffectedPackage, RangeEvent } from './osv.ts';

/**
 * Which advisories concern a package: OSV's evaluation ("Evaluation", osv-schema) in the ecosystem's own version order.
 * A distribution's package is looked up by its source name, in the distribution's own data alone.
 */
export interface Match {
  readonly package: FoundPackage;
  /** The records about one weakness, merged over their aliases; the first speaks for it. */
  readonly advisories: readonly Advisory[];
  readonly id: string;
  readonly aliases: readonly string[];
  readonly fixedIn?: string;
  readonly scores: readonly Score[];
  readonly labels: readonly Severity[];
}

export interface Undecided {
  readonly package: FoundPackage;
  readonly advisory: Advisory;
  readonly why: string;
}

type Decision =
  | { readonly kind: 'affected'; readonly fixedIn?: string }
  | { readonly kind: 'unaffected' }
  | { readonly kind: 'undecided'; readonly why: string };

const undecided = (why: string): Decision => ({ kind: 'undecided', why });

/** OSV's rule for one range; undefined when a version of it, or the package's, has no place in the order. */
function inRange(version: string, events: readonly RangeEvent[], order: VersionOrder): boolean | undefined {
  const placed: { event: RangeEvent; order: number }[] = [];
  for (const event of events) {
    const start = event.kind === 'introduced' && event.version === '0';
    const end = event.kind === 'limit' && event.version === '*';
    const position = start ? 1 : end ? -1 : order(version, event.version);
    if (position === undefined) return undefined;
    placed.push({ event, order: position });
  }
  const limits = placed.filter(({ event }) => event.kind === 'limit');
  if (limits.length > 0 && !limits.some((limit) => limit.order < 0)) return false;
  const start = ({ event }: { event: RangeEvent }): boolean => event.kind === 'introduced' && event.version === '0';
  placed.sort((a, b) => (start(a) ? (start(b) ? 0 : -1) : start(b) ? 1 : (order(a.event.version, b.event.version) ?? 0)));
  let affected = false;
  for (const { event, order: position } of placed) {
    if (event.kind === 'introduced' && position >= 0) affected = true;
    else if (event.kind === 'fixed' && position >= 0) affected = false;
    else if (event.kind === 'last_affected' && position > 0) affected = false;
  }
  return affected;
}

function decide(version: string, item: AffectedPackage, order: VersionOrder): Decision {
  if (item.versions.includes(version)) return { kind: 'affected', ...fixedAfter(version, item, order) };
  if (item.commitsOnly) return undecided('the advisory names only Git commits');
  for (const range of item.ranges) {
    const result = inRange(version, range, order);
    if (result === undefined) return undecided(`the version ${version} has no place in the advisory's range`);
    if (result) return { kind: 'affected', ...fixedAfter(version, item, order) };
  }
  return { kind: 'unaffected' };
}

/** The lowest version above the package's own that the advisory calls fixed. */
function fixedAfter(version: string, item: AffectedPackage, order: VersionOrder): { fixedIn?: string } {
  const higher = item.ranges
    .flat()
    .filter((event) => event.kind === 'fixed' && (order(event.version, version) ?? -1) > 0)
    .map((event) => event.version)
    .sort((a, b) => order(a, b) ?? 0);
  return higher[0] === undefined ? {} : { fixedIn: higher[0] };
}

interface Hit {
  readonly advisory: Advisory;
  readonly item: AffectedPackage;
  readonly fixedIn?: string;
}

/** Everything the set says about one package. */
export function matchPackage(found: FoundPackage, set: AdvisorySet): { matches: Match[]; undecided: Undecided[] } {
  const order = orderOf(found.ecosystem);
  if (!order) return { matches: [], undecided: [] };
  const name = found.source?.name ?? found.name;
  const version = found.source?.version ?? found.version;
  const hits: Hit[] = [];
  const open: Undecided[] = [];
  for (const advisory of set.about(found.ecosystem, name)) {
    let why: string | undefined;
    let hit: Hit | undefined;
    for (const item of advisory.affected) {
      if (item.ecosystem !== found.ecosystem || !sameName(found.ecosystem, item.name, name)) continue;
      const decision = decide(version, item, order);
      if (decision.kind === 'undecided') why = decision.why;
      if (decision.kind === 'affected') hit ??= { advisory, item, ...(decision.fixedIn ? { fixedIn: decision.fixedIn } : {}) };
    }
    if (hit) hits.push(hit);
    else if (why) open.push({ package: found, advisory, why });
  }
  return { matches: mergeAliases(hits).map((group) => toMatch(found, group, set)), undecided: open };
}

const sameName = (ecosystem: string, a: string, b: string): boolean =>
  ecosystem === 'PyPI' ? a.toLowerCase().replace(/[-_.]+/g, '-') === b.toLowerCase().replace(/[-_.]+/g, '-') : a === b;

/** Hits that share a name are one weakness. */
function mergeAliases(hits: readonly Hit[]): Hit[][] {
  const groups: { names: Set<string>; hits: Hit[] }[] = [];
  for (const hit of hits) {
    const names = new Set([hit.advisory.id, ...hit.advisory.aliases, ...hit.advisory.upstream]);
    const same = groups.filter((group) => [...names].some((name) => group.names.has(name)));
    const merged = {
      names: new Set([...names, ...same.flatMap((group) => [...group.names])]),
      hits: [...same.flatMap((group) => group.hits), hit],
    };
    for (const group of same) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  return groups.map((group) => group.hits);
}

function toMatch(found: FoundPackage, group: readonly Hit[], set: AdvisorySet): Match {
  const advisories = group.map((hit) => hit.advisory);
  const id = (advisories[0] as Advisory).id;
  const names = new Set(advisories.flatMap((advisory) => [advisory.id, ...advisory.aliases, ...advisory.upstream]));
  const grades = set.gradesOf([...names]);
  const scores = [...advisories.flatMap((advisory) => advisory.scores), ...group.flatMap((hit) => hit.item.scores), ...grades.scores];
  const fixed = group.map((hit) => hit.fixedIn).find((version) => version !== undefined);
  return {
    package: found,
    advisories,
    id,
    aliases: [...names].filter((name) => name !== id).sort(),
    ...(fixed ? { fixedIn: fixed } : {}),
    scores: uniqueScores(scores),
    labels: [
      ...new Set([...advisories.flatMap((advisory) => advisory.labels), ...group.flatMap((hit) => hit.item.labels), ...grades.labels]),
    ],
  };
}

function uniqueScores(scores: readonly Score[]): Score[] {
  return [...new Map(scores.map((score) => [`${score.source}\n${score.version}\n${score.vector ?? score.base}`, score])).values()];
}
