import { existsSync } from 'node:fs';
import { startEmbeddedCluster } from '@desp/cluster';
import { type Logger, messageOf, systemClock } from '@desp/runtime';
import { openDataFolder } from '@desp/storage';
import { readConfig } from './config.ts';
import { startEngine } from './embedded/engine.ts';

/** Removes what a rehearsal left outside its folder: containers, networks, mounts, addresses. The folder itself is the caller's to remove. */
export async function purgeRehearsal(path: string, log: Logger): Promise<void> {
  const data = openDataFolder(path, { leastFreeBytes: 0 });
  try {
    const file = data.file('desp.config.yaml');
    if (!existsSync(file)) return;
    const config = readConfig(file);
    const engine = await startEngine(data, []);
    const socket = 'missing' in engine ? undefined : engine.service.socket;
    for (const [name, embedded] of [
      ['management', config.management.embedded] as const,
      ...config.environments.map((one) => [one.name, one.kubernetes.embedded] as const),
    ]) {
      if (!embedded || !existsSync(data.file('clusters', name))) continue;
      const cluster = await startEmbeddedCluster({
        name,
        dataFolder: data.file('clusters', name),
        ...embedded,
        port: 0,
        ...(socket ? { engineSocket: socket } : {}),
        clock: systemClock,
        log,
      });
      await cluster.purge().catch((error) => log.warn({ error: messageOf(error), cluster: name }, 'Something of a cluster was left.'));
    }
    if (!('missing' in engine)) await engine.service.purge();
  } finally {
    data.release();
  }
}
