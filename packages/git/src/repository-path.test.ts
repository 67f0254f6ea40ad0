import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRepositoryPath, parseGitRoute } from './repository-path.ts';

test.each(['a', '../a', 'a/../b', 'a//b', '/a/b', 'a/b/', 'a/.git', 'a/b.git', 'a/b.lock', 'a/%2e%2e', 'a/b c', 'a/b\n', 'a\\b/c'])(
  'refuses %j',
  (path) => {
    expect(isRepositoryPath(path)).toBe(false);
  },
);

test('whatever comes as URL, a route names a well-formed path', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '/', '.', '%', '2', 'e', '\\', '\0', 'info/refs', '.git') }), (text) => {
      const route = parseGitRoute('GET', `/${text}/info/refs?service=git-upload-pack`);
      if (route) expect(isRepositoryPath(route.path) && !route.path.includes('..')).toBe(true);
    }),
  );
  expect(parseGitRoute('GET', '/A/B/c.git/info/refs?service=git-upload-pack')).toMatchObject({ path: 'A/B/c', kind: 'advertise' });
  expect(parseGitRoute('GET', '/A/B/c.git/HEAD')).toBeUndefined();
});
