import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { argumentsOf, type CommandOutcome, folder, readGoldens } from './test-data/cases.ts';
import { runChart } from './test-data/run-chart.ts';

/** `desp chart template` against what real Helm printed for our own small charts. */

const start = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => process.chdir(start));

const run = (helm: '3' | '4', args: readonly string[]): Promise<CommandOutcome> => runChart('--helm', helm, ...argumentsOf(args));

/** Violations of a schema come in the random order of a Go map. */
const sorted = (outcome: CommandOutcome): CommandOutcome =>
  outcome.stderr.includes('specifications of the schema') ? { ...outcome, stderr: outcome.stderr.split('\n').sort().join('\n') } : outcome;

const goldens = readGoldens();

describe.each(['3', '4'] as const)(`like ${JSON.stringify(goldens.madeBy)}: --helm %s`, (helm) => {
  test.each(goldens.cases.map((golden) => [golden.args.join(' '), golden] as const))('%s', async (_name, golden) => {
    expect(sorted(await run(helm, golden.args))).toEqual(sorted(golden[`helm${helm}`]));
  });
});

test('refuses by name what it does not do', async () => {
  for (const flag of ['--enable-dns', '--validate', '--dry-run=server', '--post-renderer=cat']) {
    const { code, stdout, stderr } = await run('4', ['web', flag]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('is not supported');
  }
});

test('--helm takes 3 or 4', async () => {
  expect((await runChart('--helm', '2', 'template', 'demo', './charts/web')).code).toBe(1);
});
