import {
  createEventRecorder,
  createInformerSet,
  type EventRecorder,
  type InformerSet,
  isKubeError,
  type KubeClient,
  storageClassType,
} from '@desp/kube';
import type { Clock, Logger } from '@desp/runtime';
import { runClaims } from './claim-controller.ts';
import { type StorageClassDefinition, storageClassOf } from './classes.ts';
import { runVolumes } from './volume-controller.ts';
import { VolumeFolders } from './volume-folders.ts';

export interface StorageOptions {
  readonly client: KubeClient;
  /** The platform's classes; the profile has them. */
  readonly classes: readonly StorageClassDefinition[];
  /** Where volumes lie: a folder of ours alone that the cluster's node accepts volumes from. */
  readonly volumesFolder: string;
  /** Caches over `client` that are shared with other controllers; default: its own. */
  readonly informers?: InformerSet;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface StorageParts {
  readonly client: KubeClient;
  readonly informers: InformerSet;
  readonly recorder: EventRecorder;
  readonly folders: VolumeFolders;
  readonly definitions: readonly StorageClassDefinition[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Installs the storage classes and provides volumes for claims of them, as Cinder's driver and the NFS provisioner do, from
 * folders of this machine. It goes on where a killed one stopped. `done` resolves when the signal aborted and all came to rest.
 */
export function startStorage(options: StorageOptions): { readonly done: Promise<void> } {
  const { client, classes, clock, log, signal } = options;
  const parts: StorageParts = {
    client,
    clock,
    log,
    signal,
    definitions: classes,
    informers: options.informers ?? createInformerSet({ client, clock, log, signal }),
    recorder: createEventRecorder({ client, component: 'desp-storage', clock, log }),
    folders: new VolumeFolders(options.volumesFolder),
  };
  const run = async () => {
    await installClasses(parts);
    await Promise.all([runClaims(parts), runVolumes(parts)]);
    await parts.recorder.flushed();
  };
  return { done: run() };
}

/** A class's provisioner and parameters never change; one that is otherwise there under the name is made anew. */
async function installClasses({ client, definitions }: StorageParts): Promise<void> {
  for (const definition of definitions) {
    const wanted = storageClassOf(definition);
    const apply = () =>
      client.patch(storageClassType, definition.name, undefined, wanted, { kind: 'apply', fieldManager: 'desp-storage', force: true });
    await apply().catch(async (error) => {
      if (!isKubeError(error, 'Invalid')) throw error;
      await client.delete(storageClassType, definition.name);
      await apply();
    });
  }
}
