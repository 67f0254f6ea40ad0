import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { hostileTemplates } from './hostile.ts';
import { hostileCharts } from './hostile-charts.ts';

/**
 * Renders one hostile chart: `hostile-run.ts NAME`; prints how it ended and what it took. The chart is written to a
 * folder first and rendered by another process, so that nothing but the render is measured.
 */
const name = process.argv[2] ?? '';
const chart = hostileTemplates[name] ?? hostileCharts[name]?.();
if (!chart) throw new Error(`no such chart: ${name}`);
const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
try {
  const files = {
    'Chart.yaml': 'apiVersion: v2\nname: h\nversion: 1.0.0\n',
    'values.yaml': chart.values ?? '',
    ...(chart.schema === undefined ? {} : { 'values.schema.json': chart.schema }),
    // The fault stands on line 2.
    'templates/a.yaml': `\n${chart.template}\n`,
    ...chart.files,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const program = new URL('hostile-render.ts', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, folder, ...(chart.sets ?? [])], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  process.stdout.write(stdout);
} finally {
  rmSync(folder, { recursive: true });
}
