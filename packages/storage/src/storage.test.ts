import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Database, openDatabase } from './index.ts';
import { storageSuite } from './storage-suite.ts';

describe('PGlite', () => {
  let folder: string;
  let database: Database;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'desp-storage-'));
    database = await openDatabase(`pglite:${join(folder, 'db')}`);
  });
  afterAll(async () => {
    await database.close();
    rmSync(folder, { recursive: true });
  });
  storageSuite(() => database);
});
