import type { EmbeddedCluster } from '@desp/cluster';
import {
  type AnswerChallenge,
  certificatesCrds,
  externalSecretsCrds,
  installFleet,
  registerCluster,
  startCertificates,
  startExternalSecrets,
  startFleet,
  startFleetAgent,
  startIngress,
  startStorage,
} from '@desp/controllers';
import { createInformerSet, type KubeObject } from '@desp/kube';
import type { EnvironmentConfig } from '@desp/model';
import { messageOf } from '@desp/runtime';
import { type OutsideCredentials, platformAccount } from '../outside-credentials.ts';
import type { Platform } from '../platform.ts';
import { renderDeploymentBounded } from '../releases/render-bounded.ts';
import { fleetNamespace } from '../releases/render-release.ts';
import type { Clusters } from './clusters.ts';
import { installDefinitions } from './install-definitions.ts';

/** What controllers need of the platform: not its records, so that they start beside them. */
export interface ControllersContext extends Pick<Platform, 'clock' | 'config' | 'data' | 'profile' | 'log'> {
  readonly credentials: OutsideCredentials;
}

/** Starts every controller, each on the Kubernetes API alone. @returns how to stop them */
export async function startControllers(context: ControllersContext, clusters: Clusters): Promise<() => Promise<void>> {
  const { clock, config, data } = context;
  const log = context.log.child({ part: 'controllers' });
  const stopping = new AbortController();
  const { signal } = stopping;
  const running: Promise<unknown>[] = [];
  const start: StartController = (name, work) => {
    running.push(work.catch((error) => signal.aborted || log.error({ controller: name, error: messageOf(error) }, 'A controller ended.')));
  };
  const stop = async () => {
    stopping.abort(new Error('The platform stops.'));
    await Promise.allSettled(running);
  };
  const management = clusters.management.client;
  try {
    const fleetInstalled = installFleet(management, { clock, signal });
    const outcomes = await Promise.allSettled([
      fleetInstalled.then(async () => {
        await gitCredential(context, clusters);
        start('fleet', startFleet({ client: management, gitFolder: data.file('fleet'), clock, log, signal }).done);
      }),
      ...config.environments.map(async (environment) => {
        const cluster = clusters.environment(environment.name);
        await startEnvironment({ ...context, log }, environment, cluster, start, signal);
        await fleetInstalled;
        const { namespace } = await registerCluster(management, { name: environment.name, labels: environment.clusterLabels });
        const downstream = cluster.client;
        const agent = { management, downstream, clusterNamespace: namespace, render: renderDeploymentBounded, clock, log, signal };
        start(`fleet-agent ${environment.name}`, startFleetAgent(agent).done);
      }),
    ]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

type StartController = (name: string, work: Promise<unknown>) => void;

/** The controllers of one environment's cluster; their caches are shared. Returns when the ingress listens. */
async function startEnvironment(
  { clock, config, profile, log }: ControllersContext,
  { name, ingress: { http, https } }: EnvironmentConfig,
  { client, resolveService, volumesFolder }: EmbeddedCluster,
  start: StartController,
  signal: AbortSignal,
): Promise<void> {
  const { release } = profile.externalSecrets;
  await installDefinitions(client, [...externalSecretsCrds(release), ...certificatesCrds()], clock, signal);
  const informers = createInformerSet({ client, clock, log, signal });
  const own = { client, informers, clock, log, signal };
  start(`external-secrets ${name}`, startExternalSecrets({ ...own, profile: release, resolveService }));
  start(`storage ${name}`, startStorage({ ...own, classes: profile.storageClasses, volumesFolder }).done);
  const certificates = startCertificates({
    ...own,
    acmeDirectory: config.acme.directory,
    allowedDomains: allowedDomains({ profile }),
  });
  let answerChallenge: AnswerChallenge = () => undefined;
  start(
    `certificates ${name}`,
    certificates.then((up) => {
      answerChallenge = up.answerChallenge;
      return up.done;
    }),
  );
  const ingress = await startIngress({
    ...own,
    resolveService,
    listen: { host: new URL(https).hostname, http: Number(new URL(http).port), https: Number(new URL(https).port) },
    answerChallenge: (host, token) => answerChallenge(host, token),
  });
  start(`ingress ${name}`, ingress.done);
  await certificates;
}

/** Domains of the profile's environments: names of services end in one of them (section 3.6.5). */
export const allowedDomains = ({ profile }: Pick<Platform, 'profile'>): string[] => [
  ...new Set(profile.environments.flatMap((environment) => environment.allowedDomains)),
];

/** What Fleet reads repositories with; the platform's own token, in the management cluster, where no provider looks. */
async function gitCredential({ credentials }: ControllersContext, clusters: Clusters): Promise<void> {
  const { client } = clusters.management;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/basic-auth',
    metadata: { name: 'gitcredential', namespace: fleetNamespace },
    stringData: { username: platformAccount, password: credentials.git },
  } satisfies KubeObject & Record<string, unknown>;
  const type = await client.resolve('v1', 'Secret');
  if (type)
    await client.patch(type, secret.metadata.name, secret.metadata.namespace, secret, {
      kind: 'apply',
      fieldManager: 'desp-platform',
      force: true,
    });
}
