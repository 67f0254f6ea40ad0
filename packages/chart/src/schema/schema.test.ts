import { describe, expect, test } from 'vitest';
import { ChartError } from '../errors.ts';
import { loadChart } from '../loader/load.ts';
import { render } from '../render/render.ts';

/** Schemas from strangers: nothing outside of them is read, and each ends soon. Helm's own words are in test-data/schemas.txt. */

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function failure(schema: string, values: string): ChartError | undefined {
  const chart = loadChart([
    { name: 'Chart.yaml', data: bytes('apiVersion: v2\nname: s\nversion: 1.0.0') },
    { name: 'values.yaml', data: bytes(values) },
    { name: 'values.schema.json', data: bytes(schema) },
  ]);
  try {
    render(chart, { release: { name: 'r', namespace: 'n' } });
    return undefined;
  } catch (error) {
    if (error instanceof ChartError) return error;
    throw error;
  }
}

test.each([
  'https://example.com/x.json',
  'http://example.com/x.json#/a',
  'file:///etc/passwd',
  '../x.json',
  '/etc/hostname',
  '//example.com/x',
])('a reference to %s is refused', (reference) => {
  const error = failure(JSON.stringify({ properties: { v: { $ref: reference } } }), 'v: 1');
  expect(error?.message).toContain('nothing outside of values.schema.json is read or fetched');
});

test.each(['https://example.com/schema', 'file:///etc/passwd'])('a schema of schemas at %s is refused', (url) => {
  expect(failure(JSON.stringify({ $schema: url }), 'v: 1')?.message).toContain('nothing outside of values.schema.json is read or fetched');
});

const nested = (depth: number, inner: string): string => `${'{"not":'.repeat(depth)}${inner}${'}'.repeat(depth)}`;
const doubling = (levels: number): string => {
  const defs = Array.from({ length: levels }, (_item, level) => [
    `a${level}`,
    level === 0 ? { type: 'object' } : { allOf: Array(2).fill({ $ref: `#/$defs/a${level - 1}` }) },
  ]);
  return JSON.stringify({ $defs: Object.fromEntries(defs), $ref: `#/$defs/a${levels - 1}` });
};

describe('a runaway schema ends within its limits', () => {
  const repeated = (count: number, part: unknown): unknown[] => Array(count).fill(part);
  const many = (count: number, part: unknown): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length: count }, (_item, index) => [`a${index}`, part]));
  const longKey = 'k'.repeat(1_000_000);
  const runaways: Record<string, readonly [schema: string, values: string, code: ChartError['code'] | undefined]> = {
    'references that double': [doubling(60), 'a: 1', 'LIMIT_EXCEEDED'],
    'deep nesting': [nested(900, '{"type":"object"}'), 'a: 1', undefined],
    'nesting past all depth': [nested(100_000, '{}'), 'a: 1', 'LIMIT_EXCEEDED'],
    'deep values': [
      '{"$defs":{"l":{"items":{"$ref":"#/$defs/l"}}},"properties":{"v":{"$ref":"#/$defs/l"}}}',
      `v: ${'['.repeat(300)}${']'.repeat(300)}`,
      undefined,
    ],
    'large patterns, many of them': [
      JSON.stringify({
        patternProperties: Object.fromEntries(Array.from({ length: 20_000 }, (_item, index) => [`(a{100}){9}${index}`, {}])),
      }),
      'a: 1',
      'LIMIT_EXCEEDED',
    ],
    'patterns that are nearly too large': [
      JSON.stringify({
        patternProperties: Object.fromEntries(Array.from({ length: 5000 }, (_item, index) => [`(?:${'a'.repeat(450)}){100}${index}`, {}])),
      }),
      'a: 1',
      'LIMIT_EXCEEDED',
    ],
    'patterns that are too large': [
      JSON.stringify({
        enum: [1],
        patternProperties: Object.fromEntries(Array.from({ length: 5000 }, (_item, index) => [`(?:${'a'.repeat(600)}){100}${index}`, {}])),
      }),
      'a: 1',
      'LIMIT_EXCEEDED',
    ],
    'items that must differ': [
      '{"properties":{"v":{"uniqueItems":true}}}',
      `v: [${Array.from({ length: 20_000 }, (_item, index) => index).join(',')}]`,
      'LIMIT_EXCEEDED',
    ],
    'a number of a million digits': [
      `{"properties":{"v":{"multipleOf":1e-999999,"maximum":${'9'.repeat(1_000_000)}}}}`,
      'v: 1e300',
      undefined,
    ],
    'a million zeros inside a number': [`{"properties":{"v":{"maximum":1${'0'.repeat(1_000_000)}1}}}`, 'v: 1', undefined],
    'a number of many digits that is nearly the values': [
      `{"properties":{"v":{"items":{"minimum":0.${'9'.repeat(100_000)}}}}}`,
      `v: [${repeated(20_000, 1).join(',')}]`,
      'LIMIT_EXCEEDED',
    ],
    'multiples of a number of many digits': [
      `{"properties":{"v":{"multipleOf":0.${'0'.repeat(500_000)}${'7'.repeat(500_000)}}}}`,
      'v: 3',
      'LIMIT_EXCEEDED',
    ],
    'powers of ten that must differ': [
      `{"$schema":"http://json-schema.org/draft-07/schema","enum":[${Array.from({ length: 1000 }, (_item, index) => `1e${999_999 - index}`).join(',')}]}`,
      'v: 3',
      'SCHEMA_VIOLATION',
    ],
    'a large choice, often': [
      JSON.stringify({ properties: { v: { items: { enum: Array.from({ length: 20_000 }, (_item, index) => index) } } } }),
      `v: [${repeated(20_000, 19_999).join(',')}]`,
      'LIMIT_EXCEEDED',
    ],
    'schemas at long places': [JSON.stringify({ properties: { [longKey]: { properties: many(50_000, true) } } }), 'a: 1', 'LIMIT_EXCEEDED'],
    'schemas of another dialect at long places': [
      JSON.stringify({ enum: [1], $defs: { x: { $id: 'y' } }, properties: { [longKey]: { properties: many(50_000, {}) } } }),
      'a: 1',
      'LIMIT_EXCEEDED',
    ],
    'long ids': [
      JSON.stringify({
        $id: `http://x/${longKey}/`,
        $defs: Object.fromEntries(Array.from({ length: 5000 }, (_item, index) => [`a${index}`, { $id: `b${index}` }])),
      }),
      'a: 1',
      'LIMIT_EXCEEDED',
    ],
    'references from a long id': [
      JSON.stringify({ $id: `http://x/${longKey}/`, $defs: { y: { $id: 'y' } }, properties: many(50_000, { $ref: 'y' }) }),
      'a: 1',
      'LIMIT_EXCEEDED',
    ],
    'a long name that is refused often': [
      JSON.stringify({ allOf: repeated(20_000, { propertyNames: false }) }),
      `? ${longKey}\n: 1`,
      'LIMIT_EXCEEDED',
    ],
    'a long place that is named often': [
      JSON.stringify({ additionalProperties: { allOf: repeated(100_000, false) } }),
      `? ${longKey}\n: 1`,
      'LIMIT_EXCEEDED',
    ],
    'violations at a deep place': [
      `{"$defs":{"l":{"items":{"$ref":"#/$defs/l"},"anyOf":[{"minItems":1},{"allOf":[${repeated(100_000, false).join(',')}]}]}},"$ref":"#/$defs/l","properties":{"v":{"$ref":"#/$defs/l"}}}`,
      `v: ${'['.repeat(200)}${']'.repeat(200)}`,
      'LIMIT_EXCEEDED',
    ],
    'references below a long place': [
      JSON.stringify({ $defs: { [longKey]: { $id: 'y', $defs: { x: {} }, properties: many(20_000, { $ref: '#/$defs/x' }) } }, $ref: 'y' }),
      'a: 1',
      'LIMIT_EXCEEDED',
    ],
    'dynamic anchors below a long place': [
      JSON.stringify({
        $defs: {
          [longKey]: {
            $id: 'y',
            properties: Object.fromEntries(
              Array.from({ length: 20_000 }, (_item, index) => [`a${index}`, { $dynamicAnchor: `x${index}` }]),
            ),
          },
        },
        $ref: 'y#x1',
      }),
      'a: 1',
      'LIMIT_EXCEEDED',
    ],
    'references in a circle below a long place, of which nothing is told': [
      JSON.stringify({ $defs: { [longKey]: { $id: 'y', not: { anyOf: repeated(10_000, { $ref: 'y' }) } } }, $ref: 'y' }),
      'a: 1',
      'LIMIT_EXCEEDED',
    ],
    'long texts that are nearly the wanted one': [
      JSON.stringify({ properties: { v: { items: { enum: [[`${longKey}a`]] } } } }),
      `a: &a ["${longKey}b"]\nv: [${repeated(20_000, '*a').join(',')}]`,
      'LIMIT_EXCEEDED',
    ],
    'requirements that nothing asks for': [
      JSON.stringify({ properties: { v: { items: { dependentRequired: many(20_000, ['x']) } } } }),
      `v: [${repeated(20_000, '{}').join(',')}]`,
      'LIMIT_EXCEEDED',
    ],
    'formats of long texts': [
      JSON.stringify({
        $schema: 'http://json-schema.org/draft-07/schema#',
        properties: { v: { items: { format: 'uri-template' } } },
      }),
      `a: &a "${'%7b%7d/'.repeat(50_000)}"\nv: [${repeated(20_000, '*a').join(',')}]`,
      'LIMIT_EXCEEDED',
    ],
    'a reference that is nearly a URL': [JSON.stringify({ $ref: `http://${'a'.repeat(1_000_000)}!` }), 'a: 1', 'SCHEMA_VIOLATION'],
    'an id that is nearly a URL': [JSON.stringify({ $id: `http://${'a'.repeat(200_000)}!` }), 'a: 1', undefined],
  };
  test.each(Object.entries(runaways))('%s', (_name, [schema, values, code]) => {
    const started = performance.now();
    expect(failure(schema, values)?.code).toBe(code);
    // Two seconds are promised on an idle machine; tests share theirs.
    expect(performance.now() - started).toBeLessThan(8000);
  });
});

test('thousands of patterns as Kubernetes has them are no runaway', () => {
  const name = { pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$', maxLength: 253 };
  // What is odd is judged by the schema of schemas, which compiles them once more.
  const schema = {
    enum: [{ a: 'a.b' }],
    properties: Object.fromEntries(Array.from({ length: 1500 }, (_item, index) => [`a${index}`, name])),
  };
  expect(failure(JSON.stringify(schema), 'a: a.b')).toBeUndefined();
  expect(failure(JSON.stringify({ ...schema, enum: [1] }), 'a: a.b')?.message).toContain('value must be 1');
});

test('each of very many violations is told', () => {
  const names = Array.from({ length: 150_000 }, (_item, index) => `a${index}`);
  const schema = '{"properties":{"v":{"additionalProperties":{"type":"string"}}}}';
  const error = failure(schema, `v: {${names.map((name) => `${name}: 1`).join(', ')}}`);
  expect(error?.message.split('\n')).toHaveLength(names.length + 3);
});

test('names of prototypes are plain names', () => {
  const error = failure('{"additionalProperties":{"type":"string"},"required":["toString"]}', '__proto__: 1\nconstructor: 2');
  expect(error?.message).toContain("missing property 'toString'");
  expect(error?.message).toContain("- at '/__proto__': got number, want string");
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});
