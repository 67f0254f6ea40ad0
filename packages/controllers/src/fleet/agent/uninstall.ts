import type { KubeClient } from '@desp/kube';
import { namespaceType } from '@desp/kube';
import type { Clock } from '@desp/runtime';
import type { StoredBundleDeployment } from '../resources.ts';
import { deleteObjects } from './apply-release.ts';
import { runHooks } from './hooks.ts';
import { type Release, releasesOf, removeRelease, saveRelease } from './release.ts';

export type UninstallOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'waiting'; readonly reason: string }
  | { readonly kind: 'failed'; readonly message: string };

const timeoutMs = 300_000;

/**
 * Takes down what a BundleDeployment made: pre-delete hooks, objects in reverse order, post-delete hooks, the release's Secrets.
 * As `deploy`, it does what can be done now and is called again. `keepResources` leaves all as it is.
 */
export async function uninstall(
  deployment: StoredBundleDeployment,
  context: { client: KubeClient; clock: Clock },
): Promise<UninstallOutcome> {
  const { client, clock } = context;
  const { options } = deployment.spec;
  if (options.keepResources) return { kind: 'done' };
  const history = await releasesOf(client, deployment.metadata.name);
  const last = history.at(-1);
  if (!last) return { kind: 'done' };
  const save = (release: Release) => saveRelease(client, release, clock.now());
  let release =
    last.status === 'uninstalling'
      ? last
      : await save({ ...last, status: 'uninstalling', description: 'Deletion in progress (or silently failed)', hookRuns: {} });
  const hooks = { client, clock, timeoutMs, save };

  const before = await runHooks(release, 'pre-delete', hooks);
  if (before.kind === 'waiting') return before;
  if (before.kind === 'failed') return giveUp(before.release, before.message, save);
  release = before.release;

  // Everything that any stored revision made: an interrupted one may have made what the last one does not name.
  const objects = new Map(
    history.flatMap((each) =>
      each.objects.map(
        (object) => [JSON.stringify([object.apiVersion, object.kind, object.metadata.namespace, object.metadata.name]), object] as const,
      ),
    ),
  );
  await deleteObjects(client, [...objects.values()], release);

  const after = await runHooks(release, 'post-delete', hooks);
  if (after.kind === 'waiting') return after;
  if (after.kind === 'failed') return giveUp(after.release, after.message, save);

  if (options.deleteNamespace && !['default', 'kube-system', 'kube-public', 'kube-node-lease'].includes(release.namespace))
    await client.delete(namespaceType, release.namespace);
  // The newest goes last: it says how far we are.
  for (const each of history) await removeRelease(client, each);
  return { kind: 'done' };
}

/** The next try begins the hooks anew. */
async function giveUp(release: Release, message: string, save: (release: Release) => Promise<Release>): Promise<UninstallOutcome> {
  await save({ ...release, hookRuns: {}, description: message });
  return { kind: 'failed', message };
}
