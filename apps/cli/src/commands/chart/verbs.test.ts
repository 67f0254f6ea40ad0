import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command } from '../chart.ts';
import { type CommandOutcome, folder, plain, readVerbGoldens, verbEnvironment } from './test-data/cases.ts';

/** Every verb against what real Helm printed for our own small charts, faulty ones among them. */

const start = process.cwd();
const before = { ...process.env };
beforeAll(() => {
  process.chdir(folder);
  Object.assign(process.env, verbEnvironment);
});
afterAll(() => {
  process.chdir(start);
  process.env = before;
});

async function run(helm: '3' | '4', args: readonly string[]): Promise<CommandOutcome> {
  let stdout = '';
  let stderr = '';
  const io = {
    out: (text: string) => {
      stdout += text;
    },
    err: (text: string) => {
      stderr += text;
    },
    env: {},
    cwd: folder,
    terminal: false,
  };
  const code = await command.runRaw(['--helm', helm, ...args], io);
  return plain({ code, stdout, stderr });
}

const goldens = readVerbGoldens();

describe.each(['3', '4'] as const)(`like ${JSON.stringify(goldens.madeBy)}: --helm %s`, (helm) => {
  test.each(goldens.cases.map((golden) => [golden.args.join(' '), golden] as const))('%s', async (_name, golden) => {
    expect(await run(helm, golden.args)).toEqual(golden[`helm${helm}`]);
  });
});
