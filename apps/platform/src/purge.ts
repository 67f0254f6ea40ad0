import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { removeClusterTraces } from '@desp/cluster';
import { purgeEngine } from '@desp/engine';
import type { Config } from '@desp/model';
import { type Logger, messageOf } from '@desp/runtime';
import { openDataFolder } from '@desp/storage';
import { readConfig, rehearsalConfig } from './config.ts';
import { clusterPlaces } from './embedded/clusters.ts';

/**
 * Removes what a rehearsal left outside its folder: containers, processes, networks, mounts, routes. It starts no part, and any
 * of them may be gone, half or whole. The folder itself is the caller's to remove.
 *
 * @throws StorageError DATA_FOLDER_IN_USE while a server runs
 */
export async function purgeRehearsal(path: string, log: Logger): Promise<void> {
  const data = openDataFolder(path, { leastFreeBytes: 0 });
  try {
    const config = configOf(join(data.path, 'desp.config.yaml'), log);
    await purgeEngine(join(data.path, 'engine'), { log });
    for (const { name, embedded } of clusterPlaces(config ?? rehearsalConfig(data.path))) {
      // Without its configuration nobody knows which networks were this rehearsal's: another's are left alone.
      const subnets = config && embedded ? { pods: embedded.podSubnet, services: embedded.serviceSubnet } : undefined;
      await removeClusterTraces({ name, dataFolder: join(data.path, 'clusters', name), ...(subnets ? { subnets } : {}) });
    }
  } finally {
    data.release();
  }
}

function configOf(file: string, log: Logger): Config | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return readConfig(file);
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'The configuration is not read.');
    return undefined;
  }
}
