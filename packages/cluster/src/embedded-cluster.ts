import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInformerSet, createKubeClient, endpointsType, type KubeClient, type Service, serviceType } from '@desp/kube';
import { type Clock, type Logger, messageOf } from '@desp/runtime';
import { createApiServer, type UserInfo } from './api/index.ts';
import { clusterId, memoryFolder } from './cluster-traces.ts';
import {
  addressAt,
  createClusterNames,
  createLocalNetwork,
  type DnsServer,
  endpointsFor,
  mayChangeNetwork,
  parseSubnet,
  runServiceProxy,
  startDnsServer,
} from './network/index.ts';
import { createEngine, type ImageAdmission, purgeNode, removeFolders, startNode, stopPods } from './node/index.ts';
import { runWorkloads } from './workloads/index.ts';

export interface EmbeddedClusterOptions {
  /** Lower-case letters, digits and dashes; in kubeconfigs, labels and the network's name. */
  readonly name: string;
  /** Folder of this cluster alone. PersistentVolumes lie in its `volumes`. */
  readonly dataFolder: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** IPv4 networks of pods and Services, such as `10.244.0.0/24`; no other cluster or device of the machine has them. */
  readonly podSubnet: string;
  readonly serviceSubnet: string;
  /** Unix socket of a Docker Engine API. Without it, or while nobody answers there, pods stay Pending and say why. */
  readonly engineSocket?: string;
  /** Decides which images may run; without it none may. */
  readonly admission?: ImageAdmission;
  /** People's tokens. */
  readonly authenticate?: (token: string) => Promise<UserInfo | undefined>;
  /** Namespaces whose Services may lead to addresses outside the pods' network; default those of the system and `vault`. */
  readonly platformNamespaces?: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ClusterStatus {
  readonly url: string;
  readonly node: { readonly state: 'starting' | 'ready' } | { readonly state: 'absent'; readonly reason: string };
  /** Where Services answer and pods ask for names; absent where this process may not change addresses. */
  readonly dns: string | undefined;
}

export interface EmbeddedCluster {
  readonly name: string;
  readonly client: KubeClient;
  /** Folder in which provisioners make PersistentVolumes. */
  readonly volumesFolder: string;
  readonly certificateAuthority: string;
  readonly issuer: string;
  /** For a person's token, or the administrator's own. */
  kubeconfig(person?: { token: string; user: string; namespace?: string }): string;
  status(): ClusterStatus;
  /** Resolves when the node is ready; rejects with the reason when there is none. */
  nodeReady(): Promise<void>;
  /**
   * Where a Service's name leads now: `vault.vault.svc` or its full name, at `port` (default: the Service's first).
   * Undefined for what is no Service of this cluster or has no ready endpoint.
   */
  resolveService(host: string, port?: number): { address: string; port: number } | undefined;
  /** Ends everything; pods are stopped, and begin anew at the next start. */
  stop(): Promise<void>;
  /** Stops, and removes containers, network, mounts, addresses and the data folder. */
  purge(): Promise<void>;
}

/** Milliseconds between tries to reach an engine that does not answer: the first, for one that starts beside us, and the most. */
const engineRetryMs = { first: 50, most: 5000 };

/** From a pause as long as this on, an engine that does not answer is not starting but absent. */
const engineStartMs = 800;

/** Starts a cluster of the rehearsal: API server, controllers, and a node where there is a container engine. */
export async function startEmbeddedCluster(options: EmbeddedClusterOptions): Promise<EmbeddedCluster> {
  const { clock, name, podSubnet, serviceSubnet } = options;
  const log = options.log.child({ cluster: name });
  parseSubnet(podSubnet);
  parseSubnet(serviceSubnet);
  const dataFolder = resolve(options.dataFolder);
  await mkdir(join(dataFolder, 'api'), { recursive: true, mode: 0o700 });
  const id = clusterId(name, dataFolder);
  const folders = { pods: join(dataFolder, 'pods'), run: memoryFolder(id), persistent: join(dataFolder, 'volumes') };
  await mkdir(folders.persistent, { recursive: true, mode: 0o700 });
  const network = { name: `desp-${id}`, subnet: podSubnet, gateway: addressAt(podSubnet, 1) };
  const kubernetesAddress = addressAt(serviceSubnet, 1);
  const dnsAddress = addressAt(serviceSubnet, 10);

  const token = await adminToken(join(dataFolder, 'admin.token'));
  const server = await createApiServer({
    name,
    dataFolder: join(dataFolder, 'api'),
    clock,
    log: options.log,
    adminToken: token,
    authenticate: options.authenticate,
    serviceNetwork: serviceSubnet,
    extraNames: ['127.0.0.1', 'localhost', kubernetesAddress, network.gateway],
  });
  const { url, port } = await server.listen(options.port, ['127.0.0.1']);
  const client = createKubeClient({
    server: url,
    ca: server.certificateAuthority,
    token,
    userAgent: `desp-cluster/${name}`,
    // The server is this process: when it does not answer, the machine is busy, and an error would only add to that.
    timeoutMs: 120_000,
  });
  const stopping = new AbortController();
  const { signal } = stopping;
  const informers = createInformerSet({ client, clock, log, signal });
  const platformNamespaces = options.platformNamespaces ?? ['default', 'kube-system', 'vault'];
  const names = createClusterNames({ informers, podSubnet, platformNamespaces });

  let node: ClusterStatus['node'] =
    options.engineSocket === undefined ? { state: 'absent', reason: 'this rehearsal has no container engine' } : { state: 'starting' };
  const engine = options.engineSocket === undefined ? undefined : createEngine(options.engineSocket);
  const services = (await mayChangeNetwork()) ? createLocalNetwork(serviceSubnet) : undefined;
  await services?.claim();
  // Before anything follows the API: behind all their first lists it would wait for its turn.
  await ensureKubernetesService(client, kubernetesAddress, { ip: services === undefined ? network.gateway : '127.0.0.1', port });

  const running: Promise<unknown>[] = [
    runWorkloads({
      client,
      clock,
      log,
      signal,
      informers,
      certificateAuthority: server.certificateAuthority,
      whyNoNode: () => (node.state === 'absent' ? node.reason : undefined),
    }),
  ];
  let dns: DnsServer | undefined;
  if (services !== undefined) {
    dns = await startDnsServer({ address: dnsAddress, port: 53, names, log });
    running.push(runServiceProxy({ client, informers, names, clock, log, signal }));
  }

  const waiting = Promise.withResolvers<void>();
  waiting.promise.catch(() => {});
  if (engine === undefined) waiting.reject(new Error('this rehearsal has no container engine'));
  else running.push(followEngine());

  async function followEngine(): Promise<void> {
    let pause = engineRetryMs.first;
    while (!signal.aborted) {
      try {
        const started = await startNode({
          cluster: id,
          nodeName: 'rehearsal',
          client,
          informers,
          engine: engine!,
          admission: options.admission,
          folders,
          network,
          dns: dns?.address,
          clock,
          log,
          signal,
        });
        server.setNode(started.access);
        node = { state: 'ready' };
        waiting.resolve();
        pause = engineRetryMs.first;
        await started.done;
      } catch (error) {
        if (pause >= engineStartMs) {
          node = { state: 'absent', reason: messageOf(error) };
          log.warn({ error: messageOf(error) }, 'the node could not start');
        }
        await clock.sleep(pause, signal).catch(() => {});
        pause = Math.min(engineRetryMs.most, pause * 2);
      }
    }
    waiting.reject(new Error('the cluster was stopped'));
  }

  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    stopping.abort(new Error('the cluster stops'));
    await Promise.all(running);
    await dns?.close();
    await services?.release();
    client.close();
    await server.close();
    if (engine === undefined) return;
    await stopPods(engine, id).catch((error) => log.warn({ error: messageOf(error) }, 'the pods could not be stopped'));
    await removeFolders([folders.run]);
  }
  const stopOnce = () => {
    stopped ??= stop();
    return stopped;
  };

  return {
    name,
    client,
    volumesFolder: folders.persistent,
    certificateAuthority: server.certificateAuthority,
    issuer: server.issuer,
    kubeconfig: (person) => server.kubeconfig(person ?? { token, user: 'admin' }),
    status: () => ({ url, node, dns: dns?.address }),
    nodeReady: () => waiting.promise,
    resolveService(host, servicePort) {
      const service = names.service(host);
      if (service === undefined) return undefined;
      const wanted = servicePort ?? service.spec.ports?.[0]?.port;
      if (wanted === undefined) return undefined;
      if (service.spec.type === 'ExternalName') return { address: service.spec.externalName ?? '', port: wanted };
      const [first] = endpointsFor(names, service, wanted);
      return first === undefined ? undefined : { address: first.host, port: first.port };
    },
    stop: stopOnce,
    async purge() {
      await stopOnce();
      if (engine !== undefined) await purgeNode({ cluster: id, engine, folders, networkName: network.name });
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** The administrator's token, made once and kept where only we read it. */
async function adminToken(file: string): Promise<string> {
  const known = await readFile(file, 'utf8').catch(() => '');
  if (known.trim().length >= 32) return known.trim();
  const token = randomBytes(32).toString('base64url');
  await writeFile(`${file}.new`, `${token}\n`, { mode: 0o600 });
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
  return token;
}

/** The Service by which pods find the API server, and where it leads. */
async function ensureKubernetesService(client: KubeClient, address: string, endpoint: { ip: string; port: number }): Promise<void> {
  const metadata = { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } };
  if ((await client.get(serviceType, 'kubernetes', 'default')) === undefined) {
    const service: Service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { type: 'ClusterIP', clusterIP: address, ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: endpoint.port }] },
    };
    await client.create(serviceType, service);
  }
  const subsets = [{ addresses: [{ ip: endpoint.ip }], ports: [{ name: 'https', port: endpoint.port, protocol: 'TCP' }] }];
  const live = await client.get(endpointsType, 'kubernetes', 'default');
  if (live === undefined)
    await client.create(endpointsType, {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'kubernetes', namespace: 'default' },
      subsets,
    });
  else if (JSON.stringify(live.subsets) !== JSON.stringify(subsets)) await client.replace(endpointsType, { ...live, subsets });
}
