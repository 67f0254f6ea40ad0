import { describe, expect, test } from 'vitest';
import { findInIndex, readRepositoryIndex, resolveChartUrl, sortVersions, versionTest } from './index-file.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const index = readRepositoryIndex(
  bytes(
    'apiVersion: v1\nentries:\n  web:\n  - {name: web, version: 1.0.0, urls: [a]}\n  - {name: web, version: 1.10.0, urls: [b]}\n  - {name: web, version: 1.9.0, urls: [c]}\n  - {name: web, version: 2.0.0-rc.1}\n  - {name: web, version: not one}\n  - null\n',
  ),
);

describe('a repository’s index', () => {
  test('versions by precedence; pre-releases only where they are asked for', () => {
    expect(['', '^1.0', '1.0.0', '>0.0.0-0', '~1.8'].map((range) => findInIndex(index, 'web', range)?.version)).toEqual([
      '1.10.0',
      '1.10.0',
      '1.0.0',
      '2.0.0-rc.1',
      undefined,
    ]);
    expect(findInIndex(index, '__proto__', '')).toBeUndefined();
    expect(() => versionTest('one')).toThrow('improper constraint');
  });

  test('the largest public ones are read, with characters that are not everyday too', () => {
    const entry = (version: number): string =>
      `  - {name: web, version: ${version}.0.0, home: https://example.org, keywords: [a, b, c], urls: [web-${version}.tgz], sources: [x, y]}\n`;
    const entries = Array.from({ length: 40_000 }, (_none, version) => entry(version));
    for (const about of ['plain', '🚀']) {
      const index = readRepositoryIndex(bytes(`apiVersion: v1\nentries:\n  web:\n${entries.join('')}about: "${about}"\n`));
      expect(index.charts.get('web')?.length).toBe(40_000);
    }
  });

  test('JSON is an index too; what is none says why', () => {
    expect(readRepositoryIndex(bytes('{"apiVersion":"v1","entries":{"a":[{"name":"a","version":"1.0.0"}]}}')).charts.size).toBe(1);
    expect(() => readRepositoryIndex(bytes(''))).toThrow('empty index.yaml file');
    expect(() => readRepositoryIndex(bytes('entries: {}'))).toThrow('no API version specified');
  });

  test('addresses relative to the repository', () => {
    expect(resolveChartUrl('https://example.org/charts', 'web-1.tgz')).toBe('https://example.org/charts/web-1.tgz');
    expect(resolveChartUrl('https://example.org/charts/?key=1', '../x.tgz')).toBe('https://example.org/x.tgz?key=1');
    expect(resolveChartUrl('https://example.org', 'oci://other/x')).toBe('oci://other/x');
  });

  test('tags that are no versions are left out', () => {
    expect(sortVersions(['latest', '1.0.0', 'v2.0.0', '1.2.0', '1.2.0-a'])).toEqual(['1.2.0', '1.2.0-a', '1.0.0']);
  });
});
