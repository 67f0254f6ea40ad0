import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, SteppingClock } from '@desp/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { createVaultClient, createVaultServer, reviewTokenOverKubernetes, type TokenReviewer, type VaultError } from './index.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const rootToken = 'root-token-of-the-test';
const denied = { errors: ['1 error occurred:\n\t* permission denied\n\n'] };

async function start(options: { reviewToken?: TokenReviewer; folder?: string; clock?: SteppingClock; token?: string } = {}) {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'vault-test-')));
  const lines: string[] = [];
  const server = await createVaultServer({
    dataFolder: folder,
    rootToken: options.token ?? rootToken,
    reviewToken: options.reviewToken ?? (async () => ({ authenticated: false, error: 'nobody' })),
    ...(options.clock ? { clock: options.clock } : {}),
    log: createLogger('vault', 'debug', (line) => lines.push(line)),
  });
  const { url } = await server.listen({ port: 0 });
  let open = true;
  const close = async () => {
    if (open) await server.close();
    open = false;
  };
  cleanups.push(async () => {
    await close();
    await rm(folder, { recursive: true, force: true });
  });
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    token: string | undefined = rootToken,
    headers: Record<string, string> = {},
  ) => {
    const response = await fetch(`${url}/v1/${path}`, {
      method,
      headers: { ...(token ? { 'x-vault-token': token } : {}), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: text ? JSON.parse(text) : undefined };
  };
  const client = createVaultClient({ url, token: rootToken });
  return { folder, url, call, client, close, lines };
}
const merge = { 'content-type': 'application/merge-patch+json' };

describe('KV version 2', () => {
  it('writes, reads, deletes, undeletes and destroys versions', async () => {
    const clock = new SteppingClock();
    const { call, client } = await start({ clock });
    await client.ensureKv('secret');
    const written = await call('POST', 'secret/data/app/s3', { data: { access: 'a' } });
    const meta = { created_time: '2026-01-01T00:00:00.000Z', deletion_time: '', destroyed: false, custom_metadata: null };
    expect([written.status, written.body.data]).toEqual([200, { ...meta, version: 1 }]);
    await call('PUT', 'secret/data/app/s3', { data: { access: 'b' } });
    expect((await call('GET', 'secret/data/app/s3')).body).toMatchObject({
      lease_id: '',
      renewable: false,
      lease_duration: 0,
      data: { data: { access: 'b' }, metadata: { ...meta, version: 2 } },
      wrap_info: null,
      warnings: null,
      auth: null,
    });
    expect((await call('GET', 'secret/data/app/s3?version=1')).body.data.data).toEqual({ access: 'a' });
    expect(await call('GET', 'secret/data/app/s3?version=9')).toMatchObject({ status: 404, body: { errors: [] } });
    expect(await call('GET', 'secret/data/absent')).toMatchObject({ status: 404, body: { errors: [] } });

    expect((await call('DELETE', 'secret/data/app/s3')).status).toBe(204);
    const deleted = await call('GET', 'secret/data/app/s3');
    expect(deleted).toMatchObject({
      status: 404,
      body: { data: { data: null, metadata: { version: 2, deletion_time: '2026-01-01T00:00:00.000Z', destroyed: false } } },
    });
    expect((await call('POST', 'secret/undelete/app/s3', { versions: [2] })).status).toBe(204);
    expect((await call('GET', 'secret/data/app/s3')).body.data.data).toEqual({ access: 'b' });
    expect((await call('PUT', 'secret/destroy/app/s3', { versions: [2] })).status).toBe(204);
    expect(await call('GET', 'secret/data/app/s3')).toMatchObject({
      status: 404,
      body: { data: { data: null, metadata: { destroyed: true } } },
    });
    await call('POST', 'secret/undelete/app/s3', { versions: [2] });
    expect((await call('GET', 'secret/data/app/s3')).status).toBe(404);
    for (const part of ['delete', 'undelete', 'destroy']) {
      expect((await call('POST', `secret/${part}/absent`, { versions: [1] })).status).toBe(204);
      expect(await call('POST', `secret/${part}/app/s3`, {})).toMatchObject({
        status: 400,
        body: { errors: ['No version number provided'] },
      });
    }
    expect((await call('GET', 'secret/metadata/app/s3')).body.data).toMatchObject({
      current_version: 2,
      max_versions: 0,
      cas_required: false,
      delete_version_after: '0s',
      custom_metadata: null,
      versions: { 1: { destroyed: false }, 2: { destroyed: true } },
    });
    expect((await call('DELETE', 'secret/metadata/app/s3')).status).toBe(204);
    expect((await call('GET', 'secret/metadata/app/s3')).status).toBe(404);
  });

  it('checks and sets', async () => {
    const { call, client } = await start();
    await client.ensureKv('secret');
    const write = (cas?: unknown) => call('POST', 'secret/data/x', { data: { a: 1 }, ...(cas === undefined ? {} : { options: { cas } }) });
    expect((await write(0)).status).toBe(200);
    expect(await write(0)).toMatchObject({ status: 400, body: { errors: ['check-and-set parameter did not match the current version'] } });
    expect((await write(1)).status).toBe(200);
    await call('POST', 'secret/metadata/x', { cas_required: true });
    expect(await write()).toMatchObject({ status: 400, body: { errors: ['check-and-set parameter required for this call'] } });
    expect((await write('nonsense')).status).toBe(400);
    expect(await call('POST', 'secret/data/x', { options: { cas: 2 } })).toMatchObject({
      status: 400,
      body: { errors: ['no data provided'] },
    });
  });

  it('patches with a merge patch and nothing else', async () => {
    const { call, client } = await start();
    await client.ensureKv('secret');
    await call('POST', 'secret/data/x', { data: { keep: 'k', drop: 'd', deep: { a: 1 } } });
    expect((await call('PATCH', 'secret/data/x', { data: { drop: null, deep: { b: 2 } } }, rootToken, merge)).body.data.version).toBe(2);
    expect((await call('GET', 'secret/data/x')).body.data.data).toEqual({ keep: 'k', deep: { a: 1, b: 2 } });
    expect((await call('PATCH', 'secret/data/x', { data: {} }, rootToken, { 'content-type': 'application/json' })).status).toBe(415);
    expect(await call('PATCH', 'secret/data/absent', { data: {} }, rootToken, merge)).toMatchObject({ status: 404, body: { errors: [] } });
    expect(await client.kv('secret').patch('absent', { made: 'yes' })).toEqual({ version: 1 });
  });

  it('lists folders and keeps to its number of versions', async () => {
    const { call, client } = await start();
    await client.ensureKv('secret');
    for (const key of ['a', 'folder/b', 'folder/deep/c', 'folder0']) await client.kv('secret').write(key, { x: 'y' });
    expect((await call('LIST', 'secret/metadata')).body.data.keys).toEqual(['a', 'folder/', 'folder0']);
    expect((await call('GET', 'secret/metadata/folder?list=true')).body.data.keys).toEqual(['b', 'deep/']);
    expect(await call('LIST', 'secret/metadata/none')).toMatchObject({ status: 404, body: { errors: [] } });
    for (let count = 0; count < 12; count += 1) await client.kv('secret').write('a', { count });
    const { versions, oldest_version } = (await call('GET', 'secret/metadata/a')).body.data;
    expect([Object.keys(versions).length, oldest_version]).toEqual([10, 4]);
  });

  it('announces and carries out deletion by age', async () => {
    const clock = new SteppingClock();
    const { call, client } = await start({ clock });
    await client.ensureKv('secret');
    await call('POST', 'secret/metadata/x', { delete_version_after: '1m30s', custom_metadata: { owner: 'me' } });
    expect((await call('GET', 'secret/metadata/x')).body.data.delete_version_after).toBe('1m30s');
    const { body } = await call('POST', 'secret/data/x', { data: { a: 'b' } });
    expect(body.data).toMatchObject({ deletion_time: '2026-01-01T00:01:30.000Z', custom_metadata: { owner: 'me' } });
    expect((await call('GET', 'secret/data/x')).status).toBe(200);
    clock.step(90_000);
    expect((await call('GET', 'secret/data/x')).status).toBe(404);
  });

  it('keeps numbers as they were written', async () => {
    const { call, client } = await start();
    await client.ensureKv('secret');
    await call('POST', 'secret/data/x', '{"data":{"big":12345678901234567890,"exact":1.10,"__proto__":"own"}}');
    expect((await call('GET', 'secret/data/x')).text).toContain('{"big":12345678901234567890,"exact":1.10,"__proto__":"own"}');
  });
});

describe('access', () => {
  it('needs a token, and says nothing to others', async () => {
    const { call, client } = await start();
    await client.ensureKv('secret');
    for (const token of ['', 'wrong']) {
      expect(await call('GET', 'secret/data/x', undefined, token)).toMatchObject({ status: 403, body: denied });
      expect(await call('GET', 'nothing/here', undefined, token)).toMatchObject({ status: 403, body: denied });
    }
    const bearer = await call('GET', 'auth/token/lookup-self', undefined, '', { authorization: `Bearer ${rootToken}` });
    expect(bearer.body.data).toMatchObject({ policies: ['root'], ttl: 0, expire_time: null, id: rootToken });
  });

  it('tells create from update, and follows the policies', async () => {
    const { call, client } = await start();
    await client.ensureKv('secret');
    await client.putPolicy('creator', 'path "secret/data/app/*" { capabilities = ["create"] }');
    const { token } = await client.createToken({ policies: ['creator'], ttl: 60 });
    expect((await call('POST', 'secret/data/app/x', { data: {} }, token)).status).toBe(200);
    expect(await call('POST', 'secret/data/app/x', { data: {} }, token)).toMatchObject({ status: 403, body: denied });
    expect((await call('GET', 'secret/data/app/x', undefined, token)).status).toBe(403);
    expect((await call('POST', 'secret/data/other', { data: {} }, token)).status).toBe(403);
    expect((await call('LIST', 'secret/metadata/app', undefined, token)).status).toBe(403);
    expect((await call('GET', 'sys/mounts', undefined, token)).status).toBe(403);
    expect((await call('POST', 'sys/capabilities-self', { paths: ['secret/data/app/x'] }, token)).body.data).toEqual({
      'secret/data/app/x': ['create'],
      capabilities: ['create'],
    });
    expect((await call('GET', 'sys/internal/ui/mounts/secret/app/x', undefined, token)).body.data).toMatchObject({
      path: 'secret/',
      type: 'kv',
      options: { version: '2' },
    });
    await client.ensureKv('hidden');
    expect(await call('GET', 'sys/internal/ui/mounts/hidden', undefined, token)).toMatchObject({
      status: 403,
      body: { errors: ['preflight capability check returned 403, please ensure client\'s policies grant access to path "hidden"'] },
    });
  });

  it('keeps the text of a policy, and warns of the commonest mistake', async () => {
    const { call, client } = await start();
    await client.ensureKv('secret');
    const text = '# mine\npath "secret/app/*" { capabilities = ["read"] }\n';
    const { warnings } = await client.putPolicy('p', text);
    expect(warnings).toEqual([expect.stringContaining('secret/data/app/*')]);
    expect((await call('GET', 'sys/policies/acl/p')).body.data).toEqual({ name: 'p', policy: text });
    expect((await call('GET', 'sys/policy/p')).body).toMatchObject({ name: 'p', rules: text });
    expect((await call('LIST', 'sys/policies/acl')).body.data.keys).toEqual(['default', 'p', 'root']);
    expect(await call('PUT', 'sys/policies/acl/bad', { policy: 'path "x" {' })).toMatchObject({
      status: 400,
      body: { errors: ['failed to parse policy: line 1: expected word, found the end'] },
    });
    expect((await call('PUT', 'sys/policies/acl/root', { policy: text })).status).toBe(400);
    expect((await call('DELETE', 'sys/policies/acl/p')).status).toBe(204);
    expect((await call('GET', 'sys/policies/acl/p')).status).toBe(404);
  });

  it('ends, renews and revokes tokens with their children', async () => {
    const clock = new SteppingClock();
    const { call, client } = await start({ clock });
    await client.putPolicy('maker', 'path "auth/token/create" { capabilities = ["update"] }');
    const parent = await client.createToken({ policies: ['maker'], ttl: 600 });
    const child = (await call('POST', 'auth/token/create', { ttl: '300s' }, parent.token)).body.auth;
    const orphan = (await call('POST', 'auth/token/create-orphan', { policies: ['maker'], ttl: '1h' })).body.auth;
    expect(child).toMatchObject({ policies: ['default', 'maker'], lease_duration: 300, renewable: true, orphan: false });
    expect(orphan.orphan).toBe(true);
    expect(await call('POST', 'auth/token/create', { policies: ['root'] }, parent.token)).toMatchObject({
      status: 400,
      body: { errors: ['child policies must be subset of parent'] },
    });
    clock.step(200_000);
    expect((await call('GET', 'auth/token/lookup-self', undefined, child.client_token)).body.data).toMatchObject({
      ttl: 100,
      renewable: true,
      path: 'auth/token/create',
    });
    expect((await call('POST', 'auth/token/renew-self', {}, child.client_token)).body.auth.lease_duration).toBe(300);
    clock.step(250_000);
    expect((await call('GET', 'auth/token/lookup-self', undefined, child.client_token)).status).toBe(200);
    expect((await call('PUT', 'auth/token/revoke-self', undefined, parent.token)).status).toBe(204);
    expect((await call('GET', 'auth/token/lookup-self', undefined, child.client_token)).status).toBe(403);
    expect((await call('GET', 'auth/token/lookup-self', undefined, orphan.client_token)).status).toBe(200);
    clock.step(3_600_000);
    expect((await call('GET', 'auth/token/lookup-self', undefined, orphan.client_token)).status).toBe(403);
    expect(await call('POST', 'auth/token/renew-self', {})).toMatchObject({ status: 400, body: { errors: ['lease is not renewable'] } });
    const twice = (await call('POST', 'auth/token/create', { policies: ['maker'], num_uses: 2 })).body.auth.client_token;
    const statuses = [];
    for (let use = 0; use < 3; use += 1) statuses.push((await call('GET', 'auth/token/lookup-self', undefined, twice)).status);
    expect(statuses).toEqual([200, 200, 403]);
  });
});

describe('Kubernetes log-in', () => {
  const review: TokenReviewer = async ({ jwt }) => {
    if (jwt === 'unreachable') throw new Error('no connection');
    const [namespace, serviceAccount] = jwt.split('/');
    return serviceAccount
      ? { authenticated: true, namespace: namespace!, serviceAccount, uid: 'u-1' }
      : { authenticated: false, error: 'invalid' };
  };

  it("answers in Vault's words", async () => {
    const { call, client } = await start({ reviewToken: review });
    await client.kubernetes().configure({ host: 'http://127.0.0.1:1', caCertificate: '', reviewerToken: 'reviewer-secret' });
    await client.kubernetes().putRole('my-role', { serviceAccounts: ['default'], namespaces: ['sample-*'], policies: ['p'], ttl: 600 });
    const login = (role: string | undefined, jwt: string) => call('PUT', 'auth/kubernetes/login', { role, jwt }, '');
    const good = await login('my-role', 'sample-app/default');
    expect(good.body.auth).toMatchObject({
      policies: ['default', 'p'],
      lease_duration: 600,
      renewable: true,
      metadata: { role: 'my-role', service_account_name: 'default', service_account_namespace: 'sample-app', service_account_uid: 'u-1' },
    });
    expect(await login('nope', 'sample-app/default')).toMatchObject({ status: 400, body: { errors: ['invalid role name "nope"'] } });
    expect(await login('my-role', 'sample-app/other')).toMatchObject({
      status: 403,
      body: { errors: ['service account name not authorized'] },
    });
    expect(await login('my-role', 'other/default')).toMatchObject({ status: 403, body: { errors: ['namespace not authorized'] } });
    for (const jwt of ['garbage', 'unreachable'])
      expect(await login('my-role', jwt)).toMatchObject({ status: 403, body: { errors: ['permission denied'] } });
    expect(await login(undefined, 'x')).toMatchObject({ status: 400, body: { errors: ['missing role'] } });
    expect(await call('POST', 'auth/approle/login', { role_id: 'x' }, '')).toMatchObject({
      status: 400,
      body: { errors: ['invalid role or secret ID'] },
    });
    const config = await call('GET', 'auth/kubernetes/config');
    expect([config.body.data.token_reviewer_jwt_set, config.text.includes('reviewer-secret')]).toEqual([true, false]);
    expect((await call('GET', 'auth/token/lookup-self', undefined, good.body.auth.client_token)).body.data.display_name).toBe(
      'kubernetes-sample-app-default',
    );
    expect(await call('POST', 'auth/kubernetes/role/bad', { bound_service_account_namespaces: ['x'] })).toMatchObject({
      status: 400,
      body: { errors: ['"bound_service_account_names" can not be empty'] },
    });
  });

  it('asks the Kubernetes API of the configuration', async () => {
    let asked = '';
    const api = createServer((request, response) => {
      asked = `${request.method} ${request.url} ${request.headers.authorization}`;
      response.end(
        JSON.stringify({ status: { authenticated: true, user: { username: 'system:serviceaccount:sample-app:default', uid: 'u' } } }),
      );
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => api.close());
    const { client, url } = await start({ reviewToken: reviewTokenOverKubernetes });
    await client
      .kubernetes()
      .configure({ host: `http://127.0.0.1:${(api.address() as AddressInfo).port}`, caCertificate: '', reviewerToken: 'reviewer' });
    await client.kubernetes().putRole('r', { serviceAccounts: ['default'], namespaces: ['sample-app'], policies: [], ttl: 60 });
    const issued = await createVaultClient({ url }).kubernetes().login('r', 'the-token-of-the-pod');
    expect([issued.leaseDuration, asked]).toEqual([60, 'POST /apis/authentication.k8s.io/v1/tokenreviews Bearer reviewer']);
  });
});

describe('the system', () => {
  it('tells its health without a token, and what it is not', async () => {
    const { call } = await start();
    expect(await call('GET', 'sys/health', undefined, '')).toMatchObject({
      status: 200,
      body: { initialized: true, sealed: false, standby: false },
    });
    expect((await call('GET', 'sys/seal-status', undefined, '')).body).toMatchObject({
      type: 'shamir',
      initialized: true,
      sealed: false,
      t: 1,
      n: 1,
      progress: 0,
      nonce: '',
    });
    expect((await call('POST', 'sys/mounts/old', { type: 'kv' })).status).toBe(400);
    expect((await call('POST', 'sys/auth/approle', { type: 'approle' })).status).toBe(400);
    expect((await call('GET', 'transit/keys/x')).status).toBe(404);
    expect(await call('GET', 'secret/..%2fsys/mounts')).toMatchObject({ status: 400, body: { errors: ['relative paths not supported'] } });
    expect((await call('POST', 'sys/mounts/big', ' '.repeat(3 * 1024 * 1024))).status).toBe(413);
  });

  it('keeps everything over a restart, encrypted, under a key of mode 0600, and logs no secret', async () => {
    const first = await start();
    await first.client.ensureKv('secret');
    await first.client.kv('secret').write('x', { password: 'very-secret-value' });
    await first.call('POST', 'secret/data/x', '{"data":{"password":"very-secret-value"');
    await first.close();
    const stored = Buffer.concat([
      await readFile(join(first.folder, 'vault.sqlite')),
      await readFile(join(first.folder, 'vault.sqlite-wal')).catch(() => Buffer.alloc(0)),
    ]);
    expect([stored.includes('very-secret-value'), stored.includes(rootToken), first.lines.join('').includes('very-secret-value')]).toEqual([
      false,
      false,
      false,
    ]);
    expect((await stat(join(first.folder, 'master.key'))).mode & 0o777).toBe(0o600);
    const second = await start({ folder: first.folder, token: 'another-root-token' });
    const client = createVaultClient({ url: second.url, token: 'another-root-token' });
    expect((await client.kv('secret').read('x'))?.data).toEqual({ password: 'very-secret-value' });
    expect((await second.call('GET', 'secret/data/x')).status).toBe(403);
    await second.close();
    await rm(join(first.folder, 'master.key'));
    await expect(start({ folder: first.folder })).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it('tells a client why, without the secret', async () => {
    const { url } = await start();
    const client = createVaultClient({ url, token: 'not-the-token' });
    await expect(client.kv('secret').write('x', { password: 'hidden-value' })).rejects.toSatisfy(
      (error: VaultError) =>
        error.code === 'PERMISSION_DENIED' && !error.message.includes('hidden-value') && !error.message.includes('not-the-token'),
    );
  });
});
