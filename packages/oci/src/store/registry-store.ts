import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, silentLogger, systemClock } from '@desp/runtime';
import { BlobFiles } from './blob-files.ts';
import { Database } from './database.ts';
import { Metadata } from './metadata.ts';

export interface CollectReport {
  readonly uploads: number;
  readonly links: number;
  readonly blobs: number;
}

/** What all registries of one data folder share: files by digest, and the records of who may see them. One process at a time. */
export interface RegistryStore {
  readonly folder: string;
  readonly blobs: BlobFiles;
  readonly metadata: Metadata;
  /**
   * Removes what nobody can reach: uploads without a write for a day, blobs that no manifest of any repository uses and
   * that nobody pushed within a day. Safe beside pushes and pulls. It also runs by itself, hourly.
   */
  collect(): Promise<CollectReport>;
  close(): Promise<void>;
}

const day = 24 * 3600 * 1000;
const collectEvery = 3600 * 1000;

/** Opens, or makes, the store in `folder` (mode 0700). */
export async function openRegistryStore(options: { folder: string; clock?: Clock; log?: Logger }): Promise<RegistryStore> {
  const { folder, clock = systemClock, log = silentLogger } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const blobs = await BlobFiles.open(folder);
  const database = await Database.open(join(folder, 'registry.sqlite'));
  const metadata = new Metadata(database);

  const collect = async (): Promise<CollectReport> => {
    const before = clock.now().getTime() - day;
    const uploads = await blobs.collectUploads(before);
    const links = await metadata.unlinkUnused(before);
    let removed = 0;
    for await (const { digest, modified } of blobs.list()) {
      if (modified >= before) continue;
      if (await metadata.forgetBlob(digest, () => blobs.removeNow(digest))) removed += 1;
    }
    return { uploads, links, blobs: removed };
  };

  const timer = setInterval(() => {
    collect().then(
      (report) => log.debug(report, 'Collected unused blobs.'),
      (error) => log.warn({ error }, 'Unused blobs could not be collected.'),
    );
  }, collectEvery);
  timer.unref();

  return {
    folder,
    blobs,
    metadata,
    collect,
    close: async () => {
      clearInterval(timer);
      await blobs.close();
      await database.close();
    },
  };
}
