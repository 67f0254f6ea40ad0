import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Compiled code is kept between runs: it saves a third of a cold start (docs/decisions/2026-11-22-cold-start.md).
enableCompileCache(join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'desp'));
const [{ main }, { commandList }] = await Promise.all([import('./main.ts'), import('./commands/index.ts')]);
process.exitCode = await main(
  process.argv.slice(2),
  {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    terminal: process.stdout.isTTY === true,
    errorTerminal: process.stderr.isTTY === true,
  },
  commandList,
);
