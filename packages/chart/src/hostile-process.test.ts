import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { hostileTemplates } from '../test-data/hostile.ts';

/** Hostile charts, each rendered by a process of its own: how it ends, the time and the memory that it takes. */

const run = promisify(execFile);
const program = new URL('../test-data/hostile-run.ts', import.meta.url).pathname;

interface Ended {
  readonly code?: string;
  readonly message?: string;
  readonly line?: number;
  readonly file?: string;
  readonly seconds: number;
  readonly megabytes: number;
}

async function render(name: string): Promise<Ended> {
  const { stdout } = await run(process.execPath, [program, name], { timeout: 30_000 });
  return JSON.parse(stdout) as Ended;
}

const dearest = /^(large texts kept|values of empty|a printed document|maps kept|a template of actions|a schema of branches|files as)/;

/** What is refused before a template runs names its file, and the line where that has one. */
const refusedEarly = /^(values of|an index|a schema|a printed document|many printed)/;

/** Those that once took too much memory or time; `HOSTILE=all` runs every one, which takes minutes. */
const chosen = Object.keys(hostileTemplates).filter(
  (name, index) => process.env['HOSTILE'] === 'all' || index % 5 === 0 || dearest.test(name),
);

describe('ends with an error, soon and small', () => {
  test.each(chosen)(
    '%s',
    async (name) => {
      const ended = await render(name);
      expect(ended.code, ended.message).toBeDefined();
      if (!refusedEarly.test(name)) {
        expect(ended.file).toBe('h/templates/a.yaml');
        expect(ended.line).toBeGreaterThan(0);
      }
      // Two seconds are promised on an idle machine; here is measured processor time while tests share the cores.
      expect(ended.seconds).toBeLessThan(4);
      expect(ended.megabytes).toBeLessThan(512);
    },
    60_000,
  );
});
