import type { Tree } from '../language/nodes.ts';
import type { ValueMap } from '../value/kinds.ts';
import type { Lock } from './lock.ts';
import type { Metadata } from './metadata.ts';

/** One file of a chart: path below the chart's folder with `/`, and its bytes. */
export interface ChartFile {
  readonly name: string;
  readonly data: Uint8Array;
}

/** A chart as loaded; immutable. Rendering works on a copy of what it has to change. */
export interface Chart {
  readonly metadata: Metadata;
  /** values.yaml. */
  readonly values: ValueMap;
  /** The same, unparsed: for the lines of its keys. */
  readonly valuesFile: Uint8Array | undefined;
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
