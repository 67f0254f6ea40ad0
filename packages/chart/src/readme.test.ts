import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readmeExamples } from '../test-data/readme.ts';

/** The README's examples, run as they stand: each prints what its last comment lines say. */

const folder = mkdtempSync(join(tmpdir(), 'chart-readme-'));
afterAll(() => rmSync(folder, { recursive: true }));

const here = (name: string): string => new URL(name, import.meta.url).href;

describe('examples of the README', () => {
  test.each(readmeExamples())('$title', ({ code, printed }) => {
    const file = join(folder, `${Math.abs(code.length)}.mts`);
    const local = code.replace("'@desp/chart/node'", `'${here('node/index.ts')}'`).replace("'@desp/chart'", `'${here('index.ts')}'`);
    writeFileSync(file, local);
    expect(execFileSync(process.execPath, [file], { encoding: 'utf8' }).trimEnd()).toBe(printed);
  });
});
