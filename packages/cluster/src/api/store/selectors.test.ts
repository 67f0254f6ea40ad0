import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../errors.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';

describe('label selectors', () => {
  test.each([
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'c' }, false],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['! a', {}, true],
    ['a in (b, c)', { a: 'c' }, true],
    ['a in (b,c)', {}, false],
    ['a notin (b,c),d=e', { d: 'e' }, true],
    ['a notin (b,c)', { a: 'b' }, false],
    ['app.kubernetes.io/name=x,y', { 'app.kubernetes.io/name': 'x', y: '1' }, true],
    ['constructor', {}, false],
    ['', { a: 'b' }, true],
  ])('%s on %j is %s', (selector, labels, expected) => {
    expect(parseLabelSelector(selector)(labels as Record<string, string>)).toBe(expected);
  });

  test.each(['a=b=c', 'a in b', '=', 'a in (b', '-a=b', 'a b', `a=${'x'.repeat(64)}`, 'x'.repeat(9000)])('refuses %s', (selector) => {
    expect(() => parseLabelSelector(selector)).toThrow(ApiError);
  });

  test('any text is a selector or a clear refusal', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        try {
          expect(typeof parseLabelSelector(text)({ a: 'b' })).toBe('boolean');
        } catch (error) {
          expect(error).toMatchObject({ code: 'BadRequest' });
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('field selectors', () => {
  const fields = ['metadata.name', 'status.phase'];
  test('compare known fields', () => {
    const select = parseFieldSelector('metadata.name=a,status.phase!=Running', fields);
    expect(select({ 'metadata.name': 'a', 'status.phase': 'Pending' })).toBe(true);
    expect(select({ 'metadata.name': 'a', 'status.phase': 'Running' })).toBe(false);
  });
  test('refuse unknown ones, as the real server does', () => {
    expect(() => parseFieldSelector('spec.foo=1', fields)).toThrow('field label not supported: spec.foo');
    expect(() => parseFieldSelector('nonsense', fields)).toThrow(ApiError);
  });
});
