/**
 * Makes verbs-goldens.json anew with real Helm:
 *
 *   node apps/cli/src/commands/chart/test-data/remake-verbs.ts HELM3 VERSION3 HELM4 VERSION4
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type CommandOutcome, folder, plain, readVerbCases, type VerbGolden, verbEnvironment } from './cases.ts';

const [helm3, version3, helm4, version4] = process.argv.slice(2);
if (!helm3 || !version3 || !helm4 || !version4) throw new Error('usage: remake-verbs.ts HELM3 VERSION3 HELM4 VERSION4');

function run(helm: string, args: readonly string[]): CommandOutcome {
  const { status, stdout, stderr } = spawnSync(helm, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, ...verbEnvironment } });
  return plain({ code: status ?? -1, stdout, stderr });
}

const cases = readVerbCases().map((args): VerbGolden => ({ args, helm3: run(helm3, args), helm4: run(helm4, args) }));
const goldens = { madeBy: { helm3: `Helm ${version3}`, helm4: `Helm ${version4}` }, cases };
writeFileSync(`${folder}verbs-goldens.json`, `${JSON.stringify(goldens, null, 1)}\n`);
console.log(`${cases.length} cases`);
