import { PackageURL } from 'packageurl-js';
import type { OperatingSystem } from '../image/inventory.ts';
import type { AlpinePackage } from './apk.ts';
import type { DebianPackage } from './dpkg.ts';

/** Package URLs (ECMA-427) of what an inventory finds. */

/** A name that the purl library refuses must not cost the inventory: such a package is written generically. */
function purl(type: string, namespace: string | undefined, name: string, version: string, qualifiers: Record<string, string> = {}): string {
  try {
    return new PackageURL(type, namespace, name, version, qualifiers, undefined).toString();
  } catch {
    return `pkg:generic/${encodeURIComponent(name)}@${encodeURIComponent(version)}?type=${type}`;
  }
}

const distro = (system: OperatingSystem | undefined): Record<string, string> =>
  system ? { distro: `${system.id}-${system.versionId}` } : {};

export const debianPurl = (item: DebianPackage, system: OperatingSystem | undefined): string =>
  purl('deb', system?.id ?? 'debian', item.name, item.version, { arch: item.architecture, ...distro(system) });

export const alpinePurl = (item: AlpinePackage, system: OperatingSystem | undefined): string =>
  purl('apk', system?.id ?? 'alpine', item.name, item.version, { arch: item.architecture, ...distro(system) });

function scoped(type: string, path: string, version: string): string {
  const slash = path.lastIndexOf('/');
  return purl(type, slash < 0 ? undefined : path.slice(0, slash), path.slice(slash + 1), version);
}

export const npmPurl = (name: string, version: string): string => scoped('npm', name, version);
export const golangPurl = (path: string, version: string): string => scoped('golang', path, version);

/** PEP 503 names: runs of `-`, `_` and `.` are one dash. */
export const pythonName = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, '-');
export const pythonPurl = (name: string, version: string): string => purl('pypi', undefined, pythonName(name), version);
