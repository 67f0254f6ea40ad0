import { type EmbeddedCluster, startEmbeddedCluster, type UserInfo } from '@desp/cluster';
import type { Tokens } from '@desp/identity';
import type { KubeClient, KubeObject } from '@desp/kube';
import type { Config, EmbeddedKubernetes } from '@desp/model';
import type { Clock, Logger } from '@desp/runtime';
import { type DataFolder, writeFileDurably } from '@desp/storage';
import { PlatformError } from '../platform-error.ts';
import type { PlatformKey } from '../platform-key.ts';
import type { Engine } from './engine.ts';
import { admitImage } from './image-admission.ts';

/** The rehearsal's clusters: one an environment, and one without a node that holds Fleet's objects. */
export interface Clusters {
  readonly management: EmbeddedCluster;
  environment(name: string): EmbeddedCluster;
  stop(): Promise<void>;
  purge(): Promise<void>;
}

export interface ClustersOptions {
  readonly config: Config;
  readonly data: DataFolder;
  readonly engine: Engine;
  readonly key: PlatformKey;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly log: Logger;
}

export async function startClusters(options: ClustersOptions): Promise<Clusters> {
  const { config, data, engine, key, tokens, clock, log } = options;
  const socket = 'missing' in engine ? undefined : engine.service.socket;
  const authenticate = async (token: string): Promise<UserInfo | undefined> => {
    const principal = await tokens.verify(token);
    if (principal?.kind !== 'person') return undefined;
    return {
      username: principal.name,
      groups: [
        'desp:people',
        ...principal.roles.map((role) => `desp:role:${role}`),
        ...(principal.company && principal.roles.includes('provider') ? [`desp:provider:${principal.company}`] : []),
      ],
    };
  };
  const start = async (
    name: string,
    embedded: EmbeddedKubernetes | undefined,
    kubeconfig: string,
    more: Partial<Parameters<typeof startEmbeddedCluster>[0]>,
  ): Promise<EmbeddedCluster> => {
    if (!embedded)
      throw new PlatformError('CONFIG', `The configuration names no embedded cluster for ${name}.`, {
        kind: 'user',
        cure: 'A rehearsal has embedded clusters only.',
      });
    const cluster = await startEmbeddedCluster({ name, dataFolder: data.file('clusters', name), ...embedded, clock, log, ...more });
    writeFileDurably(kubeconfig, cluster.kubeconfig());
    return cluster;
  };
  const environments = new Map<string, EmbeddedCluster>();
  const [management] = await Promise.all([
    start('management', config.management.embedded, config.management.kubeconfig, {}),
    ...config.environments.map(async (environment) => {
      const cluster = await start(environment.name, environment.kubernetes.embedded, environment.kubernetes.kubeconfig, {
        authenticate,
        ...(socket ? { engineSocket: socket } : {}),
        admission: {
          admit: (request) =>
            admitImage({ environment: environment.name, registry: environment.registry, trusted: [key.verifier] }, request),
        },
      });
      await prepareCluster(cluster.client, new URL(environment.vault.url));
      environments.set(environment.name, cluster);
    }),
  ]);
  return {
    management,
    environment(name) {
      const cluster = environments.get(name);
      if (!cluster) throw new PlatformError('NOT_FOUND', `There is no cluster of ${name}.`, { kind: 'user' });
      return cluster;
    },
    stop: async () => void (await Promise.all([management, ...environments.values()].map((cluster) => cluster.stop()))),
    purge: async () => void (await Promise.all([management, ...environments.values()].map((cluster) => cluster.purge()))),
  };
}

const rbac = 'rbac.authorization.k8s.io';
const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];

/** Roles of people, and the Service under which charts find the secret store (section 3.6.2.1: `http://vault.vault.svc:8200`). */
async function prepareCluster(client: KubeClient, vault: URL): Promise<void> {
  const binding = (role: string, clusterRole: string) => ({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: `desp-${role}` },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: clusterRole },
    subjects: [{ apiGroup: rbac, kind: 'Group', name: `desp:role:${role}` }],
  });
  const objects: (KubeObject & Record<string, unknown>)[] = [
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name: 'desp-provider' }, rules: everything },
    // The classes are everybody's to see: chapter 4 of the procedure begins with them.
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'desp-people' },
      rules: [
        { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: ['networking.k8s.io'], resources: ['ingressclasses'], verbs: ['get', 'list', 'watch'] },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'desp-people' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'desp-people' },
      subjects: [{ apiGroup: rbac, kind: 'Group', name: 'desp:people' }],
    },
    binding('operator', 'cluster-admin'),
    binding('ivv', 'edit'),
    binding('security', 'view'),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'vault' } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'vault', namespace: 'vault' },
      spec: { ports: [{ name: 'http', port: 8200, protocol: 'TCP', targetPort: Number(vault.port) }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'vault', namespace: 'vault' },
      subsets: [{ addresses: [{ ip: vault.hostname }], ports: [{ name: 'http', port: Number(vault.port), protocol: 'TCP' }] }],
    },
  ];
  for (const object of objects) {
    const type = await client.resolve(object.apiVersion, object.kind);
    if (!type) throw new PlatformError('UNAVAILABLE', `${client.server} does not know ${object.kind}.`, { kind: 'upstream' });
    await client.patch(type, object.metadata.name, object.metadata.namespace, object, {
      kind: 'apply',
      fieldManager: 'desp-platform',
      force: true,
    });
  }
}
