import type { JobState } from '@desp/model';
import type { PipelinePlan, PlannedJob } from './types.ts';

/**
 * Which jobs may start: GitLab's status processing as a pure function of plan and states
 * (https://docs.gitlab.com/ci/yaml/#when, /#needs, /#allow_failure).
 *
 * A job waits for its needs, or, without `needs`, for all jobs of the stages before its own. What it waits for sums up to one
 * status; `when` says which status lets it run. A need that is skipped, or is a manual job that may fail and was not played,
 * skips the job; playing that manual job brings it back.
 */

/** States by job name; a job that is missing counts as `created`. `blocked` counts as `manual`: a person must act. */
export type JobStates = Readonly<Record<string, JobState>>;

export interface Progress {
  /** Created jobs that may start now. */
  readonly start: readonly string[];
  /** Created jobs that now wait for a person to play them. */
  readonly manual: readonly string[];
  /** Created jobs that will not run, each with the reason. */
  readonly skip: readonly { readonly job: string; readonly reason: string }[];
  /** True when every job is over and nothing can start any more; manual jobs that may fail do not count. */
  readonly finished: boolean;
}

/** One step: apply the answer to the states and ask again when a job ends. Skips are followed to their end within one call. */
export function readyJobs(plan: PipelinePlan, states: JobStates): Progress {
  const current = new Map(plan.jobs.map((job) => [job.name, states[job.name] ?? 'created']));
  const start: string[] = [];
  const manual: string[] = [];
  const skip: { job: string; reason: string }[] = [];
  for (let changed = true; changed; ) {
    changed = false;
    for (const job of plan.jobs) {
      if (current.get(job.name) !== 'created') continue;
      const decision = decide(plan, job, current);
      if (decision === 'wait') continue;
      changed = true;
      if (decision === 'start') {
        const isManual = job.when === 'manual';
        (isManual ? manual : start).push(job.name);
        current.set(job.name, isManual ? 'manual' : 'pending');
      } else {
        skip.push({ job: job.name, reason: decision.skip });
        current.set(job.name, 'skipped');
      }
    }
  }
  const finished = plan.jobs.every((job) => isOver(current.get(job.name)!) || (job.allowFailure && current.get(job.name) === 'manual'));
  return { start, manual, skip, finished };
}

/**
 * The states after a person plays a manual job or retries one that is over: the job becomes pending, and jobs after it that
 * were skipped become created again. Undefined when the job cannot be played in its state.
 */
export function playJob(plan: PipelinePlan, states: JobStates, name: string): JobStates | undefined {
  const job = plan.jobs.find((each) => each.name === name);
  const state = job && (states[name] ?? 'created');
  if (!job || (state !== 'manual' && !(state && isOver(state) && state !== 'skipped'))) return undefined;
  const next: Record<string, JobState> = { ...states, [name]: 'pending' };
  const after = new Set([name]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const each of plan.jobs) {
      if (after.has(each.name) || !predecessors(plan, each).some((before) => after.has(before.name))) continue;
      after.add(each.name);
      grown = true;
      if (next[each.name] === 'skipped') next[each.name] = 'created';
    }
  }
  return next;
}

/** What the whole pipeline comes to. */
export function pipelineState(plan: PipelinePlan, states: JobStates): 'running' | 'passed' | 'failed' | 'blocked' | 'canceled' {
  const status = summarize(
    plan.jobs.map((job) => ({ state: states[job.name] ?? 'created', allowFailure: job.allowFailure })),
    false,
  );
  switch (status) {
    case 'success':
    case 'skipped':
      return 'passed';
    case 'failed':
    case 'canceled':
      return status;
    case 'manual':
      return 'blocked';
    default:
      return 'running';
  }
}

type Summary = 'success' | 'failed' | 'canceled' | 'skipped' | 'manual' | 'unfinished';

const isOver = (state: JobState): boolean => state === 'success' || state === 'failed' || state === 'canceled' || state === 'skipped';

function predecessors(plan: PipelinePlan, job: PlannedJob): PlannedJob[] {
  if (job.needs) {
    const names = new Set(job.needs.map((need) => need.job));
    return plan.jobs.filter((each) => names.has(each.name));
  }
  const stage = plan.stages.indexOf(job.stage);
  return plan.jobs.filter((each) => plan.stages.indexOf(each.stage) < stage);
}

function decide(plan: PipelinePlan, job: PlannedJob, states: ReadonlyMap<string, JobState>): 'start' | 'wait' | { skip: string } {
  const before = predecessors(plan, job);
  const status = summarize(
    before.map((each) => ({ state: states.get(each.name)!, allowFailure: each.allowFailure })),
    job.needs !== undefined,
  );
  if (status === 'unfinished' || status === 'manual') return 'wait';
  if (startsOn(job)[status]) return 'start';
  const culprits = before.filter((each) => states.get(each.name) !== 'success').map((each) => `${each.name} (${states.get(each.name)})`);
  const what = culprits.length > 0 ? culprits.slice(0, 5).join(', ') : 'everything before it passed';
  return { skip: job.when === 'on_failure' ? `It runs only after a failure: ${what}.` : `It does not run after ${what}.` };
}

function startsOn(job: PlannedJob): Readonly<Record<'success' | 'failed' | 'canceled' | 'skipped', boolean>> {
  switch (job.when) {
    case 'always':
      return { success: true, failed: true, canceled: false, skipped: true };
    case 'on_failure':
      return { success: false, failed: true, canceled: false, skipped: false };
    default:
      // A skipped stage is no obstacle; a skipped need is one.
      return { success: true, failed: false, canceled: false, skipped: job.needs === undefined };
  }
}

/** Sums up states; `byNeeds` when they are the needs of a job, which must all have run. */
function summarize(jobs: readonly { state: JobState; allowFailure: boolean }[], byNeeds: boolean): Summary {
  if (jobs.length === 0) return 'success';
  const kinds = new Set(
    jobs.map(({ state, allowFailure }) => {
      if (allowFailure && (state === 'failed' || state === 'canceled')) return 'warning';
      if (allowFailure && state === 'manual') return 'ignored';
      return state === 'blocked' ? 'manual' : state;
    }),
  );
  const only = (...allowed: string[]): boolean => [...kinds].every((kind) => allowed.includes(kind));
  if (byNeeds) {
    if (kinds.has('skipped') || kinds.has('ignored')) return 'skipped';
    if (!only('success', 'failed', 'canceled', 'warning')) return 'unfinished';
  }
  if (only('skipped', 'ignored')) return 'skipped';
  if (only('success', 'skipped', 'warning', 'ignored')) return 'success';
  if (only('canceled', 'success', 'skipped', 'warning', 'ignored')) return 'canceled';
  if (kinds.has('running') || kinds.has('pending')) return 'unfinished';
  if (kinds.has('manual')) return 'manual';
  return kinds.has('created') ? 'unfinished' : 'failed';
}
