import { gunzipSync } from 'node:zlib';
import { ChartError } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import type { ChartFile } from '../loader/chart.ts';
import { quote } from '../value/text.ts';

/**
 * Reads a packed chart (`.tgz`): plain files below its one folder. Links, absolute paths and `..` are refused, sizes
 * bounded before anything is unpacked.
 *
 * @throws ChartError
 */
export function readChartArchive(archive: Uint8Array, limits: Limits = defaultLimits): ChartFile[] {
  const tar = unzip(archive, limits);
  const files: ChartFile[] = [];
  const seen = new Set<string>();
  let longName: string | undefined;
  for (let at = 0; at + 512 <= tar.length; ) {
    const header = tar.subarray(at, at + 512);
    if (header.every((byte) => byte === 0)) break;
    const size = octal(header, 124, 12);
    const type = String.fromCharCode(header[156] as number);
    const data = tar.subarray(at + 512, at + 512 + size);
    if (!Number.isFinite(size) || size < 0 || data.length !== size) throw broken('an entry is cut off');
    at += 512 + Math.ceil(size / 512) * 512;
    if (type === 'L') longName = text(data);
    else if (type === 'x') longName = paxPath(data) ?? longName;
    else if (type !== 'g') {
      const name = longName ?? entryName(header);
      longName = undefined;
      if (type === '5') continue;
      if (type !== '0' && type !== '\0') throw broken(`${quote(name)} is no plain file`);
      addFile(files, seen, name, data, limits);
    }
  }
  if (files.length === 0) throw broken('no files in chart archive');
  return files;
}

function unzip(archive: Uint8Array, limits: Limits): Uint8Array {
  if (archive[0] !== 0x1f || archive[1] !== 0x8b) throw broken('does not appear to be a gzipped archive');
  try {
    return gunzipSync(archive, { maxOutputLength: limits.chartBytes + limits.files * 1024 });
  } catch (error) {
    throw broken(error instanceof Error ? error.message : String(error));
  }
}

function addFile(files: ChartFile[], seen: Set<string>, path: string, data: Uint8Array, limits: Limits): void {
  const parts = path.replaceAll('\\', '/').split('/');
  const name = parts.slice(1).join('/');
  if (name === '') throw broken('chart base directory is missing');
  if (path.startsWith('/') || /^[a-zA-Z]:/.test(path) || parts.some((part) => part === '..' || part === '.' || part === '')) {
    throw broken(`chart illegally contains content outside the base directory: ${quote(path)}`);
  }
  if (seen.has(name)) throw broken(`${quote(name)} is there twice`);
  if (data.length > limits.fileBytes)
    throw new ChartError('LIMIT_EXCEEDED', `chart file ${quote(name)} is larger than the maximum file size ${limits.fileBytes}`);
  if (files.length >= limits.files) throw new ChartError('LIMIT_EXCEEDED', `chart archive has more than ${limits.files} files`);
  seen.add(name);
  files.push({ name, data });
}

const broken = (problem: string): ChartError =>
  new ChartError('CHART_INVALID', `chart archive cannot be read: ${problem}`, { cure: 'Pack the chart anew.' });

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replace(/\0.*$/s, '');

const octal = (header: Uint8Array, at: number, length: number): number => {
  const digits = text(header.subarray(at, at + length)).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN;
};

function entryName(header: Uint8Array): string {
  const prefix = text(header.subarray(257, 262)) === 'ustar' ? text(header.subarray(345, 500)) : '';
  const name = text(header.subarray(0, 100));
  return prefix === '' ? name : `${prefix}/${name}`;
}

function paxPath(data: Uint8Array): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(text(data))?.[1];
}
