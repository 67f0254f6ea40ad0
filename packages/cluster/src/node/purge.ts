import { rm } from 'node:fs/promises';
import { run } from '@desp/runtime';
import type { Engine } from './engine.ts';
import { clusterLabel, containerLabel, sandboxName } from './labels.ts';
import { mountsUnder, type VolumeFolders } from './volumes.ts';

/** Stops all containers of the cluster; their pods begin anew when a node starts again. */
export async function stopPods(engine: Engine, cluster: string): Promise<void> {
  const containers = await engine.list({ [clusterLabel]: cluster });
  await Promise.all(containers.filter(({ state }) => state === 'running').map(({ id }) => engine.stop(id, 1)));
}

/** Removes every container, network, mount and folder of the cluster, when no node runs. */
export async function purgeNode(options: { cluster: string; engine: Engine; folders: VolumeFolders; networkName: string }): Promise<void> {
  const { engine } = options;
  const containers = await engine.list({ [clusterLabel]: options.cluster });
  const isSandbox = ({ labels }: { labels: Readonly<Record<string, string>> }) => labels[containerLabel] === sandboxName;
  await Promise.all(containers.filter((container) => !isSandbox(container)).map(({ id }) => engine.remove(id)));
  await Promise.all(containers.filter(isSandbox).map(({ id }) => engine.remove(id)));
  await engine.removeNetwork(options.networkName);
  await removeFolders(Object.values(options.folders));
}

/** Unmounts what is mounted in the folders, then removes them. */
export async function removeFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (const mounted of await mountsUnder(folder)) await run(['umount', mounted]);
    await rm(folder, { recursive: true, force: true });
  }
}
