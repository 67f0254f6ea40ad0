import {
  closeSync,
  type Dirent,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { ChartError } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { type Chart, type ChartFile, LateFile } from '../loader/chart.ts';
import { readIgnore } from '../loader/ignore.ts';
import { type LoadOptions, loadChart } from '../loader/load.ts';
import { fromBytes, quote } from '../value/text.ts';
import { readChartArchive } from './archive.ts';
import { missingTarget } from './link.ts';

export interface LoadFromOptions extends Omit<LoadOptions, 'unpack'> {
  readonly onLink?: OnLink;
  /**
   * Files of a folder that only `.Files` and `crds/` offer are read when they are used. For a chart that is rendered
   * and forgotten: the folder must stay as it is until then.
   */
  readonly late?: boolean;
}

/**
 * Loads a chart from a folder or a `.tgz`.
 *
 * @throws ChartError, or Node's error where the path cannot be read
 */
export function loadChartFrom(path: string, options: LoadFromOptions = {}): Chart {
  const limits = { ...defaultLimits, ...options.limits };
  const unpack = (archive: Uint8Array): ChartFile[] => readChartArchive(archive, limits);
  const files = statSync(path).isDirectory() ? readChartFolder(path, limits, options) : unpack(readFileSync(path));
  return loadChart(files, { ...options, unpack });
}

/** Told of each link that was followed: where it stands and what it stands for, both absolute. */
export type OnLink = (path: string, target: string) => void;

/**
 * Reads the files of a chart's folder, without those that .helmignore names. Links are followed, as Helm does, but
 * only within the folder.
 */
export function readChartFolder(
  folder: string,
  limits: Limits = defaultLimits,
  { onLink = () => {}, late = false }: Pick<LoadFromOptions, 'onLink' | 'late'> = {},
): ChartFile[] {
  const root = resolve(folder);
  const real = realpathSync(root);
  if (lstatSync(root).isSymbolicLink()) onLink(root, real);
  const walk: Walk = {
    root,
    real,
    isIgnored: readIgnore(readRules(root, real, limits)),
    limits,
    onLink,
    late,
    files: [],
    bytes: 0,
    entries: 0,
  };
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
  readonly late: boolean;
  readonly files: ChartFile[];
  bytes: number;
  /** All that was looked at, folders and ignored files too. */
  entries: number;
}

const ignoreFile = '.helmignore';

/** What .helmignore says; where there is none, nothing. It comes from strangers as all files do. */
function readRules(root: string, real: string, { fileBytes }: Limits): string {
  const path = join(root, ignoreFile);
  const own = lstatSync(path, { throwIfNoEntry: false });
  if (!own) return '';
  const status = own.isSymbolicLink() ? statSync(targetWithin(real, path, ignoreFile)) : own;
  if (status.isDirectory())
    throw new ChartError('CHART_INVALID', `read ${path}: is a directory`, { cure: 'Make a file of it.', where: { file: ignoreFile } });
  // A pipe or the like would be waited for; the walk refuses it.
  if (!status.isFile()) return '';
  return fromBytes(readWhole(path, (size) => checkSize(ignoreFile, size, fileBytes)));
}

/** Deepest folder of a chart; a link to a folder above would go on without end. */
const maxFolderDepth = 64;

function walkFolder(walk: Walk, below: string, depth: number): void {
  if (depth > maxFolderDepth)
    throw new ChartError('LIMIT_EXCEEDED', `chart folder ${quote(below)} is nested too deeply`, {
      cure: 'Remove links to folders above.',
      where: { file: below },
    });
  for (const entry of entriesOf(walk, below).sort((a, b) => (a.name < b.name ? -1 : 1))) {
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
      walk.files.push(walk.late && !isRead.test(path) ? lateFile(walk, full, path) : { name: path, data: readLimited(walk, full, path) });
    }
  }
}

/** A folder's own size, in bytes, from which on its entries are counted before they are taken into memory. */
const largeFolder = 256 * 1024;
/** Entries that a chart may have for each file. */
const entriesPerFile = 4;

function entriesOf(walk: Walk, below: string): Dirent[] {
  const folder = join(walk.root, below);
  const most = walk.limits.files * entriesPerFile - walk.entries;
  if (statSync(folder).size > largeFolder) {
    const handle = opendirSync(folder, { bufferSize: 1024 });
    try {
      for (let count = 0; handle.readSync(); ) if (++count > most) throw tooMany(walk, below);
    } finally {
      handle.closeSync();
    }
  }
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.length > most) throw tooMany(walk, below);
  walk.entries += entries.length;
  return entries;
}

const tooMany = ({ limits }: Walk, below: string): ChartError =>
  new ChartError('LIMIT_EXCEEDED', `chart folder ${quote(below)} is one too many: a chart has at most ${limits.files} files`, {
    cure: 'Name the folder of a chart, and take out of it what is no part of it.',
    where: { file: below === '' ? '.' : below },
  });

function follow({ real, onLink }: Walk, full: string, path: string): void {
  onLink(full, targetWithin(real, full, path));
}

/** A link must lead somewhere, and stay inside the chart: charts come from strangers. */
function targetWithin(real: string, full: string, path: string): string {
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
  return target;
}

/** What loading a chart reads. */
const isRead = /(?:^|\/)(?:templates\/|Chart\.(?:yaml|lock)$|values\.(?:yaml|schema\.json)$|requirements\.|charts\/[^/]*\.tgz$)/;

function lateFile(walk: Walk, full: string, path: string): ChartFile {
  const { size, mode } = statSync(full);
  // What perhaps cannot be read fails at once.
  if ((mode & 0o444) !== 0o444) return { name: path, data: readLimited(walk, full, path) };
  admit(walk, path, size);
  return new LateFile(path, size, () => readWhole(full, () => {}));
}

const readLimited = (walk: Walk, full: string, path: string): Uint8Array => readWhole(full, (size) => admit(walk, path, size));

/** Opened once: to ask for the size by name, and then read by name, walks each path twice. */
function readWhole(path: string, admitted: (size: number) => void): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    admitted(size);
    const data = Buffer.allocUnsafe(size);
    let length = 0;
    for (let more = 1; length < size && more > 0; length += more) more = readSync(file, data, length, size - length, null);
    return length === size ? data : data.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

function checkSize(path: string, size: number, most: number): void {
  if (size <= most) return;
  throw new ChartError('LIMIT_EXCEEDED', `chart file ${quote(path)} is larger than the maximum file size ${most}`, {
    cure: 'List it in .helmignore.',
    where: { file: path },
  });
}

function admit(walk: Walk, path: string, size: number): void {
  const { limits } = walk;
  checkSize(path, size, limits.fileBytes);
  walk.bytes += size;
  if (walk.bytes > limits.chartBytes || walk.files.length >= limits.files) {
    throw new ChartError('LIMIT_EXCEEDED', `chart is larger than ${limits.chartBytes} bytes or ${limits.files} files`, {
      cure: 'List what templates do not need in .helmignore.',
      where: { file: path },
    });
  }
}
