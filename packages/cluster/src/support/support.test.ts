import type { Pod } from '@desp/kube';
import { describe, expect, test } from 'vitest';
import { builtinResources } from '../api/resources/builtin.ts';
import { parseServiceNetwork } from '../api/resources/services.ts';
import { refusalOf } from '../node/refusals.ts';
import { findSchema, isObject, type Json, type JsonObject, type Schema, type StructSchema } from '../schema/index.ts';
import { isSet, shortNameOf, structOf, structTable, treatmentOf } from './field-treatment.ts';
import { kindsTable } from './kinds-table.ts';
import type { Ignored, StructTreatment } from './treatment.ts';
import { ignoredFields } from './warnings.ts';

const resources = builtinResources(parseServiceNetwork('10.96.0.0/16')!, {});
const acting = resources.filter(({ storage }) => kindsTable[storage]?.level === 'acts');

interface Place {
  readonly storage: string;
  readonly root: StructSchema;
  /** Fields from the object down to the structure, each with whether it is a list of such. */
  readonly way: readonly { readonly field: string; readonly schema: Schema }[];
  readonly struct: StructSchema;
  readonly treatment: StructTreatment | undefined;
}

/** Every structure that can be reached through fields that are acted upon, at each of its places, not within itself. */
function places(): Place[] {
  const found: Place[] = [];
  for (const { storage, schema } of acting) {
    const root = schema()!;
    const visit = (struct: StructSchema, way: Place['way'], owner?: { name: string; field: string }, above: readonly string[] = []) => {
      const treatment = treatmentOf(struct, owner);
      found.push({ storage, root, way, struct, treatment });
      for (const [field, { schema: inner }] of struct.fields) {
        const next = structOf(inner);
        if (next === undefined || above.includes(next.name) || !treatment?.acts?.includes(field)) continue;
        visit(next, [...way, { field, schema: inner }], { name: shortNameOf(struct), field }, [...above, struct.name]);
      }
    };
    visit(root, []);
  }
  return found;
}

/** The object of the kind with this value at that place. */
function objectWith({ way }: Place, value: JsonObject): JsonObject {
  return way.reduceRight<JsonObject>((inner, { field, schema }) => ({ [field]: wrap(schema, inner) }), value);
}

function wrap(schema: Schema, value: Json): Json {
  if (schema.kind === 'list') return [wrap(schema.items, value)];
  return schema.kind === 'map' ? { key: wrap(schema.values, value) } : value;
}

/** Some value of the schema that says something. */
function sample(schema: Schema, depth = 0): Json {
  if (schema.kind === 'list') return [sample(schema.items, depth)];
  if (schema.kind === 'map') return { key: sample(schema.values, depth) };
  if (schema.kind === 'any') return { a: 'b' };
  if (schema.kind === 'scalar') return schema.type === 'boolean' ? true : schema.type === 'integer' || schema.type === 'number' ? 7 : 'x';
  const [first] = schema.fields;
  return first === undefined || depth > 5 ? { x: 'y' } : { [first[0]]: sample(first[1].schema, depth + 1) };
}

/** A structure's value with this field set so that it has no effect. */
function ignoredExample(struct: StructSchema, field: string, rule: Ignored): JsonObject {
  const { schema } = struct.fields.get(field)!;
  if (typeof rule === 'string') return { [field]: sample(schema) };
  if (rule.when !== undefined) return rule.when.example;
  const value = rule.only?.[0] ?? 'x';
  return { [field]: schema.kind === 'list' ? [value] : schema.kind === 'map' ? { 'example.com/thing': '1' } : value };
}

describe('what becomes of each field', () => {
  const all = places();

  test('every kind that is served has its line, and no other', () => {
    expect(Object.keys(kindsTable).sort()).toEqual(resources.map(({ storage }) => storage).sort());
  });

  test('no field of the schema that somebody might act upon is silently ignored', () => {
    const missing = all.flatMap(({ struct, treatment, way }) =>
      [...struct.fields.keys()]
        .filter((field) => !namesOf(treatment).includes(field))
        .map((field) => `${shortNameOf(struct)}.${field} (${[...way.map((step) => step.field), field].join('.')})`),
    );
    expect([...new Set(missing)]).toEqual([]);
  });

  test('no entry names a field twice, or one that the schema does not have, or a structure that nothing leads to', () => {
    const twice = Object.entries(structTable).filter(([, treatment]) => new Set(namesOf(treatment)).size < namesOf(treatment).length);
    expect(twice.map(([name]) => name)).toEqual([]);
    const stale = all.flatMap(({ struct, treatment }) =>
      namesOf(treatment)
        .filter((field) => !struct.fields.has(field))
        .map((field) => `${shortNameOf(struct)}.${field}`),
    );
    expect([...new Set(stale)]).toEqual([]);
    const reached = new Set(all.map(({ treatment }) => treatment));
    expect(Object.entries(structTable).flatMap(([name, treatment]) => (reached.has(treatment) ? [] : [name]))).toEqual([]);
  });

  test('each field without effect raises a warning that names its path, at every place where it can stand', () => {
    let warned = 0;
    for (const place of all) {
      for (const [field, rule] of Object.entries(place.treatment?.ignored ?? {})) {
        const object = objectWith(place, ignoredExample(place.struct, field, rule));
        const path = [...place.way.map(({ field: step, schema }) => step + marks(schema)), field].join('.');
        const reason = typeof rule === 'string' ? rule : rule.reason;
        const found = ignoredFields(place.storage, object, place.root);
        expect(
          found.filter((sentence) => sentence.startsWith(path) && sentence.endsWith(reason)),
          `${place.storage} ${path}`,
        ).toHaveLength(1);
        warned += 1;
      }
    }
    expect(warned).toBeGreaterThan(200);
  });

  test('a field that is acted upon, says nothing, or is empty raises none', () => {
    for (const place of all) {
      const { acts = [], inert = [], ignored = {} } = place.treatment ?? {};
      for (const field of [...acts, ...inert].filter((name) => structOf(place.struct.fields.get(name)!.schema) === undefined)) {
        const object = objectWith(place, { [field]: sample(place.struct.fields.get(field)!.schema) });
        expect(ignoredFields(place.storage, object, place.root), `${shortNameOf(place.struct)}.${field}`).toEqual([]);
      }
      for (const field of Object.keys(ignored)) {
        const { schema } = place.struct.fields.get(field)!;
        const empty = schema.kind === 'list' ? [] : schema.kind === 'scalar' ? '' : {};
        expect(ignoredFields(place.storage, objectWith(place, { [field]: empty }), place.root)).toEqual([]);
      }
    }
  });

  test('what the table says the node refuses, the node refuses', () => {
    const pod = findSchema({ group: '', version: 'v1', kind: 'Pod' });
    const refused: string[] = [];
    for (const place of all.filter(({ root, way }) => root === pod && !way.some(({ field }) => field === 'initContainers'))) {
      for (const [field, { example, by }] of Object.entries(place.treatment?.refused ?? {})) {
        if (by !== 'node') continue;
        const made = objectWith(place, { [field]: example }) as { spec: JsonObject };
        const named = (list: Json | undefined): Json[] =>
          (Array.isArray(list) ? list : []).map((item) => ({ name: 'n', ...(item as JsonObject) }));
        const spec = { ...made.spec, containers: named(made.spec['containers'] ?? [{}]), volumes: named(made.spec['volumes']) };
        const name = [...place.way.map((step) => step.field), field].join('.');
        expect(refusalOf({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec } as unknown as Pod), name).toBeDefined();
        refused.push(name);
      }
    }
    expect(refused.length).toBeGreaterThan(40);
  });

  test('the sentences of one object are bounded, however large it is', () => {
    const containers = Array.from({ length: 400 }, (_, index) => ({
      name: `c${index}`,
      terminationMessagePolicy: 'FallbackToLogsOnError',
    }));
    const schema = findSchema({ group: '', version: 'v1', kind: 'Pod' });
    expect(ignoredFields('pods', { spec: { containers } }, schema)).toEqual([
      'spec.containers[0].terminationMessagePolicy FallbackToLogsOnError (and 399 more like it) has no effect in this rehearsal cluster: only the message file is read; `kubectl logs --previous` shows the log',
    ]);
    const spec = sampleAll(structOf(schema!.fields.get('spec')!.schema)!);
    const many = ignoredFields('pods', { spec }, schema);
    expect(many).toHaveLength(21);
    expect(many.at(-1)).toMatch(/^\d+ more fields have no effect/);
  });

  test('a rule in CEL deep in a definition is told of', () => {
    const schema = findSchema({ group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' });
    const rule = { 'x-kubernetes-validations': [{ rule: 'self > 1' }] };
    const openAPIV3Schema = {
      type: 'object',
      properties: { spec: { type: 'array', items: { type: 'object', additionalProperties: rule } } },
    };
    expect(
      ignoredFields('apiextensions.k8s.io/customresourcedefinitions', { spec: { versions: [{ schema: { openAPIV3Schema } }] } }, schema),
    ).toEqual([
      'spec.versions[0].schema.openAPIV3Schema.properties.spec.items.additionalProperties.x-kubernetes-validations has no effect in this rehearsal cluster: CEL rules are not evaluated; the rest of the schema is',
    ]);
  });
});

function namesOf(treatment: StructTreatment | undefined): string[] {
  const { acts = [], inert = [], ignored = {}, refused = {} } = treatment ?? {};
  return [...acts, ...inert, ...Object.keys(ignored), ...Object.keys(refused)];
}

const marks = (schema: Schema): string => (schema.kind === 'list' ? '[0]' : schema.kind === 'map' ? '.key' : '');

/** Every field set, to a depth. */
function sampleAll(struct: StructSchema, depth = 0): JsonObject {
  const value: JsonObject = {};
  for (const [field, { schema }] of struct.fields) {
    const inner = structOf(schema);
    const made = inner === undefined || depth > 4 ? sample(schema) : wrap(schema, sampleAll(inner, depth + 1));
    if (isSet(made) && (isObject(made) || made !== undefined)) value[field] = made;
  }
  return value;
}
