import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { RepositoryEntry } from '@desp/procedure';
import { CliError } from './cli-error.ts';

const limits = { files: 20_000, fileBytes: 5 * 1024 * 1024, totalBytes: 256 * 1024 * 1024, depth: 40 };

/** The files of a work tree as a push would bring them: without `.git`, symbolic links as links, never followed. */
export function readRepositoryFolder(root: string): RepositoryEntry[] {
  const entries: RepositoryEntry[] = [];
  let total = 0;
  const walk = (folder: string, prefix: string, depth: number): void => {
    if (depth > limits.depth) throw new CliError('FILE', `${prefix} is nested over ${limits.depth} folders deep.`, { kind: 'user' });
    for (const name of readdirSync(folder).sort()) {
      if (name === '.git' || name === '.desp') continue;
      const full = join(folder, name);
      const path = prefix ? `${prefix}/${name}` : name;
      const stat = lstatSync(full);
      if (stat.isSymbolicLink()) entries.push({ kind: 'symlink', path, data: Buffer.from(readlinkSync(full)) });
      else if (stat.isDirectory()) walk(full, path, depth + 1);
      else if (stat.isFile()) {
        // A large file is none that a check reads; its start still tells a secret.
        const data = stat.size > limits.fileBytes ? readFileSync(full).subarray(0, limits.fileBytes) : readFileSync(full);
        total += data.length;
        if (entries.length >= limits.files || total > limits.totalBytes)
          throw new CliError('FILE', `${root} holds more than ${limits.files} files or 256 MiB.`, {
            kind: 'user',
            cure: 'Name the folder of one repository.',
          });
        entries.push({ kind: 'file', path, data });
      }
    }
  };
  try {
    walk(root, '', 0);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('FILE', `${root} cannot be read: ${(cause as Error).message}`, { kind: 'user', cause });
  }
  return entries;
}
