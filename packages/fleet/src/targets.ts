import { FleetError } from './errors.ts';
import { matchTarget } from './match.ts';
import { deploymentId, mergeOptions, optionsOf } from './options.ts';
import { preprocessValues, type RenderValuesTemplate } from './preprocess.ts';
import { contentName } from './resources.ts';
import type { Bundle, BundleDeploymentSpec, Cluster, ClusterGroup, DeploymentOptions } from './types.ts';

/** One cluster that a bundle goes to. */
export interface TargetedCluster {
  readonly cluster: Cluster;
  /** Name of the Content object that the deployment is made of. */
  readonly content: string;
  /** Names of the customizations that applied. */
  readonly customizations: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: BundleDeploymentSpec;
}

/**
 * Where a bundle goes, and with which options: one entry per matching cluster, in order of the clusters' names. Throws
 * `FleetError` UNSUPPORTED when the values hold a template and no renderer is given.
 */
export function targetBundle(
  bundle: Bundle,
  clusters: readonly Cluster[],
  groups: readonly ClusterGroup[] = [],
  render?: RenderValuesTemplate,
): TargetedCluster[] {
  const content = contentName(bundle.spec.resources);
  return clusters
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap((cluster) => {
      const match = matchTarget(bundle.spec, cluster, groups);
      if (!match) return [];
      const merged = match.customizations.reduce<DeploymentOptions>(
        (options, target) => mergeOptions(options, optionsOf(target)),
        optionsOf(bundle.spec),
      );
      const options = forCluster(bundle, merged, cluster, render);
      const id = deploymentId(content, options);
      return [
        {
          cluster,
          content,
          customizations: match.customizations.flatMap((target) => target.name ?? []),
          labels: {
            'fleet.cattle.io/bundle-name': bundle.metadata.name,
            'fleet.cattle.io/bundle-namespace': bundle.metadata.namespace ?? '',
            'fleet.cattle.io/cluster': cluster.metadata.name,
            'fleet.cattle.io/cluster-namespace': cluster.metadata.namespace ?? '',
            'fleet.cattle.io/commit': bundle.metadata.labels?.['fleet.cattle.io/commit'] ?? '',
            'fleet.cattle.io/managed': 'true',
          },
          spec: {
            deploymentID: id,
            stagedDeploymentID: id,
            options,
            stagedOptions: options,
            ...(bundle.spec.paused ? { paused: true } : {}),
            ...(bundle.spec.dependsOn ? { dependsOn: bundle.spec.dependsOn } : {}),
            ...(options.correctDrift ? { correctDrift: options.correctDrift } : {}),
          },
        },
      ];
    });
}

/** Values for the cluster; the files that they came from are no longer named (recorded §2). */
function forCluster(
  bundle: Bundle,
  options: DeploymentOptions,
  cluster: Cluster,
  render: RenderValuesTemplate | undefined,
): DeploymentOptions {
  if (!options.helm) return options;
  const { valuesFiles: _files, templateValues: _templates, values: _values, ...helm } = options.helm;
  try {
    const values = preprocessValues(options.helm, cluster, render);
    return { ...options, helm: { ...helm, ...(values ? { values } : {}) } };
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    throw new FleetError(error.code, `Bundle ${bundle.metadata.name} on cluster ${cluster.metadata.name}: ${error.message}`, {
      cause: error,
      ...(error.cure ? { cure: error.cure } : {}),
    });
  }
}
