import type { KubeObject } from '@desp/kube';
import { instantOf } from '@desp/model';
import { registerSecret } from '@desp/runtime';
import type { EnvironmentParts, Platform } from '../platform.ts';
import { pullSecretName, roleOf } from './names.ts';

interface ServiceRow {
  readonly name: string;
  readonly company: string;
  readonly repository: string;
}

const fieldManager = 'desp-platform';

/** Brings everything that a service needs into being, where it is not there yet; safe to repeat at any point. */
export async function prepareService(platform: Platform, service: ServiceRow): Promise<void> {
  await platform.provision.repository(service.repository);
  await platform.provision.project(undefined, service.name);
  for (const [name, parts] of platform.environments) {
    await platform.provision.project(name, service.name);
    await prepareNamespace(parts, service);
    await prepareSecrets(platform, parts, service);
  }
  await platform.database.sql
    .updateTable('services')
    .set({ ready_at: instantOf(platform.clock.now()) })
    .where('name', '=', service.name)
    .execute();
}

/** A namespace in which the people of the service's company may do what `edit` allows, and nobody else of a company anything. */
async function prepareNamespace({ kube }: EnvironmentParts, service: ServiceRow): Promise<void> {
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
    // Vault's Kubernetes login asks the cluster who a token is, with the token itself.
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `desp-token-review-${service.name}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: service.name }],
    } as KubeObject,
  ];
  for (const object of objects) {
    const type = await kube.resolve(object.apiVersion, object.kind);
    if (!type) throw new Error(`${kube.server} does not know ${object.kind}.`);
    await kube.patch(type, object.metadata.name, object.metadata.namespace, object, { kind: 'apply', fieldManager, force: true });
  }
}

/** A key-value store of the service's name, a policy and role to read it, and the pull secret in it (section 3.6.2.1). */
async function prepareSecrets(platform: Platform, { vault, config }: EnvironmentParts, service: ServiceRow): Promise<void> {
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
  const { username, password } = await platform.provision.pullRobot(config.name, name);
  registerSecret(password);
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const dockerConfig = JSON.stringify({ auths: { [config.registry.host]: { username, password, auth } } });
  await store.write(pullSecretName, { '.dockerconfigjson': Buffer.from(dockerConfig).toString('base64') });
}
