import { goJsonString } from '../pack/metadata-document.ts';
import type { Value, ValueMap } from '../value/kinds.ts';
import { ConversionError, yamlToValue } from '../yaml/values.ts';
import { writeYaml } from '../yaml/writer.ts';
import { type Dependency, Fields } from './metadata.ts';

/** Chart.lock: which versions of its dependencies a chart was built with. */
export interface Lock {
  /** Of the declared and the locked dependencies, see `lockDigest`. */
  readonly digest: string;
  /** RFC 3339. */
  readonly generated: string;
  readonly dependencies: readonly LockedDependency[];
}

export interface LockedDependency {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
}

/** Go's zero time, which Helm writes where a lock has none. */
const noTime = '0001-01-01T00:00:00Z';
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** @throws ConversionError with Helm's words */
export function readLock(text: string): Lock | undefined {
  const value = yamlToValue(text, true);
  if (value === null) return undefined;
  if (!(value instanceof Map))
    throw new ConversionError('error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type v2.Lock');
  const fields = new Fields(value, 'Lock');
  const generated = fields.text('generated') || noTime;
  if (!timeForm.test(generated))
    throw new ConversionError(
      `error unmarshaling JSON: while decoding JSON: parsing time ${JSON.stringify(generated)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(generated)} as "2006"`,
    );
  return {
    digest: fields.text('digest'),
    generated,
    dependencies: (fields.maps('dependencies', 'Dependency') ?? []).flatMap((item) =>
      item ? [{ name: item.text('name'), version: item.text('version'), repository: item.text('repository') }] : [],
    ),
  };
}

/** Chart.lock as Helm writes it. */
export function formatLock({ digest, generated, dependencies }: Lock): string {
  const items = dependencies.map(({ name, version, repository }): ValueMap => {
    const item: ValueMap = new Map<string, Value>([
      ['name', name],
      ['repository', repository],
    ]);
    if (version !== '') item.set('version', version);
    return item;
  });
  return writeYaml(
    new Map<string, Value>([
      ['dependencies', items],
      ['digest', digest],
      ['generated', generated],
    ]),
  );
}

/** What Helm hashes to tell whether a lock is in step: the declared and the locked dependencies as Go writes them in JSON. */
export function lockDigestInput(declared: readonly Dependency[], locked: readonly LockedDependency[]): string {
  return `[${jsonList(declared.map(declaredJson))},${jsonList(locked.map((item) => declaredJson(item)))}]`;
}

/** The same of Helm 2, for charts of apiVersion v1. */
export const helm2DigestInput = (declared: readonly Dependency[]): string => `{"dependencies":${jsonList(declared.map(declaredJson))}}`;

const jsonList = (items: readonly string[]): string => (items.length === 0 ? 'null' : `[${items.join(',')}]`);

function declaredJson(item: LockedDependency | Dependency): string {
  const parts = [`"name":${goJsonString(item.name)}`];
  if (item.version !== '') parts.push(`"version":${goJsonString(item.version)}`);
  parts.push(`"repository":${goJsonString(item.repository)}`);
  if ('condition' in item) {
    if (item.condition !== '') parts.push(`"condition":${goJsonString(item.condition)}`);
    if (item.tags?.length) parts.push(`"tags":[${item.tags.map(goJsonString).join(',')}]`);
    if (item.enabled) parts.push('"enabled":true');
    if (item.importValues?.length) parts.push(`"import-values":[${item.importValues.map(importJson).join(',')}]`);
    if (item.alias !== '') parts.push(`"alias":${goJsonString(item.alias)}`);
  }
  return `{${parts.join(',')}}`;
}

const importJson = (item: NonNullable<Dependency['importValues']>[number]): string =>
  typeof item === 'string' ? goJsonString(item) : `{"child":${goJsonString(item.child)},"parent":${goJsonString(item.parent)}}`;
