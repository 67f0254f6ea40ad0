import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiServer } from '@desp/cluster';
import { createKubeClient, type KubeClient, type KubeObject } from '@desp/kube';
import { SteppingClock, silentLogger } from '@desp/runtime';
import { createVaultClient, createVaultServer, reviewTokenOverKubernetes, type VaultClient } from '@desp/vault';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { providerRole } from './provider-role.ts';
import { keepReviewer, reviewerAccount } from './token-reviewer.ts';

const folder = mkdtempSync(join(tmpdir(), 'desp-reviewer-'));
const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
const clock = new SteppingClock('2026-11-22T12:00:00Z');
const token = 'the-administrator-of-this-test';
let kube: KubeClient;
let vault: VaultClient;
let ca: string;
let url: string;

const namespaced = (kind: string, namespace: string, name: string): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace },
});
const apply = async (object: KubeObject) => {
  const type = await kube.resolve(object.apiVersion, object.kind);
  if (!type) throw new Error(`no ${object.kind}`);
  const { name, namespace } = object.metadata;
  await kube.patch(type, name, namespace, object, { kind: 'apply', fieldManager: 'test', force: true });
};
const tokenOf = async (namespace: string, account: string): Promise<string> =>
  (
    (await kube.raw('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, { spec: {} })) as {
      status: { token: string };
    }
  ).status.token;

beforeAll(async () => {
  const server = await createApiServer({
    name: 'e2e',
    dataFolder: join(folder, 'e2e'),
    clock,
    log: silentLogger,
    adminToken: token,
    authenticate: async (shown) => (shown === 'token-of-paula' ? { username: 'paula', groups: ['desp:provider:acme'] } : undefined),
  });
  closers.push(() => server.close());
  ({ url } = await server.listen(0, ['127.0.0.1']));
  ca = server.certificateAuthority;
  kube = createKubeClient({ server: url, ca, token });
  closers.push(() => kube.close());
  const vaultServer = await createVaultServer({
    dataFolder: join(folder, 'vault'),
    rootToken: token,
    reviewToken: reviewTokenOverKubernetes,
    clock,
  });
  closers.push(() => vaultServer.close());
  vault = createVaultClient({ url: (await vaultServer.listen({ port: 0 })).url, token });
  for (const name of ['vault', 'app']) await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  for (const object of reviewerAccount) await apply(object);
  await apply(namespaced('ServiceAccount', 'app', 'default'));
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

test("a pod logs in without a right of its own, today and when the first reviewer's token is long over", async () => {
  closers.push(await keepReviewer({ vault, kube, certificateAuthority: ca }, { clock, log: silentLogger }));
  const methods = vault.kubernetes();
  await methods.putRole('app-read', { serviceAccounts: ['default'], namespaces: ['app'], policies: ['app-read'], ttl: 600 });
  const login = async () => methods.login('app-read', await tokenOf('app', 'default'));
  expect((await login()).policies).toContain('app-read');
  const review = createKubeClient({ server: url, ca, token: await tokenOf('app', 'default') });
  closers.push(() => review.close());
  await expect(review.raw('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token } })).rejects.toMatchObject({
    code: 'Forbidden',
  });
  // A machine that slept for a week: the next look, a minute later, replaces the token.
  clock.step(7 * 24 * 3600 * 1000);
  await expect.poll(async () => login().then(({ policies }) => policies), { timeout: 10_000 }).toContain('app-read');
});

test('a provider may work in its namespace, and not on the namespace', async () => {
  for (const role of providerRole) await apply(role);
  const binding = (name: string, role: string, subject: object): KubeObject =>
    ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name, namespace: 'app' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [subject],
    }) as KubeObject;
  await apply(binding('desp-provider', 'desp-provider', { kind: 'Group', name: 'desp:provider:acme' }));
  const paula = createKubeClient({ server: url, ca, token: 'token-of-paula' });
  closers.push(() => paula.close());
  const may = async (verb: string, group: string, resource: string, namespace = 'app', subresource = '') => {
    const { status } = (await paula.raw('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb, group, resource, namespace, subresource } },
    })) as { status: { allowed: boolean } };
    return status.allowed;
  };
  const rbac = 'rbac.authorization.k8s.io';
  // What the procedure has them do (3.6.2 to 4), and what one does beside it.
  for (const [verb, group, resource, subresource] of [
    ['get', 'external-secrets.io', 'externalsecrets'],
    ['create', 'external-secrets.io', 'secretstores'],
    ['get', '', 'secrets'],
    ['create', '', 'pods', 'exec'],
    ['get', '', 'pods', 'log'],
    ['list', '', 'events'],
    ['create', '', 'persistentvolumeclaims'],
    ['delete', '', 'persistentvolumeclaims'],
    ['patch', 'apps', 'deployments'],
    ['create', 'networking.k8s.io', 'ingresses'],
    ['get', 'cert-manager.io', 'certificates'],
    ['get', '', 'resourcequotas'],
    ['create', rbac, 'roles'],
    ['create', rbac, 'rolebindings'],
  ] as const)
    expect(await may(verb, group, resource, 'app', subresource ?? ''), `${verb} ${resource}`).toBe(true);
  for (const [verb, group, resource] of [
    ['delete', '', 'namespaces'],
    ['patch', '', 'namespaces'],
    ['create', '', 'resourcequotas'],
    ['delete', '', 'resourcequotas'],
    ['patch', '', 'limitranges'],
    ['delete', rbac, 'rolebindings'],
    ['patch', rbac, 'rolebindings'],
    ['deletecollection', rbac, 'rolebindings'],
    ['escalate', rbac, 'roles'],
    ['bind', rbac, 'clusterroles'],
  ] as const)
    expect(await may(verb, group, resource), `${verb} ${resource}`).toBe(false);
  expect(await may('get', '', 'secrets', 'vault')).toBe(false);
  const bindings = await kube.resolve(`${rbac}/v1`, 'RoleBinding');
  if (!bindings) throw new Error('no RoleBinding');
  const person = { kind: 'User', name: 'somebody' };
  await expect(paula.create(bindings, binding('more', 'cluster-admin', person))).rejects.toMatchObject({ code: 'Forbidden' });
  await paula.create(bindings, binding('less', 'view', person));
});
