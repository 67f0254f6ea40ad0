import { mkdir } from 'node:fs/promises';
import { arch, hostname, release } from 'node:os';
import {
  configMapType,
  createEventRecorder,
  type InformerSet,
  isKubeError,
  type KubeClient,
  keyOf,
  type Node,
  nodeType,
  type Pod,
  partsOfKey,
  podType,
  runController,
  secretType,
  serviceType,
  source,
} from '@desp/kube';
import { type Clock, type Logger, messageOf } from '@desp/runtime';
import type { NodeAccess } from '../node-access.ts';
import { formatTime } from '../workloads/parts.ts';
import type { Engine } from './engine.ts';
import { createImages, type ImageAdmission } from './images.ts';
import { clusterLabel, podLabel, uidLabel } from './labels.ts';
import { createNodeAccess } from './node-access.ts';
import { nodeResources } from './node-resources.ts';
import type { NodeContext } from './pod-parts.ts';
import { removeAll, type SyncMemory, syncPod } from './pod-sync.ts';
import { createProbes } from './probes.ts';
import { ensureSandboxImage } from './sandbox-image.ts';
import { createVolumes, mountTmpfs, type VolumeFolders } from './volumes.ts';

export { createEngine, type Engine } from './engine.ts';
export { NodeError, type NodeErrorCode } from './errors.ts';
export type { ImageAdmission, ImageRequest, RegistryCredential } from './images.ts';
export { parseDockerConfig } from './images.ts';
export { purgeNode, removeFolders, stopPods } from './purge.ts';
export { dockerArchive } from './sandbox-image.ts';
export { mountsUnder, type VolumeFolders } from './volumes.ts';

export interface NodeOptions {
  /** Name of the cluster; containers carry it as a label. Unique among the clusters of one engine. */
  readonly cluster: string;
  readonly nodeName: string;
  readonly client: KubeClient;
  readonly informers: InformerSet;
  readonly engine: Engine;
  readonly admission: ImageAdmission | undefined;
  readonly folders: VolumeFolders;
  /** Name, subnet and gateway of the pods' bridge network; the gateway is the node's own address there. */
  readonly network: { readonly name: string; readonly subnet: string; readonly gateway: string };
  readonly dns: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface RunningNode {
  readonly access: NodeAccess;
  /** Resolves when the signal has aborted and all looks under way are over; containers go on running. */
  readonly done: Promise<void>;
}

const heartbeatMs = 60_000;
/** For the files of all pods that are made from objects; memory volumes have mounts of their own. */
const runBytes = 256 * 1024 * 1024;

/**
 * A kubelet on a container engine: makes the network, registers the node, and runs the pods that are bound to it. Pods
 * that ran before go on; containers whose pod is gone are removed.
 *
 * @throws NodeError ENGINE_UNREACHABLE, ENGINE_REFUSED, NO_BUSYBOX when the node cannot be made ready.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { client, engine, informers, clock, log, signal, cluster, nodeName } = options;
  for (const folder of Object.values(options.folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
  // Secrets never touch a disk, as with the kubelet.
  await mountTmpfs(options.folders.run, runBytes, '700');
  await engine.ensureNetwork(options.network.name, options.network.subnet, options.network.gateway);
  await ensureSandboxImage(engine);

  const recorder = createEventRecorder({ client, component: 'kubelet', host: nodeName, clock, log });
  const memory: SyncMemory = { killed: new Set() };
  let enqueue = (_key: string) => {};
  const images = createImages({ client, engine, admission: options.admission, recorder, clock });
  const probes = createProbes({
    clock,
    onChange: (key) => enqueue(key),
    onFailure: ({ podKey, container }, kind, message) => {
      const pod = informers.of(podType).get(podKey);
      const title = `${kind[0]!.toUpperCase()}${kind.slice(1)}`;
      if (pod !== undefined)
        recorder.event(pod, 'Warning', 'Unhealthy', `${title} probe failed: ${message}`, `spec.containers{${container.name}}`);
    },
  });
  const context: NodeContext = {
    ...options,
    hostIp: options.network.gateway,
    network: options.network.name,
    engine,
    images,
    probes,
    recorder,
    volumes: createVolumes(client, options.folders, createTokenSource(client, clock)),
  };

  async function reconcile(key: string) {
    const { namespace, name } = partsOfKey(key);
    const containers = await engine.list({ [clusterLabel]: cluster, [podLabel]: key });
    const pod = await client.get(podType, name, namespace);
    const mine = pod?.spec.nodeName === nodeName ? pod : undefined;
    const strangers = containers.filter(({ labels }) => labels[uidLabel] !== mine?.metadata.uid);
    for (const uid of new Set(strangers.map(({ labels }) => labels[uidLabel]!))) {
      await removeAll(
        context,
        strangers.filter(({ labels }) => labels[uidLabel] === uid),
        uid,
      );
    }
    if (mine === undefined) {
      probes.sync(key, []);
      return undefined;
    }
    const own = containers.filter(({ labels }) => labels[uidLabel] === mine.metadata.uid);
    const again = await syncPod(context, memory, mine, own);
    return again === undefined ? undefined : { requeueAfterMs: again };
  }

  const register = () => registerNode(options).catch((error) => log.warn({ error: messageOf(error) }, 'the node could not report'));
  await registerNode(options);
  async function heartbeat(): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(heartbeatMs, signal);
      await register();
    }
  }

  async function followEngine(): Promise<void> {
    while (!signal.aborted) {
      try {
        // What happened while nobody listened: every pod with a container is looked at.
        for (const { labels } of await engine.list({ [clusterLabel]: cluster })) if (labels[podLabel]) enqueue(labels[podLabel]);
        await engine.events((labels) => {
          if (labels[clusterLabel] === cluster && labels[podLabel]) enqueue(labels[podLabel]);
        }, signal);
      } catch (error) {
        if (!signal.aborted) log.warn({ error: messageOf(error) }, 'the events of the engine cannot be followed');
      }
      await clock.sleep(1000, signal).catch(() => {});
    }
  }

  informers.of(serviceType);
  const usersOf = (namespace: string | undefined, uses: (pod: Pod) => boolean) =>
    informers
      .of(podType)
      .list(namespace)
      .filter((pod) => pod.spec.nodeName === nodeName && uses(pod))
      .map(keyOf);
  const running = runController({
    name: 'node',
    client,
    clock,
    log,
    signal,
    informers,
    // A look may last as long as a pod's grace.
    concurrency: 64,
    backOff: { baseMs: 200, maxMs: 10_000 },
    keys: (add) => {
      enqueue = add;
      followEngine().catch(() => {});
    },
    sources: [
      source(podType, (pod) => (pod.spec.nodeName === nodeName ? [keyOf(pod)] : [])),
      source(secretType, (secret) => {
        images.retry(secret.metadata.namespace ?? '');
        return usersOf(secret.metadata.namespace, (pod) => JSON.stringify(pod.spec).includes(JSON.stringify(secret.metadata.name)));
      }),
      source(configMapType, (map) =>
        usersOf(map.metadata.namespace, (pod) => JSON.stringify(pod.spec).includes(JSON.stringify(map.metadata.name))),
      ),
    ],
    reconcile,
  });
  heartbeat().catch(() => {});
  signal.addEventListener('abort', () => probes.stop(), { once: true });
  return { access: createNodeAccess(engine, cluster), done: running };
}

/** Tokens of ServiceAccounts, kept until four fifths of their time are over: a new one at each look would rewrite the files. */
function createTokenSource(client: KubeClient, clock: Clock) {
  const kept = new Map<string, { token: string; until: number }>();
  return async (pod: Pod, audience: string | undefined, seconds: number): Promise<string> => {
    const { namespace, name, uid } = pod.metadata;
    const account = pod.spec.serviceAccountName ?? 'default';
    const key = [uid, account, audience].join('\n');
    const now = clock.now().getTime();
    for (const [other, { until }] of kept) if (until <= now) kept.delete(other);
    const known = kept.get(key);
    if (known !== undefined) return known.token;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace!)}/serviceaccounts/${encodeURIComponent(account)}/token`;
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name, uid };
    const spec = { expirationSeconds: seconds, boundObjectRef, ...(audience === undefined ? {} : { audiences: [audience] }) };
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const { status } = (await client.raw('POST', path, request)) as { status: { token: string } };
    kept.set(key, { token: status.token, until: now + seconds * 800 });
    return status.token;
  };
}

async function registerNode({ client, nodeName, network, clock }: NodeOptions): Promise<void> {
  const now = formatTime(clock.now());
  const labels = {
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': arch() === 'x64' ? 'amd64' : arch(),
  };
  let node = await client.get(nodeType, nodeName);
  if (node === undefined) {
    const fresh: Node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, labels },
      spec: { podCIDR: network.subnet, providerID: `desp://${nodeName}` },
    };
    try {
      node = await client.create(nodeType, fresh);
    } catch (error) {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
      node = (await client.get(nodeType, nodeName))!;
    }
  }
  const { capacity, allocatable } = nodeResources();
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  const condition = (type: string, status: 'True' | 'False', reason: string, message: string) => {
    const before = node.status?.conditions?.find((each) => each.type === type);
    return {
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: now,
      lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? now) : now,
    };
  };
  const status: Node['status'] = {
    ...node.status,
    capacity,
    allocatable,
    addresses: [
      { type: 'InternalIP', address: network.gateway },
      { type: 'Hostname', address: nodeName },
    ],
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      condition('Ready', 'True', 'KubeletReady', ready === undefined ? 'the rehearsal node is ready' : (ready.message ?? '')),
    ],
    nodeInfo: {
      machineID: hostname(),
      systemUUID: hostname(),
      bootID: hostname(),
      kernelVersion: release(),
      osImage: 'DESP rehearsal',
      containerRuntimeVersion: 'podman://4',
      kubeletVersion: 'v1.32.0+rehearsal',
      kubeProxyVersion: 'v1.32.0+rehearsal',
      operatingSystem: 'linux',
      architecture: labels['kubernetes.io/arch'],
    },
  };
  await client.replace(nodeType, { ...node, status }, { subresource: 'status' });
}
