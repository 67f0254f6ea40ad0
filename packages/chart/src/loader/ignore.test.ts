import { expect, test } from 'vitest';
import { readIgnore } from './ignore.ts';

const files = [
  ...['a.txt', 'b.md', 'notes~', 'sub/a.txt', 'sub/b.md', 'sub/deep/a.txt', 'sub/deep/c.md', 'keep/a.txt', '.hidden', '.git/config'],
  ...['sub/.hidden', 'x[1].txt', 'star*.txt', 'a?.txt', 'UPPER.MD', 'archive.tgz', 'tmp/one', 'sub/tmp/two', 'foo', 'sub/foo/inner'],
];

/** Lines of .helmignore, and which of the files above Helm 3.22.0 and 4.3.1 left out of `.Files` with them. */
const cases: readonly (readonly [lines: readonly string[], ignored: string])[] = [
  [['a.txt'], 'a.txt sub/a.txt sub/deep/a.txt keep/a.txt'],
  [['*.md'], 'b.md sub/b.md sub/deep/c.md'],
  [['/a.txt'], 'a.txt'],
  [['sub/'], 'sub/a.txt sub/b.md sub/deep/a.txt sub/deep/c.md sub/.hidden sub/tmp/two sub/foo/inner'],
  [['tmp/'], 'tmp/one sub/tmp/two'],
  [['/tmp/'], 'tmp/one'],
  [['sub/*.md'], 'sub/b.md'],
  [['*~', '*.tgz'], 'notes~ archive.tgz'],
  [['foo'], 'foo sub/foo/inner'],
  [['foo/'], 'sub/foo/inner'],
  [['!*.md'], 'nothing is left'],
  [['!sub/'], 'nothing is left'],
  [['*'], 'nothing is left'],
  [['?.txt'], 'a.txt sub/a.txt sub/deep/a.txt keep/a.txt'],
  [['[ab].*'], 'a.txt b.md sub/a.txt sub/b.md sub/deep/a.txt keep/a.txt'],
  [['sub/deep'], 'sub/deep/a.txt sub/deep/c.md'],
  [['/sub/deep/*'], 'sub/deep/a.txt sub/deep/c.md'],
  [['.*'], '.hidden .git/config sub/.hidden'],
  [['*.txt', '# comment', '', '  b.md  '], 'a.txt b.md sub/a.txt sub/b.md sub/deep/a.txt keep/a.txt x[1].txt star*.txt a?.txt'],
  [['x\\[1\\].txt'], 'x[1].txt'],
  [['/'], ''],
  [['a*t'], 'a.txt sub/a.txt sub/deep/a.txt keep/a.txt a?.txt'],
  [['sub/*'], 'sub/a.txt sub/b.md sub/deep/a.txt sub/deep/c.md sub/.hidden sub/tmp/two sub/foo/inner'],
  [['*/a.txt'], 'sub/a.txt keep/a.txt'],
  [['.git/'], '.git/config'],
  [['*deep'], 'sub/deep/a.txt sub/deep/c.md'],
  [['deep'], 'sub/deep/a.txt sub/deep/c.md'],
  [['!foo/'], 'nothing is left'],
];

test.each(cases)('%j', (lines, ignored) => {
  const isIgnored = readIgnore(lines.join('\n'));
  const isOut = (path: string): boolean => {
    const parts = path.split('/');
    const folders = parts.slice(1).map((_, depth) => parts.slice(0, depth + 1).join('/'));
    return folders.some((folder) => isIgnored(folder, true)) || isIgnored(path, false);
  };
  // Where Chart.yaml itself is left out there is no chart.
  const found = isOut('Chart.yaml') ? 'nothing is left' : files.filter(isOut).join(' ');
  expect(found).toBe(ignored);
});
