import type { KubeObject } from '@desp/kube';
import { instantOf } from '@desp/model';
import { registerSecret } from '@desp/runtime';
import type { EnvironmentParts, Platform, ServicePlace } from '../platform.ts';
import { pullSecretName, roleOf } from './names.ts';

const fieldManager = 'desp-platform';

/**
 * Brings everything that a service needs into being, and puts right what differs; safe to repeat at any point. Every start does
 * it again for each service: what an earlier version, or a hand, left otherwise is as it should be.
 */
export async function prepareService(platform: Platform, service: ServicePlace): Promise<void> {
  await platform.provision.repository(service);
  await platform.provision.project(undefined, service);
  for (const [name, parts] of platform.environments) {
    await platform.provision.project(name, service);
    await prepareNamespace(parts, service);
    await prepareSecrets(platform, parts, service);
  }
  await platform.database.sql
    .updateTable('services')
    .set({ ready_at: instantOf(platform.clock.now()) })
    .where('name', '=', service.name)
    .where('ready_at', 'is', null)
    .execute();
}

/** A namespace in which the people of the service's company may do what `desp-provider` allows, and nobody else of a company anything. */
async function prepareNamespace({ kube }: EnvironmentParts, service: ServicePlace): Promise<void> {
  const objects: KubeObject[] = [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: service.name, labels: { 'desp.space/service': service.name, 'desp.space/provider': service.company } },
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'desp-provider', namespace: service.name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'desp-provider' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: `desp:provider:${service.company}` }],
    } as KubeObject,
  ];
  for (const object of objects) {
    const type = await kube.resolve(object.apiVersion, object.kind);
    if (!type) throw new Error(`${kube.server} does not know ${object.kind}.`);
    await kube.patch(type, object.metadata.name, object.metadata.namespace, object, { kind: 'apply', fieldManager, force: true });
  }
  // An earlier version let each service's pods ask the cluster whom any token is of.
  const bindings = await kube.resolve('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding');
  if (bindings) await kube.delete(bindings, `desp-token-review-${service.name}`);
}

/** A key-value store of the service's name, a policy and role to read it, and the pull secret in it (section 3.6.2.1). */
async function prepareSecrets(platform: Platform, { vault, config }: EnvironmentParts, service: ServicePlace): Promise<void> {
  const { name } = service;
  const role = roleOf(name);
  await vault.ensureKv(name);
  await vault.putPolicy(
    role,
    `path "${name}/data/*" {\n  capabilities = ["read"]\n}\npath "${name}/metadata/*" {\n  capabilities = ["read", "list"]\n}\n`,
  );
  await vault.kubernetes().putRole(role, { serviceAccounts: ['default'], namespaces: [name], policies: [role], ttl: 600 });
  const store = vault.kv(name);
  if (await store.read(pullSecretName)) return;
  const { username, password } = await platform.provision.pullRobot(config.name, service);
  registerSecret(password);
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const dockerConfig = JSON.stringify({ auths: { [config.registry.host]: { username, password, auth } } });
  await store.write(pullSecretName, { '.dockerconfigjson': Buffer.from(dockerConfig).toString('base64') });
}
