import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/** More links than Go follows for one path. */
const maxLinks = 255;

/**
 * Why a path with links leads nowhere, in Go's words; undefined where it leads somewhere.
 *
 * @param path absolute
 */
export function missingTarget(path: string): string | undefined {
  let reached: string = sep;
  let links = 0;
  const ahead = path.split(sep);
  while (ahead.length > 0) {
    const part = ahead.shift() as string;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      reached = dirname(reached);
      continue;
    }
    const next = join(reached, part);
    const status = lstatSync(next, { throwIfNoEntry: false });
    if (!status) return `lstat ${next}: no such file or directory`;
    if (!status.isSymbolicLink()) {
      reached = next;
      continue;
    }
    if (++links > maxLinks) return 'EvalSymlinks: too many links';
    const target = readlinkSync(next);
    if (target.startsWith(sep)) reached = sep;
    ahead.unshift(...target.split(sep));
  }
  return undefined;
}
