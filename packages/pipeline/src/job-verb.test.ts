import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JobVerb, jobVerbOf } from './job-verb.ts';
import { shellCommands } from './shell-words.ts';

const place = { file: '.gitlab-ci.yml', line: 3, column: 1 };
const verbOf = (...script: string[]): JobVerb | undefined =>
  jobVerbOf({ name: 'a job', beforeScript: [], script, afterScript: [], variables: { TARGET: 'e2e', TOOL: 'desp job' }, place });
const release = { name: 'release', environment: 'e2e' };

describe('a release is seen, however it is written', () => {
  test.each([
    'desp job release --env e2e',
    'desp job release --env=e2e',
    '  desp   job\trelease --env "e2e"  # now',
    "desp job release '--env=e2e'",
    'desp job release --env e"2"e',
    'desp job release --env $TARGET',
    'desp job release --env="${TARGET}"',
    'desp job release \\\n  --env e2e',
    'cd deployment && desp job release --env e2e',
    'if [ -f x ]; then desp job release --env=e2e; fi',
    'LC_ALL=C exec /usr/bin/desp job release --env e2e || exit 1',
    '(desp job release --env e2e)',
    'echo "desp job build comes before"; desp job release --env e2e',
  ])('%s', (line) => expect(verbOf(line)).toEqual(release));

  test('over several lines, the same one twice', () =>
    expect(verbOf('set -x', 'desp job release --env e2e', 'desp job release --env=e2e')).toEqual(release));
});

test('a build names its environment, or none', () => {
  expect(verbOf('desp job build')).toEqual({ name: 'build' });
  expect(verbOf('desp job build --env=e2e')).toEqual({ name: 'build', environment: 'e2e' });
});

test('a job without a verb is one', () => {
  for (const line of ['npm test', 'echo desp job release', '# desp job release --env e2e', 'desp status', "printf '%s' 'desp job build'"])
    expect(verbOf(line)).toBeUndefined();
});

describe('what cannot be planned is refused, with the line and the place', () => {
  test.each([
    ['desp job release', 'names its environment'],
    ['desp job release --env', '--env is given once'],
    ['desp job release --env a --env b', '--env is given once'],
    ['desp job release --env $(cat env)', 'only the running script knows'],
    ['desp job release --env `cat env`', 'only the running script knows'],
    ['desp job release --env $UNSET', 'only the running script knows'],
    ['desp job release --env "e2e', 'only the running script knows'],
    ['desp job release --env E2E', 'cannot be the name'],
    ['desp job release --environment e2e', 'is no option'],
    ['desp job promote --env e2e', 'no verb "promote"'],
    ['sh -c "desp job release --env e2e"', 'as a command of its own'],
    ['eval desp job release --env e2e', 'as a command of its own'],
    ['$TOOL release --env e2e', 'as a command of its own'],
  ])('%s', (line, why) =>
    expect(() => verbOf(line)).toThrow(
      expect.objectContaining({ code: 'SCRIPT_UNCLEAR', message: expect.stringContaining(why), where: place }),
    ),
  );

  test('two verbs, or two environments, in one job', () => {
    expect(() => verbOf('desp job build', 'desp job release --env e2e')).toThrow(/one verb/);
    expect(() => verbOf('desp job release --env e2e && desp job release --env prod')).toThrow(/one environment/);
  });

  test('a verb beside the script', () => {
    const job = { name: 'j', beforeScript: ['desp job build'], script: ['true'], afterScript: [], variables: {}, place };
    expect(() => jobVerbOf(job)).toThrow(/not in before_script/);
  });
});

test('any text is read in time, and never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'a \n\'"\\$`{}();|&<>#=desp job'), maxLength: 200 }), (text) => {
      for (const command of shellCommands(text, { a: 'x' })) expect(command.length).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
});
