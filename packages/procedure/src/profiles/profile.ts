/**
 * The dated conventions of the platform, as data. Where the procedure contradicts itself or reality, the profile holds the
 * decision and docs/decisions/ the reason.
 */
export interface Profile {
  readonly name: ProfileName;
  readonly title: string;
  /** In the order of promotion. */
  readonly environments: readonly ProfileEnvironment[];
  readonly templates: {
    /** Project of the hosted templates; the value of $DEVSECOPS_TEMPLATES_REPOSITORY. */
    readonly project: string;
    /** The value of $DEVSECOPS_TEMPLATES_REF. */
    readonly ref: string;
    readonly files: readonly string[];
  };
  /** Whether `fleet.yml` counts: Fleet reads it, undocumented, where fleet.yaml is absent. */
  readonly fleetYml: 'warn' | 'accept';
  /** Oldest Kubernetes that services must run on (DESP-DEV-006). */
  readonly kubernetesVersion: string;
  readonly externalSecrets: {
    /** Behaviour of the controller: the one of 2023, or today's. */
    readonly release: '0.9' | 'current';
    readonly apiVersions: readonly string[];
  };
  readonly storageClasses: readonly StorageClass[];
  /** The gate's rule (section 3 and DESP-DEV-051). */
  readonly gate: {
    /** A base score above this blocks; exactly this does not by itself. */
    readonly scoreAbove: number;
    readonly labels: readonly ('high' | 'critical')[];
    readonly unscored: 'block' | 'list';
    readonly advisoryAgeDays: number;
  };
}

export type ProfileName = 'procedure-2023' | 'observed-2025';

export interface ProfileEnvironment {
  readonly name: string;
  readonly title: string;
  /** Labels of its cluster, by which Fleet selects. */
  readonly clusterLabels: Readonly<Record<string, string>>;
  /** Name of the values file beside the chart. */
  readonly valuesFile: string;
  /** Domains in which public names must lie. */
  readonly allowedDomains: readonly string[];
  /** Registries that images may come from. */
  readonly registryHosts: readonly string[];
  /** `direct`: a release job delivers. `promotion`: only a promotion does. */
  readonly entry: 'direct' | 'promotion';
  /** Programs in an image that no package owns: listed, or a signed acceptance is needed. */
  readonly unowned: 'list' | 'acceptance-required';
}

export type AccessMode = 'ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany' | 'ReadWriteOncePod';

export interface StorageClass {
  readonly name: string;
  /** The data outlives the claim. */
  readonly persistent: boolean;
  /** Modes that work on several nodes, not merely bind. */
  readonly accessModes: readonly AccessMode[];
  /** Of a shared file system: where a claim's folder lies; default `${.PVC.namespace}-${.PVC.name}`. */
  readonly pathPattern?: string;
}

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
