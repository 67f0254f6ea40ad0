import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '@desp/kube';
import { isShared, provisionerOf, type StorageClassDefinition } from './classes.ts';
import { bytesOf, roundToGibibytes } from './quantity.ts';

/** What to do about a claim that is not bound. Pure; the messages are Kubernetes' and the provisioners' own. */
export type ClaimPlan =
  | { readonly kind: 'wait'; readonly event: ClaimEvent }
  | { readonly kind: 'bind'; readonly volume: PersistentVolume }
  | { readonly kind: 'provision'; readonly definition: StorageClassDefinition; readonly capacity: string; readonly warning?: ClaimEvent };

export interface ClaimEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface ClaimFacts {
  readonly definitions: readonly StorageClassDefinition[];
  /** The class that the claim names, where it exists. */
  readonly storageClass: StorageClass | undefined;
  /** The volume that the claim names, where it exists. */
  readonly volume: PersistentVolume | undefined;
}

const failing = (message: string): ClaimPlan => ({ kind: 'wait', event: { type: 'Warning', reason: 'ProvisioningFailed', message } });

export function planClaim(claim: PersistentVolumeClaim, facts: ClaimFacts): ClaimPlan {
  const { spec } = claim;
  if (spec.volumeName) return planNamedVolume(claim, facts.volume);
  const name = spec.storageClassName ?? claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? '';
  if (name === '') {
    return {
      kind: 'wait',
      event: {
        type: 'Normal',
        reason: 'FailedBinding',
        message: 'no persistent volumes available for this claim and no storage class is set',
      },
    };
  }
  if (!facts.storageClass) return failing(`storageclass.storage.k8s.io "${name}" not found`);
  const definition = facts.definitions.find((each) => each.name === name);
  if (!definition || facts.storageClass.provisioner !== provisionerOf(definition)) {
    const { provisioner } = facts.storageClass;
    return {
      kind: 'wait',
      event: {
        type: 'Normal',
        reason: 'ExternalProvisioning',
        message: `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
      },
    };
  }
  return planProvisioning(claim, definition);
}

function planProvisioning({ spec }: PersistentVolumeClaim, definition: StorageClassDefinition): ClaimPlan {
  const fail = (why: string): ClaimPlan => failing(`failed to provision volume with StorageClass "${definition.name}": ${why}`);
  if (spec.selector) return fail('claim Selector is not supported');
  if (spec.volumeMode === 'Block') return fail('raw block volumes are not supported');
  const requested = spec.resources?.requests?.['storage'];
  const bytes = bytesOf(requested);
  if (bytes === undefined || requested === undefined) return fail(`the request ${JSON.stringify(requested)} is no size`);
  // Cinder makes whole GiB; a folder of a shared file system is as large as was asked for.
  const capacity = isShared(definition) ? String(requested) : roundToGibibytes(bytes);
  const unfit = (spec.accessModes ?? []).filter((mode) => !definition.accessModes.includes(mode));
  if (unfit.length === 0) return { kind: 'provision', definition, capacity };
  return {
    kind: 'provision',
    definition,
    capacity,
    warning: {
      type: 'Warning',
      reason: 'AccessModeNotShared',
      message: `The class ${definition.name} is block storage and no shared file system: ${unfit.join(', ')} binds, but pods on a second node fail to attach the volume. Use an NFS class, or ReadWriteOnce.`,
    },
  };
}

function planNamedVolume(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): ClaimPlan {
  const name = claim.spec.volumeName;
  const wait = (message: string): ClaimPlan => ({ kind: 'wait', event: { type: 'Warning', reason: 'FailedBinding', message } });
  if (!volume) return wait(`volume "${name}" not found`);
  const { claimRef } = volume.spec;
  if (claimRef && (claimRef.name !== claim.metadata.name || claimRef.namespace !== claim.metadata.namespace))
    return wait(`volume "${name}" already bound to a different claim.`);
  if (claimRef?.uid && claimRef.uid !== claim.metadata.uid) return wait(`volume "${name}" already bound to a different claim.`);
  if ((volume.spec.storageClassName ?? '') !== (claim.spec.storageClassName ?? ''))
    return wait(`Cannot bind to requested volume "${name}": storageClassName does not match`);
  const [wanted, offered] = [bytesOf(claim.spec.resources?.requests?.['storage']), bytesOf(volume.spec.capacity?.['storage'])];
  if (wanted !== undefined && (offered ?? 0n) < wanted) return wait(`Cannot bind to requested volume "${name}": requested PV is too small`);
  if (!(claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode)))
    return wait(`Cannot bind to requested volume "${name}": incompatible accessMode`);
  return { kind: 'bind', volume };
}
