import type { SoftwarePackage } from '@desp/model';

/** What an image holds, as far as its own files tell. */

/** Whose word a package is known by. A distribution's package manager owns its files; the others own their folders or themselves. */
export const packageManagers = ['dpkg', 'apk', 'npm', 'go', 'pypi'] as const;
export type PackageManager = (typeof packageManagers)[number];

export interface FoundPackage extends SoftwarePackage {
  readonly manager: PackageManager;
  /** Digest of the layer that brought the first of `locations`. */
  readonly layer: string;
}

export interface OperatingSystem {
  readonly id: string;
  readonly versionId: string;
  readonly prettyName: string;
  /** As OSV names it, for example `Debian:12` or `Alpine:v3.20`; absent for distributions without an own feed there. */
  readonly ecosystem?: string;
}

/** A program or library that no package owns, so that no advisory can speak of it. */
export interface UnownedFile {
  readonly path: string;
  readonly layer: string;
  readonly why: string;
}

/** Something that should have been read and could not be: the inventory is not whole. */
export interface InventoryProblem {
  readonly what: string;
  readonly why: string;
}

export interface Inventory {
  /** Digest of the image manifest. */
  readonly subject: string;
  readonly operatingSystem?: OperatingSystem;
  /** Ordered by manager, name, version, first location. */
  readonly packages: readonly FoundPackage[];
  /** Ordered by path. */
  readonly unowned: readonly UnownedFile[];
  /** Empty when everything was read. */
  readonly problems: readonly InventoryProblem[];
  readonly layers: readonly string[];
  readonly files: number;
}
