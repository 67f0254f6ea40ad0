import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiServer } from '@desp/cluster';
import { createGitHost, createGitLabClient } from '@desp/git';
import { bootstrapPeople, listPeople } from '@desp/identity';
import { createKubeClient, type KubeClient } from '@desp/kube';
import { instantOf } from '@desp/model';
import { createHarborClient, createRegistry, createRegistryClient, openRegistryStore } from '@desp/oci';
import { silentLogger, systemClock } from '@desp/runtime';
import { openDatabase } from '@desp/storage';
import { createVaultClient, createVaultServer } from '@desp/vault';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rehearsalConfig } from '../config.ts';
import type { Platform, ServicePlace } from '../platform.ts';
import { createCutter, startCuttingProxy } from '../testing/cutting-proxy.ts';
import { repositoryOf } from './names.ts';
import { prepareService } from './prepare-service.ts';
import { createProvision } from './provision.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;
const token = 'the-platform-token-of-this-test';
const hook = { url: 'http://127.0.0.1:1/api/webhooks/git', token: 'the-token-of-the-webhook' };

/**
 * A service is made at four parts over their protocols. The control plane is ended at any of the calls that this takes, with and
 * without that call having had its effect, and made to try again: the end is always the same.
 */
describe.skipIf(!hasGit)('a service is made, whenever the platform dies (needs git on this machine)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'desp-provision-'));
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const cutter = createCutter();
  let platform: Platform;
  let urls: { git: string; quarantine: string; e2e: string; vault: string };
  let kube: KubeClient;

  beforeAll(async () => {
    const clock = systemClock;
    const log = silentLogger;
    const before = async (url: string) => {
      const proxy = await startCuttingProxy(url, cutter);
      closers.push(() => proxy.stop());
      return proxy.url;
    };
    const database = await openDatabase(`pglite:${join(folder, 'database')}`);
    closers.push(() => database.close());
    await bootstrapPeople(database.sql, 'https://issuer.test', clock);

    const http = createServer((request, response) => void host.handler(request, response));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const gitUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const account = (text: string) => (text === token ? ({ kind: 'admin', name: '$platform' } as const) : undefined);
    const host = createGitHost({
      root: join(folder, 'git'),
      url: gitUrl,
      authenticate: (_name, password) => account(password),
      authenticateToken: account,
    });
    await host.start();
    closers.push(async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await host.close();
    });

    const store = await openRegistryStore({ folder: join(folder, 'registry') });
    closers.push(() => store.close());
    const registry = async (name: string) => {
      const made = await createRegistry({
        name,
        store,
        authenticate: (_name, password) => (password === token ? { kind: 'platform', name: 'platform' } : undefined),
      });
      closers.push(() => made.close());
      return (await made.listen({ port: 0 })).url;
    };
    const [quarantine, e2e] = [await registry('quarantine'), await registry('e2e')];
    const vaultServer = await createVaultServer({
      dataFolder: join(folder, 'vault'),
      rootToken: token,
      reviewToken: async () => ({ authenticated: false, error: 'nobody' }),
    });
    closers.push(() => vaultServer.close());
    const vault = (await vaultServer.listen({ port: 0 })).url;
    const cluster = await createApiServer({ name: 'e2e', dataFolder: join(folder, 'e2e'), clock, log, adminToken: token });
    closers.push(() => cluster.close());
    const listening = await cluster.listen(0, ['127.0.0.1']);
    kube = createKubeClient({ server: listening.url, ca: cluster.certificateAuthority, token });
    await createVaultClient({ url: vault, token })
      .kubernetes()
      .configure({ host: listening.url, caCertificate: cluster.certificateAuthority });
    urls = { git: gitUrl, quarantine, e2e, vault };

    const credentials = { username: '$platform', password: token };
    const config = rehearsalConfig(folder);
    const { environments } = config;
    const parts = {
      config: environments[0] as (typeof environments)[number],
      registry: createRegistryClient({ url: e2e, credentials }),
      vault: createVaultClient({ url: await before(vault), token }),
      kube: cutting(kube),
      certificateAuthority: '',
    };
    const harbor = async (url: string) => createHarborClient({ url: await before(url), credentials });
    const provision = createProvision({
      git: createGitLabClient({ url: await before(gitUrl), token }),
      quarantine: await harbor(quarantine),
      environments: new Map([['e2e', await harbor(e2e)]]),
      hook,
      people: () => listPeople(database.sql),
      log,
    });
    platform = { config, database, clock, log, provision, environments: new Map([['e2e', parts]]) } as unknown as Platform;
  }, 120_000);

  afterAll(async () => {
    kube?.close();
    for (const close of closers.reverse()) await close();
  });

  /** The Kubernetes client speaks TLS: it is cut at the call instead of at the wire. */
  const cutting = (real: KubeClient): KubeClient =>
    new Proxy(real, {
      get(client, name) {
        const method = client[name as keyof KubeClient];
        if (name !== 'patch' && name !== 'delete') return method;
        return async (...args: unknown[]) => {
          const { out, back } = cutter.next();
          const result = out ? await (method as (...all: unknown[]) => Promise<unknown>).apply(client, args) : undefined;
          if (!back) throw new Error('the platform was killed');
          return result;
        };
      },
    });

  const create = async (name: string): Promise<ServicePlace> => {
    const service = { name, company: 'acme', repository: repositoryOf(name) };
    await platform.database.sql
      .insertInto('services')
      .values({ ...service, created_by: 'provider', created_at: instantOf(new Date()), ready_at: null })
      .execute();
    return service;
  };

  const api = async (path: string) => (await fetch(`${urls.git}/api/v4${path}`, { headers: { 'private-token': token } })).json();
  const harbor = async (url: string, path: string) =>
    (
      await fetch(`${url}/api/v2.0${path}`, {
        headers: { authorization: `Basic ${Buffer.from(`$platform:${token}`).toString('base64')}` },
      })
    ).json();

  /** Everything that the service has anywhere, with its own name left out; ids and times too. */
  const everything = async ({ name, repository }: ServicePlace) => {
    const project = (await api(`/projects/${encodeURIComponent(repository)}`)) as { id: number; path_with_namespace: string };
    const group = encodeURIComponent(repository.slice(0, repository.lastIndexOf('/')));
    const pick = (rows: unknown, ...keys: string[]) =>
      (rows as Record<string, unknown>[]).map((row) => keys.map((key) => JSON.stringify(row[key])).join(' '));
    const registry = async (url: string) => ({
      metadata: ((await harbor(url, `/projects/${name}`)) as { metadata: object }).metadata,
      rules: pick(await harbor(url, `/projects/${name}/immutabletagrules`), 'action', 'disabled'),
      members: pick(await harbor(url, `/projects/${name}/members`), 'entity_name', 'role_id'),
      robots: pick(await harbor(url, '/robots?page_size=100'), 'name').filter((robot) => robot.includes(`$${name}+`)).length,
    });
    const vault = createVaultClient({ url: urls.vault, token });
    const bindings = await kube.resolve('rbac.authorization.k8s.io/v1', 'RoleBinding');
    const binding = bindings && ((await kube.get(bindings, 'desp-provider', name)) as unknown as { subjects: unknown } | undefined);
    const secret = await vault.kv(name).read('pull-secret');
    const row = await platform.database.sql.selectFrom('services').selectAll().where('name', '=', name).executeTakeFirst();
    return {
      secret: secret && JSON.parse(Buffer.from(String(secret.data['.dockerconfigjson']), 'base64').toString('utf8')),
      state: {
        path: project.path_with_namespace.replaceAll(name, 'NAME').replaceAll(name.toUpperCase(), 'NAME'),
        tags: await api(`/projects/${project.id}/protected_tags`).then((rows) => pick(rows, 'name')),
        hooks: await api(`/projects/${project.id}/hooks`).then((rows) => pick(rows, 'url', 'push_events', 'tag_push_events')),
        members: await api(`/groups/${group}/members?per_page=100`).then((rows) => pick(rows, 'username', 'access_level').sort()),
        quarantine: await registry(urls.quarantine),
        e2e: await registry(urls.e2e),
        subjects: binding?.subjects,
        versions: secret?.version,
        ready: row?.ready_at !== null,
      },
    };
  };

  test('as the procedure wants it', async () => {
    const service = await create('whole');
    await prepareService(platform, service);
    const { state } = await everything(service);
    expect(state).toMatchObject({
      path: 'DESP/NAME/NAME',
      tags: ['"*"'],
      hooks: [`"${hook.url}" true true`],
      members: ['"ivv" 20', '"operator" 50', '"provider" 30', '"security" 20'],
      quarantine: {
        metadata: { prevent_vul: 'true', public: 'false' },
        rules: [],
        members: ['"ivv" 5', '"operator" 2', '"provider" 2', '"security" 5'],
        robots: 0,
      },
      e2e: {
        metadata: { prevent_vul: 'false', public: 'false' },
        rules: ['"immutable" false'],
        members: ['"ivv" 5', '"operator" 5', '"provider" 5', '"security" 5'],
        robots: 1,
      },
      versions: 1,
      ready: true,
    });
    await prepareService(platform, service);
    expect((await everything(service)).state).toEqual(state);
  });

  test('cut at any call, with and without its effect, then tried again', async () => {
    const first = await create('measured');
    const start = cutter.count;
    await prepareService(platform, first);
    const calls = cutter.count - start;
    expect(calls).toBeGreaterThan(40);
    const { state: wanted } = await everything(first);
    // Every other call each way: with its effect at the odd ones, without at the even ones.
    for (let at = 1; at <= calls; at += 1) {
      const service = await create(`cut-${at}`);
      cutter.cut(at, at % 2 === 1);
      await expect(prepareService(platform, service), `call ${at} of ${calls}`).rejects.toThrow();
      cutter.mend();
      await prepareService(platform, service);
      const { state, secret } = await everything(service);
      expect(state, `after call ${at} of ${calls}`).toEqual(wanted);
      // The secret in the store is the robot's present one.
      const [auth] = Object.values(secret.auths as Record<string, { username: string; password: string }>);
      const robot = createRegistryClient({ url: urls.e2e, credentials: auth as { username: string; password: string } });
      await robot.ping();
      robot.close();
    }
  }, 300_000);
});
