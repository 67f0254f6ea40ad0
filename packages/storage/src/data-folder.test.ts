import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder, writeFileDurably } from './index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'desp-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a second process is refused and told who holds it; kill -9 frees the folder', async () => {
  const script = `import { openDataFolder } from ${JSON.stringify(import.meta.resolve('./data-folder.ts'))};
    openDataFolder(${JSON.stringify(folder)}, { leastFreeBytes: 0 }); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  expect(() => openDataFolder(folder, { leastFreeBytes: 0 })).toThrow(`in use by process ${child.pid}`);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  const mine = openDataFolder(folder, { leastFreeBytes: 0 });
  for (const name of ['.', 'lock.db', 'holder']) expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
  mine.release();
  openDataFolder(folder, { leastFreeBytes: 0 }).release();
});

test('a disk without room is said, with what is needed', () => {
  expect(() => openDataFolder(folder, { leastFreeBytes: 2 ** 60 })).toThrow(/MiB free, and \d+ MiB are needed/);
});

test('a file where the folder should be is said', () => {
  writeFileDurably(join(folder, 'file'), 'x');
  expect(() => openDataFolder(join(folder, 'file'), { leastFreeBytes: 0 })).toThrow(/cannot be used/);
});

test('durable writes are private and whole', () => {
  const file = join(folder, 'a', 'secret');
  writeFileDurably(file, 'one');
  writeFileDurably(file, 'two');
  expect(readFileSync(file, 'utf8')).toBe('two');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(existsSync(`${file}.new`)).toBe(false);
});
