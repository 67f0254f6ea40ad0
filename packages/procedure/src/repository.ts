import type { RepositoryFile } from '@desp/fleet';
import { ProcedureError } from './errors.ts';
import type { Found } from './report.ts';

/** An entry of the repository's tree. */
export interface RepositoryEntry extends RepositoryFile {
  /** A symbolic link's data is its target. Default: a file. */
  readonly kind?: 'file' | 'symlink';
}

const limits = { entries: 50_000, linkDepth: 10 } as const;

/**
 * The plain files of a tree: links that stay inside are followed (to files), links and paths that lead out are left out and
 * reported. Throws REPOSITORY_TOO_LARGE.
 */
export function readTree(entries: readonly RepositoryEntry[]): { files: RepositoryFile[]; found: Found[] } {
  if (entries.length > limits.entries)
    throw new ProcedureError(
      'REPOSITORY_TOO_LARGE',
      `The repository has ${entries.length} files; ${limits.entries} are read.`,
      'Keep data out of the repository.',
    );
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const files: RepositoryFile[] = [];
  const found: Found[] = [];
  for (const entry of entries) {
    if (!isInside(entry.path)) {
      found.push({ severity: 'error', message: `The path "${entry.path}" leads out of the repository.`, cure: 'Remove it.' });
      continue;
    }
    const target = followLinks(entry, byPath);
    if (target === 'outside') {
      const message = `The symbolic link ${entry.path} leads out of the repository, or round in a circle.`;
      found.push({ severity: 'error', message, file: entry.path, cure: 'Replace the link by the file.' });
    } else if (target) files.push({ path: entry.path, data: target.data });
  }
  return { files, found };
}

/** The file at the end of the links; undefined for a link to a folder or to nothing inside. */
function followLinks(entry: RepositoryEntry, byPath: ReadonlyMap<string, RepositoryEntry>): RepositoryEntry | 'outside' | undefined {
  let current: RepositoryEntry | undefined = entry;
  for (let depth = 0; current?.kind === 'symlink'; depth++) {
    if (depth >= limits.linkDepth) return 'outside';
    const target: string | undefined = resolveLink(current.path, new TextDecoder().decode(current.data.subarray(0, 4096)));
    if (target === undefined) return 'outside';
    current = byPath.get(target);
  }
  return current;
}

function resolveLink(path: string, target: string): string | undefined {
  if (target.startsWith('/')) return undefined;
  const parts = path.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts[0] === '.git' ? undefined : parts.join('/');
}

const isInside = (path: string): boolean =>
  path !== '' &&
  !path.startsWith('/') &&
  !path.includes('\0') &&
  !path.split('/').some((part) => part === '' || part === '.' || part === '..');
