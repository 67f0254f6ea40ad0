import {
  type PersistentVolume,
  persistentVolumeClaimType,
  persistentVolumeType,
  type ReconcileContext,
  type ReconcileResult,
  runController,
  source,
} from '@desp/kube';
import { volumeFinalizer } from './claim-controller.ts';
import { provisioners } from './classes.ts';
import type { StorageParts } from './start-storage.ts';

/** No volume has this key: work of its own in the queue. */
const orphansKey = '#orphans';
const ours: ReadonlySet<string> = new Set(Object.values(provisioners));

/**
 * Volumes whose claim is gone: their data is deleted or kept as the class says. Folders that never came to a volume, because we
 * were killed in between, are found by their owner records.
 */
export function runVolumes(parts: StorageParts): Promise<void> {
  const { client, informers, recorder, folders, definitions } = parts;
  const volumes = informers.of(persistentVolumeType);

  async function reconcile(key: string, _context: ReconcileContext): Promise<ReconcileResult> {
    if (key === orphansKey) return removeOrphans();
    const volume = volumes.get(key) && (await client.get(persistentVolumeType, key));
    if (!volume) return undefined;
    const { claimRef, persistentVolumeReclaimPolicy } = volume.spec;
    const claim = claimRef?.name ? await client.get(persistentVolumeClaimType, claimRef.name, claimRef.namespace) : undefined;
    const isClaimed = claim !== undefined && (claimRef?.uid === undefined || claim.metadata.uid === claimRef.uid);
    if (volume.metadata.deletionTimestamp) {
      if (!isClaimed)
        await setFinalizers(
          volume,
          volume.metadata.finalizers?.filter((each) => each !== volumeFinalizer),
        );
      return undefined;
    }
    if (!volume.metadata.finalizers?.includes(volumeFinalizer)) {
      await setFinalizers(volume, [...(volume.metadata.finalizers ?? []), volumeFinalizer]);
      return undefined;
    }
    if (claimRef === undefined) return setPhase(volume, 'Available');
    if (isClaimed) return undefined;
    await setPhase(volume, 'Released');
    if (persistentVolumeReclaimPolicy === 'Delete') await reclaim(volume);
    return undefined;
  }

  async function reclaim(volume: PersistentVolume): Promise<void> {
    if (!ours.has(volume.metadata.annotations?.['pv.kubernetes.io/provisioned-by'] ?? '')) return;
    // Where the data lies is what our record says, never what stands in the object.
    const owner = (await folders.owners()).find((each) => each.volume === volume.metadata.name && each.uid === volume.spec.claimRef?.uid);
    try {
      if (owner) await folders.remove(owner);
    } catch (error) {
      recorder.event(volume, 'Warning', 'VolumeFailedDelete', 'The data of the volume could not be deleted; it is tried again.');
      throw error;
    }
    await client.delete(
      persistentVolumeType,
      volume.metadata.name,
      undefined,
      volume.metadata.uid === undefined ? {} : { uid: volume.metadata.uid },
    );
  }

  async function removeOrphans(): Promise<undefined> {
    const deleted = new Set(definitions.filter(({ persistent }) => !persistent).map(({ name }) => name));
    for (const owner of await folders.owners()) {
      if (!deleted.has(owner.class) || (await client.get(persistentVolumeType, owner.volume))) continue;
      const claim = await client.get(persistentVolumeClaimType, owner.claim, owner.namespace);
      if (claim?.metadata.uid !== owner.uid) await folders.remove(owner);
    }
    return undefined;
  }

  async function setFinalizers({ metadata }: PersistentVolume, finalizers: readonly string[] | undefined): Promise<void> {
    const change = { metadata: { resourceVersion: metadata.resourceVersion, finalizers: finalizers ?? [] } };
    await client.patch(persistentVolumeType, metadata.name, undefined, change, { kind: 'merge' });
  }

  async function setPhase(volume: PersistentVolume, phase: 'Available' | 'Released'): Promise<undefined> {
    if (volume.status?.phase !== phase)
      await client.patch(
        persistentVolumeType,
        volume.metadata.name,
        undefined,
        { status: { phase } },
        { kind: 'merge', subresource: 'status' },
      );
    return undefined;
  }

  return runController({
    ...parts,
    name: 'persistent-volumes',
    concurrency: 1,
    resyncMs: 60_000,
    backOff: { baseMs: 100, maxMs: 30_000 },
    sources: [
      source(persistentVolumeType, ({ metadata }) => [metadata.name]),
      source(persistentVolumeClaimType, ({ metadata, spec }) => (spec.volumeName ? [spec.volumeName] : [`pvc-${metadata.uid}`])),
    ],
    keys: (add) => add(orphansKey),
    reconcile,
  });
}
