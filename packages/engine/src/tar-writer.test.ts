import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOk } from '@desp/runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type TarItem, tarOf } from './tar-writer.ts';

const name = fc.stringMatching(/^[a-zA-Zäé_ -]{1,60}$/).filter((text) => text.trim() === text && !text.startsWith('-'));
const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));

test('GNU tar unpacks what was written, long names, links and all', async () => {
  await fc.assert(
    fc.asyncProperty(
      path,
      path,
      fc.uint8Array({ maxLength: 2000 }),
      fc.constantFrom(0o644, 0o755),
      async (where, target, content, mode) => {
        const folder = mkdtempSync(join(tmpdir(), 'desp-tar-'));
        try {
          const items: TarItem[] = [
            { kind: 'folder', path: 'f', mode: 0o755 },
            { kind: 'file', path: `f/${where}`, mode, content },
            { kind: 'symlink', path: 'link', target },
          ];
          await runOk(['tar', '-x', '-f', '-', '-C', folder], { stdin: tarOf(items) });
          expect(new Uint8Array(readFileSync(join(folder, 'f', where)))).toEqual(content);
          expect(statSync(join(folder, 'f', where)).mode & 0o777).toBe(mode);
          expect(readlinkSync(join(folder, 'link'))).toBe(target);
          expect(tarOf(items)).toEqual(tarOf(items));
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 25 },
  );
});
