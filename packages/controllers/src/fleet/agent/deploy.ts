import { type BundleResource, releaseNameOf } from '@desp/fleet';
import { isKubeError, type KubeClient } from '@desp/kube';
import { type Clock, DespError, messageOf } from '@desp/runtime';
import type { Renderer } from '../render-deployment.ts';
import type { StoredBundleDeployment } from '../resources.ts';
import { applyObjects, decorateNamespace, demandOwnership, ensureNamespace, pruneObjects } from './apply-release.ts';
import { readCapabilities } from './downstream.ts';
import { type HookContext, runHooks } from './hooks.ts';
import { readinessOf } from './observe.ts';
import { prepareRelease, serviceOf } from './prepare-release.ts';
import { listReleases, nextRevision, type Release, releasesOf, removeRelease, saveRelease } from './release.ts';

export interface DeployContext {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly agentNamespace: string;
  /** What it throws as a `user` error ends the deployment; an `upstream` one is tried again. */
  readonly render: Renderer;
  /** Files of the deployment, asked for only when a release begins. */
  resources(): Promise<readonly BundleResource[]>;
}

export type DeployOutcome =
  | { readonly kind: 'deployed'; readonly release: Release }
  | { readonly kind: 'waiting'; readonly release: Release; readonly reason: string }
  | { readonly kind: 'failed'; readonly release: Release | undefined; readonly message: string };

/** For a hook, and for objects where `timeoutSeconds` does not say: Helm's own default. */
const defaultTimeoutMs = 300_000;
/** Revisions that stay, as in Fleet where `maxHistory` does not say. */
const defaultHistory = 2;
/** Failed revisions stay until one succeeds, for what they made is pruned then; but not without end. */
const failuresKept = 5;

/**
 * Takes a deployment as far as it can go now: begins a release, goes on with one, or finds that all is done. Call it again when
 * something changed. Every step may be killed and repeated; what has been done stands in the release's Secret.
 */
export async function deploy(deployment: StoredBundleDeployment, context: DeployContext): Promise<DeployOutcome> {
  const { client } = context;
  const { deploymentID, options } = deployment.spec;
  const name = releaseNameIn(deployment);
  const history = await listReleases(client, name.name, name.namespace);
  const last = history.at(-1);
  if (last?.deploymentId === deploymentID && last.bundleDeployment === deployment.metadata.name) {
    if (last.status === 'deployed') return { kind: 'deployed', release: last };
    if (last.status === 'failed') return { kind: 'failed', release: last, message: last.description };
    if (last.status.startsWith('pending-')) return advance(last, history, deployment, context);
  }
  try {
    const revisions = history.map(({ name: of, version: revision, status }) => ({ name: of, revision, deployed: status === 'deployed' }));
    const { revision: version, isUpgrade } = nextRevision(revisions, name.name);
    const release = await prepareRelease(client, {
      deployment,
      resources: await context.resources(),
      capabilities: await readCapabilities(client),
      render: context.render,
      agentNamespace: context.agentNamespace,
      version,
      isUpgrade,
      firstDeployed: history.find((each) => each.status === 'deployed')?.firstDeployed,
      now: context.clock.now(),
    });
    const owner = { bundle: deployment.metadata.name, agentNamespace: context.agentNamespace };
    if (!isUpgrade && !options.helm?.takeOwnership) await demandOwnership(client, release, owner);
    await ensureNamespace(client, release.namespace, options.createNamespace !== false);
    if (serviceOf(deployment) === undefined) {
      await decorateNamespace(client, release.namespace, {
        ...(options.namespaceLabels ? { labels: options.namespaceLabels } : {}),
        ...(options.namespaceAnnotations ? { annotations: options.namespaceAnnotations } : {}),
      });
    }
    const failed = history.filter((each) => each.status === 'failed');
    for (const old of failed.slice(0, Math.max(0, failed.length - failuresKept))) await removeRelease(client, old);
    if (last?.status.startsWith('pending-'))
      await save({ ...last, status: 'failed', description: `Replaced by revision ${version} before it was done` }, context);
    return await advance(await save(release, context), history, deployment, context);
  } catch (error) {
    if (!isFinal(error)) throw error;
    return { kind: 'failed', release: undefined, message: explain(error) };
  }
}

async function advance(
  begun: Release,
  history: readonly Release[],
  deployment: StoredBundleDeployment,
  context: DeployContext,
): Promise<DeployOutcome> {
  const { client, clock } = context;
  const { helm } = deployment.spec.options;
  const timeoutMs = helm?.timeoutSeconds && helm.timeoutSeconds > 0 ? helm.timeoutSeconds * 1000 : defaultTimeoutMs;
  const hooks: HookContext = { client, clock, timeoutMs, save: (release) => save(release, context) };
  const operation = begun.status === 'pending-upgrade' ? 'upgrade' : 'install';
  let release = begun;
  try {
    const before = await runHooks(release, `pre-${operation}`, hooks);
    if (before.kind === 'waiting') return before;
    release = before.release;
    if (before.kind === 'failed') return await fail(release, before.message, context);
    await applyObjects(client, release, operation === 'install');
    // Also what a release made that never came to its end.
    const former = history.filter((each) => each.version < release.version && each.status !== 'superseded');
    await pruneObjects(client, former, release);
    if (helm?.timeoutSeconds && helm.timeoutSeconds > 0) {
      const open = (await readinessOf(client, release.objects, deployment.spec.options)).find(({ state }) => state !== 'ready');
      if (open) {
        const resource = `resource ${open.object.kind}/${open.object.metadata.namespace ?? ''}/${open.object.metadata.name} not ready.`;
        const message = `${resource} status: ${open.state === 'failed' ? 'Failed' : 'InProgress'}, message: ${open.message}`;
        if (clock.now().getTime() - Date.parse(release.lastDeployed) > timeoutMs)
          return await fail(release, `${message}\ncontext deadline exceeded`, context);
        return { kind: 'waiting', release, reason: message };
      }
    }
    const after = await runHooks(release, `post-${operation}`, hooks);
    if (after.kind === 'waiting') return after;
    release = after.release;
    if (after.kind === 'failed') return await fail(release, after.message, context);
  } catch (error) {
    if (!isFinal(error)) throw error;
    return await fail(release, `Release "${release.name}" failed: ${explain(error)}`, context);
  }
  const done = await save(
    { ...release, status: 'deployed', description: operation === 'install' ? 'Install complete' : 'Upgrade complete' },
    context,
  );
  await tidy(done, history, deployment, context);
  return { kind: 'deployed', release: done };
}

/** What a finished release leaves behind it: older ones superseded, then dropped; those under another name taken down. */
async function tidy(done: Release, history: readonly Release[], deployment: StoredBundleDeployment, context: DeployContext): Promise<void> {
  const { client } = context;
  for (const release of history)
    if (release.version < done.version && release.status === 'deployed') await save({ ...release, status: 'superseded' }, context);
  const keep = deployment.spec.options.helm?.maxHistory || defaultHistory;
  const older = history.filter((release) => release.version < done.version);
  for (const release of older.slice(0, Math.max(0, older.length - (keep - 1)))) await removeRelease(client, release);
  const elsewhere = (await releasesOf(client, deployment.metadata.name)).filter(
    (release) => release.name !== done.name || release.namespace !== done.namespace,
  );
  for (const release of elsewhere) await pruneObjects(client, [release], { objects: [], name: release.name, namespace: release.namespace });
  for (const release of elsewhere) await removeRelease(client, release);
}

function save(release: Release, { client, clock }: DeployContext): Promise<Release> {
  return saveRelease(client, release, clock.now());
}

async function fail(release: Release, message: string, context: DeployContext): Promise<DeployOutcome> {
  const failed = await save({ ...release, status: 'failed', description: message }, context);
  return { kind: 'failed', release: failed, message };
}

/** Name and namespace of the release that a deployment asks for. */
export function releaseNameIn({ metadata, spec: { options } }: StoredBundleDeployment): {
  readonly name: string;
  readonly namespace: string;
} {
  return {
    name: options.helm?.releaseName ?? releaseNameOf(metadata.name),
    namespace: options.namespace ?? options.defaultNamespace ?? 'default',
  };
}

/** Nobody but a person can mend it. */
const isFinal = (error: unknown): boolean =>
  error instanceof DespError ? error.kind !== 'upstream' && !error.retryable && !isKubeError(error, 'Unauthorized') : false;

function explain(error: unknown): string {
  return `${messageOf(error)}${error instanceof DespError && error.cure ? ` ${error.cure}` : ''}`;
}
