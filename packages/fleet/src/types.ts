import type { LabelSelector } from '@desp/model';
import type { SourcePlace } from '@desp/runtime/errors';

/** Fleet's API group `fleet.cattle.io/v1alpha1`, as far as we read and write it. */
export const fleetApiVersion = 'fleet.cattle.io/v1alpha1';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonMap = { readonly [key: string]: Json };
export type StringMap = Readonly<Record<string, string>>;

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
  readonly generation?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
}

interface FleetObject<Kind extends string> {
  readonly apiVersion: typeof fleetApiVersion;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly lastUpdateTime?: string;
}

/** A file of the repository. */
export interface RepositoryFile {
  /** From the repository's root, with forward slashes, as `deployment/fleet.yaml`. */
  readonly path: string;
  readonly data: Uint8Array;
}

/** Criteria on clusters: all that are set must hold. None set matches nothing; an empty selector matches everything. */
export interface ClusterMatcher {
  readonly clusterName?: string;
  readonly clusterGroup?: string;
  readonly clusterGroupSelector?: LabelSelector;
  readonly clusterSelector?: LabelSelector;
}

interface KeyReference {
  readonly name: string;
  readonly namespace?: string;
  readonly key?: string;
}

export interface ValuesFrom {
  readonly configMapKeyRef?: KeyReference;
  readonly secretKeyRef?: KeyReference;
}

export interface HelmOptions {
  readonly chart?: string;
  readonly repo?: string;
  readonly version?: string;
  readonly releaseName?: string;
  readonly values?: JsonMap;
  readonly valuesFiles?: readonly string[];
  readonly valuesFrom?: readonly ValuesFrom[];
  readonly templateValues?: StringMap;
  /** Seconds; absent or 0: do not wait for objects to be ready. */
  readonly timeoutSeconds?: number;
  readonly maxHistory?: number;
  readonly waitForJobs?: boolean;
  readonly force?: boolean;
  readonly takeOwnership?: boolean;
  readonly atomic?: boolean;
  readonly disablePreProcess?: boolean;
  readonly disableDNS?: boolean;
  readonly skipSchemaValidation?: boolean;
  readonly disableDependencyUpdate?: boolean;
}

export interface CorrectDrift {
  readonly enabled?: boolean;
  readonly force?: boolean;
  readonly keepFailHistory?: boolean;
}

export interface ComparePatch {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly jsonPointers?: readonly string[];
  readonly operations?: readonly { readonly op?: string; readonly path?: string; readonly value?: string }[];
}

/** What a deployment depends on besides its resources. */
export interface DeploymentOptions {
  readonly defaultNamespace?: string;
  /** Forced on every object. */
  readonly namespace?: string;
  readonly createNamespace?: boolean;
  readonly namespaceLabels?: StringMap;
  readonly namespaceAnnotations?: StringMap;
  readonly serviceAccount?: string;
  readonly helm?: HelmOptions;
  readonly diff?: { readonly comparePatches?: readonly ComparePatch[] };
  readonly ignore?: { readonly conditions?: readonly StringMap[] };
  readonly correctDrift?: CorrectDrift;
  readonly keepResources?: boolean;
  readonly deleteNamespace?: boolean;
  readonly deleteCRDResources?: boolean;
  readonly forceSyncGeneration?: number;
}

export interface BundleTarget extends DeploymentOptions, ClusterMatcher {
  readonly name?: string;
  readonly doNotDeploy?: boolean;
}

export interface Dependency {
  readonly name?: string;
  readonly selector?: LabelSelector;
  /** Default: Ready. */
  readonly acceptedStates?: readonly BundleState[];
}

export interface RolloutPartition extends ClusterMatcher {
  readonly name?: string;
  readonly maxUnavailable?: number | string;
}

export interface RolloutStrategy {
  readonly maxUnavailable?: number | string;
  readonly maxUnavailablePartitions?: number | string;
  readonly autoPartitionSize?: number | string;
  readonly autoPartitionThreshold?: number;
  readonly maxNew?: number;
  readonly partitions?: readonly RolloutPartition[];
}

export interface BundleResource {
  readonly name: string;
  readonly content: string;
  /** Absent: content is text. */
  readonly encoding?: 'base64' | 'base64+gz';
}

export interface BundleSpec extends DeploymentOptions {
  readonly paused?: boolean;
  readonly rolloutStrategy?: RolloutStrategy;
  readonly dependsOn?: readonly Dependency[];
  readonly targetCustomizationMode?: 'FirstMatch' | 'AllMatches';
  readonly resources: readonly BundleResource[];
  /** Customizations first, then the plain targets of the GitRepo: told apart by position. */
  readonly targets: readonly BundleTarget[];
  readonly targetRestrictions?: readonly ClusterMatcher[];
}

export type Bundle = FleetObject<'Bundle'> & { readonly spec: BundleSpec; readonly status?: BundleStatus };

export interface GitRepoSpec {
  readonly repo: string;
  readonly branch?: string;
  readonly revision?: string;
  readonly paths?: readonly string[];
  readonly targets?: readonly (ClusterMatcher & { readonly name?: string })[];
  readonly targetNamespace?: string;
  readonly serviceAccount?: string;
  readonly clientSecretName?: string;
  readonly paused?: boolean;
  readonly keepResources?: boolean;
  readonly deleteNamespace?: boolean;
  readonly correctDrift?: CorrectDrift;
  readonly forceSyncGeneration?: number;
  readonly pollingInterval?: string;
  readonly disablePolling?: boolean;
}

export type GitRepo = FleetObject<'GitRepo'> & {
  readonly spec: GitRepoSpec;
  readonly status?: {
    readonly commit?: string;
    readonly observedGeneration?: number;
    readonly desiredReadyClusters?: number;
    readonly readyClusters?: number;
    readonly summary?: Summary;
    readonly display?: { readonly readyBundleDeployments?: string; readonly state?: string; readonly message?: string };
    readonly conditions?: readonly Condition[];
  };
};

export type Cluster = FleetObject<'Cluster'> & {
  readonly spec?: {
    readonly clientID?: string;
    readonly kubeConfigSecret?: string;
    readonly paused?: boolean;
    readonly templateValues?: JsonMap;
  };
  readonly status?: { readonly namespace?: string; readonly conditions?: readonly Condition[]; readonly summary?: Summary };
};

export type ClusterGroup = FleetObject<'ClusterGroup'> & { readonly spec: { readonly selector?: LabelSelector } };

export type Content = FleetObject<'Content'> & {
  /** Base64 of the gzipped manifest. */ readonly content: string;
  readonly sha256sum: string;
};

export interface BundleDeploymentSpec {
  readonly deploymentID: string;
  readonly stagedDeploymentID: string;
  readonly options: DeploymentOptions;
  readonly stagedOptions: DeploymentOptions;
  readonly paused?: boolean;
  readonly dependsOn?: readonly Dependency[];
  readonly correctDrift?: CorrectDrift;
}

/** What a release's objects came to, and with what they were rendered. */
export interface RenderedManifests {
  /** Digest of the objects, their images pinned. */
  readonly manifests: string;
  readonly operation: 'install' | 'upgrade';
  readonly revision: number;
  readonly kubeVersion: string;
}

export type BundleDeployment = FleetObject<'BundleDeployment'> & {
  readonly spec: BundleDeploymentSpec;
  readonly status?: {
    readonly appliedDeploymentID?: string;
    /** Written by our agent: which deployment the conditions speak of. Rancher's agent does not say. */
    readonly attemptedDeploymentID?: string;
    /** Written by our agent: what it rendered, pinned and applied. Rancher's agent does not say. */
    readonly rendered?: RenderedManifests;
    readonly release?: string;
    readonly ready?: boolean;
    readonly nonModified?: boolean;
    readonly nonReadyStatus?: readonly {
      readonly apiVersion?: string;
      readonly kind: string;
      readonly namespace?: string;
      readonly name: string;
      readonly summary?: { readonly state?: string; readonly message?: readonly string[] };
    }[];
    readonly modifiedStatus?: readonly {
      readonly apiVersion?: string;
      readonly kind: string;
      readonly namespace?: string;
      readonly name: string;
      readonly delete?: boolean;
      readonly missing?: boolean;
      readonly patch?: string;
    }[];
    readonly conditions?: readonly Condition[];
    readonly display?: { readonly deployed?: string; readonly monitored?: string; readonly state?: string };
  };
};

/** Worst first; unknown states of newer Fleets are read as NotReady. */
export const bundleStates = ['ErrApplied', 'WaitApplied', 'Modified', 'OutOfSync', 'Pending', 'NotReady', 'Ready'] as const;
export type BundleState = (typeof bundleStates)[number];

export interface Summary {
  readonly desiredReady: number;
  readonly ready: number;
  readonly notReady?: number;
  readonly waitApplied?: number;
  readonly errApplied?: number;
  readonly outOfSync?: number;
  readonly modified?: number;
  readonly pending?: number;
  readonly nonReadyResources?: readonly { readonly name: string; readonly bundleState: BundleState; readonly message?: string }[];
}

export interface BundleStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly summary?: Summary;
  readonly display?: { readonly readyClusters?: string; readonly state?: string };
}

/** Something that Fleet passes over in silence and that the author should know. */
export interface FleetWarning {
  readonly message: string;
  readonly where: SourcePlace;
}
