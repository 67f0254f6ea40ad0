import { expect, test } from 'vitest';
import { GoInt } from '../value/kinds.ts';
import { applySet, type SetKind } from './set.ts';

/** Results are compared with Helm's by `desp chart`'s own cases; here stands what a command line shows badly. */

test.each<SetKind>(['set', 'set-json'])('--%s of very many keys takes its time once, not for each key', (kind) => {
  const count = 30_000;
  const text = Array.from({ length: count }, (_none, index) => `k${index}=1`).join(',');
  const started = performance.now();
  const values = applySet(kind, text, new Map());
  expect(values.size).toBe(count);
  expect(performance.now() - started).toBeLessThan(2000);
});

test('a character of two units is one character, wherever it stands', () => {
  const values = applySet('set', 'a\\😀=b\\😀,c={😀,\\,}', new Map());
  expect(values).toEqual(
    new Map<string, unknown>([
      ['a😀', 'b😀'],
      ['c', ['😀', ',']],
    ]),
  );
  expect(applySet('set-json', 'a="😀",b=2', new Map())).toEqual(
    new Map<string, unknown>([
      ['a', '😀'],
      ['b', 2],
    ]),
  );
  expect(() => applySet('set', 'a[0]😀=1', new Map())).toThrow("unexpected data at end of array index: ['😀']");
});

test('an index without its end is the end of the text where it is to be', () => {
  const values = applySet('set', 'x=1,a[0', new Map(), { openIndexEnds: true });
  expect(values).toEqual(new Map([['x', new GoInt('int64', 1n)]]));
  expect(() => applySet('set', 'x=1,a[0', new Map())).toThrow('error parsing index: EOF');
});
