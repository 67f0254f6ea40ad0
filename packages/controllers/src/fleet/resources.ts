import type { Bundle, BundleDeployment, Cluster, ClusterGroup, Content, GitRepo } from '@desp/fleet';
import type { KubeObject, ObjectMeta, ResourceType } from '@desp/kube';

/** Fleet's kinds as the API server stores them, and where they are served. */

type Stored<T> = Omit<T, 'metadata' | 'spec'> & { metadata: ObjectMeta } & (T extends { spec: infer Spec } ? { spec: Spec } : object);

export type StoredBundle = Stored<Bundle>;
export type StoredBundleDeployment = Stored<BundleDeployment>;
export type StoredCluster = Stored<Cluster>;
export type StoredClusterGroup = Stored<ClusterGroup>;
export type StoredContent = Stored<Content>;
/** Its spec is what a person wrote: parse it with `GitRepoSource`. */
export type StoredGitRepo = Omit<Stored<GitRepo>, 'spec'> & { spec?: unknown };

function fleetType<T extends KubeObject>(plural: string, kind: string, namespaced = true): ResourceType<T> {
  return { group: 'fleet.cattle.io', version: 'v1alpha1', plural, kind, namespaced };
}

export const gitRepoType = fleetType<StoredGitRepo>('gitrepos', 'GitRepo');
export const bundleType = fleetType<StoredBundle>('bundles', 'Bundle');
export const bundleDeploymentType = fleetType<StoredBundleDeployment>('bundledeployments', 'BundleDeployment');
export const clusterType = fleetType<StoredCluster>('clusters', 'Cluster');
export const clusterGroupType = fleetType<StoredClusterGroup>('clustergroups', 'ClusterGroup');
export const contentType = fleetType<StoredContent>('contents', 'Content', false);

/** Labels by which Fleet's objects find one another. */
export const labels = {
  repo: 'fleet.cattle.io/repo-name',
  commit: 'fleet.cattle.io/commit',
  bundle: 'fleet.cattle.io/bundle-name',
  bundleNamespace: 'fleet.cattle.io/bundle-namespace',
} as const;

/** What the platform writes on a GitRepo and what goes with the bundle to the cluster. */
export const carried = {
  /** Label: the service whose namespace the deployment must stay in. */
  service: 'desp.space/service',
  /** Annotation: the release's version. */
  release: 'desp.space/release',
  /** Annotation: JSON map of `host/repository:tag` to the digest that was judged. */
  pins: 'desp.space/pins',
} as const;

const prefix = 'desp.space/';

/** The entries of the platform in a set of labels or annotations. */
export function ofPlatform(entries: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(entries ?? {}).filter(([key]) => key.startsWith(prefix)));
}
