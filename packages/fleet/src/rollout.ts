import { matchesCluster } from './match.ts';
import type { Cluster, ClusterGroup, RolloutStrategy } from './types.ts';

/** Clusters that are rolled out to together. */
export interface Partition {
  readonly name: string;
  /** Names of clusters, sorted. */
  readonly clusters: readonly string[];
  /** Absolute number of clusters that may be unavailable. */
  readonly maxUnavailable: number;
}

/** How far one cluster is. */
export interface RolloutTarget {
  readonly cluster: string;
  /** No deployment exists yet. */
  readonly isNew: boolean;
  /** The wanted options are staged. */
  readonly isStaged: boolean;
  /** The wanted options are the current ones. */
  readonly isPromoted: boolean;
  /** Applied and ready with what it has now. */
  readonly isAvailable: boolean;
}

export interface RolloutStep {
  /** Clusters whose staged options to set. */
  readonly stage: readonly string[];
  /** Clusters whose options to set to the staged ones. */
  readonly promote: readonly string[];
}

const defaults = {
  maxUnavailable: '100%',
  maxUnavailablePartitions: 0,
  autoPartitionSize: '25%',
  autoPartitionThreshold: 200,
  maxNew: 50,
} as const;

/**
 * Partitions (reference §3, rollout). Given ones: each cluster goes to the first that matches, and a cluster that none matches
 * is never deployed. Otherwise one partition below the threshold, else slices of the given share.
 */
export function partitionClusters(strategy: RolloutStrategy, clusters: readonly Cluster[], groups: readonly ClusterGroup[]): Partition[] {
  const sorted = clusters.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const limit = (value: number | string | undefined, count: number): number =>
    absolute(value ?? strategy.maxUnavailable ?? defaults.maxUnavailable, count);
  if (strategy.partitions?.length) {
    const left = new Set(sorted);
    return strategy.partitions.map((partition, index) => {
      const members = [...left].filter((cluster) => matchesCluster(partition, cluster, groups));
      for (const member of members) left.delete(member);
      return toPartition(partition.name ?? `Partition ${index}`, members, limit(partition.maxUnavailable, members.length));
    });
  }
  const threshold = strategy.autoPartitionThreshold ?? defaults.autoPartitionThreshold;
  const size = absolute(strategy.autoPartitionSize ?? defaults.autoPartitionSize, sorted.length);
  if (size <= 0 || threshold <= 0 || sorted.length < threshold) return [toPartition('All', sorted, limit(undefined, sorted.length))];
  const slices: Partition[] = [];
  for (let from = 0; from < sorted.length; from += size) {
    const members = sorted.slice(from, from + size);
    slices.push(toPartition(`Partition ${from} - ${from + members.length}`, members, limit(undefined, members.length)));
  }
  return slices;
}

/** The next step: which clusters to stage and to promote now. Ask again when a cluster's state changes. */
export function planRollout(strategy: RolloutStrategy, partitions: readonly Partition[], targets: readonly RolloutTarget[]): RolloutStep {
  const byCluster = new Map(targets.map((target) => [target.cluster, target]));
  const members = partitions.map((partition) => partition.clusters.flatMap((name) => byCluster.get(name) ?? []));
  const total = members.flat();
  const bundleLimit = absolute(strategy.maxUnavailable ?? defaults.maxUnavailable, total.length);
  const partitionLimit = absolute(strategy.maxUnavailablePartitions ?? defaults.maxUnavailablePartitions, partitions.length);
  const unavailable = new Set(total.filter((target) => !isDone(target)).map((target) => target.cluster));
  const down = new Set(total.filter((target) => !target.isAvailable).map((target) => target.cluster));
  const stage: string[] = [];
  const promote: string[] = [];
  let newLeft = strategy.maxNew ?? defaults.maxNew;
  let unavailablePartitions = 0;
  for (const [index, partition] of partitions.entries()) {
    for (const target of members[index]!) {
      if (!target.isStaged) {
        if (target.isNew && newLeft <= 0) continue;
        if (target.isNew) newLeft -= 1;
        stage.push(target.cluster);
      }
      if (target.isPromoted) continue;
      const downHere = members[index]!.filter((each) => down.has(each.cluster)).length;
      // A cluster that is down already can only get better.
      if (!down.has(target.cluster) && (down.size >= bundleLimit || downHere >= partition.maxUnavailable)) continue;
      promote.push(target.cluster);
      down.add(target.cluster);
    }
    if (members[index]!.some((target) => unavailable.has(target.cluster))) unavailablePartitions += 1;
    if (unavailablePartitions > partitionLimit) break;
  }
  return { stage, promote };
}

const isDone = (target: RolloutTarget): boolean => target.isPromoted && target.isAvailable;

const toPartition = (name: string, clusters: readonly Cluster[], maxUnavailable: number): Partition => ({
  name,
  clusters: clusters.map((cluster) => cluster.metadata.name),
  maxUnavailable,
});

/** A number, or the share of `count`, rounded down but at least 1. */
function absolute(value: number | string, count: number): number {
  if (typeof value === 'number') return value;
  if (!value.endsWith('%')) return Number(value);
  const share = Math.floor((count * Number(value.slice(0, -1))) / 100);
  return value === '0%' ? 0 : Math.max(1, share);
}
