import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { run } from '@desp/runtime';
import { addressAt, createLocalNetwork } from './network/index.ts';
import { mountsUnder } from './node/index.ts';

/** In labels, names and folders outside the data folder: another data folder's cluster may have the same name. */
export function clusterId(name: string, dataFolder: string): string {
  return `${name}-${createHash('sha256').update(resolve(dataFolder)).digest('hex').slice(0, 6)}`;
}

/** Files of pods that no disk may see. */
export const memoryFolder = (id: string): string => join('/run/desp', id);

export interface ClusterTraces {
  readonly name: string;
  readonly dataFolder: string;
  /** Unknown where the configuration is gone: then networks are left alone, for they might be another's. */
  readonly subnets?: { readonly pods: string; readonly services: string };
}

/**
 * Removes what a cluster whose process ended, in order or not, left on the machine besides its files and its containers: mounts,
 * folders in memory, the route of its Services, the device of its pods' network. Starts nothing, needs no
 * engine, and nothing of it need be there.
 */
export async function removeClusterTraces({ name, dataFolder, subnets }: ClusterTraces): Promise<void> {
  const memory = memoryFolder(clusterId(name, dataFolder));
  // Lazily: a process of a stranger's container that still dies must not hold it up.
  for (const folder of [memory, resolve(dataFolder)])
    for (const mounted of await mountsUnder(folder)) await run(['umount', '--lazy', mounted]);
  await rm(memory, { recursive: true, force: true });
  if (subnets === undefined) return;
  await createLocalNetwork(subnets.services).release();
  const bridges = await run(['ip', '-oneline', '-4', 'address', 'show', 'to', addressAt(subnets.pods, 1)]);
  for (const [, device] of bridges.stdout.toString('utf8').matchAll(/^\d+: ([^\s@]+)/gm))
    await run(['ip', 'link', 'delete', device as string, 'type', 'bridge']);
}
