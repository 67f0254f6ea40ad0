import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, fromUtf8 } from '../encoding.ts';
import { gunzip } from './decompress.ts';
import { defaultTarLimits, readTar } from './tar.ts';
import { chunks, endOfTar, paxEntry, type TarFile, tar, tarEntry, tarHeader } from './tar-fixture.ts';

async function list(bytes: Uint8Array, limits = defaultTarLimits, chunk = 333) {
  const entries = [];
  for await (const entry of readTar(chunks(bytes, chunk), limits)) {
    const parts: Uint8Array[] = [];
    for await (const part of entry.read()) parts.push(part.slice());
    entries.push({
      path: entry.path,
      kind: entry.kind,
      mode: entry.mode,
      linkTarget: entry.linkTarget,
      content: fromUtf8(concatBytes(parts)),
    });
  }
  return entries;
}

const code = (value: string) => ({ code: value });
const spoil = (file: Partial<TarFile>): Uint8Array => tar([{ path: 'a', content: 'x', ...file }]);

describe('reads', () => {
  test('files, folders and links', async () => {
    const bytes = tar([
      { path: './usr/', type: '5', mode: 0o755 },
      { path: './usr/a', content: 'hello' },
      { path: '/usr/b', type: '2', linkTarget: '../x' },
      { path: 'usr/c', type: '1', linkTarget: './usr/a' },
      { path: 'dev/null', type: '3' },
      { path: 'name', prefix: 'very/long', content: 'y' },
    ]);
    expect(await list(bytes)).toMatchObject([
      { path: 'usr', kind: 'directory', mode: 0o755 },
      { path: 'usr/a', kind: 'file', content: 'hello' },
      { path: 'usr/b', kind: 'symlink', linkTarget: '../x' },
      { path: 'usr/c', kind: 'hardlink', linkTarget: 'usr/a' },
      { path: 'dev/null', kind: 'other' },
      { path: 'very/long/name', content: 'y' },
    ]);
  });

  test('pax and GNU long names', async () => {
    const long = `${'d/'.repeat(150)}file`;
    const gnu = tarEntry({ path: '././@LongLink', type: 'L', content: `${long}\0` });
    const bytes = concatBytes([
      paxEntry({ path: 'ünï/côde', mtime: '1.5' }),
      tarEntry({ path: 'short', content: 'a' }),
      gnu,
      tarEntry({ path: 'd/d', content: 'b' }),
      endOfTar,
    ]);
    expect(await list(bytes)).toMatchObject([
      { path: 'ünï/côde', content: 'a' },
      { path: long, content: 'b' },
    ]);
  });

  test('any content and any chunk size come out as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 1200 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 2000 }),
        async (contents, chunk) => {
          const files = contents.map((content, index) => ({ path: `f${index}`, content }));
          expect((await list(tar(files), defaultTarLimits, chunk)).map((entry) => entry.content)).toEqual(
            contents.map((content) => content.toWellFormed()),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('content that nobody read is passed over', async () => {
    const names = [];
    for await (const entry of readTar(
      chunks(
        tar([
          { path: 'a', content: 'x'.repeat(3000) },
          { path: 'b', content: 'y' },
        ]),
      ),
    ))
      names.push(entry.path);
    expect(names).toEqual(['a', 'b']);
  });
});

describe('refuses', () => {
  test.each([
    ['a path out of the archive', spoil({ path: '../etc/passwd' })],
    ['a hidden path out of the archive', spoil({ path: 'a/../../b' })],
    ['a hard link out of the archive', spoil({ content: '', type: '1', linkTarget: '/../x' })],
    ['a wrong checksum', spoil({ spoil: (header) => header.fill(0x41, 0, 3) })],
    ['a size that is no number', spoil({ spoil: (header) => header.fill(0x39, 124, 130) })],
    ['a file that is shorter than it says', spoil({ size: 99_999 })],
    ['a sparse file', spoil({ type: 'S' })],
    ['an unknown kind', spoil({ type: 'Q' })],
    ['a hard link with content', spoil({ type: '1', linkTarget: 'b' })],
    ['a single zero block', concatBytes([new Uint8Array(512), tarEntry({ path: 'hidden', content: 'x' }), endOfTar])],
    ['a global header that renames', concatBytes([paxEntry({ path: 'x' }, 'g'), tar([{ path: 'a' }])])],
    ['a pax sparse file', concatBytes([paxEntry({ 'GNU.sparse.name': 'x' }), tar([{ path: 'a' }])])],
    ['a pax record with a wrong length', concatBytes([tarEntry({ path: 'p', type: 'x', content: '99 path=a\n' }), tar([{ path: 'a' }])])],
    ['an extended header without an entry', concatBytes([paxEntry({ path: 'x' })])],
    ['a path with NUL', concatBytes([paxEntry({ path: 'a\0b' }), tar([{ path: 'a' }])])],
    ['an archive cut within a header', tar([{ path: 'a', content: 'x' }]).subarray(0, 300)],
  ])('%s', async (_, bytes) => {
    await expect(list(bytes)).rejects.toMatchObject(code('ARCHIVE_INVALID'));
  });

  test.each([
    ['too many entries', { entries: 2 }, tar([{ path: 'a' }, { path: 'b' }, { path: 'c' }])],
    ['too much content', { totalBytes: 10 }, tar([{ path: 'a', content: 'x'.repeat(11) }])],
    ['a name that is too long', { nameBytes: 20 }, concatBytes([paxEntry({ path: 'x'.repeat(21) }), tar([{ path: 'a' }])])],
    ['an extended header that is too long', { headerBytes: 100 }, concatBytes([paxEntry({ path: 'x'.repeat(200) }), tar([{ path: 'a' }])])],
  ])('%s', async (_, limits, bytes) => {
    await expect(list(bytes, { ...defaultTarLimits, ...limits })).rejects.toMatchObject(code('ARCHIVE_LIMIT'));
  });

  test('a terabyte that is only promised', async () => {
    const header = tarHeader({ path: 'a', size: 8 ** 11 - 1 }, 0);
    await expect(list(header, { ...defaultTarLimits, totalBytes: 2 ** 40 })).rejects.toMatchObject(code('ARCHIVE_INVALID'));
    await expect(list(header, { ...defaultTarLimits, totalBytes: 2 ** 30 })).rejects.toMatchObject(code('ARCHIVE_LIMIT'));
  });
});

test('arbitrary changes end in an answer or a SecurityError, never in anything else', async () => {
  const sound = concatBytes([
    paxEntry({ path: 'x/y' }),
    tar([
      { path: 'a', content: 'hello' },
      { path: 'b', type: '2', linkTarget: 'a' },
    ]),
  ]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), async (changes) => {
      const bytes = sound.slice();
      for (const [at, value] of changes) bytes[at] = value;
      await list(bytes).catch((error: Error) => expect(error.name).toBe('SecurityError'));
    }),
    { numRuns: 200 },
  );
});

describe('gunzip', () => {
  const gzip = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
    new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
  const inflate = async (bytes: Uint8Array, limits?: Parameters<typeof gunzip>[1]): Promise<number> => {
    let size = 0;
    for await (const part of gunzip(chunks(bytes, 700), limits)) size += part.length;
    return size;
  };

  test('inflates', async () => {
    expect(await inflate(await gzip(new Uint8Array(100_000)))).toBe(100_000);
  });

  test('refuses a bomb by size and by ratio', async () => {
    const bomb = await gzip(new Uint8Array(8 << 20));
    await expect(inflate(bomb, { outputBytes: 1 << 20, ratio: 1e9, ratioFrom: 0 })).rejects.toMatchObject(code('ARCHIVE_LIMIT'));
    await expect(inflate(bomb, { outputBytes: 2 ** 30, ratio: 100, ratioFrom: 1 << 20 })).rejects.toMatchObject(code('ARCHIVE_LIMIT'));
  });

  test.each(['cut', 'spoiled', 'plain'])('refuses a %s stream', async (how) => {
    const sound = await gzip(crypto.getRandomValues(new Uint8Array(5000)));
    const bytes =
      how === 'cut'
        ? sound.subarray(0, 3000)
        : how === 'plain'
          ? new Uint8Array(100).fill(65)
          : sound.map((byte, at) => (at === 2500 ? byte ^ 255 : byte));
    await expect(inflate(bytes)).rejects.toMatchObject(code('ARCHIVE_INVALID'));
  });
});
