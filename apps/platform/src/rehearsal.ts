import { existsSync, readFileSync } from 'node:fs';
import { bootstrapPeople, createAccessTokens, createTokens } from '@desp/identity';
import type { Config, PlatformStatus } from '@desp/model';
import { createRegistryClient } from '@desp/oci';
import { profileNamed } from '@desp/procedure';
import { type Clock, installation, type Logger, systemClock } from '@desp/runtime';
import { createJobs, type DataFolder, openDatabase, openDataFolder, writeFileDurably } from '@desp/storage';
import { createAnnouncer } from './announcer.ts';
import { createApi } from './api/server.ts';
import { createAuthenticator } from './authenticator.ts';
import { formatConfig, readConfig, rehearsalConfig } from './config.ts';
import { defineQueues } from './deliveries/define-queues.ts';
import { enqueueRun } from './deliveries/enqueue-run.ts';
import { queues } from './deliveries/queues.ts';
import { recordPush } from './deliveries/record-push.ts';
import { startAcme } from './embedded/acme.ts';
import { startClusters } from './embedded/clusters.ts';
import { allowedDomains, startControllers } from './embedded/controllers.ts';
import { startEngine } from './embedded/engine.ts';
import { createEngineBuilder } from './embedded/engine-builder.ts';
import { startGit } from './embedded/git.ts';
import { apiAudience, openOidc } from './embedded/oidc.ts';
import { startRegistries } from './embedded/registries.ts';
import { startVaults } from './embedded/vaults.ts';
import { createAdvisories } from './gate/advisories.ts';
import type { EnvironmentParts, Platform } from './platform.ts';
import { PlatformError } from './platform-error.ts';
import { openPlatformKey } from './platform-key.ts';
import { secretFile } from './secret-file.ts';
import { createSource } from './source.ts';

export interface Rehearsal {
  readonly config: Config;
  stop(): Promise<void>;
}

/**
 * Starts everything embedded, in the order in which the parts need one another, and wires the control plane to it by URLs.
 * The data folder's lock comes before anything else is opened.
 */
export async function startRehearsal(options: {
  data: string;
  port?: number;
  log: Logger;
  clock?: Clock;
  onProgress?: (what: string) => void;
}): Promise<Rehearsal> {
  const { log, clock = systemClock, onProgress = () => {} } = options;
  const began = performance.now();
  const closers: (() => Promise<unknown> | unknown)[] = [];
  const stop = async () => {
    for (const close of closers.reverse()) await Promise.resolve(close()).catch?.(() => {});
  };
  try {
    const data = openDataFolder(options.data);
    closers.push(() => data.release());
    const config = loadConfig(data, options.port);
    const profile = profileNamed(config.profile as 'procedure-2023');
    const platformToken = secretFile(data, 'keys/platform.token');
    const engineStarting = startEngine(
      data,
      [config.quarantine, ...config.environments.map((environment) => environment.registry)].map(({ url }) => new URL(url)),
    );
    // Now, not when it is awaited: a start that fails before then would leave it running.
    closers.push(async () => (await engineStarting).stop());
    onProgress('records');
    const database = await openDatabase(config.database.url);
    closers.push(() => database.close());
    const tokens = createTokens(database.sql, clock);
    const { issuer } = config.identity;
    const accessTokens = createAccessTokens({ issuer, audience: apiAudience(config), clock });
    const authenticator = createAuthenticator({ db: database.sql, tokens, accessTokens, issuer, clock, platformToken });
    await writeCredentials(data, await bootstrapPeople(database.sql, issuer, clock));
    const oidc = await openOidc({ config, data, database, authenticator, clock, log });
    closers.push(() => oidc?.close());
    const key = await openPlatformKey(data);
    const announcer = createAnnouncer();
    const jobs = await createJobs(database, { clock, log });

    const serviceOf = (repository: string) =>
      database.sql.selectFrom('services').select(['name', 'company']).where('repository', '=', repository).executeTakeFirst();
    const git = await startGit({
      url: config.git.url,
      data,
      authenticator,
      profile,
      log,
      serviceOf,
      onPush: (push) => recordPush(platform, push),
    });
    closers.push(async () => {
      await git.server.close();
      await git.listening.close();
    });
    const registries = await startRegistries({ config, data, database, authenticator, clock, log });
    closers.push(() => registries.close());
    const credentials = { username: '$platform', password: platformToken };
    const quarantine = createRegistryClient({ url: config.quarantine.url, credentials });
    onProgress('container engine');
    const engine = await engineStarting;
    onProgress('clusters');
    const clusters = await startClusters({ config, data, engine, key, tokens, clock, log });
    closers.push(() => clusters.stop());
    const vaults = await startVaults({ config, data, clusters, clock, log });
    closers.push(() => vaults.stop());

    const environments = new Map<string, EnvironmentParts>();
    for (const environment of config.environments) {
      const cluster = clusters.environment(environment.name);
      environments.set(environment.name, {
        config: environment,
        registry: createRegistryClient({ url: environment.registry.url, credentials }),
        vault: vaults.client(environment.name),
        kube: cluster.client,
        certificateAuthority: cluster.certificateAuthority,
      });
    }
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
      announcer,
      advisories: createAdvisories(database.sql, clock),
      source: createSource({ url: config.git.url, data, token: platformToken }),
      quarantine,
      environments,
      management: clusters.management.client,
      builder,
      provision: {
        repository: (path) => git.server.createRepository(path),
        async project(environment, name) {
          const registry = environment === undefined ? registries.quarantine : registries.environments.get(environment);
          await registry?.ensureProject(name, { tags: environment === undefined ? 'mutable' : 'immutable' });
          await registries.reload();
        },
        async pullRobot(environment, project) {
          const registry = registries.environments.get(environment);
          if (!registry) throw new PlatformError('NOT_FOUND', `There is no registry of ${environment}.`, { kind: 'user' });
          const robot = await registry.createRobot({ project, name: 'pull', actions: ['pull'] });
          return { username: robot.name, password: robot.secret };
        },
      },
      status: () => statusOf(config, engine),
    };
    onProgress('controllers');
    const acme = await startAcme({ config, data, allowedDomains: allowedDomains(platform), clock, log });
    closers.push(() => acme.close());
    closers.push(await startControllers(platform, clusters));
    defineQueues(platform);
    await jobs.start();
    closers.push(() => jobs.stop());
    await resume(platform);
    await git.server.reconcile();
    const app = await createApi(platform, installation().console);
    await app.listen({ host: new URL(config.server.url).hostname, port: Number(new URL(config.server.url).port) });
    closers.push(() => app.close());
    log.info({ ms: Math.round(performance.now() - began) }, 'Ready.');
    return { config, stop };
  } catch (error) {
    await stop();
    throw error;
  }
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

/** What a former process left open goes on: unfinished services, deliveries and deployments are looked at anew. */
async function resume(platform: Platform): Promise<void> {
  const { sql } = platform.database;
  for (const { name } of await sql.selectFrom('services').select('name').where('ready_at', 'is', null).execute())
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
