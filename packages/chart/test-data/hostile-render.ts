import { ChartError } from '../src/errors.ts';
import { nodeCrypto } from '../src/node/crypto.ts';
import { loadChartFrom } from '../src/node/folder.ts';
import { formatTemplateOutput } from '../src/render/output.ts';
import { render } from '../src/render/render.ts';
import { applySet } from '../src/values/set.ts';

/** Renders the chart in a folder, `hostile-render.ts FOLDER SET…`; prints how it ended, and the time and memory of this process. */
const [folder = '', ...sets] = process.argv.slice(2);
let outcome: object;
try {
  const chart = loadChartFrom(folder, { late: true });
  const values = new Map();
  for (const text of sets) applySet('set', text, values);
  const result = render(chart, { release: { name: 'r', namespace: 'n' }, values, crypto: nodeCrypto });
  outcome = { printed: formatTemplateOutput(result).length };
} catch (error) {
  if (!(error instanceof ChartError)) throw error;
  outcome = { code: error.code, message: error.message.slice(0, 300), line: error.where?.line, file: error.where?.file };
}
const { user, system } = process.cpuUsage();
// Processors are shared with other tests, and two threads may be at work: the smaller of the two is what it takes on an idle machine.
const seconds = Math.min((user + system) / 1e6, performance.now() / 1e3);
console.log(JSON.stringify({ ...outcome, seconds, megabytes: Math.round(process.resourceUsage().maxRSS / 1024) }));
