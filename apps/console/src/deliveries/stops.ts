import type { Delivery, DeliveryJob, Stop, StopName } from '@desp/model';

/** What people call the stops. */
export const stopTitles: Readonly<Record<StopName, string>> = {
  push: 'Push',
  pipeline: 'Pipeline',
  build: 'Build',
  gate: 'Gate',
  release: 'Release',
  fleet: 'Fleet',
  pods: 'Pods',
};

/**
 * Where the delivery stands, for the page to open: the first stop at which somebody must act or which failed, else the one at
 * work, else the last that is over.
 */
export function currentStop(stops: readonly Stop[]): Stop | undefined {
  return (
    stops.find(({ state }) => state === 'failed' || state === 'blocked') ??
    stops.find(({ state }) => state === 'running') ??
    stops.findLast(({ state }) => state === 'passed' || state === 'canceled') ??
    stops[0]
  );
}

/** The stop that says who acts next. */
export const nextMove = (delivery: Delivery): Stop | undefined => delivery.stops.find((stop) => stop.next);

/** The jobs that are shown at a stop; those that neither build nor release stand with the build. */
export function jobsOf(stop: StopName, jobs: readonly DeliveryJob[]): readonly DeliveryJob[] {
  if (stop === 'build') return jobs.filter((job) => job.purpose !== 'release');
  if (stop === 'release') return jobs.filter((job) => job.purpose === 'release');
  return [];
}

export interface BuiltImage {
  /** Repository and tag. */
  readonly reference: string;
  readonly digest: string;
}

/** What was built and therefore judged: each image once, as the newest attempt made it. */
export function builtImages(jobs: readonly DeliveryJob[]): readonly BuiltImage[] {
  return [
    ...new Map(
      jobsOf('build', jobs).flatMap((job) => job.images.map((image) => [`${image.reference}@${image.digest}`, image] as const)),
    ).values(),
  ];
}

/** `heads` and `tags` without Git's prefix. */
export const refName = (ref: string): string => ref.replace(/^refs\/(heads|tags)\//, '');

/** What a screen reader is told when stops change: one sentence for each that did. */
export function changesOf(before: readonly Stop[], after: readonly Stop[]): string[] {
  return after.flatMap((stop) => {
    const old = before.find(({ name }) => name === stop.name);
    if (!old || old.state === stop.state) return [];
    const told =
      stop.state === 'failed' || stop.state === 'blocked'
        ? `. ${stop.reason}${stop.next ? ` Next: ${stop.next.who}. ${stop.next.what}` : ''}`
        : '.';
    return [`${stopTitles[stop.name]} ${stop.state}${told}`];
  });
}
