import { existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectEngine } from '@desp/engine';
import { messageOf } from '@desp/runtime';
import { offlineSteps } from './offline.ts';
import { createStage, root } from './stage.ts';
import { type Story, steps } from './story.ts';

/** Plays the story before your eyes and leaves the rehearsal running. */
const folder = process.env['DESP_DEMO'] ?? join(root, '.desp', 'demo');
const port = Number(process.env['DESP_DEMO_PORT'] ?? 7300);
const out = (text: string) => process.stdout.write(text);
const colour = process.stdout.isTTY ? (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m` : (_code: number, text: string) => text;

process.exitCode = process.argv.includes('--down') ? await down() : await play();

async function down(): Promise<number> {
  const stage = createStage(folder, port);
  const answer = await stage.desp('operator', ['down', '--data', stage.data, '--purge']);
  out(answer.all);
  if (answer.code === 0) rmSync(folder, { recursive: true, force: true });
  return answer.code;
}

async function play(): Promise<number> {
  const engine = await detectEngine();
  const { bavail, bsize } = statfsSync(root);
  if (bavail * bsize < 3 * 1024 ** 3) {
    out(
      `The demo needs 3 GiB of disk space; ${root} has ${((bavail * bsize) / 1024 ** 3).toFixed(1)} GiB. Free some, or set DESP_DEMO to a folder on another disk.\n`,
    );
    return 3;
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stage = createStage(folder, port);
  if (!engine.usable) {
    out(`${colour(33, 'No containers here:')} ${engine.missing.map(({ what }) => what).join('; ')}.\nThe demo plays what needs none.\n\n`);
    const code = await playSteps(offlineSteps.map((step) => ({ name: step.name, run: () => step.run(stage) })));
    out('\nSkipped:\n');
    for (const step of steps)
      out(`  ${colour(33, '-')} ${step.name} (needs ${step.needs === 'pods' ? 'containers' : 'the running rehearsal'})\n`);
    out(`\nFor the rest: ${engine.missing.map(({ cure }) => cure).join(' ')}\n`);
    return code;
  }
  // Played to its end here before: the same story is looked at again, without building anything anew.
  const again = existsSync(join(folder, 'played'));
  if (!again && existsSync(join(stage.data, 'desp.config.yaml'))) {
    out('The last demo did not come to its end; it is taken down first.\n');
    const code = await down();
    if (code !== 0) return code;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const story: Story = {};
  const code = await playSteps(
    steps.map((step) => ({ name: step.name, run: () => (again ? (step.again ?? step.run) : step.run)(stage, story) })),
  );
  if (code !== 0) {
    out(`\nThe rehearsal is left as it is: see ${join(stage.data, 'platform.log')}. Clean up: script/demo --down\n`);
    return code;
  }
  writeFileSync(join(folder, 'played'), '');
  const environment = story.service?.environments[0];
  const server = `http://127.0.0.1:${port}`;
  const https = port + 41;
  out(`
The rehearsal runs.

  this delivery   ${server}/deliveries/${story.delivered?.id}
                  log in as provider; the passwords: ${join(stage.data, 'credentials')}
  the service     curl --cacert ${join(stage.data, 'ca/root.pem')} --resolve ${environment?.hostName}:${https}:127.0.0.1 https://${environment?.hostName}:${https}/
  the cluster     KUBECONFIG=${story.kubeconfig} kubectl get pods -n sample-app
  go on           export DESP_CONFIG=${join(stage.data, 'desp.config.yaml')} PATH=${join(root, 'node_modules/.bin')}:$PATH
                  desp login --as provider && desp service create my-service
  stop            script/demo --down
`);
  return 0;
}

async function playSteps(list: readonly { name: string; run: () => Promise<string> }[]): Promise<number> {
  for (const [index, step] of list.entries()) {
    const started = performance.now();
    out(`${String(index + 1).padStart(2)}/${list.length} ${step.name} … `);
    try {
      const outcome = await step.run();
      out(`${colour(32, '✓')} ${((performance.now() - started) / 1000).toFixed(1)} s\n      ${outcome}\n`);
    } catch (error) {
      out(
        `${colour(31, '✗')} ${((performance.now() - started) / 1000).toFixed(1)} s\n      ${messageOf(error).replaceAll('\n', '\n      ')}\n`,
      );
      return 1;
    }
  }
  return 0;
}
