import { describe, expect, test } from 'vitest';
import { customSchema } from './custom.ts';
import { setDefaults } from './defaults/index.ts';
import { pruneUnknown, unknownFields } from './fields.ts';
import type { JsonObject } from './json.ts';
import { openApiV2Document } from './openapi/v2.ts';
import { openApiV3Document, openApiV3Root } from './openapi/v3.ts';
import { validateObject } from './validate/index.ts';

const gvk = { group: 'shop.example', version: 'v1', kind: 'Order' };
const schema = customSchema(gvk, {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      description: 'what was ordered',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 9 },
        name: { type: 'string', pattern: '^(a+)+$', maxLength: 40 },
        mode: { type: 'string', enum: ['fast', 'slow'], default: 'slow' },
        port: { 'x-kubernetes-int-or-string': true },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        lines: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['id'],
          items: { type: 'object', properties: { id: { type: 'string' }, count: { type: 'integer', default: 1 } } },
        },
        extra: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        nothing: { type: 'string', nullable: true },
      },
    },
  },
});
const order = (spec: JsonObject): JsonObject => ({
  apiVersion: 'shop.example/v1',
  kind: 'Order',
  metadata: { name: 'o', namespace: 'n' },
  spec,
});
const problems = (spec: JsonObject): string[] =>
  validateObject(order(spec), { schema, namespaced: true }).map((cause) => `${cause.field}: ${cause.message}`);

test('defaults fill in, also in items, and unknown fields go unless the schema keeps them', () => {
  const object = order({ size: 1, lines: [{ id: 'a' }], extra: { any: { thing: 1 } }, nothing: null, typo: 1 });
  expect(unknownFields(object, schema)).toEqual(['unknown field "spec.typo"']);
  const stored = setDefaults(pruneUnknown(object, schema), schema);
  expect(stored['spec']).toEqual({ size: 1, mode: 'slow', lines: [{ id: 'a', count: 1 }], extra: { any: { thing: 1 } }, nothing: null });
  expect(setDefaults(stored, schema)).toEqual(stored);
});

test.each<[JsonObject, string[]]>([
  [{ size: 3, name: 'aa', tags: ['x', 'y'], port: 'http' }, []],
  [{}, ['spec.size: Required value']],
  [{ size: '3' }, ['spec.size: Invalid value: "3": spec.size in body must be of type integer: "string"']],
  [{ size: 12 }, ['spec.size: Invalid value: 12: spec.size in body should be less than or equal to 9']],
  [{ size: 1, mode: 'odd' }, ['spec.mode: Unsupported value: "odd": supported values: "fast", "slow"']],
  [{ size: 1, name: 'b' }, ['spec.name: Invalid value: "b": spec.name in body should match \'^(a+)+$\'']],
  [{ size: 1, tags: ['x', 'x'] }, ['spec.tags[1]: Duplicate value: "x"']],
  [{ size: 1, lines: [{ id: 'a' }, { id: 'a' }] }, ['spec.lines[1]: Duplicate value: {"id":"a"}']],
])('%j gives %j', (spec, expected) => {
  expect(problems(spec)).toEqual(expected);
});

test('a pattern that backtracks elsewhere is quick here', () => {
  const started = process.cpuUsage().user;
  expect(problems({ size: 1, name: `${'a'.repeat(39)}b` })).toHaveLength(1);
  expect((process.cpuUsage().user - started) / 1000).toBeLessThan(500);
});

describe('schemas that are refused', () => {
  const nested = (levels: number): JsonObject => (levels === 0 ? { type: 'string' } : { type: 'array', items: nested(levels - 1) });

  test.each<[string, JsonObject]>([
    ['no object', { type: 'string' }],
    ['without a type', { type: 'object', properties: { a: {} } }],
    ['an unknown type', { type: 'object', properties: { a: { type: 'odd' } } }],
    ['a list without items', { type: 'object', properties: { a: { type: 'array' } } }],
    [
      'a map list without keys',
      { type: 'object', properties: { a: { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' } } },
    ],
    ['endless nesting', { type: 'object', properties: { a: nested(100) } }],
  ])('%s', (_, openAPIV3Schema) => {
    expect(() => customSchema(gvk, openAPIV3Schema)).toThrowError(expect.objectContaining({ code: 'MALFORMED' }));
  });
});

describe('OpenAPI documents', () => {
  const source = {
    version: 'v1.32.0+rehearsal',
    resources: [{ ...gvk, plural: 'orders', namespaced: true, subresources: [] }],
    schemaOf: () => schema,
  };

  test('the root names each document with its hash, and the document describes the kind', () => {
    const document = openApiV3Document(source, 'apis/shop.example/v1')!;
    expect(openApiV3Root(source)).toEqual({
      paths: { 'apis/shop.example/v1': { serverRelativeURL: `/openapi/v3/apis/shop.example/v1?hash=${document.hash}` } },
    });
    const content = JSON.parse(document.body) as { components: { schemas: Record<string, JsonObject> }; paths: Record<string, JsonObject> };
    expect(content.components.schemas['example.shop.v1.Order']).toMatchObject({
      'x-kubernetes-group-version-kind': [gvk],
      properties: { spec: { description: 'what was ordered', properties: { lines: { 'x-kubernetes-list-map-keys': ['id'] } } } },
    });
    expect(content.paths['/apis/shop.example/v1/namespaces/{namespace}/orders/{name}']).toHaveProperty('patch');
    for (const [, name] of document.body.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(content.components.schemas).toHaveProperty([name!]);
    expect(openApiV3Document(source, 'apis/none/v1')).toBeUndefined();
  });

  test('version 2 names path, kind and parameters in protobuf', () => {
    const { body, hash } = openApiV2Document(source);
    const text = Buffer.from(body).toString('latin1');
    for (const part of [
      '/apis/shop.example/v1/namespaces/{namespace}/orders/{name}',
      'dryRun',
      'x-kubernetes-group-version-kind',
      'kind: "Order"',
    ])
      expect(text).toContain(part);
    expect(hash).toMatch(/^[0-9A-F]{128}$/);
    expect(openApiV2Document(source).body).toBe(body);
  });
});
