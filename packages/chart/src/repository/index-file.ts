import { ChartError } from '../errors.ts';
import { type Constraint, ConstraintError, parseConstraint, satisfies } from '../semver/constraint.ts';
import { compareVersions, parseVersion, type Version } from '../semver/version.ts';
import { JsonError, readJson } from '../value/json.ts';
import type { Value } from '../value/kinds.ts';
import { fromBytes } from '../value/text.ts';
import { ConversionError, yamlToValue } from '../yaml/values.ts';

/** index.yaml of a repository of charts: for each name its versions, newest first. */
export interface RepositoryIndex {
  readonly charts: ReadonlyMap<string, readonly IndexEntry[]>;
}

export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly urls: readonly string[];
  /** SHA-256 of the archive in hexadecimal, where the repository tells it. */
  readonly digest: string;
}

/** Bytes of an index that are read; the largest public ones have some 20 MB. */
export const maxIndexBytes = 64 * 1024 * 1024;
/** Nodes of its YAML: an entry has some 40, and all that were ever published stay in it. */
const maxIndexNodes = 1_500_000;
/** Entries over all names. */
const maxEntries = 500_000;

/** @throws ChartError with Helm's words */
export function readRepositoryIndex(data: Uint8Array): RepositoryIndex {
  if (data.length === 0) throw invalid('empty index.yaml file');
  if (data.length > maxIndexBytes) throw new ChartError('LIMIT_EXCEEDED', `the index has more than ${maxIndexBytes} bytes`);
  const value = parse(fromBytes(data));
  if (!(value instanceof Map))
    throw invalid('error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type repo.IndexFile');
  const entries = value.get('entries');
  const charts = new Map<string, readonly IndexEntry[]>();
  let count = 0;
  for (const [name, versions] of entries instanceof Map ? entries : []) {
    if (!Array.isArray(versions)) continue;
    count += versions.length;
    if (count > maxEntries) throw new ChartError('LIMIT_EXCEEDED', `the index has more than ${maxEntries} charts`);
    charts.set(name, newestFirst(versions.flatMap(readEntry)));
  }
  if (textOf(value.get('apiVersion')) === '') throw invalid('no API version specified');
  return { charts };
}

const invalid = (problem: string): ChartError =>
  new ChartError('CHART_INVALID', problem, { cure: 'Look whether the address is that of a repository of charts.' });

function parse(text: string): Value {
  try {
    return /^\s*\{/.test(text) ? readJson(text) : yamlToValue(text, false, { spend: () => {}, mostNodes: maxIndexNodes });
  } catch (error) {
    if (error instanceof ConversionError || error instanceof JsonError) throw invalid(error.message);
    throw error;
  }
}

const textOf = (value: Value): string => (typeof value === 'string' ? value : '');

/** An entry without a usable name or version is left out, as in Helm. */
function readEntry(value: Value): IndexEntry[] {
  if (!(value instanceof Map)) return [];
  const [name, version] = [textOf(value.get('name')), textOf(value.get('version'))];
  if (name === '' || !parseVersion(version)) return [];
  const urls = value.get('urls');
  return [{ name, version, urls: Array.isArray(urls) ? urls.map(textOf) : [], digest: textOf(value.get('digest')) }];
}

function newestFirst(entries: readonly IndexEntry[]): IndexEntry[] {
  const versions = new Map(entries.map((entry) => [entry, parseVersion(entry.version) as Version]));
  return [...entries].sort((a, b) => compareVersions(versions.get(b) as Version, versions.get(a) as Version));
}

/** The newest version that fits; an empty one means the newest that is no pre-release. Undefined where none does. @throws ChartError where the range is none */
export function findInIndex(index: RepositoryIndex, name: string, version: string): IndexEntry | undefined {
  const entries = index.charts.get(name) ?? [];
  const fits = versionTest(version);
  return (version === '' ? undefined : entries.find((entry) => entry.version === version)) ?? entries.find((entry) => fits(entry.version));
}

/** Whether versions are in a range; the empty range is `*`. @throws ChartError */
export function versionTest(range: string): (version: string) => boolean {
  let constraint: Constraint;
  try {
    constraint = parseConstraint(range === '' ? '*' : range);
  } catch (error) {
    if (error instanceof ConstraintError)
      throw new ChartError('VALUES_INVALID', error.message, { cure: 'Give a version or a range such as ^1.2.' });
    throw error;
  }
  return (version) => {
    const parsed = parseVersion(version);
    return parsed !== undefined && satisfies(parsed, constraint);
  };
}

/** An address of the index, which may be relative to the repository's. @throws ChartError */
export function resolveChartUrl(repository: string, reference: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(reference)) return reference;
  if (!URL.canParse(repository)) throw invalid(`failed to parse ${repository} as URL`);
  const base = new URL(repository);
  base.pathname = `${base.pathname.replace(/\/$/, '')}/`;
  const resolved = new URL(reference, base);
  resolved.search = base.search;
  return resolved.href;
}

/** Versions in descending order; what is no strict version is left out. */
export function sortVersions(versions: readonly string[]): string[] {
  const parsed = versions.flatMap((text) => {
    const version = /^\d+\.\d+\.\d+(?:[-+]|$)/.test(text) ? parseVersion(text) : undefined;
    return version ? [version] : [];
  });
  return parsed.sort((a, b) => compareVersions(b, a)).map(({ original }) => original);
}
