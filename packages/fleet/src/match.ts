import { matchesSelector } from '@desp/model';
import type { BundleSpec, BundleTarget, Cluster, ClusterGroup, ClusterMatcher } from './types.ts';

const displayNameLabel = 'management.cattle.io/cluster-display-name';

/** The groups that a cluster belongs to. */
export function groupsOf(cluster: Cluster, groups: readonly ClusterGroup[]): ClusterGroup[] {
  const labels = cluster.metadata.labels ?? {};
  return groups.filter((group) => group.spec.selector !== undefined && matchesSelector(group.spec.selector, labels));
}

/** Whether all criteria that are set hold (reference §2); group criteria must hold for one same group. */
export function matchesCluster(matcher: ClusterMatcher, cluster: Cluster, groups: readonly ClusterGroup[]): boolean {
  const { clusterName, clusterGroup, clusterGroupSelector, clusterSelector } = matcher;
  const labels = cluster.metadata.labels ?? {};
  let isSet = false;
  if (clusterName) {
    isSet = true;
    if (clusterName !== cluster.metadata.name && clusterName !== labels[displayNameLabel]) return false;
  }
  if (clusterSelector) {
    isSet = true;
    if (!matchesSelector(clusterSelector, labels)) return false;
  }
  if (clusterGroup || clusterGroupSelector) {
    isSet = true;
    const holds = (group: ClusterGroup): boolean =>
      (!clusterGroup || group.metadata.name === clusterGroup) &&
      (!clusterGroupSelector || matchesSelector(clusterGroupSelector, group.metadata.labels ?? {}));
    if (!groupsOf(cluster, groups).some(holds)) return false;
  }
  return isSet;
}

/** How a bundle goes to a cluster: the plain target that selected it and the customizations to apply, in order. */
export interface TargetMatch {
  readonly target: BundleTarget;
  readonly customizations: readonly BundleTarget[];
}

/**
 * Step 1: the first plain target that matches selects the cluster. Step 2: the first matching customization applies (mode
 * AllMatches: all of them, in order). Undefined: the bundle is not deployed there, for no target matches or a chosen
 * customization says doNotDeploy. Without targetRestrictions all targets are plain and the first match counts.
 */
export function matchTarget(spec: BundleSpec, cluster: Cluster, groups: readonly ClusterGroup[]): TargetMatch | undefined {
  const matches = (matcher: ClusterMatcher): boolean => matchesCluster(matcher, cluster, groups);
  const restrictions = spec.targetRestrictions ?? [];
  if (restrictions.length === 0) {
    const target = spec.targets.find(matches);
    return target && !target.doNotDeploy ? { target, customizations: [target] } : undefined;
  }
  // A cluster that the restrictions leave out is out, whatever the plain targets say.
  if (!restrictions.some(matches)) return undefined;
  const boundary = Math.max(0, spec.targets.length - restrictions.length);
  const target = spec.targets.slice(boundary).find(matches);
  if (!target || target.doNotDeploy) return undefined;
  const matching = spec.targets.slice(0, boundary).filter(matches);
  const customizations = spec.targetCustomizationMode === 'AllMatches' ? matching : matching.slice(0, 1);
  return customizations.some((each) => each.doNotDeploy) ? undefined : { target, customizations };
}
