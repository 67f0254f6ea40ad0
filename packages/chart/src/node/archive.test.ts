import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ChartError } from '../errors.ts';
import { defaultLimits as limits } from '../limits.ts';
import { readChartArchive } from './archive.ts';
import { readChartFolder } from './folder.ts';

/** Archives and folders from strangers. What is read, and the words for what is not, are those of Helm 3.22.0. */

interface Entry {
  readonly name: string;
  readonly type?: string;
  readonly text?: string;
  /** What the header says, where it lies. */
  readonly size?: number;
  /** The field of the size, as it lies there. */
  readonly field?: readonly number[] | string;
  readonly magic?: string;
  readonly mode?: string;
  readonly sum?: string;
}

function header({ name, type = '0', text = '', size = Buffer.byteLength(text), field, magic, mode = '0000644', sum }: Entry): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write(`${mode}\0`, 100);
  if (field === undefined) block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  else Buffer.from(field as string).copy(block, 124);
  block.fill(' ', 148, 156);
  block.write(type, 156);
  block.write(magic ?? 'ustar\x0000', 257);
  const total = block.reduce((all, byte) => all + byte, 0);
  block.write(sum ?? `${total.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function tar(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const data = Buffer.from(entry.text ?? '');
    return [header(entry), data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

const pack = (entries: readonly Entry[]): Buffer => gzipSync(tar(entries));

/** A record of pax; its length counts itself. */
function record(key: string, value: string): string {
  const rest = Buffer.byteLength(key) + Buffer.byteLength(value) + 3;
  const length = String(rest + String(rest).length).length + rest;
  return `${length} ${key}=${value}\n`;
}

const chart: Entry = { name: 'h/Chart.yaml', text: 'name: h' };
const file: Entry = { name: 'h/templates/a.yaml', text: 'a: 1\n' };
const pax = (...records: readonly string[]): Entry => ({ name: 'p', type: 'x', text: records.join('') });

const read = (archive: Buffer): [string, string][] =>
  readChartArchive(archive).map(({ name, data }) => [name, Buffer.from(data).toString()]);

/** How it ended: the code, the file that is named, and the words. */
const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return `${(error as ChartError).code} ${(error as ChartError).where?.file ?? ''}: ${(error as ChartError).message}`;
  }
  return 'it was read';
};

describe('is read as Helm reads it', () => {
  test.each<[string, readonly Entry[], readonly [string, string][]]>([
    ['plain files below one folder', [{ name: 'h/', type: '5' }, file], [['templates/a.yaml', 'a: 1\n']]],
    [
      'files below two folders',
      [file, { ...file, name: 'other/b' }],
      [
        ['templates/a.yaml', 'a: 1\n'],
        ['b', 'a: 1\n'],
      ],
    ],
    [
      'names that differ in case',
      [file, { ...file, name: 'h/templates/A.yaml' }],
      [
        ['templates/a.yaml', 'a: 1\n'],
        ['templates/A.yaml', 'a: 1\n'],
      ],
    ],
    ['dots within a path', [{ ...file, name: 'h/./templates/x/../a.yaml' }], [['templates/a.yaml', 'a: 1\n']]],
    ['a path of Windows', [{ ...file, name: 'h\\templates\\a.yaml' }], [['templates/a.yaml', 'a: 1\n']]],
    ['an absolute path, its first part taken off', [{ ...file, name: '/etc/passwd' }], [['etc/passwd', 'a: 1\n']]],
    ['a drive, taken off', [{ ...file, name: 'C:/x/y' }], [['x/y', 'a: 1\n']]],
    [
      'a symbolic link, empty',
      [file, { name: 'h/l', type: '2' }],
      [
        ['templates/a.yaml', 'a: 1\n'],
        ['l', ''],
      ],
    ],
    ['a hard link, empty', [{ name: 'h/l', type: '1' }], [['l', '']]],
    ['a device, empty', [{ name: 'h/l', type: '3' }], [['l', '']]],
    ['a pipe, empty', [{ name: 'h/l', type: '6' }], [['l', '']]],
    ['a name that ends at NUL', [{ ...file, name: 'h/a\0b' }], [['a', 'a: 1\n']]],
    ['an empty size', [{ ...file, text: '', field: '\0'.repeat(12) }], [['templates/a.yaml', '']]],
    ['a size in binary', [{ ...file, field: [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5] }], [['templates/a.yaml', 'a: 1\n']]],
    ['a folder by its mode', [file, { name: 'h/d', mode: '0040755' }], [['templates/a.yaml', 'a: 1\n']]],
    ['a long name of GNU', [{ name: 'l', type: 'L', text: `h/${'b'.repeat(150)}\0` }, file], [['b'.repeat(150), 'a: 1\n']]],
    [
      'a long name of GNU before one of pax',
      [{ name: 'l', type: 'L', text: 'h/gnu\0' }, pax(record('path', 'h/pax')), file],
      [['gnu', 'a: 1\n']],
    ],
    ['a name of pax, the last', [pax(record('path', 'h/a') + record('path', 'h/b\nc')), file], [['b\nc', 'a: 1\n']]],
    ['a name in the comment of pax', [pax(record('comment', 'x\n12 path=h/z\n')), file], [['templates/a.yaml', 'a: 1\n']]],
    ['an empty name of pax', [pax(record('path', '')), file], [['templates/a.yaml', 'a: 1\n']]],
    ['a size of pax', [pax(record('size', '3')), file], [['templates/a.yaml', 'a: ']]],
    [
      'records of pax twice, the last alone',
      [pax(record('path', 'h/z')), pax(record('comment', 'c')), file],
      [['templates/a.yaml', 'a: 1\n']],
    ],
    [
      'records of pax before those for all, which are forgotten',
      [pax(record('path', 'h/z') + record('size', '1')), { ...pax(record('comment', 'c')), type: 'g' }, file],
      [['templates/a.yaml', 'a: 1\n']],
    ],
    ['an empty long name of GNU', [{ name: 'l', type: 'L', text: '\0' }, file], [['templates/a.yaml', 'a: 1\n']]],
    ['a name of pax for all, which is for none', [{ ...pax(record('path', 'h/z')), type: 'g' }, file], [['templates/a.yaml', 'a: 1\n']]],
  ])('%s', (_name, entries, files) => {
    expect(read(pack(entries))).toEqual(files);
  });

  test('an archive in several members', () => {
    const whole = tar([file]);
    expect(read(Buffer.concat([gzipSync(whole.subarray(0, 700)), gzipSync(whole.subarray(700))]))).toEqual([
      ['templates/a.yaml', 'a: 1\n'],
    ]);
  });

  test('what stands behind the end of the tar is not read', () => {
    expect(read(gzipSync(Buffer.concat([tar([file]), tar([chart])])))).toEqual([['templates/a.yaml', 'a: 1\n']]);
  });
});

describe('is refused', () => {
  const header = 'archive/tar: invalid tar header';
  test.each<[string, readonly Entry[], string]>([
    ['a path upwards', [{ name: 'h/../../etc/passwd', text: 'x' }], 'chart illegally references parent directory'],
    ['a path upwards by backslashes', [{ name: 'h\\..\\..\\x', text: 'x' }], 'chart illegally references parent directory'],
    ['an absolute path behind the folder', [{ name: 'h//etc/passwd', text: 'x' }], 'chart illegally contains absolute paths'],
    ['a drive behind the folder', [{ name: 'h/C:/x', text: 'x' }], 'chart contains illegally named files'],
    [
      'a file without a folder',
      [{ name: 'Chart.yaml', text: 'x' }],
      'chart illegally contains content outside the base directory: "Chart.yaml"',
    ],
    ['no name', [{ name: '', text: 'x' }], 'chart illegally contains content outside the base directory: ""'],
    ['Chart.yaml as the folder', [{ name: 'Chart.yaml/a', text: 'x' }], 'chart yaml not in base directory'],
    [
      'a long name that leads upwards',
      [{ name: 'l', type: 'L', text: 'h/../../x\0' }, file],
      'chart illegally references parent directory',
    ],
    ['a name of pax that leads upwards', [pax(record('path', 'h/../../x')), file], 'chart illegally references parent directory'],
    ['NUL in a name of pax', [pax(record('path', 'h/\0x')), file], header],
    ['a record of pax that is none', [pax('garbage'), file], header],
    ['a record of pax that is longer than it says', [pax('9 path=h/abc\n'), file], header],
    ['a record of pax that is shorter than it says', [pax('99 path=h/abc\n'), file], header],
    ['a record of pax for all that is none', [{ ...pax('garbage'), type: 'g' }, file], header],
    ['a negative size of pax', [pax(record('size', '-5')), file], header],
    ['a negative size', [{ ...file, field: [0xff, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 251] }], header],
    ['a size past all numbers', [{ ...file, field: [0x80, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255] }], header],
    ['a size with a letter', [{ ...file, field: '0000000000x\0' }], header],
    ['a size with a sign', [{ ...file, field: '-0000000005\0' }], header],
    ['a wrong sum', [{ ...file, sum: '000001\0 ' }], header],
    ['a folder with data', [{ name: 'h/d/', type: '5', text: 'zzz' }, file], header],
    ['a size beyond the end', [{ ...file, size: 5000 }], 'unexpected EOF'],
    ['a sparse file of GNU', [{ ...file, type: 'S', magic: 'ustar  \0' }], 'archive/tar: sparse files are not read'],
    ['a sparse file of pax', [pax(record('GNU.sparse.major', '1')), file], 'archive/tar: sparse files are not read'],
    ['nothing', [], 'no files in chart archive'],
    ['folders alone', [{ name: 'h/', type: '5' }], 'no files in chart archive'],
    // Helm takes both of them, and the last for true.
    ['a name that is there twice', [file, chart, file], 'chart archive has "templates/a.yaml" twice'],
    [
      'a name that is there twice, with dots',
      [file, { ...file, name: 'h/./templates//a.yaml' }],
      'chart archive has "templates/a.yaml" twice',
    ],
  ])('%s', (_name, entries, problem) => {
    expect(code(() => read(pack(entries)))).toBe(`CHART_INVALID : ${problem}`);
  });

  test.each<[string, Buffer, RegExp]>([
    ['no archive', Buffer.from('hello'), /does not appear to be gzipped/],
    ['an archive that is cut off', pack([file]).subarray(0, 80), /cannot be unpacked/],
    ['a tar that is cut off in a header', gzipSync(tar([file]).subarray(0, 300)), /unexpected EOF/],
    ['a tar that is cut off in a file', gzipSync(tar([file]).subarray(0, 514)), /unexpected EOF/],
    ['a tar with one empty block', gzipSync(Buffer.concat([Buffer.alloc(512), tar([file])])), /invalid tar header/],
    // Helm does not look so far.
    ['data behind the archive', Buffer.concat([pack([file]), Buffer.from('more and more')]), /cannot be unpacked/],
    ['an archive with a wrong checksum', Buffer.concat([pack([file]).subarray(0, -8), Buffer.alloc(8)]), /cannot be unpacked/],
  ])('%s', (_name, archive, problem) => {
    expect(() => readChartArchive(archive)).toThrow(problem);
    expect(() => readChartArchive(archive)).toThrow(ChartError);
  });
});

describe('is too large', () => {
  test('a bomb, before it is unpacked', () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024), { level: 1 });
    const before = process.memoryUsage().rss;
    expect(code(() => readChartArchive(bomb))).toBe(
      `LIMIT_EXCEEDED : decompressed chart is larger than the maximum file size ${limits.chartBytes}`,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
  });

  test.each<[string, Entry, string]>([
    [
      'a file',
      { ...file, text: 'x'.repeat(limits.fileBytes + 1) },
      `templates/a.yaml: decompressed chart file "templates/a.yaml" is larger than the maximum file size ${limits.fileBytes}`,
    ],
    [
      'a file that only says so',
      { ...file, field: '77777777777\0' },
      `: decompressed chart is larger than the maximum file size ${limits.chartBytes}`,
    ],
    ['a name', { name: 'l', type: 'L', text: 'h/x'.repeat(500_000) }, 'header field too long'],
  ])('%s', (_name, entry, problem) => {
    expect(code(() => readChartArchive(pack([entry, chart])))).toContain(problem);
  });

  test('more files, or more folders, than are allowed', () => {
    const few = { ...limits, files: 20 };
    const files = pack(Array.from({ length: 30 }, (_item, index) => ({ name: `h/f${index}`, text: 'x' })));
    expect(code(() => readChartArchive(files, few))).toContain('LIMIT_EXCEEDED : chart archive has more than 20 files');
    const folders = pack(Array.from({ length: 90 }, (_item, index) => ({ name: `h/f${index}/`, type: '5' })));
    expect(code(() => readChartArchive(folders, few))).toContain('LIMIT_EXCEEDED : chart archive has more than 80 entries');
  });

  test('a million tiny files, in little time and memory', () => {
    const once = header({ name: 'h/a', text: '' });
    const many = gzipSync(Buffer.concat(Array.from({ length: 1_000_000 / 10 }, () => once)), { level: 1 });
    const started = process.cpuUsage();
    expect(code(() => readChartArchive(Buffer.concat(Array.from({ length: 10 }, () => many))))).toContain('LIMIT_EXCEEDED');
    expect(process.cpuUsage(started).user).toBeLessThan(4_000_000);
  });

  test('records of pax without end, in little time', () => {
    const records = Array.from({ length: 15_000 }, (_item, index) => pax(record(`key${index}`, 'x')));
    const archive = pack([...records, file]);
    const started = process.cpuUsage();
    expect(read(archive)).toEqual([['templates/a.yaml', 'a: 1\n']]);
    expect(process.cpuUsage(started).user).toBeLessThan(4_000_000);
  });

  test('a folder of too many files, folders, or both, ignored ones too', () => {
    const folder = mkdtempSync(join(tmpdir(), 'chart-many-'));
    try {
      const few = { ...limits, files: 5 };
      writeFileSync(join(folder, 'Chart.yaml'), '');
      for (let i = 0; i < 30; i++) mkdirSync(join(folder, `folder${i}`));
      expect(code(() => readChartFolder(folder, few))).toMatch(
        /^LIMIT_EXCEEDED \.: chart folder "" is one too many: a chart has at most 5 files/,
      );
      writeFileSync(join(folder, '.helmignore'), 'folder*\n');
      expect(code(() => readChartFolder(folder, few))).toContain('LIMIT_EXCEEDED');
      for (let i = 0; i < 30; i++) rmSync(join(folder, `folder${i}`), { recursive: true });
      for (let i = 0; i < 7; i++) writeFileSync(join(folder, `a${i}`), '');
      expect(code(() => readChartFolder(folder, few))).toMatch(/^LIMIT_EXCEEDED a\d: chart is larger/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
