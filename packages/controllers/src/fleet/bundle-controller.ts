import { type Bundle, type BundleDeployment, type Cluster, type ClusterGroup, contentOf, summarizeState } from '@desp/fleet';
import {
  type InformerSet,
  isKubeError,
  type KubeClient,
  keyOf,
  type ReconcileContext,
  type ReconcileResult,
  runController,
  source,
} from '@desp/kube';
import { type Clock, DespError, type Logger, messageOf } from '@desp/runtime';
import { type BundlePlan, planBundle } from './bundle-plan.ts';
import { isSame, type NewCondition, withConditions, writeStatus } from './conditions.ts';
import {
  bundleDeploymentType,
  bundleType,
  clusterGroupType,
  clusterType,
  contentType,
  labels,
  type StoredBundle,
  type StoredBundleDeployment,
} from './resources.ts';

export interface BundleOptions {
  readonly client: KubeClient;
  readonly informers: InformerSet;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const fieldManager = 'fleet-controller';
/** No Bundle has this key: work of its own in the queue. */
const contentsKey = '#contents';
const contentsMs = 300_000;

/**
 * Bundle → Content and BundleDeployments. One key at a time: so nobody makes use of a Content while it is found to be of no use.
 */
export function runBundles(options: BundleOptions): Promise<void> {
  const { informers } = options;
  const bundles = informers.of(bundleType);
  const clusters = informers.of(clusterType);
  const groups = informers.of(clusterGroupType);
  const deployments = informers.of(bundleDeploymentType);
  const bundleOf = (deployment: StoredBundleDeployment): string[] => {
    const { [labels.bundle]: name, [labels.bundleNamespace]: namespace } = deployment.metadata.labels ?? {};
    return name && namespace ? [`${namespace}/${name}`] : [];
  };
  deployments.addIndex('bundle', bundleOf);
  const allIn = (namespace: string | undefined): string[] => bundles.list(namespace).map(keyOf);

  async function reconcile(key: string, context: ReconcileContext): Promise<ReconcileResult> {
    if (key === contentsKey) {
      await removeUnused(context);
      return { requeueAfterMs: contentsMs };
    }
    const bundle = bundles.get(key);
    const mine = deployments.byIndex('bundle', key);
    if (!bundle || bundle.metadata.deletionTimestamp) {
      for (const deployment of mine) await remove(deployment, context);
      return undefined;
    }
    let plan: BundlePlan;
    try {
      const namespace = bundle.metadata.namespace ?? '';
      plan = planBundle({
        bundle,
        deployments: mine,
        clusters: clusters.list(namespace) as unknown as Cluster[],
        groups: groups.list(namespace) as unknown as ClusterGroup[],
      });
      if (plan.write.length > 0) await ensureContent(bundle, context);
      for (const deployment of plan.write) await write(deployment, mine, context);
      for (const deployment of plan.remove) await remove(deployment, context);
    } catch (error) {
      if (isKubeError(error) || !(error instanceof DespError) || error.kind !== 'user') throw error;
      await report(bundle, undefined, [{ type: 'Ready', status: 'False', message: messageOf(error) }], context);
      return undefined;
    }
    await report(bundle, plan, [], context);
    return undefined;
  }

  async function ensureContent({ spec }: StoredBundle, { client }: ReconcileContext): Promise<void> {
    const content = contentOf(spec.resources);
    if ((await client.get(contentType, content.metadata.name)) !== undefined) return;
    await client.create(contentType, { ...content, metadata: { name: content.metadata.name } }, { fieldManager }).catch((error) => {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    });
  }

  async function write(
    wanted: StoredBundleDeployment,
    live: readonly StoredBundleDeployment[],
    { client }: ReconcileContext,
  ): Promise<void> {
    const before = live.find((deployment) => deployment.metadata.namespace === wanted.metadata.namespace);
    const isCurrent =
      before !== undefined &&
      isSame(before.spec, wanted.spec) &&
      isSame(before.metadata.labels, wanted.metadata.labels) &&
      isSame(before.metadata.annotations ?? {}, wanted.metadata.annotations ?? {});
    if (isCurrent) return;
    await client.patch(bundleDeploymentType, wanted.metadata.name, wanted.metadata.namespace, wanted, {
      kind: 'apply',
      fieldManager,
      force: true,
    });
  }

  async function remove({ metadata }: StoredBundleDeployment, { client }: ReconcileContext): Promise<void> {
    if (metadata.deletionTimestamp) return;
    await client.delete(bundleDeploymentType, metadata.name, metadata.namespace, metadata.uid === undefined ? {} : { uid: metadata.uid });
  }

  async function removeUnused({ client }: ReconcileContext): Promise<void> {
    // Not from the cache: it may lack what was written a moment ago.
    const { items: live } = await client.list(bundleDeploymentType);
    const used = new Set(
      live.flatMap(({ spec }) => [spec.deploymentID, spec.stagedDeploymentID].map((id) => id.slice(0, id.indexOf(':')))),
    );
    const { items } = await client.list(contentType);
    for (const { metadata } of items) if (!used.has(metadata.name)) await client.delete(contentType, metadata.name);
  }

  async function report(
    bundle: StoredBundle,
    plan: BundlePlan | undefined,
    changes: readonly NewCondition[],
    context: ReconcileContext,
  ): Promise<void> {
    const summary =
      plan &&
      summarizeState(
        plan.targets.map(({ cluster, deployment }) => ({
          name: `Cluster ${cluster.metadata.namespace}/${cluster.metadata.name}`,
          deployment: isOutdated(deployment, plan) ? undefined : deployment,
        })),
      );
    const live = (await context.client.get(bundleType, bundle.metadata.name, bundle.metadata.namespace)) ?? bundle;
    const conditions = withConditions(live.status?.conditions, [...changes, ...(summary ? [summary.ready] : [])], context.clock.now());
    await writeStatus(context.client, bundleType, live, {
      ...(live.status as Bundle['status']),
      observedGeneration: bundle.metadata.generation ?? 0,
      ...(summary
        ? {
            summary: summary.summary,
            display: { readyClusters: summary.display, ...(summary.state === 'Ready' ? {} : { state: summary.state }) },
          }
        : {}),
      conditions,
    });
  }

  return runController({
    name: 'bundle',
    client: options.client,
    informers,
    clock: options.clock,
    log: options.log,
    signal: options.signal,
    concurrency: 1,
    resyncMs: 60_000,
    backOff: { baseMs: 100, maxMs: 30_000 },
    sources: [
      source(bundleType, (bundle) => [keyOf(bundle)]),
      source(bundleDeploymentType, bundleOf),
      source(clusterType, (cluster) => allIn(cluster.metadata.namespace)),
      source(clusterGroupType, (group) => allIn(group.metadata.namespace)),
    ],
    keys: (add) => add(contentsKey),
    reconcile,
  });
}

/** A deployment that this very plan changes says nothing about what it will be. */
function isOutdated(deployment: BundleDeployment | undefined, plan: BundlePlan): boolean {
  const wanted = plan.write.find(({ metadata }) => metadata.namespace === deployment?.metadata.namespace);
  return wanted !== undefined && deployment !== undefined && wanted.spec.deploymentID !== deployment.spec.deploymentID;
}
