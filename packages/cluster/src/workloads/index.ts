import { createEventRecorder, createInformerSet, type InformerSet, type KubeClient } from '@desp/kube';
import type { Clock, Logger } from '@desp/runtime';
import { runDeployments } from './deployment.ts';
import { runGarbageCollector } from './garbage-collector.ts';
import { runJobs } from './job.ts';
import { runNamespaceDefaults, runNamespaceFinalization } from './namespaces.ts';
import type { WorkloadContext } from './parts.ts';
import { runPodCollector } from './pod-collector.ts';
import { runReplicaSets } from './replica-set.ts';
import { runScheduler } from './scheduler.ts';
import { runServiceEndpoints } from './service-endpoints.ts';
import { runUnsupported } from './unsupported.ts';

export interface WorkloadOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** PEM for `kube-root-ca.crt`. */
  readonly certificateAuthority: string;
  readonly informers?: InformerSet;
  /** Why there is no node, in words for an event; undefined where there is one or will be. */
  readonly whyNoNode?: () => string | undefined;
}

/** Runs what kube-controller-manager and kube-scheduler do, in one process and without election, until the signal aborts. */
export async function runWorkloads(options: WorkloadOptions): Promise<void> {
  const context: WorkloadContext = {
    ...options,
    informers: options.informers ?? createInformerSet(options),
    recorder: (component) => createEventRecorder({ ...options, component }),
  };
  await Promise.all([
    runNamespaceDefaults(context, options.certificateAuthority),
    runNamespaceFinalization(context),
    runGarbageCollector(context),
    runDeployments(context),
    runReplicaSets(context),
    runJobs(context),
    runServiceEndpoints(context),
    runScheduler(context, options.whyNoNode ?? (() => undefined)),
    runPodCollector(context),
    runUnsupported(context),
  ]);
}
