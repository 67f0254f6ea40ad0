import { ChartError } from '../errors.ts';
import { baseName } from '../functions/paths.ts';
import { parseVersion } from '../semver/version.ts';
import { GoInt, type Value, type ValueMap } from '../value/kinds.ts';
import { quote } from '../value/text.ts';
import { typeError } from '../yaml/fields.ts';
import { formatFloat32 } from '../yaml/reader.ts';
import { ConversionError, yamlToValue } from '../yaml/values.ts';

/** Chart.yaml, as far as Helm reads it. Absent strings are empty, absent lists undefined. */
export interface Metadata {
  readonly name: string;
  readonly home: string;
  readonly sources: readonly string[] | undefined;
  readonly version: string;
  readonly description: string;
  readonly keywords: readonly string[] | undefined;
  readonly maintainers: readonly Maintainer[] | undefined;
  readonly icon: string;
  readonly apiVersion: string;
  readonly condition: string;
  readonly tags: string;
  readonly appVersion: string;
  readonly deprecated: boolean;
  readonly annotations: ReadonlyMap<string, string> | undefined;
  readonly kubeVersion: string;
  readonly dependencies: readonly Dependency[] | undefined;
  readonly type: string;
}

export interface Maintainer {
  readonly name: string;
  readonly email: string;
  readonly url: string;
}

export interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
  readonly condition: string;
  readonly tags: readonly string[] | undefined;
  readonly enabled: boolean;
  readonly importValues: readonly ImportValue[] | undefined;
  readonly alias: string;
}

/** `import-values`: a name under `exports`, or a pair of paths. */
export type ImportValue = string | { readonly child: string; readonly parent: string };

/** Reads the fields of a YAML map as Go unmarshals them into strings, booleans and lists. */
export class Fields {
  readonly #map: ValueMap;
  readonly #type: string;
  /** Where the map stands: `dependencies.`; empty at the top. */
  readonly #above: string;

  constructor(map: ValueMap, type: string, above = '') {
    this.#map = map;
    this.#type = type;
    this.#above = above;
  }

  /** The key as written, or else one that differs in case only, as encoding/json has it. */
  get(name: string): Value {
    if (this.#map.has(name)) return this.#map.get(name) ?? null;
    const lower = name.toLowerCase();
    for (const [key, value] of this.#map) if (key.toLowerCase() === lower) return value ?? null;
    return null;
  }

  text(name: string): string {
    return this.#text(this.get(name), name);
  }

  #text(value: Value, name: string): string {
    if (value === null) return '';
    if (typeof value === 'string') return value;
    if (value instanceof GoInt) return value.toString();
    if (typeof value === 'number') return formatFloat32(value);
    if (typeof value === 'boolean') return String(value);
    return this.#fail(value, name, 'string');
  }

  flag(name: string): boolean {
    const value = this.get(name);
    if (value === null) return false;
    return typeof value === 'boolean' ? value : this.#fail(value, name, 'bool');
  }

  list(name: string): readonly Value[] | undefined {
    const value = this.get(name);
    if (value === null) return undefined;
    return Array.isArray(value) ? value : this.#fail(value, name, '[]');
  }

  texts(name: string): readonly string[] | undefined {
    return this.list(name)?.map((item) => this.#text(item, name));
  }

  textMap(name: string): ReadonlyMap<string, string> | undefined {
    const value = this.get(name);
    if (value === null) return undefined;
    if (!(value instanceof Map)) return this.#fail(value, name, 'map[string]string');
    return new Map([...value].map(([key, item]) => [key, this.#text(item, name)]));
  }

  maps(name: string, type: string): readonly (Fields | undefined)[] | undefined {
    return this.list(name)?.map((item) => {
      if (item === null) return undefined;
      return item instanceof Map ? new Fields(item, type, `${this.#above}${name}.`) : this.#fail(item, name, `${this.#type}.${type}`);
    });
  }

  #fail(value: Value, name: string, target: string): never {
    throw typeError(value, `Go struct field ${this.#type}.${this.#above}${name} of type ${target}`);
  }
}

/** unicode.IsSpace becomes a space, and what is not printable goes, as Helm sanitises texts. */
const sanitise = (text: string): string =>
  // Nearly all are plain, and the tables of Unicode's properties take a while to build.
  /^[ -~]*$/.test(text)
    ? text
    : text
        .replace(/[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/g, ' ')
        .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '');

function readMaintainer(fields: Fields | undefined): Maintainer {
  if (!fields) throw invalid('maintainers must not contain empty or null nodes');
  return { email: sanitise(fields.text('email')), name: sanitise(fields.text('name')), url: sanitise(fields.text('url')) };
}

function readDependency(fields: Fields | undefined): Dependency {
  if (!fields) throw invalid('dependencies must not contain empty or null nodes');
  const alias = sanitise(fields.text('alias'));
  const dependency = {
    alias,
    condition: sanitise(fields.text('condition')),
    enabled: fields.flag('enabled'),
    importValues: fields.list('import-values')?.flatMap(readImport),
    name: sanitise(fields.text('name')),
    repository: sanitise(fields.text('repository')),
    tags: fields.texts('tags')?.map(sanitise),
    version: sanitise(fields.text('version')),
  };
  if (alias !== '' && !/^[a-zA-Z0-9_-]+$/.test(alias))
    throw invalid(`dependency ${quote(dependency.name)} has disallowed characters in the alias`);
  return dependency;
}

function readImport(value: Value): ImportValue[] {
  if (typeof value === 'string') return [value];
  if (!(value instanceof Map)) return [];
  const shown = (key: string): string => {
    const item = value.get(key);
    return item === undefined || item === null ? '<nil>' : String(item);
  };
  return [{ child: shown('child'), parent: shown('parent') }];
}

const invalid = (problem: string): ChartError =>
  new ChartError('CHART_INVALID', `validation: ${problem}`, { cure: 'Mend Chart.yaml.', where: { file: 'Chart.yaml' } });

/** Chart.yaml before it is checked, with what requirements.yaml may add. */
export function readMetadata(texts: readonly string[]): Metadata {
  const merged: ValueMap = new Map();
  for (const text of texts) {
    const value = yamlToValue(text, true);
    if (value instanceof Map) for (const [key, item] of value) merged.set(key, item);
    else if (value !== null) {
      const kind = Array.isArray(value) ? 'array' : typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'bool' : 'number';
      throw new ConversionError(
        `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go value of type chart.Metadata`,
      );
    }
  }
  const fields = new Fields(merged, 'Metadata');
  // By name, as the keys come to Helm: of several wrong fields it names the first.
  return {
    annotations: fields.textMap('annotations'),
    apiVersion: fields.text('apiVersion') || 'v1',
    appVersion: sanitise(fields.text('appVersion')),
    condition: sanitise(fields.text('condition')),
    dependencies: fields.maps('dependencies', 'Dependency')?.map(readDependency),
    deprecated: fields.flag('deprecated'),
    description: sanitise(fields.text('description')),
    home: sanitise(fields.text('home')),
    icon: sanitise(fields.text('icon')),
    keywords: fields.texts('keywords')?.map(sanitise),
    kubeVersion: sanitise(fields.text('kubeVersion')),
    maintainers: fields.maps('maintainers', 'Maintainer')?.map(readMaintainer),
    name: sanitise(fields.text('name')),
    sources: fields.texts('sources')?.map(sanitise),
    tags: sanitise(fields.text('tags')),
    type: fields.text('type'),
    version: fields.text('version'),
  };
}

/** Helm's checks of Chart.yaml. @throws ChartError with Helm's message */
export function checkMetadata(metadata: Metadata): void {
  const { name, version, type } = metadata;
  if (name === '') throw invalid('chart.metadata.name is required');
  if (name === '.' || name === '..') throw invalid(`chart.metadata.name ${quote(name)} is not allowed`);
  if (name !== baseName(name)) throw invalid(`chart.metadata.name ${quote(name)} is invalid`);
  if (version === '') throw invalid('chart.metadata.version is required');
  if (!parseVersion(version)) throw invalid(`chart.metadata.version ${quote(version)} is invalid`);
  if (type !== '' && type !== 'application' && type !== 'library') throw invalid('chart.metadata.type must be application or library');
  const seen = new Set<string>();
  for (const { name: dependency, alias } of metadata.dependencies ?? []) {
    const key = alias || dependency;
    if (seen.has(key)) throw invalid(`more than one dependency with name or alias ${quote(key)}`);
    seen.add(key);
  }
}
