import { type Delivery, type DeliveryJob, Stop, StopName } from '@desp/model';
import { expect, test } from 'vitest';
import { builtImages, changesOf, currentStop, jobsOf, refName } from './stops.ts';

const stopsAs = (...states: Stop['state'][]): Stop[] =>
  StopName.options.map((name, index) => Stop.parse({ name, state: states[index] ?? 'waiting', reason: 'Because.' }));
const digest = `sha256:${'a'.repeat(64)}`;
const job = (over: Partial<Record<keyof DeliveryJob, unknown>>) =>
  ({ name: 'j', images: [], ...over }) as unknown as Delivery['jobs'][number];

test.each([
  ['at work', stopsAs('passed', 'passed', 'running'), 'build'],
  ['failed goes before a later failure', stopsAs('passed', 'passed', 'passed', 'failed', 'failed'), 'gate'],
  ['a wait for somebody goes before work', stopsAs('passed', 'passed', 'blocked', 'running'), 'build'],
  ['all over', stopsAs('passed', 'passed', 'passed', 'passed', 'passed', 'passed', 'passed'), 'pods'],
  ['over, the rest skipped', stopsAs('passed', 'passed', 'skipped', 'skipped'), 'pipeline'],
] as const)('opens where the delivery stands: %s', (_title, stops, name) => expect(currentStop(stops)?.name).toBe(name));

test('tells releases from other jobs by their purpose, and every image once', () => {
  const image = { reference: 's/a:1', digest };
  const jobs = [
    job({ name: 'build', purpose: 'build', environment: 'e2e', images: [image] }),
    job({ name: 'build-again', purpose: 'build', images: [image] }),
    job({ name: 'test', purpose: 'other' }),
    job({ name: 'release', purpose: 'release', environment: 'e2e', images: [image] }),
  ];
  expect(jobsOf('build', jobs).map(({ name }) => name)).toEqual(['build', 'build-again', 'test']);
  expect(jobsOf('release', jobs).map(({ name }) => name)).toEqual(['release']);
  expect(jobsOf('gate', jobs)).toEqual([]);
  expect(builtImages(jobs)).toEqual([image]);
});

test('announces what changed, and a failure with its reason', () => {
  expect(changesOf(stopsAs('passed', 'running'), stopsAs('passed', 'passed', 'failed'))).toEqual([
    'Pipeline passed.',
    'Build failed. Because.',
  ]);
  expect(changesOf(stopsAs('passed'), stopsAs('passed'))).toEqual([]);
});

test('shows branches and tags as people call them', () =>
  expect([refName('refs/heads/a/b'), refName('refs/tags/1.0.0')]).toEqual(['a/b', '1.0.0']));
