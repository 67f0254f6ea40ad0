import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JobStates, type PipelinePlan, pipelineState, planPipeline, playJob, readyJobs } from './index.ts';

function planOf(text: string): PipelinePlan {
  const result = planPipeline({
    file: { path: 'f', text },
    includes: [],
    project: { path: 'g/p' },
    commit: 'c'.repeat(40),
    branch: 'main',
    defaultBranch: 'main',
    source: 'push',
  });
  if (!result.ok) throw result.errors[0];
  return result.plan;
}

const skipped = (plan: PipelinePlan, states: JobStates): string[] => readyJobs(plan, states).skip.map(({ job }) => job);

describe('stages', () => {
  const plan = planOf(
    'b: {stage: build, script: x}\nt: {stage: test, script: x}\nd: {stage: deploy, script: x}\nf: {stage: deploy, script: x, when: on_failure}\na: {stage: deploy, script: x, when: always}',
  );

  test('a stage starts when the ones before it are over', () => {
    expect(readyJobs(plan, {}).start).toEqual(['b']);
    expect(readyJobs(plan, { b: 'running' }).start).toEqual([]);
    expect(readyJobs(plan, { b: 'success' }).start).toEqual(['t']);
  });

  test('after a failure only on_failure and always run', () => {
    const states: JobStates = { b: 'success', t: 'failed' };
    expect(readyJobs(plan, states)).toMatchObject({ start: ['f', 'a'], skip: [{ job: 'd', reason: 'It does not run after t (failed).' }] });
  });

  test('a failed first stage skips all the way, and always runs', () => {
    expect(readyJobs(plan, { b: 'failed' })).toMatchObject({ start: ['f', 'a'], skip: [{ job: 't' }, { job: 'd' }] });
  });

  test('success skips on_failure', () => {
    expect(readyJobs(plan, { b: 'success', t: 'success' })).toMatchObject({ start: ['d', 'a'], skip: [{ job: 'f' }] });
  });
});

describe('needs ignore stages', () => {
  const plan = planOf(
    'b1: {stage: build, script: x}\nb2: {stage: build, script: x}\nd: {stage: deploy, script: x, needs: [b1]}\nn: {stage: deploy, script: x, needs: []}',
  );

  test('a job starts with its needs', () => {
    expect(readyJobs(plan, {}).start).toEqual(['b1', 'b2', 'n']);
    expect(readyJobs(plan, { b1: 'success', b2: 'running', n: 'success' }).start).toEqual(['d']);
  });

  test('a failed scan in another job does not hold it back: a stage is no gate', () => {
    expect(readyJobs(plan, { b1: 'success', b2: 'failed', n: 'success' }).start).toEqual(['d']);
  });

  test('a failed need skips it', () => {
    expect(skipped(plan, { b1: 'failed', b2: 'success', n: 'success' })).toEqual(['d']);
  });
});

describe('manual and allow_failure', () => {
  const plan = planOf(
    'b: {stage: build, script: x, when: manual}\nr: {stage: deploy, script: x, needs: [b]}\ns: {stage: deploy, script: x}',
  );

  test('an optional manual need skips; playing it brings the job back', () => {
    const first = readyJobs(plan, {});
    expect(first).toMatchObject({ manual: ['b'], start: ['s'], skip: [{ job: 'r' }] });
    const played = playJob(plan, { b: 'manual', r: 'skipped', s: 'success' }, 'b');
    expect(played).toEqual({ b: 'pending', r: 'created', s: 'success' });
    expect(readyJobs(plan, { ...played, b: 'success' }).start).toEqual(['r']);
  });

  test('only a manual or finished job can be played', () => {
    expect(playJob(plan, { b: 'running' }, 'b')).toBeUndefined();
    expect(playJob(plan, {}, 'nope')).toBeUndefined();
    expect(playJob(plan, { s: 'failed' }, 's')).toEqual({ s: 'pending' });
  });

  test('a blocking manual job holds the next stage', () => {
    const blocking = planOf('m: {stage: build, script: x, rules: [{when: manual}]}\nd: {stage: deploy, script: x}');
    expect(readyJobs(blocking, { m: 'manual' })).toMatchObject({ start: [], skip: [], finished: false });
    expect(pipelineState(blocking, { m: 'manual' })).toBe('blocked');
    expect(pipelineState(blocking, { m: 'blocked' })).toBe('blocked');
  });

  test('a failure that is allowed is a warning', () => {
    const allowed = planOf('m: {stage: build, script: x, allow_failure: true}\nd: {stage: deploy, script: x}');
    expect(readyJobs(allowed, { m: 'failed' }).start).toEqual(['d']);
    expect(pipelineState(allowed, { m: 'failed', d: 'success' })).toBe('passed');
  });
});

test('any pipeline comes to an end, each job runs or is skipped once', () => {
  const job = fc.record({
    stage: fc.constantFrom('build', 'test', 'deploy'),
    when: fc.constantFrom('on_success', 'on_failure', 'always'),
    allow: fc.boolean(),
    needs: fc.option(fc.array(fc.nat(9), { maxLength: 3 })),
    passes: fc.boolean(),
  });
  const order = ['build', 'test', 'deploy'];
  fc.assert(
    fc.property(fc.array(job, { minLength: 1, maxLength: 10 }), (jobs) => {
      const sorted = jobs.toSorted((a, b) => order.indexOf(a.stage) - order.indexOf(b.stage));
      const text = sorted
        .map(({ stage, when, allow, needs }, index) => {
          const names = needs && [...new Set(needs.filter((need) => need < index))].map((need) => `j${need}`);
          return `j${index}: {stage: ${stage}, script: x, when: ${when}, allow_failure: ${allow}${names ? `, needs: [${names.join(', ')}]` : ''}}`;
        })
        .join('\n');
      const plan = planOf(text);
      let states: JobStates = {};
      for (let step = 0; step <= jobs.length; step++) {
        const { start, skip, finished } = readyJobs(plan, states);
        states = {
          ...states,
          ...Object.fromEntries(skip.map(({ job: name }) => [name, 'skipped'])),
          ...Object.fromEntries(start.map((name) => [name, sorted[Number(name.slice(1))]!.passes ? 'success' : 'failed'])),
        };
        if (finished) break;
      }
      expect(Object.keys(states)).toHaveLength(jobs.length);
      expect(['passed', 'failed']).toContain(pipelineState(plan, states));
    }),
    { numRuns: 200 },
  );
});
