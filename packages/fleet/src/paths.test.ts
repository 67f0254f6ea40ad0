import { describe, expect, test } from 'vitest';
import { confine, globSegment } from './paths.ts';

describe('globs of one segment', () => {
  test.each([
    ['*', 'anything', true],
    ['*.md', 'a.md', true],
    ['*.md', 'a.mdx', false],
    ['a*b*c', 'axxbxxc', true],
    ['a*b*c', 'axxbxx', false],
    ['?', 'a', true],
    ['?', '', false],
    ['[ab]x', 'bx', true],
    ['[ab]x', 'cx', false],
    ['a+(b)', 'a+(b)', true],
    ['[', '[', true],
    ['', '', true],
    ['**', 'a', true],
  ])('%s on %s: %s', (pattern, text, expected) => {
    expect(globSegment(pattern)(text)).toBe(expected);
  });

  test('many stars stay cheap', () => {
    const started = performance.now();
    expect(globSegment('*a'.repeat(60))(`${'a'.repeat(5000)}b`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('paths stay inside', () => {
  test.each([
    ['deployment', './values.yaml', 'deployment/values.yaml'],
    ['deployment', 'a/../b', 'deployment/b'],
    ['', '.', ''],
  ])('%s + %s', (root, path, expected) => {
    expect(confine(root, path)).toBe(expected);
  });
  test.each(['..', 'a/../../b', '/etc/passwd', 'a\\b', 'a\0b'])('%j is refused', (path) => {
    expect(() => confine('deployment', path)).toThrow(expect.objectContaining({ code: 'PATH_OUTSIDE' }));
  });
});
