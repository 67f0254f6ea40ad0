import { ChartError } from '../errors.ts';
import type { ChartFile } from '../loader/chart.ts';
import { readIgnore } from '../loader/ignore.ts';
import { fromBytes } from '../value/text.ts';

/**
 * A chart as it lies in its folder, good or bad: a linter must be able to look at what cannot be loaded. Rules on
 * Chart.yaml and values.yaml read the folder itself, the others what .helmignore leaves of it.
 */
export interface LintFolder {
  /** The folder's name in messages. */
  readonly path: string;
  /** What stands at the top of the folder under this name. */
  kindOf(name: string): 'file' | 'folder' | undefined;
  /** A file at the top of the folder. */
  read(name: string): Uint8Array | undefined;
  /** All files after .helmignore. @throws ChartError where the folder cannot be read */
  files(): readonly ChartFile[];
}

/** A folder of the files that it holds, .helmignore not yet applied: an unpacked archive, or an editor's buffers. */
export function folderOf(path: string, files: readonly ChartFile[]): LintFolder {
  const byName = new Map(files.map((file) => [file.name, file.data]));
  return {
    path,
    kindOf: (name) => (byName.has(name) ? 'file' : files.some((file) => file.name.startsWith(`${name}/`)) ? 'folder' : undefined),
    read: (name) => byName.get(name),
    files: () => withoutIgnored(files),
  };
}

/** The files that .helmignore among them does not name. @throws ChartError */
export function withoutIgnored(files: readonly ChartFile[]): ChartFile[] {
  const rules = files.find((file) => file.name === '.helmignore');
  const isIgnored = readIgnore(rules ? fromBytes(rules.data) : '');
  return files.filter(({ name }) => {
    const parts = name.split('/');
    for (let length = 1; length < parts.length; length++) if (isIgnored(parts.slice(0, length).join('/'), true)) return false;
    return !isIgnored(name, false);
  });
}

/** What went wrong while a chart was loaded, or the chart. */
export type Loaded<T> = { readonly value: T } | { readonly problem: string };

/** Runs a load; a fault of the chart becomes a problem. */
export function loading<T>(load: () => T): Loaded<T> {
  try {
    return { value: load() };
  } catch (error) {
    if (error instanceof ChartError) return { problem: error.message };
    throw error;
  }
}
