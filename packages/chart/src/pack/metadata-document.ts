import type { Dependency, Metadata } from '../loader/metadata.ts';
import type { Value, ValueMap } from '../value/kinds.ts';
import { writeYaml } from '../yaml/writer.ts';

/** Chart.yaml as Helm writes it anew: known keys only, sorted, empty ones left out. Comments do not survive. */
export function formatMetadata(metadata: Metadata): string {
  return writeYaml(toMap(metadataPairs(metadata)));
}

/** The same as JSON in Go's order of fields: the configuration of a chart in a registry. */
export function metadataJson(metadata: Metadata): string {
  return goJson(metadataPairs(metadata));
}

/** Keys and values in Go's order; a list of pairs is a struct, sorted only where it becomes YAML. */
type Field = string | boolean | readonly Field[] | Pairs;
interface Pairs {
  readonly pairs: readonly (readonly [string, Field])[];
}

const struct = (...pairs: (readonly [string, Field | undefined])[]): Pairs => ({
  pairs: pairs.filter((pair): pair is readonly [string, Field] => !isEmpty(pair[1])),
});

const isEmpty = (value: Field | undefined): boolean =>
  value === undefined ||
  value === '' ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && 'pairs' in value && value.pairs.length === 0);

function metadataPairs(metadata: Metadata): Pairs {
  return struct(
    ['name', metadata.name],
    ['home', metadata.home],
    ['sources', metadata.sources],
    ['version', metadata.version],
    ['description', metadata.description],
    ['keywords', metadata.keywords],
    ['maintainers', metadata.maintainers?.map(({ name, email, url }) => struct(['name', name], ['email', email], ['url', url]))],
    ['icon', metadata.icon],
    ['apiVersion', metadata.apiVersion],
    ['condition', metadata.condition],
    ['tags', metadata.tags],
    ['appVersion', metadata.appVersion],
    ['deprecated', metadata.deprecated],
    ['annotations', metadata.annotations && { pairs: [...metadata.annotations].sort(([a], [b]) => (a < b ? -1 : 1)) }],
    ['kubeVersion', metadata.kubeVersion],
    ['dependencies', metadata.dependencies?.map(dependencyPairs)],
    ['type', metadata.type],
  );
}

function dependencyPairs(item: Dependency): Pairs {
  const { pairs } = struct(
    ['version', item.version],
    ['condition', item.condition],
    ['tags', item.tags],
    ['enabled', item.enabled],
    [
      'import-values',
      item.importValues?.map((entry) => (typeof entry === 'string' ? entry : struct(['child', entry.child], ['parent', entry.parent]))),
    ],
    ['alias', item.alias],
  );
  const version = pairs.filter(([key]) => key === 'version');
  return { pairs: [['name', item.name], ...version, ['repository', item.repository], ...pairs.filter(([key]) => key !== 'version')] };
}

const toMap = ({ pairs }: Pairs): ValueMap => new Map(pairs.map(([key, value]) => [key, toValue(value)]));

function toValue(value: Field): Value {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  return 'pairs' in value ? toMap(value) : value.map(toValue);
}

/** A string as encoding/json writes it: `<`, `>`, `&` and the line separators are escaped. */
export const goJsonString = (text: string): string =>
  JSON.stringify(text).replace(/[<>&\u2028\u2029]|\\[bf]/g, (found) =>
    found === '\\b' ? '\\u0008' : found === '\\f' ? '\\u000c' : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function goJson(value: Field): string {
  if (typeof value === 'string') return goJsonString(value);
  if (typeof value === 'boolean') return String(value);
  if ('pairs' in value) return `{${value.pairs.map(([key, item]) => `${goJsonString(key)}:${goJson(item)}`).join(',')}}`;
  return `[${value.map(goJson).join(',')}]`;
}
