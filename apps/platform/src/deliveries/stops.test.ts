import type { DeliveryJob, Instant } from '@desp/model';
import { describe, expect, test } from 'vitest';
import { deliveryState, deriveStops, type StopFacts } from './stops.ts';

const now = '2026-11-22T10:00:00.000Z' as Instant;

const job = (
  name: string,
  purpose: StopFacts['jobs'][number]['purpose'],
  state: DeliveryJob['state'],
  reason = '',
): StopFacts['jobs'][number] =>
  ({ name, stage: purpose, state, reason, allowFailure: false, attempt: 1, images: [], purpose }) as unknown as StopFacts['jobs'][number];

const facts = (jobs: StopFacts['jobs'], more: Partial<StopFacts> = {}): StopFacts => ({
  now,
  delivery: 'd-7',
  previous: [],
  planned: true,
  jobs,
  verdicts: [],
  canceled: false,
  ...more,
});

describe('the stops of a delivery whose build failed', () => {
  const stops = deriveStops(
    facts([
      job('build-a', 'build', 'failed', 'It ended with 1.'),
      job('release-a', 'release', 'skipped', 'It does not run after build-a (failed).'),
    ]),
  );
  const stop = (name: string) => stops.find((one) => one.name === name);

  test('name the job and who acts', () =>
    expect(stop('build')).toMatchObject({ state: 'failed', reason: 'build-a: It ended with 1.', next: { who: 'provider' } }));
  test('do not say that a release is being written', () =>
    expect(stop('release')).toMatchObject({ state: 'skipped', reason: 'It does not run after build-a (failed).' }));
  test('make the delivery failed', () => expect(deliveryState(stops, false, false)).toBe('failed'));
});

describe("jobs of the provider's own", () => {
  const deliver = (...jobs: StopFacts['jobs'][number][]) => {
    const stops = deriveStops(facts(jobs));
    return { state: deliveryState(stops, false, false), of: (name: string) => stops.find((stop) => stop.name === name) };
  };

  test('that fail make the delivery failed, and the pipeline says which', () => {
    const delivery = deliver(job('lint', 'other', 'failed', 'Its script ended with 1.'));
    expect(delivery.state).toBe('failed');
    expect(delivery.of('pipeline')).toMatchObject({ state: 'failed', reason: 'lint: Its script ended with 1.' });
  });
  test('alone, with nothing to release, are a delivery that ends', () => {
    const delivery = deliver(job('lint', 'other', 'success'), job('by-hand', 'other', 'manual'));
    expect(delivery.state).toBe('passed');
    expect(delivery.of('pods')).toMatchObject({ state: 'skipped', reason: 'Nothing is released.' });
  });
});

describe('the stops of a delivery that the gate closed', () => {
  const verdict = {
    image: 'app/image-a:1.0.0',
    digest: `sha256:${'a'.repeat(64)}`,
    folder: 'images/image-a',
    environment: 'e2e',
    outcome: 'blocked' as const,
    reason: 'minimist 1.2.5 has GHSA-1.',
    cure: 'Raise minimist to 1.2.6 or later in package.json or the lock file, and rebuild.',
    blocking: 3,
  };
  const jobs = [job('build-a', 'build', 'success'), job('release-a', 'release', 'failed', 'The gate says blocked.')];
  const next = (change: Partial<StopFacts['verdicts'][number]>, name = 'release') => {
    const { cure, ...rest } = { ...verdict, ...change };
    const verdicts = [cure === undefined ? rest : { ...rest, cure }] as StopFacts['verdicts'];
    return deriveStops(facts(jobs, { verdicts })).find((stop) => stop.name === name)?.next;
  };
  const what =
    'In images/image-a/: Raise minimist to 1.2.6 or later in package.json or the lock file, and rebuild. Push again. 2 more block: ' +
    `desp gate show app/image-a@${verdict.digest}.`;

  test('say at the gate and at the release which finding, which file, which command', () => {
    expect(next({}, 'gate')).toEqual({ who: 'provider', what });
    expect(next({})).toEqual({ who: 'provider', what });
  });
  test('send to the security officer where nothing is found and something lacks', () =>
    expect(next({ outcome: 'incomplete', cure: undefined as never, blocking: 0 })).toEqual({
      who: 'security',
      what: `Provide what the verdict lacks (desp gate show app/image-a@${verdict.digest}), then: desp delivery retry d-7.`,
    }));
});
