import type { Digest, Finding, Instant, SoftwarePackage, Verdict } from '@desp/model';
import type { AdvisorySet } from '../advisories/advisory-set.ts';
import { type Match, matchPackage, type Undecided } from '../advisories/match.ts';
import { canonicalBytes } from '../canonical-json.ts';
import { digestOf, equalText } from '../encoding.ts';
import type { FoundPackage, Inventory } from '../image/inventory.ts';
import type { OutsideReport } from '../reports/report.ts';
import { orderOf } from '../versions/order.ts';
import { addReport } from './outside-findings.ts';
import { describePolicy, type Policy } from './policy.ts';
import { blocking, gravest } from './rule.ts';

/**
 * The gate: from what an image holds, what advisories say and what the policy asks to a verdict on the digest.
 *
 * It fails closed. `blocked`: something known speaks against the image. `incomplete`: something that should have been
 * looked at was not, or with data that cannot be trusted; no release either. `pass`: neither.
 */
export interface JudgeInput {
  /** The image that is asked about: its name without tag, and its digest. */
  readonly subject: { readonly name: string; readonly digest: Digest };
  readonly inventory: Inventory;
  /** Digest of the SBOM written from the inventory. */
  readonly sbom: Digest;
  readonly advisories: AdvisorySet;
  readonly policy: Policy;
  readonly now: Instant;
  readonly reports?: readonly OutsideReport[];
  /** What kept an outside scanner that was asked for from giving a report. */
  readonly scannerErrors?: readonly string[];
  /** A security officer's acceptance of the programs that nobody assesses; its signature was verified before. */
  readonly acceptance?: UnassessedAcceptance;
}

export interface UnassessedAcceptance {
  readonly subject: Digest;
  /** `digestOfUnassessed` of the list that was accepted. */
  readonly list: Digest;
  readonly by: string;
  readonly until: Instant;
}

type Unassessed = Verdict['notAssessed'];

/** What an acceptance of unassessed programs is bound to. */
export const digestOfUnassessed = (list: Unassessed): Promise<Digest> => digestOf(canonicalBytes(list));

const dayMilliseconds = 86_400_000;
/** Clocks of machines differ a little; data from further ahead means that ours was set back. */
const clockTolerance = 5 * 60_000;
const reasonsShown = 50;

const ageDays = (now: Instant, then: Instant): number => (Date.parse(now) - Date.parse(then)) / dayMilliseconds;
const day = (moment: Instant): string => moment.slice(0, 10);

/** Why dated data cannot be used; undefined when it can. */
function dateProblem(what: string, date: Instant, now: Instant, maximumDays: number, cure: string): string | undefined {
  if (Date.parse(date) > Date.parse(now) + clockTolerance) {
    return `${what} is dated ${date}, which is after the time of judgement (${now}): a clock is wrong. Set the clock of the platform right and judge again.`;
  }
  const age = ageDays(now, date);
  return age > maximumDays
    ? `${what} is of ${day(date)}, ${Math.floor(age)} days old; at most ${maximumDays} are allowed. ${cure}`
    : undefined;
}

function advisoryProblems(input: JudgeInput): string[] {
  const { advisories, policy, now } = input;
  if (advisories.databases.length === 0) return ['No advisories are there to judge by. Import some with `desp advisories import DIR`.'];
  return advisories.databases.flatMap(
    (database) =>
      dateProblem(
        `The advisory database ${database.name}`,
        database.date,
        now,
        policy.advisoryAgeDays,
        'Import a newer one with `desp advisories import DIR`.',
      ) ?? [],
  );
}

/** Packages of ecosystems that nobody speaks for, counted per ecosystem. */
function coverage(input: JudgeInput): { problems: string[]; notAssessed: Unassessed } {
  const missing = new Map<string, FoundPackage[]>();
  for (const item of input.inventory.packages) {
    if (orderOf(item.ecosystem) && input.advisories.covers(item.ecosystem)) continue;
    const items = missing.get(item.ecosystem) ?? [];
    items.push(item);
    missing.set(item.ecosystem, items);
  }
  const problems: string[] = [];
  const notAssessed: Unassessed = [];
  for (const [ecosystem, items] of missing) {
    const why =
      ecosystem === 'unknown'
        ? 'its operating system is not one that advisories here speak for'
        : `no advisory database here covers ${ecosystem}`;
    const what = `${items.length} package${items.length === 1 ? '' : 's'} of ${ecosystem} (${items
      .slice(0, 3)
      .map((item) => `${item.name} ${item.version}`)
      .join(', ')}${items.length > 3 ? ', …' : ''})`;
    notAssessed.push({ what, why });
    if (input.policy.uncovered === 'incomplete') {
      problems.push(`Nobody could assess ${what}: ${why}. Import advisories for it, or build on an operating system that is covered.`);
    }
  }
  return { problems, notAssessed };
}

function systemProblem(input: JudgeInput): string | undefined {
  const system = input.inventory.operatingSystem;
  const end = system?.ecosystem ? input.policy.endOfLife[system.ecosystem] : undefined;
  if (!system || !end || Date.parse(input.now) <= Date.parse(end)) return undefined;
  return `The image's operating system, ${system.prettyName}, has had no security support since ${day(end)}. Build on a release that is still supported.`;
}

const plainPackage = (found: FoundPackage): SoftwarePackage => ({
  purl: found.purl,
  name: found.name,
  version: found.version,
  ecosystem: found.ecosystem,
  ...(found.source ? { source: found.source } : {}),
  locations: found.locations.slice(0, 20),
  layer: found.layer,
});

function cureOf(found: FoundPackage, fixedIn: string | undefined): string {
  if (!fixedIn)
    return `No fixed version of ${found.source?.name ?? found.name} is known yet: remove it, replace it, or ask the security officer for a waiver.`;
  switch (found.manager) {
    case 'dpkg':
      return `Rebuild on a base image whose ${found.source?.name ?? found.name} is ${fixedIn} or later (apt-get upgrade in the Dockerfile).`;
    case 'apk':
      return `Rebuild on a base image whose ${found.source?.name ?? found.name} is ${fixedIn} or later (apk upgrade in the Dockerfile).`;
    case 'npm':
      return `Raise ${found.name} to ${fixedIn} or later in package.json or the lock file, and rebuild.`;
    case 'go':
      return found.name === 'stdlib'
        ? `Build with Go ${fixedIn} or later.`
        : `Raise ${found.name} to v${fixedIn.replace(/^v/, '')} or later in go.mod, and rebuild.`;
    case 'pypi':
      return `Raise ${found.name} to ${fixedIn} or later in the requirements, and rebuild.`;
  }
}

function toFinding(match: Match, policy: Policy): Finding {
  const found = match.package;
  const advisory = match.advisories[0];
  const why = blocking(match.scores, match.labels, policy);
  return {
    kind: 'vulnerability',
    id: match.id,
    aliases: [...match.aliases],
    package: plainPackage(found),
    location: found.locations[0] ?? '',
    severity: gravest(match.labels),
    scores: [...match.scores],
    summary: advisory?.summary ?? '',
    ...(match.fixedIn ? { fixedIn: match.fixedIn } : {}),
    ...(advisory ? { advisory: { database: advisory.database, id: advisory.id, modified: advisory.modified } } : {}),
    ...(why ? { blocks: why } : {}),
    cure: cureOf(found, match.fixedIn),
  };
}

/** One sentence for the provider: which package, where, which advisory of which date, what to do. */
function blockSentence(finding: Finding, input: JudgeInput): string {
  const item = finding.package;
  const database = input.advisories.databases.find((one) => one.name === finding.advisory?.database);
  const names = [finding.id, ...finding.aliases.filter((alias) => alias.startsWith('CVE-'))].join(', ');
  const places = item && item.locations.length > 1 ? `${finding.location} and ${item.locations.length - 1} more` : finding.location;
  const layer = item?.layer ? `, layer ${item.layer.slice(0, 19)}` : '';
  const source = finding.advisory ? `; advisory of ${finding.advisory.database}${database ? ` as of ${day(database.date)}` : ''}` : '';
  return `${item ? `${item.name} ${item.version}` : 'The image'} (${places}${layer}) has ${names}: ${finding.blocks}${source}. ${finding.cure}`;
}

const undecidedSentence = (item: Undecided): string =>
  `It cannot be decided whether ${item.advisory.id} concerns ${item.package.name} ${item.package.version}: ${item.why}. Use a version that the ecosystem's order knows, or ask the security officer.`;

/** Gives the verdict. Deterministic: the same input, the same verdict. Throws nothing that input can cause; `policy` must have been parsed. */
export async function judge(input: JudgeInput): Promise<Verdict> {
  const { inventory, policy, subject } = input;
  const incomplete: string[] = [];
  if (!equalText(inventory.subject, subject.digest)) {
    incomplete.push(
      `The contents that were read are those of ${inventory.subject}, not of ${subject.digest}. Read the image again by its digest.`,
    );
  }
  incomplete.push(...advisoryProblems(input));
  incomplete.push(...inventory.problems.map((problem) => `The image could not be read wholly: ${problem.what}: ${problem.why}.`));
  incomplete.push(...(input.scannerErrors ?? []).map((error) => `A scanner that was asked for gave no report: ${error}.`));

  const uncovered = coverage(input);
  incomplete.push(...uncovered.problems);
  let findings: Finding[] = [];
  const undecided: Undecided[] = [];
  for (const found of inventory.packages) {
    const result = matchPackage(found, input.advisories);
    findings.push(...result.matches.map((match) => toFinding(match, policy)));
    undecided.push(...result.undecided);
  }
  incomplete.push(...undecided.map(undecidedSentence));
  for (const report of input.reports ?? []) {
    findings = addReport(findings, report, policy);
    incomplete.push(...reportProblems(report, input));
  }

  const notAssessed: Unassessed = [
    ...uncovered.notAssessed,
    ...undecided.map((item) => ({ what: `${item.package.name} ${item.package.version} against ${item.advisory.id}`, why: item.why })),
    ...inventory.problems.map((problem) => ({ what: problem.what, why: problem.why })),
    ...inventory.unowned.map((file) => ({ what: file.path, why: file.why })),
  ];
  if (policy.unowned === 'acceptance-required' && inventory.unowned.length > 0) {
    const problem = await acceptanceProblem(input, notAssessed);
    if (problem) incomplete.push(problem);
  }

  findings.sort(byGravity);
  const blocked = findings.filter((finding) => finding.blocks !== undefined).map((finding) => blockSentence(finding, input));
  const end = systemProblem(input);
  if (end) blocked.unshift(end);
  const reasons = [...blocked, ...incomplete];
  return {
    subject: { name: subject.name, digest: subject.digest },
    outcome: blocked.length > 0 ? 'blocked' : incomplete.length > 0 ? 'incomplete' : 'pass',
    policy: await describePolicy(policy),
    reasons: shorten(reasons.length > 0 ? reasons : [passSentence(findings, notAssessed, input)]),
    findings,
    notAssessed,
    advisories: {
      databases: input.advisories.databases.map((database) => ({ ...database })),
      ...oldest(input.advisories),
    },
    ...(input.reports?.length
      ? {
          reports: input.reports.map((report) => ({
            tool: report.tool,
            ...(report.producedAt ? { producedAt: report.producedAt } : {}),
            findings: report.findings.length,
          })),
        }
      : {}),
    sbom: input.sbom,
    judgedAt: input.now,
  };
}

function reportProblems(report: OutsideReport, input: JudgeInput): string[] {
  const what = `The ${report.tool} report`;
  const problems = report.problems.map((problem) => `${what} does not count as whole: ${problem}.`);
  if (!report.subjects.includes(input.subject.digest))
    problems.push(`${what} is not about ${input.subject.digest}. Scan the image by its digest.`);
  const stale = report.producedAt
    ? dateProblem(what, report.producedAt, input.now, input.policy.reportAgeDays, 'Scan again.')
    : `${what} does not say when it was made. Scan again with a version that does.`;
  return stale ? [...problems, stale] : problems;
}

async function acceptanceProblem(input: JudgeInput, notAssessed: Unassessed): Promise<string | undefined> {
  const count = input.inventory.unowned.length;
  const ask = `${count} program${count === 1 ? '' : 's'} that no package owns could not be assessed (${input.inventory.unowned[0]?.path}${count > 1 ? ', …' : ''})`;
  const acceptance = input.acceptance;
  if (!acceptance) return `${ask}: the security officer has to accept the list for this digest.`;
  if (!equalText(acceptance.subject, input.subject.digest) || !equalText(acceptance.list, await digestOfUnassessed(notAssessed))) {
    return `${ask}: the acceptance by ${acceptance.by} is for another image or another list. The security officer has to accept this one.`;
  }
  return Date.parse(acceptance.until) < Date.parse(input.now)
    ? `${ask}: the acceptance by ${acceptance.by} ended on ${day(acceptance.until)}.`
    : undefined;
}

const top = (finding: Finding): number => Math.max(0, ...finding.scores.map((score) => score.base));
const text = (finding: Finding): string => `${finding.package?.name}\n${finding.package?.version}\n${finding.id}`;

function byGravity(a: Finding, b: Finding): number {
  return (
    Number(b.blocks !== undefined) - Number(a.blocks !== undefined) ||
    top(b) - top(a) ||
    (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0)
  );
}

function shorten(reasons: readonly string[]): string[] {
  return reasons.length <= reasonsShown
    ? [...reasons]
    : [...reasons.slice(0, reasonsShown), `${reasons.length - reasonsShown} further reasons are in the findings.`];
}

function oldest(advisories: AdvisorySet): { oldest?: Instant } {
  const dates = advisories.databases.map((database) => database.date).sort();
  return dates[0] ? { oldest: dates[0] } : {};
}

function passSentence(findings: readonly Finding[], notAssessed: Unassessed, input: JudgeInput): string {
  const date = oldest(input.advisories).oldest;
  const list =
    notAssessed.length > 0 ? ` ${notAssessed.length} item${notAssessed.length === 1 ? ' is' : 's are'} listed as not assessed.` : '';
  return `Nothing known blocks the image: ${findings.length} finding${findings.length === 1 ? '' : 's'} below the threshold in ${input.inventory.packages.length} packages, by advisories as of ${date ? day(date) : 'no date'}.${list}`;
}
