import { describe, expect, test } from 'vitest';
import { matchesLabels, matchesSelector } from './label-selector.ts';

describe('a selector on a=1', () => {
  test.each([
    [{}, true],
    [{ matchLabels: { a: '1' } }, true],
    [{ matchLabels: { a: '2' } }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['1', '2'] }] }, true],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] }, false],
    [{ matchExpressions: [{ key: 'b', operator: 'NotIn', values: ['1'] }] }, true],
    [{ matchExpressions: [{ key: 'b', operator: 'In' }] }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['0'] }] }, false],
    [undefined, false],
  ])('%j: %s', (selector, expected) => expect(matchesSelector(selector, { a: '1' })).toBe(expected));
});

test('names of Object.prototype are no labels', () => {
  const on = (operator: string) => matchesSelector({ matchExpressions: [{ key: 'constructor', operator, values: ['a'] }] }, {});
  expect(['In', 'NotIn', 'Exists'].map(on)).toEqual([false, true, false]);
  expect(matchesLabels({ toString: 'x' }, {})).toBe(false);
});
