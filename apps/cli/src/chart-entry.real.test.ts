import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const cli = join(import.meta.dirname, '..');
const chart = join(cli, '../../examples/sample-app/deployment');
const args = ['template', 'app', chart, '-f', join(chart, 'values.e2e.yaml')];
const isBundled = existsSync(join(cli, 'dist/chart/core.cjs'));
const title = isBundled ? '' : ' (skipped: npm run build first)';

const desp = (env: Record<string, string>, ...rest: string[]) => {
  const { stdout, stderr, status } = spawnSync(join(cli, 'bin/desp'), ['chart', ...args, ...rest], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { stdout, stderr, status };
};

test.skipIf(!isBundled)(
  `the bundle of desp chart answers as the sources do${title}`,
  () => {
    const bundled = desp({});
    expect(bundled.stdout).toContain('kind: Deployment');
    expect(bundled).toEqual(desp({ DESP_FROM_SOURCE: '1' }));
    const wrong = desp({}, '--set', 'a=b=[');
    expect(wrong).toEqual(desp({ DESP_FROM_SOURCE: '1' }, '--set', 'a=b=['));
    expect(desp({}, '--unknown')).toEqual(desp({ DESP_FROM_SOURCE: '1' }, '--unknown'));
  },
  60_000,
);

test.skipIf(!isBundled)(
  `kept code that V8 does not take, or that is not there, changes nothing${title}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'desp-bundle-'));
    try {
      cpSync(join(cli, 'dist/chart'), join(folder, 'chart'), { recursive: true });
      const expected = desp({});
      writeFileSync(join(folder, 'chart/core.cjs.code'), 'of another time');
      expect(desp({ DESP_DIST: folder })).toEqual(expected);
      rmSync(join(folder, 'chart/core.cjs.code'));
      expect(desp({ DESP_DIST: folder })).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);
