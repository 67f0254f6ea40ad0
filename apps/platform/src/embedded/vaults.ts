import type { Config } from '@desp/model';
import type { Clock, Logger } from '@desp/runtime';
import type { DataFolder } from '@desp/storage';
import { createVaultClient, createVaultServer, reviewTokenOverKubernetes, type VaultClient, type VaultServer } from '@desp/vault';
import { secretFile } from '../secret-file.ts';
import type { Clusters } from './clusters.ts';

/** One embedded secret store an environment, each trusting the service accounts of its own cluster only. */
export interface Vaults {
  client(environment: string): VaultClient;
  stop(): Promise<void>;
}

export async function startVaults(options: {
  config: Config;
  data: DataFolder;
  clusters: Clusters;
  clock: Clock;
  log: Logger;
}): Promise<Vaults> {
  const { config, data, clusters, clock, log } = options;
  const servers: VaultServer[] = [];
  const clients = new Map<string, VaultClient>();
  for (const environment of config.environments) {
    const rootToken = secretFile(data, `keys/vault-${environment.name}.token`);
    const server = await createVaultServer({
      dataFolder: data.file('vault', environment.name),
      rootToken,
      reviewToken: reviewTokenOverKubernetes,
      clock,
      log,
    });
    const url = new URL(environment.vault.url);
    await server.listen({ host: url.hostname, port: Number(url.port) });
    servers.push(server);
    const client = createVaultClient({ url: environment.vault.url, token: rootToken });
    const cluster = clusters.environment(environment.name);
    await client.kubernetes().configure({ host: cluster.client.server, caCertificate: cluster.certificateAuthority });
    clients.set(environment.name, client);
  }
  return {
    client(environment) {
      const client = clients.get(environment);
      if (!client) throw new Error(`There is no secret store of ${environment}.`);
      return client;
    },
    stop: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };
}
