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

type GlobPart = '*' | '?' | { readonly literal: string } | { readonly set: string };

/** A matcher of one path segment: `*`, `?` and `[abc]`, as Go's filepath.Match without ranges. Time: length × length. */
export function globSegment(pattern: string): (text: string) => boolean {
  const parts = globParts(pattern);
  const fits = (part: GlobPart | undefined, character: string): boolean => {
    if (part === undefined || part === '*') return false;
    if (part === '?') return true;
    return 'literal' in part ? part.literal === character : part.set.includes(character);
  };
  return (text) => {
    let [at, part, star, resume] = [0, 0, -1, 0];
    while (at < text.length) {
      if (fits(parts[part], text[at]!)) [at, part] = [at + 1, part + 1];
      else if (parts[part] === '*') [star, resume, part] = [part, at, part + 1];
      else if (star >= 0) {
        // The last star takes one character more; earlier ones need not be asked again.
        resume += 1;
        [at, part] = [resume, star + 1];
      } else return false;
    }
    return parts.slice(part).every((rest) => rest === '*');
  };
}

function globParts(pattern: string): GlobPart[] {
  const parts: GlobPart[] = [];
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    const end = character === '[' ? pattern.indexOf(']', index + 2) : -1;
    if (end > 0) {
      parts.push({ set: pattern.slice(index + 1, end) });
      index = end;
    } else if (character === '*' || character === '?') parts.push(character);
    else parts.push({ literal: character });
  }
  return parts;
}
