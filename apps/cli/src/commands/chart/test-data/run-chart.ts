import { command } from '../../chart.ts';
import type { CommandOutcome } from './cases.ts';

/** One `desp chart …` in this process. */
export async function runChart(...argv: string[]): Promise<CommandOutcome> {
  let stdout = '';
  let stderr = '';
  const code = await command.runRaw(argv, {
    out: (text) => {
      stdout += text;
    },
    err: (text) => {
      stderr += text;
    },
    env: {},
    cwd: process.cwd(),
    terminal: false,
  });
  return { code, stdout, stderr };
}
