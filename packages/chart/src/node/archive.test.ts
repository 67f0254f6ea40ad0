import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ChartError } from '../errors.ts';
import { defaultLimits as limits } from '../limits.ts';
import { readChartArchive } from './archive.ts';

/** Archives from strangers. */

interface Entry {
  readonly name: string;
  readonly type?: string;
  readonly text?: string;
  /** What the header says, where it lies. */
  readonly size?: number;
}

function header({ name, type = '0', text = '', size = Buffer.byteLength(text) }: Entry): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write('0000644\0', 100);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.fill(' ', 148, 156);
  block.write(type, 156);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function pack(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const data = Buffer.from(entry.text ?? '');
    return [header(entry), data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]));
}

const chart: Entry = { name: 'h/Chart.yaml', text: 'name: h' };

test('plain files below one folder are read', () => {
  const files = readChartArchive(pack([{ name: 'h/', type: '5' }, chart, { name: 'h/templates/a.yaml', text: 'x' }]));
  expect(files.map(({ name, data }) => [name, Buffer.from(data).toString()])).toEqual([
    ['Chart.yaml', 'name: h'],
    ['templates/a.yaml', 'x'],
  ]);
});

describe('is refused', () => {
  test.each<[string, readonly Entry[], RegExp]>([
    ['a path upwards', [{ name: 'h/../../etc/passwd', text: 'x' }], /outside the base directory/],
    ['a path upwards by backslashes', [{ name: 'h\\..\\..\\x', text: 'x' }], /outside the base directory/],
    ['an absolute path', [{ name: '/etc/passwd', text: 'x' }], /outside the base directory/],
    ['a drive', [{ name: 'C:/x/y', text: 'x' }], /outside the base directory/],
    ['a file without a folder', [{ name: 'Chart.yaml', text: 'x' }], /base directory is missing/],
    ['a symbolic link', [chart, { name: 'h/a', type: '2' }], /is no plain file/],
    ['a hard link', [chart, { name: 'h/a', type: '1' }], /is no plain file/],
    ['a device', [chart, { name: 'h/a', type: '3' }], /is no plain file/],
    ['a pipe', [chart, { name: 'h/a', type: '6' }], /is no plain file/],
    ['a name that is there twice', [chart, chart], /is there twice/],
    ['a size beyond the end', [{ name: 'h/a', text: 'x', size: 2 ** 32 }], /is cut off/],
    [
      'a path that a long name hides',
      [
        { name: 'l', type: 'L', text: 'h/../../x\0' },
        { name: 'h/ok', text: 'x' },
      ],
      /outside the base directory/,
    ],
    [
      'a path that a PAX record hides',
      [
        { name: 'p', type: 'x', text: '18 path=h/../../x\n' },
        { name: 'h/ok', text: 'x' },
      ],
      /outside the base directory/,
    ],
    ['nothing', [], /no files/],
  ])('%s', (_name, entries, problem) => {
    expect(() => readChartArchive(pack(entries))).toThrow(problem);
    expect(() => readChartArchive(pack(entries))).toThrow(ChartError);
  });

  test('a bomb, before it is unpacked', () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024), { level: 1 });
    const before = process.memoryUsage().rss;
    expect(() => readChartArchive(bomb)).toThrow(ChartError);
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
  });

  test('more files than are allowed', () => {
    const many = pack(Array.from({ length: 30 }, (_item, index) => ({ name: `h/f${index}`, text: 'x' })));
    expect(() => readChartArchive(many, { ...limits, files: 20 })).toThrow('more than 20 files');
  });

  test('a file that is too large', () => {
    expect(() => readChartArchive(pack([{ name: 'h/a', text: 'xxxx' }]), { ...limits, fileBytes: 3 })).toThrow('maximum file size 3');
  });
});
