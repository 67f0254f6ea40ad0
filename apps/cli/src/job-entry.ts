import { jobCommandList } from './commands/job-commands.ts';
import { main } from './main.ts';

// What stands in a job's image: the verbs of a job and nothing else.
process.exitCode = await main(
  process.argv.slice(2),
  {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    terminal: false,
  },
  jobCommandList,
);
