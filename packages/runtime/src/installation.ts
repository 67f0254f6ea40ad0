import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Where the files of this installation are. Nothing else may reckon a path from where its own module lies: in a bundle there
 * are no modules, only a few files in `apps/cli/dist` (or in another folder beside it, for tests of a bundle).
 */
export interface Installation {
  /** True when the running program came from a bundle, false when Node runs the sources. */
  readonly bundled: boolean;
  readonly root: string;
  /** What `script/build.mjs` made, or would make. */
  readonly dist: string;
  /** The server's program: of the bundle for a bundled command line, else of the sources. */
  readonly server: string;
  /** The program that removes what a rehearsal left on the machine. */
  readonly purge: string;
  /** The program of the thread in which charts are rendered. */
  readonly renderThread: string;
  /** Folder with the jobs' command line; bundled always, for the job's image holds nothing else. */
  readonly jobCommandLine: string;
  /** Folder with the console's files. */
  readonly console: string;
}

const bundled = import.meta.filename.endsWith('.mjs');

/** @returns the same answer always; looks at no file */
export function installation(): Installation {
  const here = import.meta.dirname;
  // Chunks lie one folder deeper than the programs.
  const ours = bundled ? (basename(here) === 'chunks' ? dirname(here) : here) : undefined;
  const root = join(ours ?? here, '../../..');
  const dist = ours ?? join(root, 'apps/cli/dist');
  return {
    bundled,
    root,
    dist,
    server: bundled ? join(dist, 'platform.mjs') : join(root, 'apps/platform/src/main.ts'),
    purge: bundled ? join(dist, 'purge.mjs') : join(root, 'apps/platform/src/purge-main.ts'),
    renderThread: bundled ? join(dist, 'render-thread.mjs') : join(root, 'apps/platform/src/releases/render-worker.ts'),
    jobCommandLine: join(dist, 'job'),
    console: join(root, 'apps/console/dist'),
  };
}

/** Beside the bundle: `sourcesDigest` of what it was made from. */
export const bundleRecord = 'sources.sha256';

/**
 * A digest of everything that a bundle is made from: names and contents of the sources, the build script and the lock file.
 *
 * @returns undefined where there are no sources: an installation of the bundle alone
 */
export function sourcesDigest(root: string): string | undefined {
  if (!existsSync(join(root, 'apps/cli/src'))) return undefined;
  const hash = createHash('sha256');
  const files = ['package-lock.json', 'script/build.mjs'];
  for (const group of ['apps', 'packages']) {
    for (const name of readdirSync(join(root, group))) {
      const folder = join(group, name, 'src');
      if (!existsSync(join(root, folder))) continue;
      for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(ts|tsx|css|html|json|svg)$/.test(entry.name) || /\.test\.tsx?$/.test(entry.name)) continue;
        files.push(join(entry.parentPath.slice(root.length + 1), entry.name));
      }
    }
  }
  for (const file of files.sort()) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** Whether the bundle that runs is of other sources than those beside it; false for sources and where there are none. */
export function isBundleStale({ root, dist }: Installation = installation()): boolean {
  if (!existsSync(join(dist, bundleRecord))) return false;
  const digest = sourcesDigest(root);
  return digest !== undefined && readFileSync(join(dist, bundleRecord), 'utf8').trim() !== digest;
}
