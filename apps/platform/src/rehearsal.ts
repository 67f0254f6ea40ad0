import { existsSync, readFileSync } from 'node:fs';
import { createGitLabClient } from '@desp/git';
import { bootstrapPeople, createAccessTokens, createTokens, listPeople } from '@desp/identity';
import type { Config, PlatformStatus, RegistryConfig } from '@desp/model';
import { createHarborClient, createRegistryClient, type HarborClient } from '@desp/oci';
import { profileNamed } from '@desp/procedure';
import { type Clock, installation, type Logger, systemClock } from '@desp/runtime';
import { createJobs, type DataFolder, openDatabase, openDataFolder, writeFileDurably } from '@desp/storage';
import type { FastifyInstance } from 'fastify';
import { createAnnouncer } from './announcer.ts';
import { createApi } from './api/server.ts';
import { createAuthenticator } from './authenticator.ts';
import { formatConfig, readConfig, rehearsalConfig } from './config.ts';
import { defineQueues } from './deliveries/define-queues.ts';
import { enqueueRun } from './deliveries/enqueue-run.ts';
import { queues } from './deliveries/queues.ts';
import { startAcme } from './embedded/acme.ts';
import { startClusters } from './embedded/clusters.ts';
import { allowedDomains, startControllers } from './embedded/controllers.ts';
import { engineSocket, startEngine } from './embedded/engine.ts';
import { createEngineBuilder } from './embedded/engine-builder.ts';
import { startGit } from './embedded/git.ts';
import { apiAudience, openOidc } from './embedded/oidc.ts';
import { startRegistries } from './embedded/registries.ts';
import { startVaults } from './embedded/vaults.ts';
import { createAdvisories } from './gate/advisories.ts';
import { outsideCredentials } from './outside-credentials.ts';
import { createParts } from './parts.ts';
import type { EnvironmentParts, Platform } from './platform.ts';
import { openPlatformKey } from './platform-key.ts';
import { secretFile } from './secret-file.ts';
import { createProvision } from './services/provision.ts';
import { createSource } from './source.ts';

export interface Rehearsal {
  readonly config: Config;
  stop(): Promise<void>;
}

/**
 * Starts everything embedded and wires the control plane to it by URLs. The data folder's lock comes before anything else is
 * opened; then parts that do not need one another start at the same time, and each waits for those that it needs.
 *
 * @param options.onProgress told of each part that came up
 */
export async function startRehearsal(options: {
  data: string;
  port?: number;
  log: Logger;
  clock?: Clock;
  onProgress?: (what: string) => void;
}): Promise<Rehearsal> {
  const { log, clock = systemClock } = options;
  const began = performance.now();
  const parts = createParts(log, options.onProgress);
  try {
    const data = openDataFolder(options.data);
    parts.start('data folder', Promise.resolve(data), () => data.release());
    const config = loadConfig(data, options.port);
    const profile = profileNamed(config.profile as 'procedure-2023');
    const platformToken = secretFile(data, 'keys/platform.token');
    const credentials = outsideCredentials(config, data);
    const { issuer } = config.identity;

    const plainRegistries = [config.quarantine, ...config.environments.map(({ registry }) => registry)].map(({ url }) => new URL(url));
    const engineStarting = parts.start('container engine', startEngine(data, plainRegistries), (engine) => engine.stop());
    const recordsOpening = parts.start('records', openDatabase(config.database.url), (database) => database.close());
    const tokensReady = recordsOpening.then(({ sql }) => createTokens(sql, clock));
    const keyOpening = openPlatformKey(data);
    // After the records: while they open, and for seconds when they are made, this thread answers nobody.
    const clustersStarting = parts.start(
      'clusters',
      Promise.all([keyOpening, tokensReady]).then(([key, tokens]) =>
        startClusters({
          config,
          data,
          engineSocket: engineSocket(data),
          key,
          principalOf: (token, scope) => tokens.verify(token, scope),
          clock,
          log,
        }),
      ),
      (clusters) => clusters.stop(),
    );
    const vaultsStarting = parts.start(
      'secrets',
      startVaults({ config, data, credentials, clusters: clustersStarting, clock, log }),
      (vaults) => vaults.stop(),
    );
    const certificatesStarting = parts.start(
      'certificates',
      startAcme({ config, data, allowedDomains: allowedDomains({ profile }), clock, log }),
      (acme) => acme.close(),
    );
    const controllersStarting = parts.start(
      'controllers',
      clustersStarting.then((clusters) => startControllers({ clock, config, data, credentials, profile, log }, clusters)),
      (stopControllers) => stopControllers(),
    );

    const [database, tokens] = await Promise.all([recordsOpening, tokensReady]);
    const accessTokens = createAccessTokens({ issuer, audience: apiAudience(config), clock });
    const authenticator = createAuthenticator({ db: database.sql, tokens, accessTokens, issuer, clock, platformToken });
    const [jobs, oidc] = await Promise.all([
      parts.start('jobs', createJobs(database, { clock, log }), (jobs) => jobs.stop()),
      parts.start('identity', openOidc({ config, data, database, authenticator, clock, log }), (oidc) => oidc?.close()),
      parts.start(
        'git',
        config.git.tokenFile === undefined
          ? startGit({ url: config.git.url, data, authenticator, profile, clock, log })
          : Promise.resolve(undefined),
        (git) => git?.close(),
      ),
      parts.start(
        'registries',
        keyOpening.then(({ verifier }) =>
          startRegistries({ config, data, database, authenticator, credentials, trusted: [verifier], clock, log }),
        ),
        (registries) => registries.close(),
      ),
      bootstrapPeople(database.sql, issuer, clock).then((made) => writeCredentials(data, made)),
    ]);
    const [key, engine, clusters, vaults] = await Promise.all([keyOpening, engineStarting, clustersStarting, vaultsStarting]);

    const harborOf = (registry: RegistryConfig) => createHarborClient({ url: registry.url, credentials: credentials.registry(registry) });
    const quarantine = createRegistryClient({ url: config.quarantine.url, credentials: credentials.registry(config.quarantine) });
    const environments = new Map<string, EnvironmentParts>();
    const harbors = new Map<string, HarborClient>();
    for (const environment of config.environments) {
      const cluster = clusters.environment(environment.name);
      environments.set(environment.name, {
        config: environment,
        registry: createRegistryClient({ url: environment.registry.url, credentials: credentials.registry(environment.registry) }),
        vault: vaults.client(environment.name),
        kube: cluster.client,
        certificateAuthority: cluster.certificateAuthority,
      });
      harbors.set(environment.name, harborOf(environment.registry));
    }
    const gitHost = createGitLabClient({ url: config.git.url, token: credentials.git });
    const hookToken = secretFile(data, 'keys/git-webhook.token');
    const builder =
      'missing' in engine
        ? { missing: engine.missing }
        : createEngineBuilder({ engine: engine.service, data, quarantine, commandLine: installation().jobCommandLine });
    const platform: Platform = {
      config,
      profile,
      data,
      database,
      jobs,
      clock,
      log,
      key,
      tokens,
      authenticator,
      oidc,
      announcer: createAnnouncer(),
      advisories: createAdvisories(database.sql, clock),
      source: createSource({ url: config.git.url, data, token: credentials.git }),
      quarantine,
      environments,
      management: clusters.management.client,
      builder,
      gitHost: { client: gitHost, hookToken },
      provision: createProvision({
        git: gitHost,
        quarantine: harborOf(config.quarantine),
        environments: harbors,
        hook: { url: `${config.server.url}/api/webhooks/git`, token: hookToken },
        people: () => listPeople(database.sql),
        log,
      }),
      status: () => statusOf(config, engine),
    };
    defineQueues(platform);
    const work = async () => {
      await jobs.start();
      await resume(platform);
    };
    await Promise.all([work(), parts.start('api', startApi(platform), (app) => app.close()), certificatesStarting, controllersStarting]);
    log.info({ ms: Math.round(performance.now() - began) }, 'Ready.');
    return { config, stop: parts.stop };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

async function startApi(platform: Platform): Promise<FastifyInstance> {
  const app = await createApi(platform, installation().console);
  const { hostname, port } = new URL(platform.config.server.url);
  await app.listen({ host: hostname, port: Number(port) });
  return app;
}

function loadConfig(data: DataFolder, port: number | undefined): Config {
  const file = data.file('desp.config.yaml');
  if (!existsSync(file)) writeFileDurably(file, formatConfig(rehearsalConfig(data.path, port)));
  return readConfig(file);
}

/** `PERSON PASSWORD` a line, for the owner of the machine; those that were made before stay. */
async function writeCredentials(data: DataFolder, made: readonly { person: string; password: string }[]): Promise<void> {
  if (made.length === 0) return;
  const file = data.file('credentials');
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  writeFileDurably(file, before + made.map(({ person, password }) => `${person} ${password}\n`).join(''));
}

/** What a former process left open goes on: services, and deliveries and deployments under way, are looked at anew. */
async function resume(platform: Platform): Promise<void> {
  const { sql } = platform.database;
  for (const { name } of await sql.selectFrom('services').select('name').orderBy('name').execute())
    await platform.jobs.send(queues.service.name, name);
  for (const { id } of await sql.selectFrom('deliveries').select('id').where('state', 'in', ['running', 'blocked']).execute())
    await platform.jobs.send(queues.advance.name, String(id));
  for (const row of await sql
    .selectFrom('delivery_jobs')
    .select(['delivery', 'name'])
    .where('state', 'in', ['pending', 'running'])
    .execute())
    await enqueueRun(platform, row.delivery, row.name);
  for (const { id } of await sql.selectFrom('deployments').select('id').where('state', '=', 'deploying').execute())
    await platform.jobs.send(queues.follow.name, String(id));
}

function statusOf(config: Config, engine: Awaited<ReturnType<typeof startEngine>>): PlatformStatus {
  const ready = (name: string, url: string, detail = '') => ({ name, url, state: 'ready' as const, detail });
  return {
    version: '0.1.0',
    profile: config.profile,
    rehearsal: true,
    data: config.data,
    parts: [
      ready('api and console', config.server.url),
      ready('git', config.git.url),
      ready('quarantine registry', config.quarantine.url, config.quarantine.host),
      'missing' in engine
        ? { name: 'container engine', url: '', state: 'missing', detail: engine.missing }
        : ready('container engine', `unix://${engine.service.socket}`),
      ...config.environments.flatMap((environment) => [
        ready(`${environment.name} registry`, environment.registry.url, environment.registry.host),
        ready(`${environment.name} secrets`, environment.vault.url),
        ready(`${environment.name} ingress`, environment.ingress.https, `*.${environment.domain}`),
      ]),
    ],
    environments: config.environments.map((environment) => environment.name),
  };
}
