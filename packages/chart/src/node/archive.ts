import { gunzipSync } from 'node:zlib';
import { ChartError } from '../errors.ts';
import { cleanPath } from '../functions/paths.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import type { ChartFile } from '../loader/chart.ts';
import { checkWhole, readTar, type TarEntry, TarError } from '../pack/untar.ts';
import { quote } from '../value/text.ts';

/**
 * Reads a packed chart (`.tgz`): the files below its one folder, by Helm's rules and in its words. Nothing is written
 * and no link followed (as in Helm, a link is an empty file); sizes are bounded before anything is unpacked. Where Helm
 * reads on, data behind the archive, a wrong checksum and two files of one name are refused: they show different
 * readers different charts.
 *
 * @throws ChartError
 */
export function readChartArchive(archive: Uint8Array, limits: Limits = defaultLimits): ChartFile[] {
  const tar = unzip(archive, limits);
  const files: ChartFile[] = [];
  const seen = new Set<string>();
  const rest: Rest = { bytes: limits.chartBytes, entries: limits.files * entriesPerFile };
  try {
    for (const entry of readTar(tar)) {
      if (--rest.entries < 0) throw tooLarge(`chart archive has more than ${limits.files * entriesPerFile} entries`);
      if (entry.isFolder) continue;
      const name = nameWithin(entry.name);
      checkSize(entry, name, rest, limits);
      if (seen.has(name)) throw broken(`chart archive has ${quote(name)} twice`);
      if (files.length >= limits.files) throw tooLarge(`chart archive has more than ${limits.files} files`);
      seen.add(name);
      files.push({ name, data: entry.data });
    }
  } catch (error) {
    throw error instanceof TarError ? broken(error.message) : error;
  }
  if (files.length === 0) throw broken('no files in chart archive');
  return files;
}

interface Rest {
  bytes: number;
  entries: number;
}

/** Folders have entries too. */
const entriesPerFile = 4;

function unzip(archive: Uint8Array, limits: Limits): Uint8Array {
  if (archive[0] !== 0x1f || archive[1] !== 0x8b) throw broken('chart archive cannot be unpacked: it does not appear to be gzipped');
  try {
    return gunzipSync(archive, { maxOutputLength: limits.chartBytes + limits.files * 1024 });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(`decompressed chart is larger than the maximum file size ${limits.chartBytes}`);
    throw broken(`chart archive cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Helm's rules for names, which may come from Windows; what lies above the folder of the chart does not count. */
function nameWithin(path: string): string {
  const parts = path.split(path.includes('\\') ? '\\' : '/');
  const inner = parts.slice(1).join('/');
  if (inner.startsWith('/')) throw broken('chart illegally contains absolute paths');
  const clean = cleanPath(inner);
  const name = clean === '.' ? '' : clean;
  if (name === '') throw broken(`chart illegally contains content outside the base directory: ${quote(path)}`);
  if (name.startsWith('..')) throw broken('chart illegally references parent directory');
  if (/^[a-zA-Z]:\//.test(name)) throw broken('chart contains illegally named files');
  if (parts[0] === 'Chart.yaml') throw broken('chart yaml not in base directory');
  return name;
}

function checkSize(entry: TarEntry, name: string, rest: Rest, limits: Limits): void {
  if (entry.size > rest.bytes) throw tooLarge(`decompressed chart is larger than the maximum file size ${limits.chartBytes}`);
  if (entry.size > limits.fileBytes)
    throw tooLarge(`decompressed chart file ${quote(name)} is larger than the maximum file size ${limits.fileBytes}`, name);
  checkWhole(entry);
  rest.bytes -= entry.data.length;
}

const broken = (problem: string): ChartError => new ChartError('CHART_INVALID', problem, { cure: 'Pack the chart anew.' });

const tooLarge = (problem: string, file?: string): ChartError =>
  new ChartError('LIMIT_EXCEEDED', problem, {
    cure: 'List what templates do not need in .helmignore, and pack the chart anew.',
    ...(file === undefined ? {} : { where: { file } }),
  });
