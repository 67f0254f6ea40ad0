import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStage, type Stage } from './stage.ts';
import { type Story, steps } from './story.ts';

const missing = [
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...['git', 'podman', 'runc', 'skopeo', 'kubectl', 'curl'].filter((program) => spawnSync('which', [program]).status !== 0),
];

describe.skipIf(missing.length > 0)(
  `the first delivery, with real clients${missing.length ? ` (needs ${missing.join(', ')})` : ''}`,
  () => {
    let stage: Stage;
    const story: Story = {};
    let broken: string | undefined;
    beforeAll(() => {
      stage = createStage(mkdtempSync(join(tmpdir(), 'desp-journey-')), 9100);
    });
    afterAll(async () => {
      const down = await stage.desp('operator', ['down', '--data', stage.data, '--purge']);
      expect(down.all).toContain('is removed');
      rmSync(stage.folder, { recursive: true, force: true });
    }, 120_000);

    for (const step of steps) {
      test(step.name, async (context) => {
        if (broken) context.skip(`an earlier step failed: ${broken}`);
        broken = step.name;
        expect(await step.run(stage, story)).not.toBe('');
        broken = undefined;
      });
    }
  },
);
