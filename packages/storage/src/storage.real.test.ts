import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOk } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from './index.ts';
import { storageSuite } from './storage-suite.ts';

const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').filter((version) => Number(version) >= 15) : [];
const binaries = join('/usr/lib/postgresql', versions.at(-1) ?? '0', 'bin');
const missing =
  versions.length === 0 ? 'needs PostgreSQL 15 or later' : process.getuid?.() !== 0 ? 'needs root, to become the user postgres' : '';

describe.skipIf(missing !== '')(`PostgreSQL${missing ? ` (${missing})` : ''}`, () => {
  let folder: string;
  let database: Database;
  let url: string;
  // PostgreSQL refuses to run as root.
  const asPostgres = (program: string, ...args: string[]) =>
    runOk(['runuser', '-u', 'postgres', '--', join(binaries, program), ...args], { timeoutMs: 60_000 });
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'desp-postgres-'));
    chmodSync(folder, 0o755);
    const { stdout } = await runOk(['id', '-u', 'postgres']);
    chownSync(folder, Number(stdout.toString()), 0);
    await asPostgres('initdb', '--auth=trust', '--no-sync', '-D', join(folder, 'data'));
    await asPostgres(
      'pg_ctl',
      '-w',
      '-D',
      join(folder, 'data'),
      '-l',
      join(folder, 'log'),
      '-o',
      `-k ${folder} -c listen_addresses= -c fsync=off`,
      'start',
    );
    url = `postgres://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`;
    database = await openDatabase(url);
  });
  afterAll(async () => {
    await database.close();
    await asPostgres('pg_ctl', '-w', '-m', 'immediate', '-D', join(folder, 'data'), 'stop');
    rmSync(folder, { recursive: true });
  });
  storageSuite(() => database);

  test('two servers that start at once migrate once', async () => {
    const [one, two] = await Promise.all([openDatabase(url), openDatabase(url)]);
    expect(one.kind).toBe('postgres');
    await Promise.all([one.close(), two.close()]);
  });
});
