import { ChartError, type ChartErrorCode, type SourcePlace } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { Budget, LimitReached } from '../render/budget.ts';
import type { ValueMap } from '../value/kinds.ts';
import { fromBytes, quote } from '../value/text.ts';
import { mergeMaps } from '../values/merge.ts';
import { ConversionError, type YamlMeter, yamlToMap } from '../yaml/values.ts';
import { type Chart, type ChartFile, type ChartTemplate, renamed, stripMark, withoutMark } from './chart.ts';
import { documentsOf } from './documents.ts';
import { readLock } from './lock.ts';
import { checkMetadata, readMetadata } from './metadata.ts';

export interface LoadOptions {
  readonly limits?: Partial<Limits>;
  /** Values files may hold several documents, as in Helm 4. Default true. */
  readonly multiDocumentValues?: boolean;
  /** Opens `charts/NAME.tgz`; without it such a file is an error. */
  readonly unpack?: (archive: Uint8Array) => ChartFile[];
}

/**
 * Makes a chart of its files.
 *
 * @param files all files of the chart's folder, subcharts under `charts/` included, after .helmignore
 * @throws ChartError with Helm's message
 */
export function loadChart(files: readonly ChartFile[], options: LoadOptions = {}): Chart {
  const limits = { ...defaultLimits, ...options.limits };
  checkSizes(files, limits);
  return load(files, { ...options, budget: new Budget({ ...limits, steps: limits.steps * loadingShare }) }, 0);
}

/** Of a render's steps, what reading all YAML of a chart and its subcharts may take. */
const loadingShare = 0.25;

interface Loading extends LoadOptions {
  readonly budget: Budget;
}

/** Deepest nesting of charts in charts/. */
const maxChartDepth = 32;

function checkSizes(files: readonly ChartFile[], limits: Limits): void {
  let total = 0;
  if (files.length > limits.files) throw tooLarge(`chart has ${files.length} files, more than ${limits.files}`);
  for (const file of files) {
    const { name } = file;
    const size = file.size ?? file.data.length;
    total += size;
    if (size > limits.fileBytes) throw tooLarge(`chart file ${quote(name)} is larger than the maximum file size ${limits.fileBytes}`);
  }
  if (total > limits.chartBytes) throw tooLarge(`chart has ${total} bytes, more than ${limits.chartBytes}`);
}

const tooLarge = (problem: string, where?: SourcePlace): ChartError =>
  new ChartError('LIMIT_EXCEEDED', problem, { cure: 'List what templates do not need in .helmignore.', ...(where ? { where } : {}) });

function load(files: readonly ChartFile[], options: Loading, depth: number): Chart {
  if (depth > maxChartDepth) throw tooLarge(`charts are nested more than ${maxChartDepth} deep`, { file: 'Chart.yaml', line: 1 });
  const { budget } = options;
  const meter = { spend: (steps: number): void => budget.step(steps) };
  const texts = new Map(files.map((file) => [file.name, file]));
  const bytes = (name: string): Uint8Array | undefined => {
    const file = texts.get(name);
    return file && stripMark(file.data);
  };
  const text = (name: string): string | undefined => {
    const data = bytes(name);
    return data && fromBytes(data);
  };
  const chartYaml = text('Chart.yaml');
  const requirements = text('requirements.yaml');
  const parts = [chartYaml, requirements].filter((part) => part !== undefined);
  const metadata = reading(chartYaml === undefined ? 'requirements.yaml' : 'Chart.yaml', () => readMetadata(parts));
  if (parts.length === 0)
    throw new ChartError('CHART_INVALID', 'Chart.yaml file is missing', { cure: 'Name a folder or archive that holds a chart.' });
  const lockFile = ['requirements.lock', 'Chart.lock'].find((name) => texts.has(name));
  const lock = lockFile === undefined ? undefined : reading(lockFile, () => readLock(text(lockFile) ?? ''));
  const valuesText = text('values.yaml');
  const values =
    valuesText === undefined ? new Map() : reading('values.yaml', () => readValues(valuesText, options.multiDocumentValues ?? true, meter));
  // All files are read before any is judged: of several mistakes, Helm names one that cannot be read.
  checkMetadata(metadata);
  const sorted = sortFiles(files, metadata.apiVersion);
  const dependencies = [...sorted.charts].flatMap(([folder, inner]) => loadSubchart(folder, inner, metadata.name, options, depth));
  const old = metadata.apiVersion === 'v1';
  return {
    metadata,
    values,
    valuesFile: bytes('values.yaml'),
    dependenciesFile: requirements === undefined ? bytes('Chart.yaml') : bytes('requirements.yaml'),
    lock,
    warnings: [
      ...(texts.has('requirements.lock') && !old ? [oldLock] : []),
      ...(requirements !== undefined && !old ? [oldDependencies] : []),
      ...dependencies.flatMap((child) => child.warnings),
    ],
    schema: bytes('values.schema.json'),
    templates: sorted.templates,
    files: sorted.files,
    dependencies,
  };
}

const oldLock = 'Warning: Dependency locking is handled in Chart.lock since apiVersion "v2". We recommend migrating to Chart.lock.';
const oldDependencies =
  'Warning: Dependencies are handled in Chart.yaml since apiVersion "v2". We recommend migrating dependencies to Chart.yaml.';

function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof LimitReached) throw error.toChartError(file, 1, undefined, 'Take out values that nobody needs.');
    if (!(error instanceof ConversionError)) throw error;
    const where = error.line > 0 ? { file, line: error.line } : { file };
    throw new ChartError(error.isLimit ? 'LIMIT_EXCEEDED' : 'CHART_INVALID', `cannot load ${file}: ${error.message}`, { where });
  }
}

/** A values file: one document, or several merged in order. @throws ConversionError */
export function readValues(text: string, multiDocument: boolean, meter?: YamlMeter): ValueMap {
  if (!multiDocument) return yamlToMap(text, undefined, meter);
  let values: ValueMap = new Map();
  for (const document of documentsOf(text)) {
    try {
      const map = yamlToMap(document.text, undefined, meter);
      values = values.size === 0 ? map : mergeMaps(values, map);
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error;
      throw new ConversionError(`cannot unmarshal yaml document: ${error.message}`, { cause: error }, document.line);
    }
  }
  return values;
}

interface Sorted {
  readonly templates: ChartTemplate[];
  readonly files: ChartFile[];
  /** Files below `charts/`, by the first part of their path. */
  readonly charts: Map<string, ChartFile[]>;
}

function sortFiles(files: readonly ChartFile[], apiVersion: string): Sorted {
  const sorted: Sorted = { templates: [], files: [], charts: new Map() };
  for (const file of files) {
    const { name } = file;
    if (name === 'Chart.yaml' || name === 'Chart.lock' || name === 'values.yaml' || name === 'values.schema.json') continue;
    if (name === 'requirements.yaml' || name === 'requirements.lock') {
      if (apiVersion === 'v1') sorted.files.push(withoutMark(file));
    } else if (name.startsWith('templates/')) sorted.templates.push({ name, text: fromBytes(stripMark(file.data)), parsed: new Map() });
    else if (name.startsWith('charts/') && !name.endsWith('.prov')) {
      const inner = name.slice('charts/'.length);
      const folder = inner.split('/')[0] as string;
      const list = sorted.charts.get(folder) ?? [];
      list.push(renamed(file, inner));
      sorted.charts.set(folder, list);
    } else sorted.files.push(withoutMark(file));
  }
  return sorted;
}

function loadSubchart(folder: string, files: readonly ChartFile[], parent: string, options: Loading, depth: number): Chart[] {
  if (/^[_.]/.test(folder)) return [];
  try {
    if (folder.endsWith('.tgz')) {
      const [archive] = files;
      if (!archive || archive.name !== folder)
        throw new Error(`error unpacking subchart tar in ${parent}: expected ${folder}, got ${archive?.name}`);
      if (!options.unpack)
        throw new ChartError('UNSUPPORTED', 'packed subcharts cannot be opened here', { cure: 'Unpack the archives in charts/.' });
      return [load(options.unpack(archive.data), options, depth + 1)];
    }
    const inner = files.filter((file) => file.name.includes('/')).map((file) => renamed(file, file.name.slice(folder.length + 1)));
    return [load(inner, options, depth + 1)];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code: ChartErrorCode = error instanceof ChartError ? error.code : 'CHART_INVALID';
    const where = error instanceof ChartError && error.where ? { ...error.where, file: `charts/${folder}/${error.where.file}` } : undefined;
    throw new ChartError(code, `error unpacking subchart ${folder} in ${parent}: ${error.message}`, {
      cause: error,
      ...(where ? { where } : {}),
    });
  }
}
