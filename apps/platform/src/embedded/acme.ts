import { type AcmeServer, createAcmeServer, fetchChallengeAt } from '@desp/acme';
import type { Config } from '@desp/model';
import type { Clock, Logger } from '@desp/runtime';
import { type DataFolder, writeFileDurably } from '@desp/storage';

/** The rehearsal's certificate authority behind ACME. It looks for a challenge at the ingress of the environment that a name belongs to, and nowhere else. */
export async function startAcme(options: {
  config: Config;
  data: DataFolder;
  allowedDomains: readonly string[];
  clock: Clock;
  log: Logger;
}): Promise<AcmeServer> {
  const { config, data, clock, log } = options;
  const server = await createAcmeServer({
    dataFolder: data.file('acme'),
    allowedSuffixes: options.allowedDomains,
    fetchChallenge: fetchChallengeAt((domain) => {
      const environment = config.environments.find((each) => domain === each.domain || domain.endsWith(`.${each.domain}`));
      if (!environment) return undefined;
      const { hostname, port } = new URL(environment.ingress.http);
      return { host: hostname, port: Number(port) };
    }),
    clock,
    log,
  });
  const directory = new URL(config.acme.directory);
  await server.listen({ host: directory.hostname, port: Number(directory.port) });
  // What a browser or curl has to trust.
  writeFileDurably(data.file('ca', 'root.pem'), server.root);
  return server;
}
