import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonPathValues } from '../../test-data/cases.ts';
import { makeExpression } from '../../test-data/random-jsonpath.ts';
import { ChartError } from '../errors.ts';
import { readValues } from '../loader/load.ts';
import { parseJsonPath } from './parser.ts';
import { printJsonPath } from './print.ts';

/** Beside the table that goldens.test.ts compares with Helm: what Helm does not say, and what means harm. */

const values = readValues(jsonPathValues(), true);
const ask = (expression: string) => printJsonPath(parseJsonPath(expression), values);

test.each([
  ['{.image.tga}', 'tga is not found'],
  ['{.list[9]}', 'array index out of bounds: index 9, length 5'],
  ['{.list[::0]}', 'step must be > 0'],
  ['{.image[0]}', 'map[string]interface {} is not array or slice'],
  ['{.image[?(@.tag)]}', 'map[string]interface {} is not array or slice and cannot be filtered'],
  ['{.items[?(@.port>100)]}', 'incompatible types for comparison: float64 and int'],
  ['{.items[?(@.name="x")]}', 'unrecognized filter operator ='],
  ['{.items[?(@.tags=="x")]}', 'invalid type for comparison: []interface {}'],
  ['{.items[?(@.tags[*]=="x")]}', 'can only compare one element at a time'],
  ['{end}', 'not in range, nothing to end'],
  ['{if}', 'unrecognized identifier if'],
])('%s finds nothing, and says why', (expression, problem) => {
  expect(ask(expression)).toEqual({ text: '', problem });
});

test.each(['{range .nobody[*]}{[0]}{end}', '{range .nobody[*]}{range @}x{end}{end}', '{range .nulls[*]}{range @}x{end}{end}'])(
  '%s, which ends the process of Helm, prints nothing',
  (expression) => {
    expect(ask(expression)).toMatchObject({ text: '', problem: expect.any(String) });
  },
);

test('values of a map come in its order', () => {
  expect(printJsonPath(parseJsonPath('{.*} {..}'), new Map(Object.entries({ b: '1', a: '2' }))).text).toBe('1 2 {"a":"2","b":"1"} 1 2');
});

test('keys that JavaScript knows are keys like others', () => {
  expect(printJsonPath(parseJsonPath('{.__proto__}{.constructor}'), new Map([['__proto__', 'a']]))).toEqual({
    text: '',
    problem: 'constructor is not found',
  });
});

describe('what means harm ends soon', () => {
  const large = new Map([['l', Array.from({ length: 300 }, (_item, index) => new Map([['k', index]]))]]);
  const nested = '{range .l[*]}'.repeat(1);
  const limit = expect.objectContaining({ code: 'LIMIT_EXCEEDED' });

  test.each([
    ['too long', `{.${'a'.repeat(70_000)}}`],
    ['loops within loops', `${nested}${'{range $}'.repeat(2000)}x`],
    ['everything below everything below everything', `{${'..[*]'.repeat(30)}}`],
    ['unions of unions', `{.l${`[${'*,'.repeat(40)}*]`.repeat(8)}}`],
    ['a filter in each other', `{.l${'[?(@.a"'.repeat(2000)}b${'")]'.repeat(2000)}}`],
    ['all of it, again and again', '{$}'.repeat(20_000)],
  ])('%s', (_name, expression) => {
    const before = performance.now();
    let outcome: unknown = 'done';
    try {
      printJsonPath(parseJsonPath(expression), large);
    } catch (error) {
      outcome = error;
    }
    expect(performance.now() - before).toBeLessThan(4000);
    if (outcome !== 'done') expect(outcome).toEqual(expect.any(ChartError));
  });

  test('long texts that are compared often', () => {
    const long = 'x'.repeat(1_000_000);
    const items = Array.from(
      { length: 1000 },
      () =>
        new Map([
          ['a', `${long}1`],
          ['b', `${long}2`],
        ]),
    );
    const path = parseJsonPath('{.l[?(@.b<@.a)]}'.repeat(100));
    expect(() => printJsonPath(path, new Map([['l', items]]))).toThrow(limit);
  });

  test('a value that is laid out too large', () => {
    expect(() => printJsonPath(parseJsonPath('{$}'.repeat(10)), large, { outputLength: 10_000 })).toThrow(limit);
    expect(() => printJsonPath(parseJsonPath('{..}{..}{..}'), large, { steps: 1000 })).toThrow(limit);
  });
});

test('whatever the expression, it is read or refused', () => {
  const pieces = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.integer().map((seed) => makeExpression(seed)),
    fc.constantFrom('{', '}', '[', ']', '[?(', ')]', '..', '.', '"', "'", '\\', 'range', 'end', '@', '*', ',', ':', '-1', '=='),
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      try {
        expect(typeof ask(parts.join('')).text).toBe('string');
      } catch (error) {
        if (!(error instanceof ChartError)) throw error;
        expect(['EXPRESSION_INVALID', 'LIMIT_EXCEEDED']).toContain(error.code);
      }
    }),
    { numRuns: 400 },
  );
});
