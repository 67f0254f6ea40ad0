/**
 * Which paths inside a tree may be trusted to mean the same on every file system. Git itself refuses `.git` and its
 * disguises on push (`transfer.fsckObjects`); a repository that came another way has passed no such check.
 */

const maxPathBytes = 1024;
const maxSegmentBytes = 255;
const maxDepth = 64;
/** Code points that HFS+ leaves out when it compares names (the list in Git's utf8.c is by the same standard). */
const ignorable = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** What is wrong with one path, or undefined. */
export function objectionToPath(path: string): string | undefined {
  if (path === '' || path.startsWith('/')) return 'is empty or absolute';
  if (Buffer.byteLength(path) > maxPathBytes) return `is longer than ${maxPathBytes} bytes`;
  if (/[\u0000-\u001f\u007f\\\ufffd]/.test(path)) return 'holds a control character, a backslash or bytes that are no UTF-8';
  const segments = path.split('/');
  if (segments.length > maxDepth) return `is deeper than ${maxDepth} folders`;
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..') return 'has an empty, . or .. part';
    if (Buffer.byteLength(segment) > maxSegmentBytes) return `has a part longer than ${maxSegmentBytes} bytes`;
    const plain = segment
      .replace(ignorable, '')
      .toLowerCase()
      .replace(/[. ]+$/, '');
    if (plain === '.git' || plain === 'git~1' || plain.startsWith('.git:')) return 'poses as a .git folder';
  }
  return undefined;
}

/** The first two paths, folders included, that are one on a file system that ignores letter case or Unicode form. */
export function findCollision(paths: Iterable<string>): readonly [string, string] | undefined {
  const seen = new Map<string, string>();
  for (const path of paths) {
    for (let end = path.indexOf('/'); ; end = path.indexOf('/', end + 1)) {
      const part = end < 0 ? path : path.slice(0, end);
      const key = part.normalize('NFC').toLowerCase();
      const other = seen.get(key);
      if (other !== undefined && other !== part) return [other, part];
      seen.set(key, part);
      if (end < 0) break;
    }
  }
  return undefined;
}
