import { createInformerSet, type KubeClient } from '@desp/kube';
import type { Clock, Logger } from '@desp/runtime';
import { runBundles } from './bundle-controller.ts';
import { runGitRepos } from './git-repo-controller.ts';

export interface FleetOptions {
  /** The API that holds Fleet's objects. `installFleet` was called on it. */
  readonly client: KubeClient;
  /** A folder of ours alone, for what is fetched; made when missing. */
  readonly gitFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Starts Fleet's side of the management cluster: GitRepo → Bundle → BundleDeployment. Everything that it knows lies in the API,
 * so it may be killed at any moment and started again. `done` resolves when the signal aborted and all came to rest.
 */
export function startFleet(options: FleetOptions): { readonly done: Promise<void> } {
  const informers = createInformerSet(options);
  const parts = { ...options, informers };
  return { done: Promise.all([runGitRepos(parts), runBundles(parts)]).then(() => undefined) };
}
