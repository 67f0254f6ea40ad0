import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Container,
  configMapType,
  type EventRecorder,
  type InformerSet,
  type KubeClient,
  type Pod,
  secretType,
  serviceType,
} from '@desp/kube';
import type { Clock, Logger } from '@desp/runtime';
import { containerConfig } from './container-config.ts';
import type { Engine, EngineContainer } from './engine.ts';
import { environmentOf, expand, type PodSources } from './environment.ts';
import { NodeError } from './errors.ts';
import type { Images } from './images.ts';
import { engineName, labelsOf, sandboxName } from './labels.ts';
import { nodeResources } from './node-resources.ts';
import type { Probes } from './probes.ts';
import { sandboxCommand, sandboxImage } from './sandbox-image.ts';
import type { ReadyVolume, VolumeFolders, Volumes } from './volumes.ts';

/** What a pod's reconciliation works with. */
export interface NodeContext {
  readonly cluster: string;
  readonly nodeName: string;
  readonly hostIp: string;
  readonly network: string;
  /** The cluster's DNS server, as pods reach it; undefined where there is none. */
  readonly dns: string | undefined;
  readonly client: KubeClient;
  readonly informers: InformerSet;
  readonly engine: Engine;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly folders: VolumeFolders;
  readonly probes: Probes;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
}

export function sourcesOf(context: NodeContext, pod: Pod, podIp: string | undefined): PodSources {
  const { namespace } = pod.metadata;
  return {
    pod,
    podIp,
    nodeName: context.nodeName,
    hostIp: context.hostIp,
    services: context.informers.of(serviceType).list(),
    allocatable: nodeResources().allocatable,
    configMap: (name) => context.client.get(configMapType, name, namespace),
    secret: (name) => context.client.get(secretType, name, namespace),
  };
}

/** The files that the node itself puts into every container of a pod. */
function ownFiles(context: NodeContext, pod: Pod) {
  const folder = join(context.folders.run, pod.metadata.uid!, '.node');
  return { folder, hosts: join(folder, 'hosts'), resolv: join(folder, 'resolv.conf') };
}

function terminationFile(context: NodeContext, pod: Pod, container: string, attempt: number): string {
  return join(ownFiles(context, pod).folder, `termination-${container}-${attempt}`);
}

/** What the container wrote into its termination message file: at most 4 KiB, as the kubelet takes. */
export async function terminationMessage(context: NodeContext, pod: Pod, container: string, attempt: number): Promise<string | undefined> {
  const text = await readFile(terminationFile(context, pod, container, attempt)).catch(() => undefined);
  return text === undefined || text.length === 0 ? undefined : text.subarray(0, 4096).toString('utf8');
}

/** Creates and starts the container that holds the pod's network and name. */
export async function startSandbox(context: NodeContext, pod: Pod, attempt: number): Promise<void> {
  const { engine } = context;
  const { folder, resolv } = ownFiles(context, pod);
  await mkdir(folder, { recursive: true, mode: 0o711 });
  await writeFile(resolv, resolvConf(context, pod), { mode: 0o644 });
  const id = await engine.create(engineName(context.cluster, pod, sandboxName, attempt), {
    Image: sandboxImage,
    Hostname: (pod.spec.hostname ?? pod.metadata.name).slice(0, 63),
    Entrypoint: sandboxCommand,
    Labels: labelsOf(context.cluster, pod, sandboxName, attempt),
    HostConfig: {
      NetworkMode: context.network,
      IpcMode: 'shareable',
      Memory: 32 * 1024 * 1024,
      PidsLimit: 16,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      LogConfig: { Type: 'none', Config: {} },
    },
  });
  await engine.start(id);
}

/** Creates and starts one attempt of a container. @throws NodeError CONFIG, ENGINE_REFUSED */
export async function startContainer(
  context: NodeContext,
  pod: Pod,
  container: Container,
  attempt: number,
  parts: { sandbox: EngineContainer; podIp: string; imageId: string; volumes: ReadonlyMap<string, ReadyVolume> },
): Promise<string> {
  const { engine } = context;
  const environment = await environmentOf(container, sourcesOf(context, pod, parts.podIp));
  const mounts: { source: string; target: string; readOnly: boolean }[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = parts.volumes.get(mount.name);
    if (volume === undefined) throw new NodeError('CONFIG', `volume "${mount.name}" of a mount is not among the pod's volumes`);
    const subPath = mount.subPathExpr === undefined ? mount.subPath : expand(mount.subPathExpr, environment);
    const source = await context.volumes.resolve(volume, mount, subPath);
    mounts.push({ source, target: mount.mountPath, readOnly: volume.readOnly || (mount.readOnly ?? false) });
  }
  const { hosts, resolv } = ownFiles(context, pod);
  const message = terminationFile(context, pod, container.name, attempt);
  await writeFile(hosts, hostsFile(pod, parts.podIp), { mode: 0o644 });
  await writeFile(message, '', { mode: 0o666 });
  await chmod(message, 0o666);
  const taken = new Set(mounts.map(({ target }) => target));
  const own = [
    { source: hosts, target: '/etc/hosts', readOnly: true },
    { source: resolv, target: '/etc/resolv.conf', readOnly: true },
    { source: message, target: container.terminationMessagePath ?? '/dev/termination-log', readOnly: false },
  ];
  mounts.push(...own.filter(({ target }) => !taken.has(target)));
  const labels = labelsOf(context.cluster, pod, container.name, attempt);
  const imageUser = await engine.imageUser(parts.imageId);
  const config = containerConfig({
    pod,
    container,
    imageId: parts.imageId,
    imageUser,
    sandboxId: parts.sandbox.id,
    environment,
    labels,
    mounts,
  });
  const id = await engine.create(engineName(context.cluster, pod, container.name, attempt), config);
  context.recorder.event(pod, 'Normal', 'Created', `Created container: ${container.name}`, `spec.containers{${container.name}}`);
  try {
    await engine.start(id);
  } catch (error) {
    // A container that was made and never ran would stand in the way of the next try.
    await engine.remove(id);
    throw error;
  }
  context.recorder.event(pod, 'Normal', 'Started', `Started container ${container.name}`, `spec.containers{${container.name}}`);
  return id;
}

function resolvConf({ dns }: NodeContext, pod: Pod): string {
  const { dnsPolicy = 'ClusterFirst', dnsConfig } = pod.spec;
  const own = dnsPolicy === 'None' || dns === undefined ? [] : [dns];
  const searches = dnsPolicy === 'None' ? [] : [`${pod.metadata.namespace}.svc.cluster.local`, 'svc.cluster.local', 'cluster.local'];
  const options = (dnsConfig?.options ?? []).map(({ name, value }) => (value === undefined ? name : `${name}:${value}`));
  const lines = [
    ...[...own, ...(dnsConfig?.nameservers ?? [])].slice(0, 3).map((server) => `nameserver ${server}`),
    `search ${[...searches, ...(dnsConfig?.searches ?? [])].join(' ')}`,
    `options ${['ndots:5', ...options].join(' ')}`,
  ];
  return `${lines.filter((line) => !/[\n\r]/.test(line)).join('\n')}\n`;
}

function hostsFile(pod: Pod, podIp: string): string {
  const name = pod.spec.hostname ?? pod.metadata.name;
  const full = pod.spec.subdomain === undefined ? '' : `${name}.${pod.spec.subdomain}.${pod.metadata.namespace}.svc.cluster.local `;
  const aliases = (pod.spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`);
  return [
    '# Written by the rehearsal node.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost',
    `${podIp}\t${full}${name}`,
    ...aliases,
    '',
  ].join('\n');
}
