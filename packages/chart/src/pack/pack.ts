import { ChartError } from '../errors.ts';
import type { Chart, ChartFile } from '../loader/chart.ts';
import { formatLock } from '../loader/lock.ts';
import { checkMetadata, type Metadata } from '../loader/metadata.ts';
import { parseVersion } from '../semver/version.ts';
import { JsonError, readJson } from '../value/json.ts';
import { fromBytes, toBytes } from '../value/text.ts';
import { formatMetadata } from './metadata-document.ts';

export interface PackOptions {
  /** Instead of the chart's own. */
  readonly version?: string;
  readonly appVersion?: string;
}

/** A chart ready to be packed: its files in Helm's order below a folder of its name. */
export interface PackedChart {
  /** `NAME-VERSION.tgz`. */
  readonly fileName: string;
  readonly metadata: Metadata;
  readonly files: readonly ChartFile[];
}

/**
 * What `helm package` puts into an archive: Chart.yaml written anew, the lock, values, schema, templates, other files,
 * then the subcharts in the same way.
 *
 * @throws ChartError with Helm's words
 */
export function packChart(chart: Chart, options: PackOptions = {}): PackedChart {
  const version = options.version || chart.metadata.version;
  if (!parseVersion(version)) throw new ChartError('CHART_INVALID', 'invalid semantic version', { cure: 'Give a version such as 1.2.3.' });
  const metadata = { ...chart.metadata, version, appVersion: options.appVersion || chart.metadata.appVersion };
  checkComplete(chart);
  checkMetadata(metadata);
  return { fileName: `${metadata.name}-${version}.tgz`, metadata, files: entries({ ...chart, metadata }, '') };
}

function checkComplete(chart: Chart): void {
  const missing = (chart.metadata.dependencies ?? []).filter(
    ({ name }) => !chart.dependencies.some((child) => child.metadata.name === name),
  );
  if (missing.length === 0) return;
  throw new ChartError(
    'DEPENDENCY_MISSING',
    `found in Chart.yaml, but missing in charts/ directory: ${missing.map(({ name }) => name).join(', ')}`,
    { cure: 'desp chart dependency build fetches them.' },
  );
}

function entries(chart: Chart, prefix: string): ChartFile[] {
  const { metadata } = chart;
  const base = `${prefix}${metadata.name}`;
  const isOld = metadata.apiVersion === 'v1';
  const file = (name: string, data: Uint8Array): ChartFile => ({ name: `${base}/${name}`, data });
  const files = [file('Chart.yaml', toBytes(formatMetadata(isOld ? { ...metadata, dependencies: undefined } : metadata)))];
  if (metadata.apiVersion === 'v2' && chart.lock) files.push(file('Chart.lock', toBytes(formatLock(chart.lock))));
  if (chart.valuesFile) files.push(file('values.yaml', chart.valuesFile));
  if (chart.schema) {
    checkSchema(chart.schema);
    files.push(file('values.schema.json', chart.schema));
  }
  files.push(...chart.templates.map(({ name, text }) => file(name, toBytes(text))));
  files.push(...chart.files.map(({ name, data }) => file(name, data)));
  return [...files, ...chart.dependencies.flatMap((child) => entries(child, `${base}/charts/`))];
}

function checkSchema(schema: Uint8Array): void {
  try {
    readJson(fromBytes(schema));
  } catch (error) {
    if (error instanceof JsonError)
      throw new ChartError('CHART_INVALID', 'failed to save: invalid JSON in values.schema.json', { cause: error });
    throw error;
  }
}
