import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Runs the projects of vitest.config.ts one after the other, for those with real clients share the machine's engine and ports,
 * and closes with one line that counts them all. Further arguments go to vitest.
 */
const folder = mkdtempSync(join(tmpdir(), 'desp-tests-'));
const total = { passed: 0, failed: 0, skipped: 0 };
let broken = false;
for (const project of ['unit', 'real', 'journey']) {
  const report = join(folder, `${project}.json`);
  const started = performance.now();
  process.stdout.write(`\n== tests: ${project}\n`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const result = spawnSync('vitest', ['run', '--project', project, '--passWithNoTests', ...reporters, ...process.argv.slice(2)], {
    stdio: 'inherit',
    // The acceptance suite would go to the cluster that the shell happens to stand on.
    env: { ...process.env, KUBECONFIG: '' },
  });
  if (result.status !== 0) broken = true;
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<
      string,
      number
    >;
    total.passed += numPassedTests ?? 0;
    total.failed += numFailedTests ?? 0;
    total.skipped += (numPendingTests ?? 0) + (numTodoTests ?? 0);
  } catch {
    // No report: the runner itself did not come to its end.
    broken = true;
  }
  process.stdout.write(`== ${project}: ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
}
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exit(broken || total.failed > 0 || total.passed === 0 ? 1 : 0);
