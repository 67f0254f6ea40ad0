import type { SourcePlace } from '@desp/runtime/errors';
import { FleetError } from './errors.ts';

/**
 * Joins a relative path onto a folder of the repository and keeps it inside `root`. Fleet itself does not confine the paths of
 * values files (its PR #5778); we do: a bundle reads nothing beside itself.
 */
export function confine(root: string, relative: string, where?: SourcePlace): string {
  const outside = (): FleetError =>
    new FleetError('PATH_OUTSIDE', `The path "${relative}" leaves ${root === '' ? 'the repository' : root}.`, {
      ...(where ? { where } : {}),
      cure: 'Keep the file in the folder of fleet.yaml, and name it relative to that.',
    });
  if (relative.startsWith('/') || relative.includes('\\') || relative.includes('\0')) throw outside();
  const parts: string[] = [];
  for (const part of relative.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw outside();
  }
  return joinPath(root, parts.join('/'));
}

export const joinPath = (folder: string, name: string): string => (folder === '' ? name : name === '' ? folder : `${folder}/${name}`);

/** The path below `folder`, or undefined when it is not below it. */
export function below(folder: string, path: string): string | undefined {
  if (folder === '') return path;
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined;
}

export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A matcher of one path segment: `*`, `?` and `[...]`, as Go's filepath.Match. Linear: no nested repetition arises. */
export function globSegment(pattern: string): (text: string) => boolean {
  let source = '';
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    if (character === '*') source += source.endsWith('[^/]*') ? '' : '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const end = pattern.indexOf(']', index + 2);
      if (end < 0) return () => false;
      const body = pattern.slice(index + 1, end).replace(/[\\\]]/g, '\\$&');
      source += `[${body}]`;
      index = end;
    } else source += character.replace(/[.+^${}()|\\/\]]/g, '\\$&');
  }
  // Many stars in a row of text make a backtracking matcher slow; nobody needs more than a few.
  if ((source.match(/\[\^\/\]\*/g) ?? []).length > 5) return () => false;
  try {
    const expression = new RegExp(`^${source}$`, 'u');
    return (text) => expression.test(text);
  } catch {
    return () => false;
  }
}
