import { gunzipSync } from 'node:zlib';
import { type Bundle, type BundleDeployment, type BundleResource, deploymentState, unmetDependencies } from '@desp/fleet';
import {
  createInformerSet,
  type InformerSet,
  isKubeError,
  type KubeClient,
  keyOf,
  type ReconcileContext,
  type ReconcileResult,
  type ResourceType,
  runController,
  source,
} from '@desp/kube';
import { type Clock, type Logger, messageOf } from '@desp/runtime';
import { z } from 'zod';
import { ControllerError } from '../../controller-error.ts';
import { writeStatus } from '../conditions.ts';
import { type Renderer, renderDeployment } from '../render-deployment.ts';
import { bundleDeploymentType, contentType, type StoredBundleDeployment } from '../resources.ts';
import { applyObjects } from './apply-release.ts';
import { type DeployContext, deploy } from './deploy.ts';
import { statusOfDeployed, statusOfUndeployed, withError } from './deployment-status.ts';
import { setHash, setLabel } from './marks.ts';
import { type DriftMemory, driftOf, readinessOf } from './observe.ts';
import type { Release } from './release.ts';
import { createRetryBudget, retryTimes } from './retry-budget.ts';
import { uninstall } from './uninstall.ts';

export interface FleetAgentOptions {
  /** The API that holds Fleet's objects. */
  readonly management: KubeClient;
  /** The cluster to deploy to. */
  readonly downstream: KubeClient;
  /** Where this cluster's BundleDeployments lie: what `registerCluster` returned. */
  readonly clusterNamespace: string;
  /** Part of the marks on what is deployed; default Fleet's `cattle-fleet-system`. Changing it disowns what there is. */
  readonly agentNamespace?: string;
  /** Renders a release. Default: here, on this thread, for as long as the chart's own step budget lasts. */
  readonly render?: Renderer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const finalizer = 'fleet.cattle.io/bundle-deployment-finalizer';
const times = {
  /** Changes of objects are gathered for so long. */
  debounceMs: 200,
  /** While a release is under way and nothing tells us that it can go on. */
  stepMs: 2000,
  dependencyMs: 15_000,
  failedMs: 30_000,
  resyncMs: 300_000,
} as const;

/**
 * Starts a cluster's Fleet agent: BundleDeployments → Helm releases, and back their state. It keeps nothing but what can be read
 * again, so it may be killed at any moment. `done` resolves when the signal aborted and all came to rest.
 */
export function startFleetAgent(options: FleetAgentOptions): { readonly done: Promise<void> } {
  return { done: new Agent(options).run() };
}

class Agent {
  readonly #options: FleetAgentOptions;
  readonly #agentNamespace: string;
  readonly #management: InformerSet;
  readonly #downstream: InformerSet;
  readonly #watched = new Set<string>();
  readonly #drift = new Map<string, DriftMemory>();
  readonly #retries = createRetryBudget();
  readonly #touched = new Set<string>();
  #add: (key: string) => void = () => {};

  constructor(options: FleetAgentOptions) {
    const { clock, signal, log } = options;
    this.#options = options;
    this.#agentNamespace = options.agentNamespace ?? 'cattle-fleet-system';
    this.#management = createInformerSet({ client: options.management, clock, log, signal });
    this.#downstream = createInformerSet({ client: options.downstream, clock, log, signal });
    this.#deployments.addIndex('hash', ({ metadata }) => [setHash({ bundle: metadata.name, agentNamespace: this.#agentNamespace })]);
  }

  get #deployments() {
    return this.#management.of(bundleDeploymentType, { namespace: this.#options.clusterNamespace });
  }

  run(): Promise<void> {
    const { management, clusterNamespace, clock, log, signal } = this.#options;
    return runController({
      name: 'fleet-agent',
      client: management,
      informers: this.#management,
      clock,
      log,
      signal,
      resyncMs: times.resyncMs,
      backOff: { baseMs: 200, maxMs: 60_000 },
      sources: [source(bundleDeploymentType, (deployment) => [keyOf(deployment)], { namespace: clusterNamespace })],
      keys: (add) => {
        this.#add = add;
      },
      reconcile: (key, context) => this.#reconcile(key, context),
    });
  }

  async #reconcile(key: string, context: ReconcileContext): Promise<ReconcileResult> {
    const cached = this.#deployments.get(key);
    if (!cached) {
      this.#drift.delete(key);
      this.#retries.forget(key);
      return undefined;
    }
    // The cache may be behind our own last status.
    const deployment = await context.client.get(bundleDeploymentType, cached.metadata.name, cached.metadata.namespace);
    if (!deployment) return undefined;
    if (deployment.metadata.deletionTimestamp) return this.#uninstall(deployment, context);
    if (!deployment.spec?.deploymentID) return undefined;
    if (!deployment.metadata.finalizers?.includes(finalizer)) {
      const { metadata } = deployment;
      const change = { metadata: { resourceVersion: metadata.resourceVersion, finalizers: [...(metadata.finalizers ?? []), finalizer] } };
      await context.client.patch(bundleDeploymentType, metadata.name, metadata.namespace, change, { kind: 'merge' });
      // The change comes back to us.
      return undefined;
    }
    try {
      return await this.#deploy(key, deployment, context);
    } catch (error) {
      context.signal.throwIfAborted();
      // What an operator sees while we try again.
      if (!isKubeError(error, 'Conflict'))
        await this.#report(deployment, withError(deployment, messageOf(error), context.clock.now())).catch(() => {});
      throw error;
    }
  }

  async #deploy(key: string, deployment: StoredBundleDeployment, context: ReconcileContext): Promise<ReconcileResult> {
    const { clock } = context;
    const isApplied = deployment.status?.appliedDeploymentID === deployment.spec.deploymentID;
    if (deployment.spec.paused && !isApplied) return undefined;
    const unmet = isApplied ? [] : this.#unmet(deployment);
    if (unmet.length > 0) {
      const message = `dependent bundle(s) are not ready: ${unmet.join(', ')}`;
      await this.#report(deployment, statusOfUndeployed(deployment, { kind: 'failed', release: undefined, message }, clock.now()));
      return { requeueAfterMs: times.dependencyMs };
    }
    const { deploymentID } = deployment.spec;
    const pauseMs = this.#retries.waitMs(key, deploymentID, clock.monotonic());
    if (pauseMs === undefined) return undefined;
    if (pauseMs > 0) return { requeueAfterMs: pauseMs };
    let outcome = await deploy(deployment, this.#contextOf(deployment, context));
    if (outcome.release) await this.#watch(outcome.release);
    if (outcome.kind !== 'deployed') {
      let requeueAfterMs: number | undefined = outcome.kind === 'waiting' ? times.stepMs : undefined;
      if (outcome.kind === 'failed' && !outcome.release) {
        requeueAfterMs = this.#retries.failed(key, deploymentID, clock.monotonic());
        if (requeueAfterMs === undefined)
          outcome = { ...outcome, message: `${outcome.message} Given up after ${retryTimes.tries} tries: it waits for another commit.` };
      }
      await this.#report(deployment, statusOfUndeployed(deployment, outcome, clock.now()));
      return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
    }
    this.#retries.forget(key);
    return this.#monitor(key, deployment, outcome.release, context);
  }

  async #monitor(key: string, deployment: StoredBundleDeployment, release: Release, context: ReconcileContext): Promise<ReconcileResult> {
    const { downstream } = this.#options;
    const { options, correctDrift = options.correctDrift, paused } = deployment.spec;
    const memory = this.#drift.get(key) ?? new Map();
    this.#drift.set(key, memory);
    let observed = await readinessOf(downstream, release.objects, options);
    let drift = await driftOf(downstream, observed, options, memory);
    if (drift.length > 0 && correctDrift?.enabled && !paused) {
      await applyObjects(downstream, { ...release, objects: drift.map(({ object }) => object) }, false);
      observed = await readinessOf(downstream, release.objects, options);
      drift = await driftOf(downstream, observed, options, memory);
    }
    await this.#report(deployment, statusOfDeployed(deployment, release, observed, drift, context.clock.now()));
    return undefined;
  }

  async #uninstall(deployment: StoredBundleDeployment, context: ReconcileContext): Promise<ReconcileResult> {
    const { metadata } = deployment;
    if (!metadata.finalizers?.includes(finalizer)) return undefined;
    const outcome = await uninstall(deployment, { client: this.#options.downstream, clock: context.clock });
    if (outcome.kind === 'waiting') return { requeueAfterMs: times.debounceMs };
    if (outcome.kind === 'failed') {
      await this.#report(deployment, withError(deployment, outcome.message, context.clock.now()));
      return { requeueAfterMs: times.failedMs };
    }
    const change = {
      metadata: { resourceVersion: metadata.resourceVersion, finalizers: metadata.finalizers.filter((each) => each !== finalizer) },
    };
    await context.client.patch(bundleDeploymentType, metadata.name, metadata.namespace, change, { kind: 'merge' });
    return undefined;
  }

  #contextOf(deployment: StoredBundleDeployment, { clock }: ReconcileContext): DeployContext {
    const { downstream: client, render = async (input) => renderDeployment(input) } = this.#options;
    return { client, clock, agentNamespace: this.#agentNamespace, render, resources: () => this.#resourcesOf(deployment) };
  }

  async #resourcesOf({ spec }: StoredBundleDeployment): Promise<readonly BundleResource[]> {
    const name = spec.deploymentID.slice(0, spec.deploymentID.indexOf(':'));
    const content = await this.#options.management.get(contentType, name);
    if (!content) throw new ControllerError('UPSTREAM', `The Content ${name} is not there yet.`, { kind: 'upstream', retryable: true });
    try {
      const text = gunzipSync(Buffer.from(content.content, 'base64'), { maxOutputLength: contentLimit }).toString('utf8');
      return Manifest.parse(JSON.parse(text)).resources as BundleResource[];
    } catch (cause) {
      throw new ControllerError('INVALID', `The Content ${name} cannot be read.`, {
        kind: 'user',
        cure: 'Delete it: Fleet writes it anew.',
        cause,
      });
    }
  }

  #unmet(deployment: StoredBundleDeployment): string[] {
    const others = this.#deployments.list().map((other) => ({
      bundle: { metadata: { name: other.metadata.name, labels: other.metadata.labels ?? {} } } as unknown as Bundle,
      state: deploymentState(other as unknown as BundleDeployment).state,
    }));
    return unmetDependencies(deployment.spec.dependsOn ?? [], others);
  }

  /** Follows the kinds of the release's objects, of which only those that carry Fleet's label. */
  async #watch({ objects, hooks }: Release): Promise<void> {
    const kinds = new Map(
      [...objects, ...hooks.map(({ object }) => object)].map(({ apiVersion, kind }) => [`${apiVersion}/${kind}`, { apiVersion, kind }]),
    );
    for (const [name, { apiVersion, kind }] of kinds) {
      if (this.#watched.has(name)) continue;
      const type: ResourceType | undefined = await this.#options.downstream.resolve(apiVersion, kind);
      if (!type) continue;
      this.#watched.add(name);
      this.#downstream.of(type, { labelSelector: setLabel }).onChange(({ object }) => this.#touch(object.metadata.labels?.[setLabel]));
    }
  }

  #touch(hash: string | undefined): void {
    if (hash === undefined || this.#touched.has(hash)) return;
    this.#touched.add(hash);
    const { clock, signal } = this.#options;
    clock
      .sleep(times.debounceMs, signal)
      .then(() => {
        this.#touched.delete(hash);
        for (const deployment of this.#deployments.byIndex('hash', hash)) this.#add(keyOf(deployment));
      })
      // The signal aborted: nobody needs to look any more.
      .catch(() => {});
  }

  async #report(deployment: StoredBundleDeployment, status: NonNullable<StoredBundleDeployment['status']>): Promise<void> {
    await writeStatus(this.#options.management, bundleDeploymentType, deployment, status);
  }
}

const contentLimit = 64 * 1024 * 1024;
const Manifest = z.object({
  resources: z.array(z.object({ name: z.string(), content: z.string(), encoding: z.enum(['base64', 'base64+gz']).optional() })),
});
