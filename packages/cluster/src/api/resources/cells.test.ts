import { describe, expect, test } from 'vitest';
import { humanDuration } from './cells.ts';
import { parseJsonPath } from './json-path.ts';

const [second, minute, hour, day] = [1000, 60_000, 3600_000, 24 * 3600_000];

describe('ages', () => {
  test.each([
    [0, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [3 * minute + 20 * second, '3m20s'],
    [10 * minute + 5 * second, '10m'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [3 * hour + 5 * minute, '3h5m'],
    [8 * hour + 5 * minute, '8h'],
    [47 * hour, '47h'],
    [2 * day + 4 * hour, '2d4h'],
    [8 * day + hour, '8d'],
    [729 * day, '729d'],
    [731 * day, '2y1d'],
    [9 * 365 * day, '9y'],
    [-5 * second, '<invalid>'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(humanDuration(milliseconds)).toBe(text);
  });
});

describe('JSONPath of printer columns', () => {
  const value = {
    spec: {
      'a.b': 1,
      list: [
        { n: 'x', v: 1 },
        { n: 'y', v: 2 },
      ],
      text: 't',
    },
    status: {
      conditions: [
        { type: 'Synced', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
    },
  };
  test.each([
    ['.spec.text', ['t']],
    ['{.spec.text}', ['t']],
    ['.spec.a\\.b', [1]],
    [".spec['a.b']", [1]],
    ['.spec.list[1].v', [2]],
    ['.spec.list[-1].v', [2]],
    ['.spec.list[*].n', ['x', 'y']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ['.status.conditions[?(@.type!="Ready")].status', ['False']],
    ['.missing.path', []],
    ['.constructor', []],
  ])('%s', (path, expected) => {
    expect(parseJsonPath(path)?.(value)).toEqual(expected);
  });
  test.each(['..a', '.a[?(@.x=~"y")]', '.a[0:2]', 'a b'])('%s is outside of the subset', (path) => {
    expect(parseJsonPath(path)).toBeUndefined();
  });
});
