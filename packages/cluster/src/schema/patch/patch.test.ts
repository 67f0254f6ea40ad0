import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findSchema } from '../builtin.ts';
import { equal, isObject, type Json, type JsonObject, own, put } from '../json.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const key = fc.constantFrom('a', 'b', 'c', 'a/b', 'm~n', '', '__proto__', 'constructor');
const { tree: json } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Json>(1, 'x', true, ''),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie('tree')), { maxLength: 3 }).map((entries) => {
      const object: JsonObject = {};
      for (const [name, value] of entries) put(object, name, value);
      return object;
    }),
  ),
}));

/** The merge patch that leads from one value to another; values hold no null, which merge patches cannot write. */
function difference(from: Json, to: Json): Json {
  if (!isObject(from) || !isObject(to)) return to;
  const patch: JsonObject = {};
  for (const name of Object.keys(from)) if (own(to, name) === undefined) put(patch, name, null);
  for (const [name, value] of Object.entries(to)) {
    const before = own(from, name);
    if (before === undefined || !equal(before, value)) put(patch, name, before === undefined ? value : difference(before, value));
  }
  return patch;
}

describe('RFC 7386', () => {
  // The appendix of the RFC.
  test.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (document, patch, result) => {
    expect(applyMergePatch(document, patch)).toEqual(result);
  });

  test('the patch between two values leads from one to the other, and neither is changed', () => {
    fc.assert(
      fc.property(json, json, (from, to) => {
        const before = JSON.stringify([from, to]);
        expect(equal(applyMergePatch(from, difference(from, to)), to)).toBe(true);
        expect(JSON.stringify([from, to])).toBe(before);
      }),
    );
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('RFC 6902', () => {
  // Appendix A of the RFC, in its order.
  test.each<[string, Json, Json, Json]>([
    ['adds a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
    ['adds an item', { foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    ['removes a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    ['removes an item', { foo: ['a', 'b', 'c'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['a', 'c'] }],
    ['replaces', { baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
    ['moves a value', { foo: { bar: 1 }, qux: {} }, [{ op: 'move', from: '/foo/bar', path: '/qux/thud' }], { foo: {}, qux: { thud: 1 } }],
    ['moves an item', { foo: [1, 2, 3, 4] }, [{ op: 'move', from: '/foo/1', path: '/foo/3' }], { foo: [1, 3, 4, 2] }],
    ['adds at the end', { foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['x'] }], { foo: ['bar', ['x']] }],
    [
      'reads escapes',
      { '/': 9, '~1': 10 },
      [
        { op: 'test', path: '/~01', value: 10 },
        { op: 'copy', from: '/~1', path: '/c' },
      ],
      { '/': 9, '~1': 10, c: 9 },
    ],
    ['takes __proto__ as a name', {}, [{ op: 'add', path: '/__proto__', value: { x: 1 } }], JSON.parse('{"__proto__":{"x":1}}') as Json],
  ])('%s', (_, document, patch, result) => {
    expect(equal(applyJsonPatch(document, patch), result)).toBe(true);
  });

  test.each<[string, Json, string]>([
    ['a failed test', [{ op: 'test', path: '/a', value: 2 }], 'PATCH_NOT_APPLICABLE'],
    ['a missing path', [{ op: 'remove', path: '/b' }], 'PATCH_NOT_APPLICABLE'],
    ['an index with a leading zero', [{ op: 'replace', path: '/l/00', value: 1 }], 'PATCH_NOT_APPLICABLE'],
    ['an index beyond the end', [{ op: 'add', path: '/l/9', value: 1 }], 'PATCH_NOT_APPLICABLE'],
    ['a move into itself', [{ op: 'move', from: '/o', path: '/o/x' }], 'PATCH_NOT_APPLICABLE'],
    ['a prototype that is not its own', [{ op: 'copy', from: '/constructor', path: '/x' }], 'PATCH_NOT_APPLICABLE'],
    ['an unknown operation', [{ op: 'drop', path: '/a' }], 'MALFORMED'],
    ['no list', { op: 'add' }, 'MALFORMED'],
    ['too many operations', Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 })), 'TOO_LARGE'],
    [
      'copies that double',
      [{ op: 'add', path: '/l', value: [1] }, ...Array.from({ length: 40 }, () => ({ op: 'copy', from: '/l', path: '/l/-' }))],
      'TOO_LARGE',
    ],
  ])('refuses %s', (_, patch, code) => {
    expect(() => applyJsonPatch({ a: 1, l: [1], o: {} }, patch)).toThrowError(expect.objectContaining({ code }));
  });
});

describe('strategic merge patch', () => {
  const deployment = findSchema({ group: 'apps', version: 'v1', kind: 'Deployment' })!;

  test('without lists it is a merge patch', () => {
    const noLists = json.filter((value) => isObject(value) && !JSON.stringify(value).includes('['));
    fc.assert(
      fc.property(noLists, noLists, (document, patch) => {
        const any = { kind: 'any' } as const;
        expect(equal(applyStrategicMergePatch(document as JsonObject, patch as JsonObject, any), applyMergePatch(document, patch))).toBe(
          true,
        );
      }),
    );
  });

  test.each<[string, JsonObject]>([
    ['an unknown directive', { spec: { $patch: 'odd' } }],
    ['an item without its key', { spec: { template: { spec: { containers: [{ image: 'x' }] } } } }],
    ['keys to retain that miss what is set', { spec: { strategy: { $retainKeys: ['type'], rollingUpdate: {} } } }],
    ['an order that is no list', { metadata: { '$setElementOrder/finalizers': 'x' } }],
  ])('refuses %s', (_, patch) => {
    const document = {
      metadata: { finalizers: ['a'] },
      spec: { strategy: { type: 'Recreate' }, template: { spec: { containers: [{ name: 'c' }] } } },
    };
    expect(() => applyStrategicMergePatch(document, patch, deployment)).toThrowError(expect.objectContaining({ code: 'MALFORMED' }));
  });
});
