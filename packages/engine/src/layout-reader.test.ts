import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineError } from './errors.ts';
import { receiveLayout } from './layout-reader.ts';
import { type ImageLayout, sha256, writeImageLayout } from './oci-layout.ts';
import { type TarItem, tarOf } from './tar-writer.ts';

let work: string;
let made: ImageLayout;
let items: TarItem[];
const layer = Buffer.from('a layer, of sorts');
const layerHex = sha256(layer).slice('sha256:'.length);

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'desp-layout-'));
  made = await writeImageLayout(join(work, 'made'), layer, {});
  items = readdirSync(made.layout, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ kind: 'file', path: path.slice(made.layout.length + 1), mode: 0o644, content: readFileSync(path) }));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

async function* pieces(bytes: Uint8Array, size = 700): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}
const receive = (bytes: Uint8Array, maxBytes = 1 << 20, bases: string[] = []) =>
  receiveLayout(pieces(bytes), join(work, 'out'), maxBytes, bases);
const withItem = (path: string, change: (item: TarItem) => TarItem[]) =>
  tarOf(items.flatMap((item) => (item.path.includes(path) ? change(item) : [item])));
const file = (path: string, content: string): TarItem => ({ kind: 'file', path, mode: 0o644, content: Buffer.from(content) });

describe('an image that comes out of a build', () => {
  test('is taken when it is whole, with its folders or without', async () => {
    const folder: TarItem = { kind: 'folder', path: 'blobs/sha256', mode: 0o755 };
    expect(await receive(tarOf([folder, ...items]))).toEqual({ ...made, layout: join(work, 'out') });
  });

  test('may lack a layer that a base image of ours has', async () => {
    const without = withItem(layerHex, () => []);
    await expect(receive(without)).rejects.toMatchObject({ code: 'RESULT_INVALID' });
    await receive(without, 1 << 20, [made.layout]);
    expect(readFileSync(join(work, 'out', 'blobs', 'sha256', layerHex))).toEqual(layer);
  });

  test.each<[string, () => Uint8Array]>([
    ['a blob of other content', () => withItem(layerHex, (item) => [file(item.path, 'A layer, of sorts')])],
    [
      'a size that is not the blob’s',
      () =>
        withItem('index.json', () => [
          file('index.json', readFileSync(join(made.layout, 'index.json'), 'utf8').replace(made.manifestDigest, made.configDigest)),
        ]),
    ],
    ['a path out of the folder', () => tarOf([file('../evil', 'x'), ...items])],
    ['an absolute path', () => tarOf([file('/tmp/evil', 'x'), ...items])],
    ['a path below a blob', () => tarOf([file(`blobs/sha256/${layerHex}/x`, 'x'), ...items])],
    ['a link', () => tarOf([{ kind: 'symlink', path: 'index.json', target: '/etc/passwd' }, ...items])],
    ['the same file twice', () => tarOf([...items, ...items])],
    ['an archive cut in a file', () => tarOf(items).subarray(0, 700)],
    ['nothing', () => Buffer.alloc(0)],
    [
      'two manifests',
      () =>
        withItem('index.json', () => [
          file('index.json', readFileSync(join(made.layout, 'index.json'), 'utf8').replace(/\[(.*)\]/, '[$1,$1]')),
        ]),
    ],
  ])('is refused: %s', async (_title, bytes) => {
    await expect(receive(bytes())).rejects.toMatchObject({ code: 'RESULT_INVALID', kind: 'user' });
    expect(readdirSync(work).sort()).not.toContain('evil');
  });

  test('is refused when it is larger than allowed, by its bytes and not by what it says', async () => {
    await expect(receive(tarOf([...items, file(`blobs/sha256/${'0'.repeat(64)}`, 'x'.repeat(50_000))]), 20_000)).rejects.toMatchObject({
      code: 'LIMIT_REACHED',
    });
  });

  test('changed in any byte, it is the same image or an error of ours', async () => {
    const whole = tarOf(items);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] as number) ^ flip;
        const result = await receive(bytes).catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toBeInstanceOf(EngineError);
        else expect((result as ImageLayout).manifestDigest).toBe(made.manifestDigest);
      }),
      { numRuns: 150 },
    );
  });
});
