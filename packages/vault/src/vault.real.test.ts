import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@desp/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { createVaultClient, createVaultServer } from './index.ts';

/** Debian's python3-hvac, the client library of Ansible and others, against our server. */
const python = '/usr/bin/python3';
const hasHvac = spawnSync(python, ['-c', 'import hvac']).status === 0;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const script = `
import json, os, sys, hvac
url, token = os.environ["VAULT_URL"], sys.stdin.read().strip()
c = hvac.Client(url=url, token=token)
out = {}
out["authenticated"] = c.is_authenticated()
out["initialized"], out["sealed"] = c.sys.is_initialized(), c.sys.is_sealed()
c.sys.enable_secrets_engine("kv", path="paas", options={"version": "2"})
out["mounts"] = sorted(k for k in c.sys.list_mounted_secrets_engines()["data"])
kv = c.secrets.kv.v2
out["written"] = kv.create_or_update_secret("s3", dict(access="accessForS3", secret="secretForS3"), mount_point="paas")["data"]["version"]
out["read"] = kv.read_secret_version("s3", mount_point="paas")["data"]["data"]
kv.patch("s3", dict(secret="changed"), mount_point="paas")
out["patched"] = kv.read_secret_version("s3", mount_point="paas")["data"]["data"]
try:
    kv.create_or_update_secret("s3", dict(a="b"), cas=7, mount_point="paas")
except hvac.exceptions.InvalidRequest as e:
    out["cas"] = str(e)
kv.create_or_update_secret("folder/deep", dict(a="b"), mount_point="paas")
out["list"] = kv.list_secrets("", mount_point="paas")["data"]["keys"]
kv.delete_latest_version_of_secret("s3", mount_point="paas")
try:
    kv.read_secret_version("s3", mount_point="paas")
except hvac.exceptions.InvalidPath:
    out["deleted"] = True
kv.undelete_secret_versions("s3", [2], mount_point="paas")
kv.destroy_secret_versions("s3", [1], mount_point="paas")
out["versions"] = {k: v["destroyed"] for k, v in kv.read_secret_metadata("s3", mount_point="paas")["data"]["versions"].items()}
kv.configure(max_versions=5, mount_point="paas")
out["max_versions"] = kv.read_configuration("paas")["data"]["max_versions"]
c.sys.create_or_update_policy("pass-read", 'path "paas/data/*" { capabilities = ["read"] }')
out["policies"] = c.sys.list_policies()["data"]["policies"]
out["policy"] = c.sys.read_policy("pass-read")["data"]["rules"]
made = c.create_token(policies=["pass-read"], lease="1h")["auth"]
out["token"] = dict(policies=made["policies"], lease=made["lease_duration"], renewable=made["renewable"])
reader = hvac.Client(url=url, token=made["client_token"])
out["reader"] = reader.secrets.kv.v2.read_secret_version("s3", mount_point="paas")["data"]["data"]
try:
    reader.secrets.kv.v2.create_or_update_secret("s3", dict(a="b"), mount_point="paas")
except hvac.exceptions.Forbidden as e:
    out["forbidden"] = str(e)
out["looked_up"] = reader.lookup_token()["data"]["policies"]
reader.renew_token()
reader.revoke_self_token()
out["revoked"] = not reader.is_authenticated()
c.sys.enable_auth_method("kubernetes")
out["auth"] = sorted(c.sys.list_auth_methods()["data"])
k = c.auth.kubernetes
k.configure("http://127.0.0.1:1", kubernetes_ca_cert="-----BEGIN CERTIFICATE-----\\nMA==\\n-----END CERTIFICATE-----", token_reviewer_jwt="reviewer")
k.create_role("my-role", ["default"], ["sample-app"], policies=["pass-read"], ttl="10m")
out["roles"] = k.list_roles()["data"]["keys"] if "data" in k.list_roles() else k.list_roles()["keys"]
out["role"] = k.read_role("my-role")["bound_service_account_names"]
pod = hvac.Client(url=url)
login = pod.auth_kubernetes("my-role", "pod-token")["auth"]
out["login"] = dict(policies=login["policies"], lease=login["lease_duration"])
out["pod_reads"] = hvac.Client(url=url, token=login["client_token"]).secrets.kv.v2.read_secret_version("s3", mount_point="paas")["data"]["data"]
try:
    pod.auth_kubernetes("nope", "pod-token")
except hvac.exceptions.InvalidRequest as e:
    out["no_role"] = str(e)
print(json.dumps(out))
`;

describe.skipIf(!hasHvac)(`hvac${hasHvac ? '' : ' (skipped: python3-hvac is not on this machine)'}`, () => {
  it('works with secrets, policies, tokens and Kubernetes log-in', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vault-hvac-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const server = await createVaultServer({
      dataFolder: folder,
      rootToken: 'root-for-hvac',
      reviewToken: async ({ jwt }) =>
        jwt === 'pod-token'
          ? { authenticated: true, namespace: 'sample-app', serviceAccount: 'default', uid: 'u' }
          : { authenticated: false, error: 'unknown' },
    });
    cleanups.push(() => server.close());
    const { url } = await server.listen({ port: 0 });
    const { code, stdout, stderr } = await run([python, '-W', 'ignore', '-c', script], { env: { VAULT_URL: url }, stdin: 'root-for-hvac' });
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout.toString())).toEqual({
      authenticated: true,
      initialized: true,
      sealed: false,
      mounts: ['paas/', 'sys/'],
      written: 1,
      read: { access: 'accessForS3', secret: 'secretForS3' },
      patched: { access: 'accessForS3', secret: 'changed' },
      cas: expect.stringContaining('check-and-set parameter did not match the current version'),
      list: ['folder/', 's3'],
      deleted: true,
      versions: { 1: true, 2: false },
      max_versions: 5,
      policies: ['default', 'pass-read', 'root'],
      policy: 'path "paas/data/*" { capabilities = ["read"] }',
      token: { policies: ['default', 'pass-read'], lease: 3600, renewable: true },
      reader: { access: 'accessForS3', secret: 'changed' },
      forbidden: expect.stringContaining('permission denied'),
      looked_up: ['default', 'pass-read'],
      revoked: true,
      auth: ['kubernetes/', 'token/'],
      roles: ['my-role'],
      role: ['default'],
      login: { policies: ['default', 'pass-read'], lease: 600 },
      pod_reads: { access: 'accessForS3', secret: 'changed' },
      no_role: expect.stringContaining('invalid role name "nope"'),
    });
  });
});

describe('kill -9', () => {
  /** A process that serves until it is killed; it prints its address. */
  const source = `
    import { createVaultServer } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    const server = await createVaultServer({ dataFolder: process.argv[1], rootToken: 'root-to-kill', reviewToken: async () => ({ authenticated: false, error: '' }) });
    console.log((await server.listen({ port: 0 })).url);
  `;
  const start = async (folder: string) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', source, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    cleanups.push(() => child.kill('SIGKILL'));
    const url = await new Promise<string>((resolve) => child.stdout.once('data', (line) => resolve(String(line).trim())));
    return { child, client: createVaultClient({ url, token: 'root-to-kill' }) };
  };

  it('at any moment loses nothing that was acknowledged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vault-kill-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    let acknowledged = 0;
    for (let round = 0; round < 3; round += 1) {
      const { child, client } = await start(folder);
      if (round === 0) await client.ensureKv('secret');
      const present = (await client.kv('secret').read('counter'))?.data['value'];
      expect(Number(present ?? 0)).toBeGreaterThanOrEqual(acknowledged);
      acknowledged = Number(present ?? 0);
      const killAfter = acknowledged + 10 + round * 7;
      for (;;) {
        if (acknowledged === killAfter) child.kill('SIGKILL');
        const written = await client
          .kv('secret')
          .write('counter', { value: acknowledged + 1 })
          .catch(() => undefined);
        if (!written) break;
        acknowledged += 1;
      }
    }
    const { client } = await start(folder);
    expect(Number((await client.kv('secret').read('counter'))?.data['value'])).toBeGreaterThanOrEqual(acknowledged);
  });
});
