import type { StorageClass } from '@desp/kube';

/** A storage class of the platform; the profile has them. */
export interface StorageClassDefinition {
  readonly name: string;
  /** The data outlives the claim. */
  readonly persistent: boolean;
  /** Modes that work on several nodes. With ReadWriteMany among them it is a shared file system (NFS), else block storage (Cinder). */
  readonly accessModes: readonly string[];
  /** Of a shared file system: where below the class's folder a claim's data lies; default `${.PVC.namespace}-${.PVC.name}`. */
  readonly pathPattern?: string;
}

export const provisioners = {
  block: 'cinder.csi.openstack.org',
  shared: 'k8s-sigs.io/nfs-subdir-external-provisioner',
} as const;

export const isShared = (definition: StorageClassDefinition): boolean => definition.accessModes.includes('ReadWriteMany');
export const provisionerOf = (definition: StorageClassDefinition): string =>
  isShared(definition) ? provisioners.shared : provisioners.block;

const defaultPattern = '${.PVC.namespace}-${.PVC.name}';
export const patternOf = (definition: StorageClassDefinition): string => definition.pathPattern ?? defaultPattern;

/** The StorageClass object as the real provisioner would be set up. */
export function storageClassOf(definition: StorageClassDefinition): StorageClass {
  const shared = isShared(definition);
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: definition.name },
    provisioner: provisionerOf(definition),
    ...(shared ? { parameters: { onDelete: definition.persistent ? 'retain' : 'delete', pathPattern: patternOf(definition) } } : {}),
    reclaimPolicy: definition.persistent ? 'Retain' : 'Delete',
    volumeBindingMode: 'Immediate',
  };
}
