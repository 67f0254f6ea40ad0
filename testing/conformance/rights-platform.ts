import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapPeople, createAccessTokens, createTokens } from '@desp/identity';
import { CommitId, DeliveryId, instantOf, ServiceName } from '@desp/model';
import { profileNamed } from '@desp/procedure';
import { createRecord, exportRecord } from '@desp/release';
import { silentLogger, systemClock } from '@desp/runtime';
import { openDatabase, openDataFolder } from '@desp/storage';
import { createAnnouncer } from '../../apps/platform/src/announcer.ts';
import { createApi } from '../../apps/platform/src/api/server.ts';
import { createAuthenticator } from '../../apps/platform/src/authenticator.ts';
import { rehearsalConfig } from '../../apps/platform/src/config.ts';
import { apiAudience, openOidc } from '../../apps/platform/src/embedded/oidc.ts';
import { createAdvisories } from '../../apps/platform/src/gate/advisories.ts';
import type { Platform } from '../../apps/platform/src/platform.ts';
import { openPlatformKey } from '../../apps/platform/src/platform-key.ts';

/**
 * The control plane as the API sees it, listening on loopback, without what needs containers or clusters: those parts are
 * absent, and each notes that it was reached. So a walk sees both that a caller with the right gets as far as the part, and
 * that a caller without it never does.
 */
export interface RightsPlatform {
  readonly platform: Platform;
  readonly server: string;
  readonly passwords: ReadonlyMap<string, string>;
  /** Which absent parts were reached since the last call. */
  reached(): string[];
  /** Makes the API anew on the same data folder and address, as a restart does. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What the Git host's webhook shows. */
export const hookToken = 'the-token-of-the-webhook-of-this-test-0123456789';
export const platformToken = 'the-platform-token-of-this-test-0123456789';

export async function startRightsPlatform(): Promise<RightsPlatform> {
  const folder = mkdtempSync(join(tmpdir(), 'desp-rights-'));
  const clock = systemClock;
  const log = silentLogger;
  const data = openDataFolder(join(folder, 'data'), { leastFreeBytes: 0 });
  const port = await freePort();
  const server = `http://127.0.0.1:${port}`;
  const base = rehearsalConfig(data.path);
  const config = { ...base, server: { url: server }, identity: { issuer: `${server}/oidc` } };
  const { issuer } = config.identity;
  const database = await openDatabase(config.database.url);
  const made = await bootstrapPeople(database.sql, issuer, clock);
  const tokens = createTokens(database.sql, clock);
  const reachedParts: string[] = [];
  const absent = <T extends object>(name: string): T =>
    new Proxy({} as T, {
      get(_, property) {
        // A promise that resolves to a part looks for this; it is no use of the part.
        if (property === 'then') return undefined;
        reachedParts.push(`${name}.${String(property)}`);
        throw new Error(`${name} is absent in this test.`);
      },
    });
  const start = async () => {
    const accessTokens = createAccessTokens({ issuer, audience: apiAudience(config), clock });
    const authenticator = createAuthenticator({ db: database.sql, tokens, accessTokens, issuer, clock, platformToken });
    const oidc = await openOidc({ config, data, database, authenticator, clock, log });
    const platform: Platform = {
      config,
      profile: profileNamed('procedure-2023'),
      data,
      database,
      clock,
      log,
      tokens,
      authenticator,
      oidc,
      key: await openPlatformKey(data),
      announcer: createAnnouncer(),
      advisories: createAdvisories(database.sql, clock),
      jobs: absent('jobs'),
      source: absent('source'),
      quarantine: absent('quarantine'),
      management: absent('management'),
      provision: absent('provision'),
      gitHost: { client: absent('git host'), hookToken },
      builder: { missing: 'absent in this test' },
      environments: new Map(
        config.environments.map((environment) => [
          environment.name,
          {
            config: environment,
            registry: absent(`${environment.name} registry`),
            vault: absent(`${environment.name} vault`),
            kube: { server: 'https://127.0.0.1:1' } as Platform['management'],
            certificateAuthority: '',
          },
        ]),
      ),
      status: () => ({ version: '0.1.0', profile: config.profile, rehearsal: true, data: config.data, parts: [], environments: [] }),
    };
    const app = await createApi(platform, join(folder, 'no-console'));
    await app.listen({ host: '127.0.0.1', port });
    return {
      platform,
      async stop() {
        await app.close();
        oidc?.close();
      },
    };
  };
  let running = await start();
  return {
    get platform() {
      return running.platform;
    },
    server,
    passwords: new Map(made.map(({ person, password }) => [person, password])),
    reached: () => reachedParts.splice(0),
    async restart() {
      await running.stop();
      running = await start();
    },
    async close() {
      await running.stop();
      await database.close();
      data.release();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Two services of two companies, and for the first a delivery with a job that waits for a hand, an image and a release. */
export async function fillRecords({ database, clock, key }: Platform): Promise<{ delivery: string }> {
  const { sql } = database;
  const now = instantOf(clock.now());
  const commit = 'c'.repeat(40);
  for (const [name, company] of [
    ['sample-app', 'acme'],
    ['other-app', 'other'],
  ] as const) {
    await sql
      .insertInto('services')
      .values({ name, company, repository: `DESP/${name}`, created_by: 'provider', created_at: now, ready_at: now })
      .execute();
  }
  const { id } = await sql
    .insertInto('deliveries')
    .values({
      service: 'sample-app',
      commit,
      ref: 'refs/heads/main',
      title: 'Confidential title',
      pushed_by: 'provider',
      state: 'running',
      stops: '[]',
      templates: 'null',
      version: null,
      created_at: now,
      updated_at: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  const job = { delivery: id, reason: '', environment: null, images: '[]', attempt: 0, started_at: null, ended_at: null };
  const plan = (name: string) =>
    JSON.stringify({ name, stage: 'build', beforeScript: [], script: ['true'], afterScript: [], variables: {}, allowFailure: false });
  await sql
    .insertInto('delivery_jobs')
    .values([
      { ...job, name: 'by-hand', position: 0, state: 'manual', plan: plan('by-hand') },
      { ...job, name: 'broken', position: 1, state: 'failed', plan: plan('broken') },
    ])
    .execute();
  await sql
    .insertInto('images')
    .values({
      digest: `sha256:${'a'.repeat(64)}`,
      service: 'sample-app',
      repository: 'sample-app/image-a',
      tag: '1',
      delivery: id,
      job: 'by-hand',
      sbom: '{}',
      facts: '{"packages":[]}',
      created_at: now,
    })
    .execute();
  const body = {
    service: ServiceName.parse('sample-app'),
    version: '1.0.0',
    commit: CommitId.parse(commit),
    gitTag: '1.0.0',
    delivery: DeliveryId.parse(`d-${id}`),
  };
  const record = Buffer.from(exportRecord(await createRecord({ body, at: now, who: 'provider' }, key.signer))).toString('utf8');
  await sql
    .insertInto('releases')
    .values({ service: 'sample-app', version: '1.0.0', commit, delivery: id, record, created_at: now, updated_at: now })
    .execute();
  return { delivery: `d-${id}` };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
