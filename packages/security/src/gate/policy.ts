import { type Digest, Instant } from '@desp/model';
import { z } from 'zod';
import { canonicalBytes } from '../canonical-json.ts';
import { digestOf } from '../encoding.ts';
import { SecurityError } from '../errors.ts';

/**
 * The gate's rule as data of a profile and an environment.
 *
 * Two clauses of the procedure are joined: section 3 rejects a "CVSS score > 7" (of any source here: distributions grade
 * lower than NVD, and the procedure names no source), DESP-DEV-051 asks for every HIGH or CRITICAL one. So exactly 7.0
 * blocks by its label, not by its score. What has neither score nor label blocks too: nobody looked at it yet.
 */
export const Policy = z.strictObject({
  profile: z.string().min(1).max(100),
  environment: z.string().min(1).max(100),
  /** A base score above this one blocks; equal does not. */
  scoreAbove: z.number().min(0).max(10),
  /** Labels that block, whatever the score. */
  labels: z.array(z.enum(['low', 'medium', 'high', 'critical'])),
  /** A finding with neither score nor label. */
  unscored: z.enum(['block', 'list']),
  /** Programs that no package owns: listed, or a security officer's signed acceptance of the very list is asked for. */
  unowned: z.enum(['list', 'acceptance-required']),
  /** An ecosystem in the image that no advisory database speaks for. */
  uncovered: z.enum(['incomplete', 'list']),
  /** Every database must be at most this old, in days. */
  advisoryAgeDays: z.number().int().min(0).max(3650),
  /** Reports of outside scanners must be at most this old, in days. */
  reportAgeDays: z.number().int().min(0).max(3650),
  /** Operating systems (OSV ecosystem names) and the moment from which nobody mends them any more. */
  endOfLife: z.record(z.string(), Instant),
});
export type Policy = z.infer<typeof Policy>;

/** Reads a policy of a profile; throws POLICY_INVALID. */
export function parsePolicy(value: unknown): Policy {
  const parsed = Policy.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new SecurityError('POLICY_INVALID', `The gate's policy is malformed: ${issue?.path.join('.')}: ${issue?.message}.`, {
    cure: 'Correct the policy in the profile; without one nothing is released.',
  });
}

export const digestOfPolicy = (policy: Policy): Promise<Digest> => digestOf(canonicalBytes(policy));

/** Ends of security support, the longest free one counted (Debian: LTS; Alpine: two years; Ubuntu: standard support). */
const endOfLife = Object.fromEntries(
  Object.entries({
    'Debian:8': '2020-06-30',
    'Debian:9': '2022-06-30',
    'Debian:10': '2024-06-30',
    'Debian:11': '2026-08-31',
    'Debian:12': '2028-06-30',
    'Debian:13': '2030-06-30',
    'Alpine:v3.15': '2023-11-01',
    'Alpine:v3.16': '2024-05-23',
    'Alpine:v3.17': '2024-11-22',
    'Alpine:v3.18': '2025-05-09',
    'Alpine:v3.19': '2025-11-01',
    'Alpine:v3.20': '2026-04-01',
    'Alpine:v3.21': '2026-11-01',
    'Alpine:v3.22': '2027-05-01',
    'Alpine:v3.23': '2027-11-01',
    'Ubuntu:20.04:LTS': '2025-05-31',
    'Ubuntu:22.04:LTS': '2027-04-30',
    'Ubuntu:24.04:LTS': '2029-04-30',
  }).map(([system, day]) => [system, Instant.parse(`${day}T23:59:59.999Z`)]),
);

/**
 * The built-in rule of an environment. One that releases go to directly (E2E) lists what nobody could assess and lives
 * with the dated rehearsal set; one that takes promotions only asks for fresh data and for an acceptance.
 */
export function policyFor(profile: string, environment: { readonly name: string; readonly entry: 'direct' | 'promotion' }): Policy {
  const direct = environment.entry === 'direct';
  return {
    profile,
    environment: environment.name,
    scoreAbove: 7,
    labels: ['high', 'critical'],
    unscored: 'block',
    unowned: direct ? 'list' : 'acceptance-required',
    uncovered: 'incomplete',
    advisoryAgeDays: direct ? 730 : 7,
    reportAgeDays: direct ? 30 : 7,
    endOfLife,
  };
}
