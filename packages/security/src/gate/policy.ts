import { type Digest, GateLimits, type GateRules, Instant, type Verdict } from '@desp/model';
import { z } from 'zod';
import { canonicalBytes } from '../canonical-json.ts';
import { digestOf } from '../encoding.ts';
import { SecurityError } from '../errors.ts';

/**
 * The gate's rule for one environment: the limits of its profile, and what is known of operating systems.
 *
 * Two clauses of the procedure are joined: section 3 rejects a "CVSS score > 7" (of any source here: distributions grade
 * lower than NVD, and the procedure names no source), DESP-DEV-051 asks for every HIGH or CRITICAL one. So exactly 7.0
 * blocks by its label, not by its score. What has neither score nor label blocks too: nobody looked at it yet.
 */
export const Policy = z.strictObject({
  profile: z.string().min(1).max(100),
  environment: z.string().min(1).max(100),
  ...GateLimits.shape,
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

/** The rule of an environment: its profile's limits, those of the way by which it is entered among them. */
export function policyFor(
  profile: { readonly name: string; readonly gate: GateRules },
  environment: { readonly name: string; readonly entry: keyof GateRules['entries'] },
): Policy {
  const { entries, ...limits } = profile.gate;
  return { profile: profile.name, environment: environment.name, ...limits, ...entries[environment.entry], endOfLife };
}

/** What a verdict says of the policy that it was made by: enough to read it without the profile. */
export async function describePolicy(policy: Policy): Promise<Verdict['policy']> {
  const { profile, environment, endOfLife: _, ...limits } = policy;
  return { profile, environment, digest: await digestOfPolicy(policy), limits };
}
