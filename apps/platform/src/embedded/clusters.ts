import { type EmbeddedCluster, type ImageRequest, startEmbeddedCluster, type UserInfo } from '@desp/cluster';
import type { Principal } from '@desp/identity';
import type { KubeClient, KubeObject } from '@desp/kube';
import type { Config, EmbeddedKubernetes, EnvironmentConfig, TokenScope } from '@desp/model';
import type { Clock, Logger } from '@desp/runtime';
import { type DataFolder, writeFileDurably } from '@desp/storage';
import { startEach } from '../parts.ts';
import { PlatformError } from '../platform-error.ts';
import type { PlatformKey } from '../platform-key.ts';
import { admitImage } from './image-admission.ts';
import { providerRole } from './provider-role.ts';
import { reviewerAccount } from './token-reviewer.ts';

/** The rehearsal's clusters: one an environment, and one without a node that holds Fleet's objects. */
export interface Clusters {
  readonly management: EmbeddedCluster;
  environment(name: string): EmbeddedCluster;
  stop(): Promise<void>;
}

export interface ClustersOptions {
  readonly config: Config;
  readonly data: DataFolder;
  /** Where the container engine answers, now or soon; without one pods stay Pending and say so. */
  readonly engineSocket: string | undefined;
  readonly key: PlatformKey;
  /** Who a token of ours stands for at a place. */
  readonly principalOf: (token: string, scope: TokenScope) => Promise<Principal | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
}

export async function startClusters(options: ClustersOptions): Promise<Clusters> {
  const { config, data, engineSocket, key, clock, log } = options;
  const authenticateAt = async (environment: string, token: string): Promise<UserInfo | undefined> => {
    const principal = await options.principalOf(token, `kubernetes:${environment}`);
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
  const start = async ({ name, embedded, kubeconfig, environment }: ClusterPlace): Promise<EmbeddedCluster> => {
    if (!embedded)
      throw new PlatformError('CONFIG', `The configuration names no embedded cluster for ${name}.`, {
        kind: 'user',
        cure: 'A rehearsal has embedded clusters only.',
      });
    const cluster = await startEmbeddedCluster({
      name,
      dataFolder: data.file('clusters', name),
      ...embedded,
      clock,
      log,
      ...(environment ? withNode(environment) : {}),
    });
    writeFileDurably(kubeconfig, cluster.kubeconfig());
    if (environment) await prepareCluster(cluster.client, new URL(environment.vault.url));
    return cluster;
  };
  const withNode = ({ name: environment, registry }: EnvironmentConfig) => ({
    authenticate: (token: string) => authenticateAt(environment, token),
    ...(engineSocket ? { engineSocket } : {}),
    admission: {
      admit: (request: ImageRequest) => admitImage({ environment, registry, trusted: [key.verifier] }, request),
    },
  });
  const clusters = await startEach(clusterPlaces(config), start, (cluster) => cluster.stop());
  const named = (name: string): EmbeddedCluster => {
    const cluster = clusters.find((each) => each.name === name);
    if (!cluster) throw new PlatformError('NOT_FOUND', `There is no cluster of ${name}.`, { kind: 'user' });
    return cluster;
  };
  return {
    management: named(managementName),
    environment: named,
    stop: async () => void (await Promise.all(clusters.map((cluster) => cluster.stop()))),
  };
}

const managementName = 'management';

interface ClusterPlace {
  readonly name: string;
  readonly embedded?: EmbeddedKubernetes | undefined;
  readonly kubeconfig: string;
  /** Absent for the cluster that holds Fleet's objects and runs nothing. */
  readonly environment?: EnvironmentConfig;
}

/** Every cluster of a rehearsal. */
export const clusterPlaces = ({ management, environments }: Config): ClusterPlace[] => [
  { name: managementName, ...management },
  ...environments.map((environment) => ({ name: environment.name, ...environment.kubernetes, environment })),
];

const rbac = 'rbac.authorization.k8s.io';

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
    ...providerRole,
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
    ...reviewerAccount,
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
  const apply = async (object: KubeObject) => {
    const type = await client.resolve(object.apiVersion, object.kind);
    if (!type) throw new PlatformError('UNAVAILABLE', `${client.server} does not know ${object.kind}.`, { kind: 'upstream' });
    await client.patch(type, object.metadata.name, object.metadata.namespace, object, {
      kind: 'apply',
      fieldManager: 'desp-platform',
      force: true,
    });
  };
  // What lies in a namespace comes after it; nothing else needs another.
  await Promise.all(objects.filter(({ metadata }) => metadata.namespace === undefined).map(apply));
  await Promise.all(objects.filter(({ metadata }) => metadata.namespace !== undefined).map(apply));
}
