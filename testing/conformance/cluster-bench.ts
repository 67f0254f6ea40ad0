import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedCluster, startEmbeddedCluster } from '@desp/cluster';
import {
  type CustomResourceDefinition,
  customResourceDefinitionType,
  endpointsType,
  type KubeClient,
  namespaceType,
  serviceType,
} from '@desp/kube';
import { run, silentLogger, systemClock } from '@desp/runtime';

/** An embedded cluster without an engine, and kubectl: what the controllers' conformance tests stand on. */
export interface ClusterBench {
  readonly cluster: EmbeddedCluster;
  readonly client: KubeClient;
  readonly folder: string;
  kubectl(args: readonly string[], stdin?: string): Promise<{ code: number; out: string; err: string }>;
  /** As `kubectl`, and fails unless it succeeded. @returns standard output */
  ok(args: readonly string[], stdin?: string): Promise<string>;
  namespace(name: string): Promise<void>;
  /** A Service of the platform that leads to a port of this machine. */
  platformService(name: string, namespace: string, port: number, target: { address: string; port: number }): Promise<void>;
  install(definitions: readonly CustomResourceDefinition[]): Promise<void>;
  stop(): Promise<void>;
}

export async function startClusterBench(number: number): Promise<ClusterBench> {
  const folder = await mkdtemp(join(tmpdir(), 'desp-bench-'));
  const cluster = await startEmbeddedCluster({
    name: 'bench',
    dataFolder: join(folder, 'data'),
    port: 0,
    podSubnet: `10.236.${number}.0/24`,
    serviceSubnet: `10.237.${number}.0/24`,
    // Endpoints of these may lead to servers of the test, on loopback.
    platformNamespaces: ['default', 'vault', 'sample-app', 'other'],
    clock: systemClock,
    log: silentLogger,
  });
  const { client } = cluster;
  await writeFile(join(folder, 'kubeconfig'), cluster.kubeconfig(), { mode: 0o600 });

  const kubectl: ClusterBench['kubectl'] = async (args, stdin) => {
    const env = { KUBECONFIG: join(folder, 'kubeconfig'), KUBECACHEDIR: join(folder, 'cache'), HOME: folder };
    const { code, stdout, stderr } = await run(['kubectl', ...args], { env, timeoutMs: 60_000, ...(stdin === undefined ? {} : { stdin }) });
    return { code, out: stdout.toString('utf8'), err: stderr };
  };
  const ensure = async (name: string) => {
    if ((await client.get(namespaceType, name)) !== undefined) return;
    await client.create(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} });
  };
  return {
    cluster,
    client,
    folder,
    kubectl,
    async ok(args, stdin) {
      const { code, out, err } = await kubectl(args, stdin);
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${out}${err}`);
      return out;
    },
    namespace: ensure,
    async platformService(name, namespace, port, target) {
      await ensure(namespace);
      const metadata = { name, namespace };
      const spec = { ports: [{ name: 'http', port, protocol: 'TCP', targetPort: target.port }] };
      await client.create(serviceType, { apiVersion: 'v1', kind: 'Service', metadata, spec });
      const subsets = [{ addresses: [{ ip: target.address }], ports: [{ name: 'http', port: target.port, protocol: 'TCP' }] }];
      await client.create(endpointsType, { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets });
    },
    async install(definitions) {
      for (const definition of definitions) await client.create(customResourceDefinitionType, definition);
    },
    stop: () => cluster.purge(),
  };
}
