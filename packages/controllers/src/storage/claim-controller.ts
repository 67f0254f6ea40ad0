import {
  isKubeError,
  keyOf,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaimType,
  persistentVolumeType,
  podType,
  type ReconcileContext,
  type ReconcileResult,
  runController,
  source,
  storageClassType,
} from '@desp/kube';
import { DespError, messageOf } from '@desp/runtime';
import { type ClaimPlan, planClaim } from './claim-plan.ts';
import { isShared, patternOf, provisionerOf } from './classes.ts';
import type { StorageParts } from './start-storage.ts';
import type { VolumeOwner } from './volume-folders.ts';
import { volumePath } from './volume-path.ts';

export const claimFinalizer = 'kubernetes.io/pvc-protection';
const retryMs = 15_000;

/** Binds claims: makes the volume that the class promises, or says in an event what is missing. One key at a time. */
export function runClaims(parts: StorageParts): Promise<void> {
  const { informers, definitions, recorder } = parts;
  const claims = informers.of(persistentVolumeClaimType);
  const pods = informers.of(podType);
  pods.addIndex('claim', claimsOfPod);

  async function reconcile(key: string, { client }: ReconcileContext): Promise<ReconcileResult> {
    const cached = claims.get(key);
    const claim = cached && (await client.get(persistentVolumeClaimType, cached.metadata.name, cached.metadata.namespace));
    if (!claim) return undefined;
    if (claim.metadata.deletionTimestamp) {
      const isUsed = pods.byIndex('claim', key).some(holdsClaim);
      if (!isUsed)
        await setFinalizers(
          claim,
          claim.metadata.finalizers?.filter((each) => each !== claimFinalizer),
        );
      return undefined;
    }
    if (!claim.metadata.finalizers?.includes(claimFinalizer)) {
      await setFinalizers(claim, [...(claim.metadata.finalizers ?? []), claimFinalizer]);
      return undefined;
    }
    if (claim.status?.phase === 'Bound') return markLost(claim);
    const plan = planClaim(claim, await factsOf(claim));
    if (plan.kind === 'wait') {
      recorder.event(claim, plan.event.type, plan.event.reason, plan.event.message);
      return undefined;
    }
    if (plan.kind === 'bind') {
      await bind(claim, plan.volume);
      return undefined;
    }
    return provision(claim, plan);
  }

  async function factsOf({ spec }: PersistentVolumeClaim) {
    const [storageClass, volume] = await Promise.all([
      spec.storageClassName ? parts.client.get(storageClassType, spec.storageClassName) : undefined,
      spec.volumeName ? parts.client.get(persistentVolumeType, spec.volumeName) : undefined,
    ]);
    return { definitions, storageClass, volume };
  }

  async function setFinalizers({ metadata }: PersistentVolumeClaim, finalizers: readonly string[] | undefined): Promise<void> {
    const change = { metadata: { resourceVersion: metadata.resourceVersion, finalizers: finalizers ?? [] } };
    await parts.client.patch(persistentVolumeClaimType, metadata.name, metadata.namespace, change, { kind: 'merge' });
  }

  async function provision(claim: PersistentVolumeClaim, plan: Extract<ClaimPlan, { kind: 'provision' }>): Promise<ReconcileResult> {
    const { definition } = plan;
    const name = `pvc-${claim.metadata.uid}`;
    try {
      const made = await parts.client.get(persistentVolumeType, name);
      if (!made) recorder.event(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${keyOf(claim)}"`);
      const folder = await parts.folders.claim(ownerOf(claim, name, plan), isInUse);
      const volume = made ?? (await create(volumeOf(claim, plan, name, folder)));
      await bind(claim, volume);
      recorder.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`);
      if (plan.warning) recorder.event(claim, plan.warning.type, plan.warning.reason, plan.warning.message);
    } catch (error) {
      if (isKubeError(error) || !(error instanceof DespError) || error.kind !== 'user') throw error;
      const message = `failed to provision volume with StorageClass "${definition.name}": ${messageOf(error)}${error.cure ? ` ${error.cure}` : ''}`;
      recorder.event(claim, 'Warning', 'ProvisioningFailed', message);
      return { requeueAfterMs: retryMs };
    }
    return undefined;
  }

  function ownerOf(claim: PersistentVolumeClaim, volume: string, { definition }: Extract<ClaimPlan, { kind: 'provision' }>): VolumeOwner {
    const { name, namespace = '', uid = '', labels = {}, annotations = {} } = claim.metadata;
    const path = isShared(definition) ? volumePath(patternOf(definition), { name, namespace, labels, annotations }, volume) : volume;
    return { class: definition.name, path, namespace, claim: name, uid, volume };
  }

  /** A claim of the same namespace had the folder before: it must be gone, and its data not about to be deleted. */
  function isInUse(former: VolumeOwner): boolean {
    const claim = claims.get(`${former.namespace}/${former.claim}`);
    if (claim?.metadata.uid === former.uid) return true;
    const volume = informers.of(persistentVolumeType).get(former.volume);
    return volume?.spec.persistentVolumeReclaimPolicy === 'Delete';
  }

  async function create(volume: PersistentVolume): Promise<PersistentVolume> {
    try {
      return await parts.client.create(persistentVolumeType, volume);
    } catch (error) {
      const live = isKubeError(error, 'AlreadyExists') ? await parts.client.get(persistentVolumeType, volume.metadata.name) : undefined;
      if (!live) throw error;
      return live;
    }
  }

  /** First the volume names the claim, then the claim the volume; each step may be repeated. */
  async function bind(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
    const { client } = parts;
    const { name, namespace, uid, resourceVersion } = claim.metadata;
    const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid };
    if (volume.spec.claimRef?.uid !== uid) {
      const change = { metadata: { resourceVersion: volume.metadata.resourceVersion }, spec: { claimRef } };
      await client.patch(persistentVolumeType, volume.metadata.name, undefined, change, { kind: 'merge' });
    }
    await client.patch(
      persistentVolumeType,
      volume.metadata.name,
      undefined,
      { status: { phase: 'Bound' } },
      { kind: 'merge', subresource: 'status' },
    );
    const provisioner = volume.metadata.annotations?.['pv.kubernetes.io/provisioned-by'];
    const annotations = {
      'pv.kubernetes.io/bind-completed': 'yes',
      ...(claim.spec.volumeName ? {} : { 'pv.kubernetes.io/bound-by-controller': 'yes' }),
      ...(provisioner
        ? { 'volume.beta.kubernetes.io/storage-provisioner': provisioner, 'volume.kubernetes.io/storage-provisioner': provisioner }
        : {}),
    };
    const change = { metadata: { resourceVersion, annotations }, spec: { volumeName: volume.metadata.name } };
    await client.patch(persistentVolumeClaimType, name, namespace, change, { kind: 'merge' });
    const status = { phase: 'Bound', accessModes: volume.spec.accessModes, capacity: volume.spec.capacity };
    await client.patch(persistentVolumeClaimType, name, namespace, { status }, { kind: 'merge', subresource: 'status' });
  }

  async function markLost(claim: PersistentVolumeClaim): Promise<ReconcileResult> {
    const volume = claim.spec.volumeName && (await parts.client.get(persistentVolumeType, claim.spec.volumeName));
    if (volume && volume.spec.claimRef?.uid === claim.metadata.uid) return undefined;
    recorder.event(claim, 'Warning', 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
    await parts.client.patch(
      persistentVolumeClaimType,
      claim.metadata.name,
      claim.metadata.namespace,
      { status: { phase: 'Lost' } },
      { kind: 'merge', subresource: 'status' },
    );
    return undefined;
  }

  return runController({
    ...parts,
    name: 'persistent-volume-claims',
    concurrency: 1,
    resyncMs: 60_000,
    backOff: { baseMs: 100, maxMs: 30_000 },
    sources: [
      source(persistentVolumeClaimType, (claim) => [keyOf(claim)]),
      source(persistentVolumeType, ({ spec: { claimRef } }) => (claimRef?.name ? [`${claimRef.namespace}/${claimRef.name}`] : [])),
      source(podType, claimsOfPod),
      source(storageClassType, ({ metadata }) =>
        claims
          .list()
          .filter((claim) => claim.spec.storageClassName === metadata.name && claim.status?.phase !== 'Bound')
          .map(keyOf),
      ),
    ],
    reconcile,
  });
}

function claimsOfPod({ metadata, spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim ? [`${metadata.namespace}/${persistentVolumeClaim.claimName}`] : [],
  );
}

/** A pod that was given to a node and has not come to its end. Source: Kubernetes' pvc-protection-controller. */
const holdsClaim = ({ spec, status }: Pod): boolean =>
  Boolean(spec.nodeName) && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';

export const volumeFinalizer = 'kubernetes.io/pv-protection';

/** The volume in the form that a node mounts: Cinder's driver with the folder as an attribute, a shared one as a folder. */
function volumeOf(
  claim: PersistentVolumeClaim,
  { definition, capacity }: Extract<ClaimPlan, { kind: 'provision' }>,
  name: string,
  folder: string,
): PersistentVolume {
  const { name: claimName, namespace, uid } = claim.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, finalizers: [volumeFinalizer], annotations: { 'pv.kubernetes.io/provisioned-by': provisionerOf(definition) } },
    spec: {
      capacity: { storage: capacity },
      accessModes: claim.spec.accessModes ?? [],
      persistentVolumeReclaimPolicy: definition.persistent ? 'Retain' : 'Delete',
      storageClassName: definition.name,
      volumeMode: 'Filesystem',
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name: claimName,
        ...(namespace ? { namespace } : {}),
        ...(uid ? { uid } : {}),
      },
      ...(isShared(definition)
        ? { hostPath: { path: folder, type: 'Directory' } }
        : { csi: { driver: provisionerOf(definition), volumeHandle: uid ?? name, volumeAttributes: { path: folder } } }),
    },
  };
}
