import { z } from 'zod';
import { Digest, Instant } from './ids.ts';

/** A CVSS base score with where it comes from. A score is shown as one decimal, 0.0 to 10.0 (CVSS v3.1, section 5). */
export const Score = z.object({
  source: z.string(),
  version: z.enum(['2.0', '3.0', '3.1', '4.0']),
  base: z.number().min(0).max(10),
  vector: z.string().optional(),
});
export type Score = z.infer<typeof Score>;

export const Severity = z.enum(['none', 'low', 'medium', 'high', 'critical', 'unknown']);
export type Severity = z.infer<typeof Severity>;

/** A package that an image contains, and who put it there. */
export const SoftwarePackage = z.object({
  purl: z.string(),
  name: z.string(),
  version: z.string(),
  ecosystem: z.string(),
  /** The source package's name and version, where the distribution's advisories go by it. */
  source: z.object({ name: z.string(), version: z.string() }).optional(),
  /** Files in the image that prove it. */
  locations: z.array(z.string()),
  /** Digest of the image layer that brought the first of them. */
  layer: z.string().optional(),
});
export type SoftwarePackage = z.infer<typeof SoftwarePackage>;

/** One weakness on a subject. */
export const Finding = z.object({
  kind: z.enum(['vulnerability', 'secret', 'configuration', 'code']),
  id: z.string(),
  aliases: z.array(z.string()),
  package: SoftwarePackage.optional(),
  location: z.string(),
  severity: Severity,
  scores: z.array(Score),
  summary: z.string(),
  fixedIn: z.string().optional(),
  advisory: z.object({ database: z.string(), id: z.string(), modified: Instant }).optional(),
  /** Why the rule counts it against the image; absent when it does not. */
  blocks: z.string().optional(),
  /** What to do. */
  cure: z.string(),
});
export type Finding = z.infer<typeof Finding>;

export const VerdictOutcome = z.enum(['pass', 'blocked', 'incomplete']);
export type VerdictOutcome = z.infer<typeof VerdictOutcome>;

const commonLimits = {
  /** A base score above this one blocks; equal does not. */
  scoreAbove: z.number().min(0).max(10),
  /** Labels that block, whatever the score. */
  labels: z.array(z.enum(['low', 'medium', 'high', 'critical'])).readonly(),
  /** A finding with neither score nor label. */
  unscored: z.enum(['block', 'list']),
  /** An ecosystem in the image that no advisory database speaks for. */
  uncovered: z.enum(['incomplete', 'list']),
};
const entryLimits = {
  /** Programs that no package owns: listed, or a security officer's signed acceptance of the very list is asked for. */
  unowned: z.enum(['list', 'acceptance-required']),
  /** Every advisory database must be at most this old, in days. */
  advisoryAgeDays: z.number().int().min(0).max(3650),
  /** Reports of outside scanners must be at most this old, in days. */
  reportAgeDays: z.number().int().min(0).max(3650),
};

/** The limits by which the gate judges for one environment. */
export const GateLimits = z.strictObject({ ...commonLimits, ...entryLimits });
export type GateLimits = z.infer<typeof GateLimits>;

/** The gate's limits as a profile states them: the only place where they stand. */
export const GateRules = z.strictObject({
  ...commonLimits,
  /** What differs by how an environment is entered: by a release job, or by a promotion only. */
  entries: z.strictObject({ direct: z.strictObject(entryLimits), promotion: z.strictObject(entryLimits) }),
});
export type GateRules = z.infer<typeof GateRules>;

/** The gate's decision on one digest under one environment's policy. */
export const Verdict = z.object({
  subject: z.object({ name: z.string(), digest: Digest }),
  outcome: VerdictOutcome,
  /** `limits` are absent in verdicts of before 23 November 2026. */
  policy: z.object({ profile: z.string(), environment: z.string(), digest: Digest, limits: GateLimits.optional() }),
  /** One sentence each; never empty. */
  reasons: z.array(z.string()).min(1),
  findings: z.array(Finding),
  /** Files or packages that nobody could assess. */
  notAssessed: z.array(z.object({ what: z.string(), why: z.string() })),
  advisories: z.object({
    databases: z.array(z.object({ name: z.string(), date: Instant, records: z.number().int() })),
    oldest: Instant.optional(),
  }),
  /** Reports of outside scanners that were counted. */
  reports: z.array(z.object({ tool: z.string(), producedAt: Instant.optional(), findings: z.number().int() })).optional(),
  sbom: Digest,
  judgedAt: Instant,
});
export type Verdict = z.infer<typeof Verdict>;
