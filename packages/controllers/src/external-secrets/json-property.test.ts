import { describe, expect, test } from 'vitest';
import { parseDuration } from './duration.ts';
import { bytesOf, goJson, propertyOf } from './json-property.ts';

const raw = (JSON as unknown as { rawJSON(text: string): never }).rawJSON;
const data = {
  'a.b': 'literal',
  a: { b: 'path', 'c.d': 'dotted' },
  list: ['zero', { deep: 1 }],
  n: null,
  big: raw('12345678901234567890'),
};

describe('properties', () => {
  test.each([
    ['a.b', 'literal'],
    ['a', { b: 'path', 'c.d': 'dotted' }],
    ['a.c\\.d', 'dotted'],
    ['list.0', 'zero'],
    ['list.1.deep', 1],
    ['list.2', undefined],
    ['list.x', undefined],
    ['a.b.c', undefined],
    ['n', null],
    ['', undefined],
    ['constructor', undefined],
    ['a.__proto__', undefined],
  ])('%j', (path, expected) => expect(propertyOf(data, path)).toEqual(expected));

  test('queries are refused', () => {
    for (const path of ['list.#', 'a.*', 'list.#(x==1)', 'a|b', '@this']) expect(() => propertyOf(data, path)).toThrow('not supported');
  });
});

test('JSON as Go prints it', () => {
  expect(goJson({ b: '<&>\u2028', a: [true, null, 1.5], big: data.big })).toBe(
    '{"a":[true,null,1.5],"b":"\\u003c\\u0026\\u003e\\u2028","big":12345678901234567890}',
  );
  expect([bytesOf('x'), bytesOf(null), bytesOf(data.big)].map((bytes) => Buffer.from(bytes).toString())).toEqual([
    'x',
    '',
    '12345678901234567890',
  ]);
});

test('durations', () => {
  expect(['1m', '1h0m0s', '0', '0s', '1.5h', '250ms'].map(parseDuration)).toEqual([60_000, 3_600_000, 0, 0, 5_400_000, 250]);
  for (const text of ['', '1', '1x', 'm', '1m ', '-1m']) expect(() => parseDuration(text)).toThrow('is no duration');
});
