import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { ChartError } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import type { Chart, ChartFile } from '../loader/chart.ts';
import { readIgnore } from '../loader/ignore.ts';
import { type LoadOptions, loadChart } from '../loader/load.ts';
import { quote } from '../value/text.ts';
import { readChartArchive } from './archive.ts';
import { missingTarget } from './link.ts';

/**
 * Loads a chart from a folder or a `.tgz`.
 *
 * @throws ChartError, or Node's error where the path cannot be read
 */
export function loadChartFrom(path: string, options: Omit<LoadOptions, 'unpack'> & { readonly onLink?: OnLink } = {}): Chart {
  const limits = { ...defaultLimits, ...options.limits };
  const unpack = (archive: Uint8Array): ChartFile[] => readChartArchive(archive, limits);
  const files = statSync(path).isDirectory() ? readChartFolder(path, limits, options.onLink) : unpack(readFileSync(path));
  return loadChart(files, { ...options, unpack });
}

/** Told of each link that was followed: where it stands and what it stands for, both absolute. */
export type OnLink = (path: string, target: string) => void;

/**
 * Reads the files of a chart's folder, without those that .helmignore names. Links are followed, as Helm does, but
 * only within the folder.
 */
export function readChartFolder(folder: string, limits: Limits = defaultLimits, onLink: OnLink = () => {}): ChartFile[] {
  const root = resolve(folder);
  const real = realpathSync(root);
  if (lstatSync(root).isSymbolicLink()) onLink(root, real);
  let rules = '';
  try {
    rules = readFileSync(join(root, '.helmignore'), 'utf8');
  } catch {
    // No rules: Helm's defaults alone.
  }
  const walk: Walk = { root, real, isIgnored: readIgnore(rules), limits, onLink, files: [], bytes: 0 };
  walkFolder(walk, '', 0);
  return walk.files;
}

interface Walk {
  /** As it was named. */
  readonly root: string;
  /** The same without links. */
  readonly real: string;
  readonly isIgnored: (path: string, isFolder: boolean) => boolean;
  readonly limits: Limits;
  readonly onLink: OnLink;
  readonly files: ChartFile[];
  bytes: number;
}

/** Deepest folder of a chart; a link to a folder above would go on without end. */
const maxFolderDepth = 64;

function walkFolder(walk: Walk, below: string, depth: number): void {
  if (depth > maxFolderDepth)
    throw new ChartError('LIMIT_EXCEEDED', `chart folder ${quote(below)} is nested too deeply`, { cure: 'Remove links to folders above.' });
  for (const entry of readdirSync(join(walk.root, below), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    const full = `${walk.root}${sep}${path}`;
    const isLink = entry.isSymbolicLink();
    if (isLink) follow(walk, full, path);
    const status = isLink ? statSync(full) : entry;
    if (status.isDirectory()) {
      if (!walk.isIgnored(path, true)) walkFolder(walk, path, depth + 1);
    } else if (!walk.isIgnored(path, false)) {
      if (!status.isFile())
        throw new ChartError('CHART_INVALID', `cannot load irregular file ${full} as it has file mode type bits set`, {
          cure: 'Remove it, or list it in .helmignore.',
        });
      walk.files.push({ name: path, data: readLimited(walk, full, path) });
    }
  }
}

/** A link must lead somewhere, and stay inside the chart: charts come from strangers. */
function follow({ real, onLink }: Walk, full: string, path: string): void {
  const missing = missingTarget(full);
  if (missing !== undefined)
    throw new ChartError('CHART_INVALID', `error evaluating symlink ${full}: ${missing}`, {
      cure: 'Remove the link, or put there what it names.',
      where: { file: path },
    });
  const target = realpathSync(full);
  if (target !== real && !target.startsWith(real + sep)) {
    throw new ChartError('CHART_INVALID', `chart file ${quote(path)} is a link out of the chart`, {
      cure: 'Copy the file into the chart.',
      where: { file: path },
    });
  }
  onLink(full, target);
}

function readLimited(walk: Walk, full: string, path: string): Uint8Array {
  // Opened once: to ask for the size by name, and then read by name, walks each path twice.
  const file = openSync(full, 'r');
  try {
    return readOpen(walk, file, path);
  } finally {
    closeSync(file);
  }
}

function readOpen(walk: Walk, file: number, path: string): Uint8Array {
  const { limits } = walk;
  const { size } = fstatSync(file);
  if (size > limits.fileBytes)
    throw new ChartError('LIMIT_EXCEEDED', `chart file ${quote(path)} is larger than the maximum file size ${limits.fileBytes}`, {
      cure: 'List it in .helmignore.',
    });
  walk.bytes += size;
  if (walk.bytes > limits.chartBytes || walk.files.length >= limits.files) {
    throw new ChartError('LIMIT_EXCEEDED', `chart is larger than ${limits.chartBytes} bytes or ${limits.files} files`, {
      cure: 'List what templates do not need in .helmignore.',
    });
  }
  return readFileSync(file);
}
