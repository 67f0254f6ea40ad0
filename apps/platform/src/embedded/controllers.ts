import {
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
import type { KubeObject } from '@desp/kube';
import { messageOf } from '@desp/runtime';
import type { Platform } from '../platform.ts';
import { renderDeploymentBounded } from '../releases/render-bounded.ts';
import { fleetNamespace } from '../releases/render-release.ts';
import { secretFile } from '../secret-file.ts';
import type { Clusters } from './clusters.ts';
import { installDefinitions } from './install-definitions.ts';

/** Starts every controller, each on the Kubernetes API alone. @returns how to stop them */
export async function startControllers(platform: Platform, clusters: Clusters): Promise<() => Promise<void>> {
  const { clock, config, data, profile } = platform;
  const log = platform.log.child({ part: 'controllers' });
  const stopping = new AbortController();
  const { signal } = stopping;
  const running: Promise<unknown>[] = [];
  const start = (name: string, work: Promise<unknown>) => {
    running.push(work.catch((error) => signal.aborted || log.error({ controller: name, error: messageOf(error) }, 'A controller ended.')));
  };
  const management = clusters.management.client;
  await installFleet(management, { clock, signal });
  await gitCredential(platform, clusters);
  start('fleet', startFleet({ client: management, gitFolder: data.file('fleet'), clock, log, signal }).done);
  await Promise.all(
    config.environments.map(async (environment) => {
      const cluster = clusters.environment(environment.name);
      await installDefinitions(
        cluster.client,
        [...externalSecretsCrds(profile.externalSecrets.release), ...certificatesCrds()],
        clock,
        signal,
      );
      const resolveService = (host: string, port?: number) => cluster.resolveService(host, port);
      const own = { client: cluster.client, clock, log, signal };
      const { namespace } = await registerCluster(management, { name: environment.name, labels: environment.clusterLabels });
      start(
        `external-secrets ${environment.name}`,
        startExternalSecrets({ ...own, profile: profile.externalSecrets.release, resolveService }),
      );
      start(
        `storage ${environment.name}`,
        startStorage({ ...own, classes: profile.storageClasses, volumesFolder: cluster.volumesFolder }).done,
      );
      const certificates = await startCertificates({
        ...own,
        acmeDirectory: config.acme.directory,
        allowedDomains: allowedDomains(platform),
      });
      start(`certificates ${environment.name}`, certificates.done);
      const { http, https } = environment.ingress;
      const ingress = await startIngress({
        ...own,
        resolveService,
        listen: { host: new URL(https).hostname, http: Number(new URL(http).port), https: Number(new URL(https).port) },
        answerChallenge: certificates.answerChallenge,
      });
      start(`ingress ${environment.name}`, ingress.done);
      start(
        `fleet-agent ${environment.name}`,
        startFleetAgent({
          management,
          downstream: cluster.client,
          clusterNamespace: namespace,
          render: renderDeploymentBounded,
          clock,
          log,
          signal,
        }).done,
      );
    }),
  );
  return async () => {
    stopping.abort(new Error('The platform stops.'));
    await Promise.allSettled(running);
  };
}

/** Domains of the profile's environments: names of services end in one of them (section 3.6.5). */
export const allowedDomains = ({ profile }: Pick<Platform, 'profile'>): string[] => [
  ...new Set(profile.environments.flatMap((environment) => environment.allowedDomains)),
];

/** What Fleet reads repositories with; the platform's own token, in the management cluster, where no provider looks. */
async function gitCredential(platform: Platform, clusters: Clusters): Promise<void> {
  const { client } = clusters.management;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/basic-auth',
    metadata: { name: 'gitcredential', namespace: fleetNamespace },
    stringData: { username: '$platform', password: secretFile(platform.data, 'keys/platform.token') },
  } satisfies KubeObject & Record<string, unknown>;
  const type = await client.resolve('v1', 'Secret');
  if (type)
    await client.patch(type, secret.metadata.name, secret.metadata.namespace, secret, {
      kind: 'apply',
      fieldManager: 'desp-platform',
      force: true,
    });
}
