import type { AccessMode, StorageClass } from './profile.ts';

const everyMode: readonly AccessMode[] = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'];

/** Both profiles have the same five classes; decisions 2026-11-22-nfs-classes and 2026-11-22-rwx-on-cinder. */
export const storageClasses: readonly StorageClass[] = [
  { name: 'csi-cinder-sc-delete', persistent: false, accessModes: ['ReadWriteOnce', 'ReadWriteOncePod'] },
  { name: 'csi-cinder-sc-retain', persistent: true, accessModes: ['ReadWriteOnce', 'ReadWriteOncePod'] },
  { name: 'temporary-nfs-storage', persistent: false, accessModes: everyMode },
  { name: 'persistent-nfs-storage', persistent: true, accessModes: everyMode },
  {
    name: 'persistent-nfs-storage-with-path',
    persistent: true,
    accessModes: everyMode,
    pathPattern: '${.PVC.annotations.nfs.io/storage-path}',
  },
];
