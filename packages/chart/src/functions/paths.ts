import { type FunctionGroup, fn } from './define.ts';

/** Go's package path; its package filepath does the same on Linux. */

export function cleanPath(path: string): string {
  if (path === '') return '.';
  const rooted = path.startsWith('/');
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') out.push(part);
    else if (out.length > 0 && out.at(-1) !== '..') out.pop();
    else if (!rooted) out.push('..');
  }
  const joined = out.join('/');
  return rooted ? `/${joined}` : joined || '.';
}

/** The last part of a path. By a loop: a regular expression for the end of a long text takes quadratic time. */
export function baseName(path: string): string {
  if (path === '') return '.';
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return end === 0 ? '/' : path.slice(path.lastIndexOf('/', end - 1) + 1, end);
}

const directory = (path: string): string => cleanPath(path.slice(0, path.lastIndexOf('/') + 1));

function extension(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}

const functions = { Base: baseName, Clean: cleanPath, Dir: directory, Ext: extension };
const isAbsolute = fn(['string'], (path) => path.startsWith('/'));

export const pathFunctions: FunctionGroup = {
  ...Object.fromEntries(
    Object.entries(functions).flatMap(([name, run]) => [
      [name.toLowerCase(), fn(['string'], run)],
      [`os${name}`, fn(['string'], run)],
    ]),
  ),
  isAbs: isAbsolute,
  osIsAbs: isAbsolute,
};
