/** Renders one hostile chart alone, as a process of its own: `hostile-run.ts NAME`; prints how it ended and what it took. */
import { ChartError } from '../src/errors.ts';
import type { Chart } from '../src/loader/chart.ts';
import { loadChart } from '../src/loader/load.ts';
import { nodeCrypto } from '../src/node/crypto.ts';
import { formatTemplateOutput } from '../src/render/output.ts';
import { render } from '../src/render/render.ts';
import { applySet } from '../src/values/set.ts';
import { hostileTemplates } from './hostile.ts';
import { hostileCharts } from './hostile-charts.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The chart's files, and nothing else of it: what is measured is not to hold it twice. */
function filesOf(name: string): { files: { name: string; data: Uint8Array }[]; sets: readonly string[] } {
  const chart = hostileTemplates[name] ?? hostileCharts[name]?.();
  if (!chart) throw new Error(`no such chart: ${name}`);
  const files = Object.entries({
    'Chart.yaml': 'apiVersion: v2\nname: h\nversion: 1.0.0\n',
    'values.yaml': chart.values ?? '',
    ...(chart.schema === undefined ? {} : { 'values.schema.json': chart.schema }),
    // The fault stands on line 2.
    'templates/a.yaml': `\n${chart.template}\n`,
    ...chart.files,
  });
  return { files: files.map(([file, text]) => ({ name: file, data: bytes(text) })), sets: chart.sets ?? [] };
}

const load = ({ files, sets }: ReturnType<typeof filesOf>): { chart: Chart; sets: readonly string[] } => ({
  chart: loadChart(files),
  sets,
});

let outcome: object;
try {
  const { chart, sets } = load(filesOf(process.argv[2] ?? ''));
  const values = new Map();
  for (const text of sets) applySet('set', text, values);
  const result = render(chart, { release: { name: 'r', namespace: 'n' }, values, crypto: nodeCrypto });
  outcome = { printed: formatTemplateOutput(result).length };
} catch (error) {
  if (!(error instanceof ChartError)) throw error;
  outcome = { code: error.code, message: error.message.slice(0, 300), line: error.where?.line, file: error.where?.file };
}
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ ...outcome, seconds: (user + system) / 1e6, megabytes: Math.round(process.resourceUsage().maxRSS / 1024) }));
