import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { gunzipSync, gzipSync } from 'fflate';
import { FleetError } from './errors.ts';
import { canonicalJson } from './options.ts';
import { baseName, below, folderOf, globSegment, joinPath } from './paths.ts';
import type { BundleResource, Content, HelmOptions, RepositoryFile } from './types.ts';
import { fleetApiVersion } from './types.ts';

/** From this size on Fleet compresses the resources of a Bundle. */
const compressFrom = 1_000_000;
/** What etcd holds in one object is 1.5 MB; base64 adds a third. Fleet fails at the API server, we fail here. */
const bundleLimit = 8 * 1024 * 1024;
/** A resource that unpacks to more is no honest one. */
const resourceLimit = 64 * 1024 * 1024;

/**
 * The files of a bundle's folder, as Fleet loads them: without `.git`, files whose name starts with a dot, what `.fleetignore`
 * names, fleet.yaml itself and the values files (whose content has gone into the values). In order of name.
 */
export function loadResources(files: readonly RepositoryFile[], base: string, leftOut: ReadonlySet<string>): BundleResource[] {
  const isIgnored = fleetIgnore(files, base);
  const chosen = files
    .flatMap((file) => {
      const name = below(base, file.path);
      if (name === undefined || leftOut.has(file.path) || isIgnored(name)) return [];
      return name.split('/').some((part) => part.startsWith('.')) ? [] : [{ name, data: file.data }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const total = chosen.reduce((sum, file) => sum + file.data.byteLength, 0);
  if (total > bundleLimit)
    throw new FleetError('LIMIT_EXCEEDED', `The bundle in ${base || 'the root'} has ${total} bytes; ${bundleLimit} are allowed.`, {
      where: { file: joinPath(base, 'fleet.yaml') },
      cure: 'Keep only the chart in this folder, or name the rest in .fleetignore.',
    });
  return chosen.map(({ name, data }) => encodeResource(name, data, total >= compressFrom));
}

/** One resource as it stands in a Bundle: text as it is, other bytes as base64, everything compressed in a large bundle. */
export function encodeResource(name: string, data: Uint8Array, compress: boolean): BundleResource {
  if (compress) return { name, content: toBase64(gzipSync(data, { mtime: 0 })), encoding: 'base64+gz' };
  try {
    return { name, content: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data) };
  } catch {
    return { name, content: toBase64(data), encoding: 'base64' };
  }
}

/** The bytes of a resource. Throws LIMIT_EXCEEDED when it unpacks to more than 64 MiB, FLEET_YAML_INVALID when it does not unpack. */
export function decodeResource(resource: BundleResource): Uint8Array {
  if (resource.encoding === undefined) return utf8ToBytes(resource.content);
  try {
    const bytes = Uint8Array.from(atob(resource.content), (character) => character.charCodeAt(0));
    if (resource.encoding === 'base64') return bytes;
    const size = unpackedSize(bytes);
    if (size > resourceLimit) throw new FleetError('LIMIT_EXCEEDED', `Resource ${resource.name} unpacks to ${size} bytes.`);
    // A buffer of the promised size bounds what a lying size can do.
    return gunzipSync(bytes, { out: new Uint8Array(size) });
  } catch (error) {
    if (error instanceof FleetError) throw error;
    throw new FleetError('FLEET_YAML_INVALID', `Resource ${resource.name} does not unpack.`, { cause: error });
  }
}

/** Files of the local chart that `helm.chart` names, with paths from the chart's root. */
export function chartFiles(resources: readonly BundleResource[], helm: HelmOptions | undefined): { path: string; data: Uint8Array }[] {
  const folder = (helm?.chart ?? '')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  return resources.flatMap((resource) => {
    const path = below(folder, resource.name);
    return path === undefined ? [] : [{ path, data: decodeResource(resource) }];
  });
}

/** The Content object of a manifest: `s-` and 59 digits of the hash of its resources. */
export function contentOf(resources: readonly BundleResource[]): Content {
  const manifest = canonicalJson({ resources: resources as unknown as { [key: string]: string }[] });
  const digest = bytesToHex(sha256(utf8ToBytes(manifest)));
  return {
    apiVersion: fleetApiVersion,
    kind: 'Content',
    metadata: { name: contentName(resources) },
    content: toBase64(gzipSync(utf8ToBytes(manifest), { mtime: 0 })),
    sha256sum: digest,
  };
}

export function contentName(resources: readonly BundleResource[]): string {
  const manifest = canonicalJson({ resources: resources as unknown as { [key: string]: string }[] });
  return `s-${bytesToHex(sha256(utf8ToBytes(manifest))).slice(0, 59)}`;
}

/** `.fleetignore`: one glob of a base name a line, `#` comments; holds in its folder and below. */
function fleetIgnore(files: readonly RepositoryFile[], base: string): (name: string) => boolean {
  const rules = new Map<string, ((name: string) => boolean)[]>();
  for (const file of files) {
    const name = below(base, file.path);
    if (name === undefined || baseName(name) !== '.fleetignore') continue;
    const lines = new TextDecoder().decode(file.data).split(/\r?\n/).slice(0, 1000);
    const patterns = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
    rules.set(
      folderOf(name),
      patterns.map((pattern) => globSegment(pattern.replace(/\/$/, ''))),
    );
  }
  if (rules.size === 0) return () => false;
  return (name) => {
    const parts = name.split('/');
    const active: ((name: string) => boolean)[] = [...(rules.get('') ?? [])];
    return parts.some((part, index) => {
      if (index > 0) active.push(...(rules.get(parts.slice(0, index).join('/')) ?? []));
      return active.some((matches) => matches(part));
    });
  };
}

function unpackedSize(gzip: Uint8Array): number {
  if (gzip.byteLength < 18) return 0;
  return new DataView(gzip.buffer, gzip.byteOffset + gzip.byteLength - 4, 4).getUint32(0, true);
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let index = 0; index < bytes.length; index += 0x8000) binary += String.fromCharCode(...bytes.subarray(index, index + 0x8000));
  return btoa(binary);
}
