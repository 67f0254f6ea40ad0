import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { hostileTemplates } from '../test-data/hostile.ts';
import { hostileCharts } from '../test-data/hostile-charts.ts';

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

const isAll = process.env['HOSTILE'] === 'all';

/** Those that once took too much memory or time; `HOSTILE=all` runs every one, which takes minutes. */
const dearest =
  /^(large texts kept|values of empty|a printed document|maps kept|a template of actions|a schema of branches|files as|small maps kept|texts of YAML kept|whole numbers|decimals)/;
const chosen = Object.keys(hostileTemplates).filter((name, index) => isAll || index % 10 === 0 || dearest.test(name));
const dearestCharts =
  /^(large|a schema (with much|of large|of patterns)|aliases below|twenty|values files|documents of|templates of words)/;
const chosenCharts = Object.keys(hostileCharts).filter((name, index) => isAll || index % 10 === 0 || dearestCharts.test(name));

/** Two seconds and 512 MB are promised on an idle machine; here tests share the cores, and half a second is Node's own start. */
function expectSmall({ seconds, megabytes }: Ended): void {
  expect(seconds).toBeLessThan(isAll ? 3 : 5);
  expect(megabytes).toBeLessThan(512);
}

/** `FILE:LINE`; of what was printed the line stands in the message. */
function placeIn({ file, line, message = '' }: Ended): string {
  return `${file}:${line ?? (/line \d+(?= of what it printed)/.exec(message)?.[0] || (file === undefined ? undefined : ''))}`;
}

describe('ends with an error, soon and small', () => {
  test.each(chosen)(
    '%s',
    async (name) => {
      const ended = await render(name);
      expect(ended.code, ended.message).toBeDefined();
      // An argument of --set has no file, and what a schema does not allow is said in Helm's words.
      if (!name.startsWith('an index') && ended.code !== 'SCHEMA_VIOLATION')
        expect(placeIn(ended), ended.message).toMatch(/:(\d+|line \d+)$/);
      expectSmall(ended);
    },
    60_000,
  );

  test.each(chosenCharts)(
    '%s',
    async (name) => {
      const { ends } = hostileCharts[name]?.() ?? {};
      const ended = await render(name);
      const how = ended.code === undefined ? 'renders' : `${ended.code} ${placeIn(ended)}`;
      expect(how, ended.message).toMatch(new RegExp(`^${ends}$`));
      expectSmall(ended);
    },
    60_000,
  );
});
