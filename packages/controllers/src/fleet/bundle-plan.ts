import { createHash } from 'node:crypto';
import {
  type Bundle,
  type BundleDeployment,
  type BundleDeploymentSpec,
  type Cluster,
  type ClusterGroup,
  fleetApiVersion,
  partitionClusters,
  planRollout,
  type RolloutTarget,
  type TargetedCluster,
  targetBundle,
} from '@desp/fleet';
import { carried, ofPlatform, type StoredBundle, type StoredBundleDeployment } from './resources.ts';

export interface BundleObserved {
  readonly bundle: StoredBundle;
  readonly clusters: readonly Cluster[];
  readonly groups: readonly ClusterGroup[];
  /** Those that there are of this Bundle. */
  readonly deployments: readonly StoredBundleDeployment[];
}

export interface BundlePlan {
  /** As they shall be, status apart; what is as it shall be is not among them. */
  readonly write: readonly StoredBundleDeployment[];
  readonly remove: readonly StoredBundleDeployment[];
  /** All that the Bundle is meant for, by cluster name, and what is there now. */
  readonly targets: readonly { readonly cluster: Cluster; readonly deployment: BundleDeployment | undefined }[];
}

/**
 * What a Bundle's deployments shall be now: one in the namespace of each targeted cluster, moved on as far as the rollout allows.
 * Pure. @throws FleetError when targets or values make no sense.
 */
export function planBundle(observed: BundleObserved): BundlePlan {
  const { bundle, groups } = observed;
  const clusters = observed.clusters.filter((cluster) => cluster.status?.namespace);
  const targeted = targetBundle(bundle as Bundle, clusters, groups).map((target) => pinned(target, bundle));
  const existing = new Map(observed.deployments.map((deployment) => [deployment.metadata.namespace, deployment]));
  const targets = targeted.map((target) => ({ target, live: existing.get(target.cluster.status?.namespace) }));
  const strategy = bundle.spec.rolloutStrategy ?? {};
  const partitions = partitionClusters(
    strategy,
    targeted.map(({ cluster }) => cluster),
    groups,
  );
  const step = planRollout(
    strategy,
    partitions,
    targets.map(({ target, live }) => progressOf(target, live)),
  );
  const write = targets.flatMap(({ target, live }) => {
    const name = target.cluster.metadata.name;
    const promote = step.promote.includes(name) && !bundle.spec.paused;
    const stage = promote || step.stage.includes(name);
    return live || stage ? deploymentOf(bundle, target, live, { stage, promote }) : [];
  });
  const wanted = new Set(targeted.map(({ cluster }) => cluster.status?.namespace));
  return {
    write,
    remove: observed.deployments.filter((deployment) => !wanted.has(deployment.metadata.namespace)),
    targets: targets.map(({ target, live }) => ({ cluster: target.cluster, deployment: live as BundleDeployment | undefined })),
  };
}

/**
 * The digests that images are pinned to are part of what is deployed, so they are part of its identity: the same chart with
 * other digests is another deployment.
 */
function pinned(target: TargetedCluster, bundle: StoredBundle): TargetedCluster {
  const pins = bundle.metadata.annotations?.[carried.pins];
  if (pins === undefined) return target;
  const hash = createHash('sha256').update(`${target.spec.deploymentID}\n${pins}`).digest('hex');
  const id = `${target.content}:${hash}`;
  return { ...target, spec: { ...target.spec, deploymentID: id, stagedDeploymentID: id } };
}

function progressOf(target: TargetedCluster, live: StoredBundleDeployment | undefined): RolloutTarget {
  return {
    cluster: target.cluster.metadata.name,
    isNew: live === undefined,
    isStaged: live?.spec.stagedDeploymentID === target.spec.deploymentID,
    isPromoted: live?.spec.deploymentID === target.spec.deploymentID,
    isAvailable: live !== undefined && live.status?.appliedDeploymentID === live.spec.deploymentID && live.status?.ready === true,
  };
}

function deploymentOf(
  bundle: StoredBundle,
  target: TargetedCluster,
  live: StoredBundleDeployment | undefined,
  { stage, promote }: { stage: boolean; promote: boolean },
): StoredBundleDeployment {
  const wanted = target.spec;
  const isCurrent = promote || live?.spec.deploymentID === wanted.deploymentID;
  const current = isCurrent ? wanted : (live?.spec ?? { deploymentID: '', options: {} });
  const staged = stage || live?.spec.stagedDeploymentID === wanted.deploymentID ? wanted : live?.spec;
  const spec: BundleDeploymentSpec = {
    deploymentID: current.deploymentID,
    options: current.options,
    stagedDeploymentID: staged?.stagedDeploymentID ?? '',
    stagedOptions: staged?.stagedOptions ?? {},
    ...(bundle.spec.paused ? { paused: true } : {}),
    ...(wanted.dependsOn ? { dependsOn: wanted.dependsOn } : {}),
    ...(wanted.correctDrift ? { correctDrift: wanted.correctDrift } : {}),
  };
  return {
    apiVersion: fleetApiVersion,
    kind: 'BundleDeployment',
    metadata: {
      name: bundle.metadata.name,
      namespace: target.cluster.status?.namespace ?? '',
      labels: { ...bundle.metadata.labels, ...target.labels },
      // What is promoted goes with its own pins, not with those of what waits.
      annotations: isCurrent ? ofPlatform(bundle.metadata.annotations) : ofPlatform(live?.metadata.annotations),
    },
    spec,
  };
}
