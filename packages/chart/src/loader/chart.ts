import type { Tree } from '../language/nodes.ts';
import type { ValueMap } from '../value/kinds.ts';
import type { Lock } from './lock.ts';
import type { Metadata } from './metadata.ts';

/** One file of a chart: path below the chart's folder with `/`, and its bytes. */
export interface ChartFile {
  readonly name: string;
  readonly data: Uint8Array;
  /** Bytes of `data`, where that is known without reading it. */
  readonly size?: number;
}

/** A file that is read when its bytes are first asked for. */
export class LateFile implements ChartFile {
  readonly name: string;
  readonly size: number;
  readonly #read: () => Uint8Array;
  #data: Uint8Array | undefined;

  constructor(name: string, size: number, read: () => Uint8Array) {
    this.name = name;
    this.size = size;
    this.#read = read;
  }

  get data(): Uint8Array {
    this.#data ??= this.#read();
    return this.#data;
  }
}

/** The same file under another name. */
export function renamed(file: ChartFile, name: string): ChartFile {
  return file instanceof LateFile ? new LateFile(name, file.size, () => file.data) : { name, data: file.data };
}

/** A byte order mark at the start of a file does not count. */
export function withoutMark(file: ChartFile): ChartFile {
  if (file instanceof LateFile) return new LateFile(file.name, file.size, () => stripMark(file.data));
  return { name: file.name, data: stripMark(file.data) };
}

export const stripMark = (data: Uint8Array): Uint8Array =>
  data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf ? data.subarray(3) : data;

/** A chart as loaded; immutable. Rendering works on a copy of what it has to change. */
export interface Chart {
  readonly metadata: Metadata;
  /** values.yaml. */
  readonly values: ValueMap;
  /** The same, unparsed: for the lines of its keys. */
  readonly valuesFile: Uint8Array | undefined;
  /** The file that names the dependencies, unparsed: for its lines. */
  readonly dependenciesFile: Uint8Array | undefined;
  /** Chart.lock, or requirements.lock of older charts. */
  readonly lock: Lock | undefined;
  /** What Helm logs while it loads this chart, its subcharts included, without prefix. */
  readonly warnings: readonly string[];
  /** values.schema.json, unparsed. */
  readonly schema: Uint8Array | undefined;
  readonly templates: readonly ChartTemplate[];
  /** All that is none of the above: what `.Files` offers, and crds/. */
  readonly files: readonly ChartFile[];
  readonly dependencies: readonly Chart[];
}

/** A template's text, parsed on first use and kept for later renders of the same chart. */
export interface ChartTemplate {
  readonly name: string;
  readonly text: string;
  /** Trees by profile and by the path under which they were parsed (an alias changes it). */
  readonly parsed: Map<string, ReadonlyMap<string, Tree>>;
}
