/**
 * Makes goldens.json anew with real Helm:
 *
 *   node apps/cli/src/commands/chart/test-data/remake.ts HELM3 VERSION3 HELM4 VERSION4
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { argumentsOf, type ChartGolden, type CommandOutcome, folder, readCases } from './cases.ts';

const [helm3, version3, helm4, version4] = process.argv.slice(2);
if (!helm3 || !version3 || !helm4 || !version4) throw new Error('usage: remake.ts HELM3 VERSION3 HELM4 VERSION4');

function run(helm: string, args: readonly string[]): CommandOutcome {
  const { status, stdout, stderr } = spawnSync(helm, argumentsOf(args), { cwd: folder, encoding: 'utf8' });
  // Helm 3 puts the time and its source line before its warnings.
  return { code: status ?? -1, stdout, stderr: stderr.replace(/^(\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d )?(\w+\.go:\d+: )?/gm, '') };
}

const cases = readCases().map((args): ChartGolden => ({ args, helm3: run(helm3, args), helm4: run(helm4, args) }));
const goldens = { madeBy: { helm3: `Helm ${version3}`, helm4: `Helm ${version4}` }, cases };
writeFileSync(`${folder}goldens.json`, `${JSON.stringify(goldens, null, 1)}\n`);
console.log(`${cases.length} cases`);
