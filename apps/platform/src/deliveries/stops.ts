import type { DeliveryJob, DeliveryState, Instant, Stop, StopName, StopState, VerdictOutcome } from '@desp/model';

/**
 * The seven stops of a delivery, derived from what is recorded: nobody sets a stop by hand, so the page cannot disagree with
 * the jobs. Pure.
 */
export const stopOrder: readonly StopName[] = ['push', 'pipeline', 'build', 'gate', 'release', 'fleet', 'pods'];

const waiting = (name: StopName, reason: string): Stop => ({ name, state: 'waiting', reason });

export function firstStops(now: Instant): Stop[] {
  return [
    { name: 'push', state: 'passed', reason: 'The commit is here.', startedAt: now, endedAt: now },
    { name: 'pipeline', state: 'running', reason: 'The pipeline is being planned.', startedAt: now },
    waiting('build', 'Waits for the pipeline.'),
    waiting('gate', 'Waits for an image.'),
    waiting('release', 'Waits for the gate.'),
    waiting('fleet', 'Waits for the release.'),
    waiting('pods', 'Waits for Fleet.'),
  ];
}

/** An image of the delivery with its verdict for one environment. */
export interface JudgedImage {
  readonly image: string;
  readonly digest: string;
  /** The folder in the repository that it was built from; empty for the root. */
  readonly folder: string;
  readonly environment: string;
  readonly outcome: VerdictOutcome;
  /** The first of the verdict's reasons. */
  readonly reason: string;
  /** What the gravest finding that blocks asks for, and how many block. */
  readonly cure?: string;
  readonly blocking: number;
}

export interface StopFacts {
  readonly now: Instant;
  /** The delivery, as people name it. */
  readonly delivery: string;
  readonly previous: readonly Stop[];
  /** Why there is no pipeline: the errors of its file. */
  readonly planFailure?: string;
  readonly planned: boolean;
  readonly jobs: readonly DeliveryJob[];
  /** Verdicts on the images that this delivery built, for the environments that are entered directly. */
  readonly verdicts: readonly JudgedImage[];
  readonly deployment?: {
    state: 'preparing' | 'deploying' | 'ready' | 'failed' | 'superseded';
    reason: string;
    fleet: StopState;
    fleetReason: string;
  };
  readonly canceled: boolean;
}

/** The stops as they are now; times are kept from `previous` and set when a stop begins or ends. */
export function deriveStops(facts: StopFacts): Stop[] {
  const builds = facts.jobs.filter((job) => job.purpose === 'build');
  const releases = facts.jobs.filter((job) => job.purpose === 'release' && job.state !== 'blocked');
  const promoted = facts.jobs.filter((job) => job.purpose === 'release' && job.state === 'blocked');
  const next: Record<StopName, Omit<Stop, 'startedAt' | 'endedAt'>> = {
    push: { name: 'push', state: 'passed', reason: 'The commit is here.' },
    pipeline: pipelineStop(facts),
    build: ofJobs('build', builds, facts.planned, 'built', 'Read the log, mend the image and push again.'),
    gate: gateStop(facts, builds),
    release: releaseStop(facts, releases, promoted.length),
    fleet: facts.deployment
      ? {
          name: 'fleet',
          state: facts.deployment.fleet,
          reason: facts.deployment.fleetReason,
          ...(facts.deployment.fleet === 'failed'
            ? {
                next: {
                  who: 'provider' as const,
                  what: `Mend the chart (desp check renders it) and push again; if the chart is not at fault: desp delivery retry ${facts.delivery}.`,
                },
              }
            : {}),
        }
      : waiting('fleet', 'Waits for the release.'),
    pods: podsStop(facts),
  };
  // Why nothing that still waits will come.
  let over: string | undefined;
  return stopOrder.map((name) => {
    let stop: Omit<Stop, 'startedAt' | 'endedAt'> = next[name];
    if (over && stop.state === 'waiting') stop = { name, state: facts.canceled ? 'canceled' : 'skipped', reason: over };
    else if (facts.canceled && (stop.state === 'waiting' || stop.state === 'running' || stop.state === 'blocked'))
      stop = { name, state: 'canceled', reason: 'Canceled.' };
    if (stop.state === 'failed' || stop.state === 'canceled') over = 'Not reached.';
    else if (name === 'release' && stop.state === 'skipped') over ??= 'Nothing is released.';
    return timed(
      stop,
      facts.previous.find((other) => other.name === name),
      facts.now,
    );
  });
}

/** The plan, and the jobs of the provider's own that neither build nor release. */
function pipelineStop({ planFailure, planned, jobs }: StopFacts): Omit<Stop, 'startedAt' | 'endedAt'> {
  const name = 'pipeline';
  if (planFailure)
    return { name, state: 'failed', reason: planFailure, next: { who: 'provider', what: 'Mend .gitlab-ci.yml and push again.' } };
  if (!planned) return { name, state: 'running', reason: 'The pipeline is being planned.' };
  const failed = jobs.find((job) => job.purpose === 'other' && job.state === 'failed' && !job.allowFailure);
  if (failed)
    return {
      name,
      state: 'failed',
      reason: `${failed.name}: ${failed.reason}`,
      next: { who: 'provider', what: `Read the log of ${failed.name}, mend what it names and push again.` },
    };
  return { name, state: 'passed', reason: `${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'} planned.` };
}

function ofJobs(
  name: StopName,
  jobs: StopFacts['jobs'],
  planned: boolean,
  done: string,
  cure: string,
): Omit<Stop, 'startedAt' | 'endedAt'> {
  if (!planned) return waiting(name, 'Waits for the pipeline.');
  if (jobs.length === 0) return { name, state: 'skipped', reason: 'The pipeline has no such job.' };
  const failed = jobs.filter((job) => job.state === 'failed' && !job.allowFailure);
  if (failed[0]) return { name, state: 'failed', reason: `${failed[0].name}: ${failed[0].reason}`, next: { who: 'provider', what: cure } };
  if (jobs.every((job) => job.state === 'skipped')) return { name, state: 'skipped', reason: jobs[0]?.reason ?? 'Did not run.' };
  const running = jobs.filter((job) => job.state === 'running' || job.state === 'pending');
  const ended = jobs.filter((job) => job.state === 'success' || job.state === 'failed' || job.state === 'skipped');
  if (ended.length === jobs.length) return { name, state: 'passed', reason: `${jobs.length} of ${jobs.length} ${done}.` };
  const manual = jobs.find((job) => job.state === 'manual');
  if (running.length === 0 && manual)
    return {
      name,
      state: 'blocked',
      reason: `${manual.name} is started by hand.`,
      next: { who: 'provider', what: `Start ${manual.name}.` },
    };
  if (running.length === 0 && jobs.some((job) => job.state === 'canceled')) return { name, state: 'canceled', reason: 'Canceled.' };
  return { name, state: running.length || ended.length ? 'running' : 'waiting', reason: `${ended.length} of ${jobs.length} ${done}.` };
}

function gateStop(facts: StopFacts, builds: StopFacts['jobs']): Omit<Stop, 'startedAt' | 'endedAt'> {
  const name = 'gate';
  const closed = facts.verdicts.find((verdict) => verdict.outcome !== 'pass');
  if (closed) {
    return {
      name,
      state: 'failed',
      reason: `${closed.image}: ${closed.reason}`,
      next: nextAfterGate(facts.delivery, closed),
    };
  }
  if (facts.verdicts.length === 0)
    return facts.planned && builds.length === 0
      ? { name, state: 'skipped', reason: 'Nothing was built.' }
      : waiting(name, 'Waits for an image.');
  const open = builds.filter((job) => job.state !== 'success');
  const judged = new Set(facts.verdicts.map((verdict) => verdict.image)).size;
  return { name, state: open.length ? 'running' : 'passed', reason: `${judged} ${judged === 1 ? 'image' : 'images'} judged: pass.` };
}

/** Which finding, which file, which command. */
function nextAfterGate(delivery: string, { image, digest, folder, outcome, cure, blocking }: JudgedImage): NonNullable<Stop['next']> {
  const show = `desp gate show ${image.replace(/:[^:/]*$/, '')}@${digest}`;
  if (outcome === 'incomplete' && cure === undefined)
    return { who: 'security', what: `Provide what the verdict lacks (${show}), then: desp delivery retry ${delivery}.` };
  const others = blocking > 1 ? ` ${blocking - 1} more ${blocking === 2 ? 'blocks' : 'block'}: ${show}.` : ` In full: ${show}.`;
  return {
    who: 'provider',
    what: `In ${folder ? `${folder}/` : 'the repository'}: ${cure ?? 'mend what the verdict names.'} Push again.${others}`,
  };
}

function releaseStop(facts: StopFacts, releases: StopFacts['jobs'], promoted: number): Omit<Stop, 'startedAt' | 'endedAt'> {
  const closed = facts.verdicts.find((verdict) => verdict.outcome !== 'pass');
  const log = `Read the log (desp delivery logs ${facts.delivery}), mend what it names and push again.`;
  const derived = ofJobs('release', releases, facts.planned, 'released', log);
  const stop = closed && derived.next ? { ...derived, next: nextAfterGate(facts.delivery, closed) } : derived;
  const more = promoted ? ` ${promoted} wait for a promotion.` : '';
  if (stop.state === 'passed' && !facts.deployment)
    return { name: 'release', state: 'running', reason: 'The release record is being written.' };
  if (stop.state === 'passed' && facts.deployment?.state === 'failed' && facts.deployment.fleet === 'waiting') {
    return {
      name: 'release',
      state: 'failed',
      reason: facts.deployment.reason,
      next: { who: 'provider', what: `Mend what it names and push again, or try once more: desp delivery retry ${facts.delivery}.` },
    };
  }
  return { ...stop, reason: `${stop.reason}${more}` };
}

function podsStop(facts: StopFacts): Omit<Stop, 'startedAt' | 'endedAt'> {
  const name = 'pods';
  const deployment = facts.deployment;
  if (!deployment || deployment.fleet === 'waiting') return waiting(name, 'Waits for Fleet.');
  switch (deployment.state) {
    case 'ready':
      return { name, state: 'passed', reason: deployment.reason };
    case 'failed':
      return deployment.fleet === 'failed'
        ? waiting(name, 'Waits for Fleet.')
        : {
            name,
            state: 'failed',
            reason: deployment.reason,
            next: {
              who: 'provider',
              what: `Look at the events (kubectl describe pod), mend and push again, or: desp delivery retry ${facts.delivery}.`,
            },
          };
    case 'superseded':
      return { name, state: 'skipped', reason: deployment.reason };
    default:
      return deployment.fleet === 'passed' || deployment.fleet === 'running'
        ? { name, state: 'running', reason: deployment.reason }
        : waiting(name, 'Waits for Fleet.');
  }
}

function timed(stop: Omit<Stop, 'startedAt' | 'endedAt'>, previous: Stop | undefined, now: Instant): Stop {
  const began = stop.state !== 'waiting' && stop.state !== 'skipped';
  const over = stop.state === 'passed' || stop.state === 'failed' || stop.state === 'canceled';
  const kept = previous?.state === stop.state ? previous : undefined;
  const startedAt = began ? (previous?.startedAt ?? now) : undefined;
  const endedAt = over ? (kept?.endedAt ?? now) : undefined;
  return { ...stop, ...(startedAt ? { startedAt } : {}), ...(endedAt ? { endedAt } : {}) };
}

/** The delivery as a whole. */
export function deliveryState(stops: readonly Stop[], superseded: boolean, working: boolean): DeliveryState {
  if (superseded) return 'superseded';
  const states = stops.map((stop) => stop.state);
  // A no at one stop does not end what others still do.
  if (working) return 'running';
  if (states.includes('canceled')) return 'canceled';
  if (states.includes('failed')) return 'failed';
  if (states.includes('blocked')) return 'blocked';
  if (states.every((state) => state === 'passed' || state === 'skipped')) return 'passed';
  return 'running';
}
