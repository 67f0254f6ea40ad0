import { chmod, chown, lstat, mkdir, readFile, realpath, rm } from 'node:fs/promises';
import { join, normalize, relative } from 'node:path';
import {
  type KeyToPath,
  type KubeClient,
  type PersistentVolume,
  type ProjectedSource,
  persistentVolumeClaimType,
  persistentVolumeType,
  type Volume,
  type VolumeMount,
} from '@desp/kube';
import { run, runOk } from '@desp/runtime';
import { parseQuantity } from '../quantity.ts';
import { type VolumeFile, writeAtomically } from './atomic-files.ts';
import { fieldValue, type PodSources, resourceValue } from './environment.ts';
import { NodeError } from './errors.ts';

export interface VolumeFolders {
  /** For what must outlive a restart of the machine's processes: `emptyDir`s on disk. */
  readonly pods: string;
  /** In memory where the machine has it: secrets and what is made from objects. */
  readonly run: string;
  /** PersistentVolumes must lie in here. */
  readonly persistent: string;
}

/** A volume, ready to be mounted. */
export interface ReadyVolume {
  readonly path: string;
  readonly readOnly: boolean;
  /** The containers can write into it, so a path in it may be a trap. */
  readonly untrusted: boolean;
}

/** Memory that an `emptyDir` in memory may take at most, without a limit of its own. */
export const memoryVolumeBytes = 64 * 1024 * 1024;

/** Makes the folders behind a pod's volumes, and brings those made from objects up to date. */
export interface Volumes {
  /** @throws NodeError MOUNT in the kubelet's words when something is missing. */
  prepare(sources: PodSources): Promise<Map<string, ReadyVolume>>;
  /** The path on the machine behind a mount. @throws NodeError MOUNT when `subPath` leads out of the volume. */
  resolve(volume: ReadyVolume, mount: VolumeMount, subPath: string | undefined): Promise<string>;
  remove(uid: string): Promise<void>;
}

export function createVolumes(
  client: KubeClient,
  folders: VolumeFolders,
  tokens: (pod: PodSources['pod'], audience: string | undefined, seconds: number) => Promise<string>,
): Volumes {
  async function prepareOne(volume: Volume, sources: PodSources): Promise<ReadyVolume> {
    const { pod } = sources;
    const uid = pod.metadata.uid!;
    const group = pod.spec.securityContext?.fsGroup;
    const inMemory = join(folders.run, uid, volume.name);
    if (volume.emptyDir !== undefined) {
      const memory = volume.emptyDir.medium === 'Memory';
      const path = memory ? inMemory : join(folders.pods, uid, volume.name);
      await mkdir(path, { recursive: true });
      if (memory) await mountMemory(path, volume.emptyDir.sizeLimit);
      await chmod(path, 0o777);
      if (group !== undefined) await giveToGroup(path, group);
      return { path, readOnly: false, untrusted: true };
    }
    if (volume.persistentVolumeClaim !== undefined) {
      const { claimName, readOnly = false } = volume.persistentVolumeClaim;
      const path = await claimPath(claimName, sources);
      if (group !== undefined && !readOnly) await giveToGroup(path, group);
      return { path, readOnly, untrusted: true };
    }
    await writeAtomically(inMemory, await filesOf(volume, sources), group);
    return { path: inMemory, readOnly: true, untrusted: false };
  }

  async function claimPath(claimName: string, { pod }: PodSources): Promise<string> {
    const claim = await client.get(persistentVolumeClaimType, claimName, pod.metadata.namespace);
    if (claim === undefined) throw new NodeError('MOUNT', `persistentvolumeclaim "${claimName}" not found`);
    const name = claim.spec.volumeName;
    const volume = name ? await client.get(persistentVolumeType, name) : undefined;
    if (volume === undefined || claim.status?.phase !== 'Bound')
      throw new NodeError('MOUNT', `PVC ${pod.metadata.namespace}/${claimName} is not bound`);
    const { claimRef } = volume.spec;
    if (claimRef?.uid !== undefined && claimRef.uid !== claim.metadata.uid) {
      throw new NodeError('MOUNT', `the volume ${name} belongs to another claim than ${pod.metadata.namespace}/${claimName}`);
    }
    return persistentPath(volume, folders.persistent);
  }

  async function filesOf(volume: Volume, sources: PodSources): Promise<VolumeFile[]> {
    const { configMap, secret, downwardAPI, projected } = volume;
    if (configMap !== undefined) return sourceFiles({ configMap }, configMap.defaultMode ?? 0o644, sources);
    if (secret !== undefined) return sourceFiles({ secret: { ...secret, name: secret.secretName } }, secret.defaultMode ?? 0o644, sources);
    if (downwardAPI !== undefined) return sourceFiles({ downwardAPI }, downwardAPI.defaultMode ?? 0o644, sources);
    const files: VolumeFile[] = [];
    for (const source of projected?.sources ?? []) files.push(...(await sourceFiles(source, projected?.defaultMode ?? 0o644, sources)));
    return files;
  }

  async function sourceFiles(source: ProjectedSource, mode: number, sources: PodSources): Promise<VolumeFile[]> {
    if (source.configMap !== undefined) {
      const { name, items, optional } = source.configMap;
      const map = await sources.configMap(name);
      if (map === undefined) return absent(`configmap "${name}" not found`, optional);
      const data = { ...mapValues(map.data, 'utf8'), ...mapValues(map.binaryData, 'base64') };
      return select(data, items, mode, optional, `configmap references non-existent config key`);
    }
    if (source.secret !== undefined) {
      const { name, items, optional } = source.secret;
      const secret = await sources.secret(name);
      if (secret === undefined) return absent(`secret "${name}" not found`, optional);
      return select(mapValues(secret.data, 'base64'), items, mode, optional, `references non-existent secret key`);
    }
    if (source.downwardAPI !== undefined) {
      return (source.downwardAPI.items ?? []).map(({ path, fieldRef, resourceFieldRef, mode: own = mode }) => {
        const text =
          fieldRef !== undefined ? fieldValue(fieldRef.fieldPath, sources) : resourceValue(resourceFieldRef!, undefined, sources);
        return { path, content: Buffer.from(text), mode: own };
      });
    }
    if (source.serviceAccountToken !== undefined) {
      const { path, audience, expirationSeconds = 3600 } = source.serviceAccountToken;
      return [{ path, content: Buffer.from(await tokens(sources.pod, audience, expirationSeconds)), mode: 0o644 }];
    }
    throw new NodeError('MOUNT', 'a projected source is of a kind that the rehearsal does not support');
  }

  return {
    async prepare(sources) {
      const ready = new Map<string, ReadyVolume>();
      for (const volume of sources.pod.spec.volumes ?? []) {
        try {
          ready.set(volume.name, await prepareOne(volume, sources));
        } catch (error) {
          if (!(error instanceof NodeError)) throw error;
          throw new NodeError('MOUNT', `MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`, { cause: error });
        }
      }
      return ready;
    },
    resolve: (volume, mount, subPath) => resolveSubPath(volume, mount, subPath),
    async remove(uid) {
      const folder = join(folders.run, uid);
      for (const mounted of await mountsUnder(folder)) await run(['umount', mounted]);
      await rm(folder, { recursive: true, force: true });
      await rm(join(folders.pods, uid), { recursive: true, force: true });
    },
  };
}

/** Mount points at or below the folder, deepest first. */
export async function mountsUnder(folder: string): Promise<string[]> {
  const table = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  return table
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);
}

async function mountMemory(path: string, sizeLimit: string | number | undefined): Promise<void> {
  const size = Math.min(sizeLimit === undefined ? memoryVolumeBytes : parseQuantity(sizeLimit), 1024 * 1024 * 1024);
  await mountTmpfs(path, Math.max(4096, Math.floor(size)), '777');
}

/** Mounts memory at the folder, unless it is one already: a node that was killed left it. */
export async function mountTmpfs(path: string, bytes: number, mode: string): Promise<void> {
  if ((await mountsUnder(path)).includes(path)) return;
  await runOk(['mount', '-t', 'tmpfs', '-o', `size=${bytes},mode=${mode},nosuid,nodev`, 'tmpfs', path]);
}

/** The folder of a PersistentVolume, which must lie in the folder for them: nothing else of the machine is ever mounted. */
async function persistentPath(volume: PersistentVolume, root: string): Promise<string> {
  const path = volume.spec.hostPath?.path ?? volume.spec.csi?.volumeAttributes?.['path'];
  if (path === undefined) throw new NodeError('MOUNT', `the volume ${volume.metadata.name} names no folder`);
  const [real, realRoot] = await Promise.all([realpath(path).catch(() => undefined), realpath(root).catch(() => root)]);
  if (real === undefined) throw new NodeError('MOUNT', `the folder of the volume ${volume.metadata.name} does not exist`);
  if (!isWithin(real, realRoot))
    throw new NodeError('MOUNT', `the folder of the volume ${volume.metadata.name} does not lie where the rehearsal keeps volumes`);
  return real;
}

async function giveToGroup(path: string, group: number): Promise<void> {
  const { gid } = await lstat(path);
  // Kubelet's "OnRootMismatch": a tree that is right at its root is right below.
  if (gid !== group) await runOk(['chgrp', '-R', '-P', String(group), path]);
  await chown(path, -1, group).catch(() => {});
  await chmod(path, 0o2775);
}

async function resolveSubPath(volume: ReadyVolume, mount: VolumeMount, subPath: string | undefined): Promise<string> {
  if (subPath === undefined || subPath === '') return volume.path;
  const clean = normalize(subPath);
  if (clean.startsWith('/') || clean.split('/').includes('..'))
    throw new NodeError('CONFIG', `subPath ${JSON.stringify(subPath)} of "${mount.name}" leads out of the volume`);
  const target = join(volume.path, clean);
  if (!volume.untrusted) {
    const real = await realpath(target).catch(() => undefined);
    if (real === undefined) throw new NodeError('CONFIG', `failed to prepare subPath for volumeMount "${mount.name}": no such file`);
    if (!isWithin(real, await realpath(volume.path)))
      throw new NodeError('CONFIG', `subPath ${JSON.stringify(subPath)} leads out of the volume`);
    return real;
  }
  // A container of the pod may have left a symlink here that points at the machine: no part of the way may be one.
  let way = volume.path;
  for (const part of clean.split('/')) {
    way = join(way, part);
    const info = await lstat(way).catch(() => undefined);
    if (info === undefined) await mkdir(way, { mode: 0o777 });
    else if (info.isSymbolicLink()) throw new NodeError('CONFIG', `subPath ${JSON.stringify(subPath)} of "${mount.name}" is a symlink`);
  }
  return target;
}

function isWithin(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || !(way.startsWith('..') || way.startsWith('/'));
}

function mapValues(data: Readonly<Record<string, string>> | undefined, encoding: 'utf8' | 'base64'): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]));
}

function select(
  data: Record<string, Buffer>,
  items: readonly KeyToPath[] | undefined,
  mode: number,
  optional: boolean | undefined,
  complaint: string,
): VolumeFile[] {
  if (items === undefined) return Object.entries(data).map(([path, content]) => ({ path, content, mode }));
  return items.flatMap(({ key, path, mode: own = mode }) => {
    const content = Object.hasOwn(data, key) ? data[key] : undefined;
    if (content === undefined) return absent(`${complaint}: ${key}`, optional);
    return [{ path, content, mode: own }];
  });
}

function absent(message: string, optional: boolean | undefined): VolumeFile[] {
  if (optional) return [];
  throw new NodeError('MOUNT', message);
}
