import { z } from 'zod';
import { CommitId, DeliveryId, Digest, EnvironmentName, Instant, PersonName, ServiceName } from './ids.ts';

/**
 * The way of one commit from a push to running pods. The console shows it stop by stop; `desp delivery show --json` prints it.
 */

export const StopName = z.enum(['push', 'pipeline', 'build', 'gate', 'release', 'fleet', 'pods']);
export type StopName = z.infer<typeof StopName>;

/**
 * `waiting`: its turn has not come. `running`: at work. `passed`, `failed`: over. `blocked`: somebody named in `next` must act.
 * `skipped`: not needed in this delivery. `canceled`: a person, or a newer delivery, ended it.
 */
export const StopState = z.enum(['waiting', 'running', 'passed', 'failed', 'blocked', 'skipped', 'canceled']);
export type StopState = z.infer<typeof StopState>;

export const Stop = z.object({
  name: StopName,
  state: StopState,
  /** One sentence: what happened, or what it waits for. */
  reason: z.string(),
  startedAt: Instant.optional(),
  endedAt: Instant.optional(),
  /** Who acts next, when somebody must: a role, and what to do. */
  next: z.object({ who: z.enum(['provider', 'ivv', 'security', 'operator', 'executive', 'platform']), what: z.string() }).optional(),
});
export type Stop = z.infer<typeof Stop>;

/** GitLab's job states, as far as they occur here; `blocked` is a release job to an environment that needs a promotion first. */
export const JobState = z.enum(['created', 'pending', 'running', 'success', 'failed', 'manual', 'blocked', 'skipped', 'canceled']);
export type JobState = z.infer<typeof JobState>;

/** What a job is for, told by the verb that its script calls, never by its name. */
export const JobPurpose = z.enum(['build', 'release', 'other']);
export type JobPurpose = z.infer<typeof JobPurpose>;

export const DeliveryJob = z.object({
  name: z.string(),
  purpose: JobPurpose,
  stage: z.string(),
  state: JobState,
  needs: z.array(z.string()),
  reason: z.string(),
  allowFailure: z.boolean(),
  environment: EnvironmentName.optional(),
  /** Images that this job built or released; `reference` is repository and tag. */
  images: z.array(z.object({ reference: z.string(), digest: Digest })),
  attempt: z.number().int().min(0),
  startedAt: Instant.optional(),
  endedAt: Instant.optional(),
});
export type DeliveryJob = z.infer<typeof DeliveryJob>;

export const DeliveryState = z.enum(['running', 'passed', 'failed', 'blocked', 'canceled', 'superseded']);
export type DeliveryState = z.infer<typeof DeliveryState>;

export const Delivery = z.object({
  id: DeliveryId,
  service: ServiceName,
  commit: CommitId,
  ref: z.string(),
  title: z.string(),
  pushedBy: PersonName,
  state: DeliveryState,
  stops: z.array(Stop),
  jobs: z.array(DeliveryJob),
  templates: z.object({ project: z.string(), commit: CommitId }).optional(),
  version: z.string().optional(),
  createdAt: Instant,
  updatedAt: Instant,
});
export type Delivery = z.infer<typeof Delivery>;
