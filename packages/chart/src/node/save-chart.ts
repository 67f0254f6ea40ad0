import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Chart } from '../loader/chart.ts';
import { type PackedChart, type PackOptions, packChart } from '../pack/pack.ts';
import { writeTar } from '../pack/tar.ts';

/** The time of all files in an archive where none is asked for: 1 January 1980, the earliest that every tool takes. */
const plainTime = 315_532_800;

export interface SaveOptions extends PackOptions {
  /** Seconds since 1970 for all files in the archive; default: a fixed time, so that packing twice gives the same archive. */
  readonly time?: number;
}

/** A chart's archive in memory: the tar is the same for the same chart anywhere, its compression for the same Node. @throws ChartError */
export function archiveChart(chart: Chart, options: SaveOptions = {}): PackedChart & { readonly data: Uint8Array } {
  const packed = packChart(chart, options);
  return { ...packed, data: gzipSync(writeTar(packed.files, options.time ?? plainTime), { level: 9 }) };
}

/** Writes `NAME-VERSION.tgz` into a folder, which is made; whoever reads it meanwhile sees the old archive or the new one, whole. */
export function saveChart(
  chart: Chart,
  folder: string,
  options: SaveOptions = {},
): { readonly path: string; readonly packed: PackedChart; readonly data: Uint8Array } {
  const packed = archiveChart(chart, options);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, packed.fileName);
  writeWhole(path, packed.data);
  return { path, packed, data: packed.data };
}

/** Writes a file under another name first and renames it then. A link in its place is replaced, not followed. */
export function writeWhole(path: string, data: Uint8Array | string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    writeFileSync(draft, data, { flag: 'wx' });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
