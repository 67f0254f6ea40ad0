import type { Config, EnvironmentConfig } from '@desp/model';
import type { Clock, Logger } from '@desp/runtime';
import type { DataFolder } from '@desp/storage';
import { createVaultClient, createVaultServer, reviewTokenOverKubernetes, type VaultClient, type VaultServer } from '@desp/vault';
import type { OutsideCredentials } from '../outside-credentials.ts';
import { startEach } from '../parts.ts';
import type { Clusters } from './clusters.ts';
import { keepReviewer } from './token-reviewer.ts';

/** One embedded secret store an environment, each trusting the service accounts of its own cluster only. */
export interface Vaults {
  client(environment: string): VaultClient;
  stop(): Promise<void>;
}

export async function startVaults(options: {
  config: Config;
  data: DataFolder;
  credentials: OutsideCredentials;
  /** Need not be up yet: a store answers before it knows whom it trusts. */
  clusters: Promise<Clusters>;
  clock: Clock;
  log: Logger;
}): Promise<Vaults> {
  const { config, data, credentials, clusters, clock, log } = options;
  const clients = new Map<string, VaultClient>();
  const stops: (() => Promise<void>)[] = [];
  const start = async (environment: EnvironmentConfig): Promise<VaultServer | undefined> => {
    const rootToken = credentials.vault(environment);
    clients.set(environment.name, createVaultClient({ url: environment.vault.url, token: rootToken }));
    // A store with a token of ours is somebody else's: it runs already.
    if (environment.vault.tokenFile !== undefined) return undefined;
    const server = await createVaultServer({
      dataFolder: data.file('vault', environment.name),
      rootToken,
      reviewToken: reviewTokenOverKubernetes,
      clock,
      log,
    });
    const url = new URL(environment.vault.url);
    await server.listen({ host: url.hostname, port: Number(url.port) });
    return server;
  };
  const servers = await startEach(config.environments, start, async (server) => server?.close());
  const stop = async () => {
    await Promise.all(stops.map((end) => end()));
    await Promise.all(servers.map((server) => server?.close()));
  };
  try {
    const { environment } = await clusters;
    for (const [name, client] of clients) {
      const { client: kube, certificateAuthority } = environment(name);
      stops.push(await keepReviewer({ vault: client, kube, certificateAuthority }, { clock, log }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    client(environment) {
      const client = clients.get(environment);
      if (!client) throw new Error(`There is no secret store of ${environment}.`);
      return client;
    },
    stop,
  };
}
