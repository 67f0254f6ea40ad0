import { method } from '../functions/define.ts';
import type { Dependency, Metadata } from '../loader/metadata.ts';
import type { WorkChart } from '../loader/work-chart.ts';
import type { Profile } from '../profile.ts';
import { type Methods, TypedList, TypedMap, type Value, type ValueMap } from '../value/kinds.ts';
import { GoResult } from '../value/result.ts';
import { GoStruct } from '../value/struct.ts';

/** `.Chart`: a struct in Helm 3, a map of the struct's fields in Helm 4. */
export function chartValue(chart: WorkChart, profile: Profile): Value {
  const fields = metadataFields(chart, profile.chartIsMap);
  if (profile.chartIsMap) return new Map([...fields, ['IsRoot', chart.isRoot]]);
  const metadata = new GoStruct({ type: 'chart.Metadata', kind: 'struct', fields, json: metadataJson(fields) });
  return new GoStruct({
    type: 'struct { chart.Metadata; IsRoot bool }',
    kind: 'struct',
    fields: [
      ['Metadata', metadata],
      ['IsRoot', chart.isRoot],
    ],
    promoted: metadata,
    json: new Map([...metadataJson(fields), ['IsRoot', chart.isRoot]]),
  });
}

type Fields = readonly (readonly [string, Value])[];

function metadataFields(chart: WorkChart, asMap: boolean): Fields {
  const { metadata } = chart;
  const texts = (items: readonly string[] | undefined): Value => (asMap ? [...(items ?? [])] : stringList(items));
  const records = (type: string, items: readonly Fields[] | undefined): Value => {
    if (asMap) return (items ?? []).map((fields) => new Map(fields));
    const pointers = (items ?? []).map(
      (fields) => new GoStruct({ type: `*${type}`, kind: 'ptr', fields, json: recordJson(type, fields), methods }),
    );
    return new TypedList(`[]*${type}`, pointers, items === undefined);
  };
  const people = metadata.maintainers?.map(maintainerFields);
  const dependencies = chart.declared?.map((item) => dependencyFields(item, asMap));
  return [
    ['Name', metadata.name],
    ['Home', metadata.home],
    ['Sources', texts(metadata.sources)],
    ['Version', metadata.version],
    ['Description', metadata.description],
    ['Keywords', texts(metadata.keywords)],
    ['Maintainers', records('chart.Maintainer', people)],
    ['Icon', metadata.icon],
    ['APIVersion', metadata.apiVersion],
    ['Condition', metadata.condition],
    ['Tags', metadata.tags],
    ['AppVersion', metadata.appVersion],
    ['Deprecated', metadata.deprecated],
    ['Annotations', annotations(metadata)],
    ['KubeVersion', metadata.kubeVersion],
    ['Dependencies', records('chart.Dependency', dependencies)],
    ['Type', metadata.type],
  ];
}

/** Both kinds of records have it; what is wrong with one ended the load. */
const methods: Methods = { Validate: method('Validate', [], () => new GoResult()) };

const stringList = (items: readonly string[] | undefined): TypedList => new TypedList('[]string', [...(items ?? [])], items === undefined);

const annotations = (metadata: Metadata): TypedMap =>
  new TypedMap('map[string]string', '', metadata.annotations, undefined, metadata.annotations === undefined);

const maintainerFields = (person: { name: string; email: string; url: string }): Fields => [
  ['Name', person.name],
  ['Email', person.email],
  ['URL', person.url],
];

function dependencyFields(item: Dependency, asMap: boolean): Fields {
  const imports = (item.importValues ?? []).map((entry) => {
    const pair = typeof entry === 'string' ? { child: `exports.${entry}`, parent: '.' } : entry;
    return new TypedMap('map[string]string', '', [
      ['child', pair.child],
      ['parent', pair.parent],
    ]);
  });
  return [
    ['Name', item.name],
    ['Version', item.version],
    ['Repository', item.repository],
    ['Condition', item.condition],
    ['Tags', asMap ? [...(item.tags ?? [])] : stringList(item.tags)],
    ['Enabled', item.enabled],
    ['ImportValues', asMap || imports.length > 0 ? imports : new TypedList('[]interface {}', [], true)],
    ['Alias', item.alias],
  ];
}

/** JSON names of fields; all but those in `always` are left out where they are empty. */
const jsonNames: Readonly<Record<string, string>> = { APIVersion: 'apiVersion', URL: 'url', ImportValues: 'import-values' };
const always: Readonly<Record<string, readonly string[]>> = { 'chart.Dependency': ['Name', 'Repository'] };

const metadataJson = (fields: Fields): ValueMap => recordJson('chart.Metadata', fields);

function recordJson(type: string, fields: Fields): ValueMap {
  const out: ValueMap = new Map();
  for (const [name, value] of fields) {
    if (isEmptyJson(value) && !always[type]?.includes(name)) continue;
    out.set(jsonNames[name] ?? `${name[0]?.toLowerCase()}${name.slice(1)}`, value);
  }
  return out;
}

function isEmptyJson(value: Value): boolean {
  if (value === '' || value === false) return true;
  if (value instanceof Map) return value.size === 0;
  if (Array.isArray(value)) return value.length === 0;
  return value instanceof TypedList && value.items.length === 0;
}
