import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, mediaTypes, OciError, openImageArchive } from '../index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** One tar entry with a right checksum. */
function entry(name: string, content: Buffer | string, type = '0', link = ''): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write(type, 156);
  header.write(link, 157);
  header.write('ustar\x0000', 257);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

const layer = Buffer.from('a layer');
const config = Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }));
const docker = (over: { layers?: string; entries?: Buffer[] } = {}) =>
  Buffer.concat([
    entry('manifest.json', JSON.stringify([{ Config: 'config.json', Layers: [over.layers ?? 'layer.tar'] }])),
    entry('config.json', config),
    ...(over.entries ?? [entry('layer.tar', layer)]),
    Buffer.alloc(1024),
  ]);

async function open(bytes: Buffer) {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.tar`);
  await writeFile(path, bytes);
  const archive = await openImageArchive(path);
  try {
    return await Promise.all(archive.layers.map((one) => buffer(one.open())));
  } finally {
    await archive.close();
  }
}

describe('a docker archive', () => {
  it('gives its layers, through links too', async () => {
    expect(await open(docker())).toEqual([layer]);
    expect(
      await open(docker({ layers: 'x/link.tar', entries: [entry('layer.tar', layer), entry('x/link.tar', '', '2', '../layer.tar')] })),
    ).toEqual([layer]);
  });

  it.each([
    ['a path out of it', docker({ entries: [entry('../layer.tar', layer)] }), 'ARCHIVE_UNSAFE'],
    ['an absolute path', docker({ entries: [entry('/etc/passwd', layer)] }), 'ARCHIVE_UNSAFE'],
    ['a link out of it', docker({ layers: 'l', entries: [entry('l', '', '2', '../../etc/passwd')] }), 'ARCHIVE_INVALID'],
    ['a link to itself', docker({ layers: 'l', entries: [entry('l', '', '2', 'l')] }), 'ARCHIVE_UNSAFE'],
    ['a device', docker({ entries: [entry('layer.tar', '', '3')] }), 'ARCHIVE_UNSAFE'],
    ['an entry that is there twice', docker({ entries: [entry('layer.tar', layer), entry('layer.tar', 'x')] }), 'ARCHIVE_UNSAFE'],
    ['a layer that is not what the config promises', docker({ entries: [entry('layer.tar', 'other')] }), 'CONTENT_MISMATCH'],
    ['no layer', docker({ entries: [] }), 'ARCHIVE_INVALID'],
    ['an end in the middle', docker().subarray(0, 1100), 'ARCHIVE_INVALID'],
    ['no tar at all', Buffer.alloc(2000, 7), 'ARCHIVE_INVALID'],
    ['too many entries', Buffer.concat(Array.from({ length: 10_001 }, (_, index) => entry(`f${index}`, ''))), 'ARCHIVE_TOO_LARGE'],
  ])('with %s is refused', async (_title, bytes, code) => {
    await expect(open(bytes)).rejects.toMatchObject({ code });
  });

  it('with any byte changed gives the same layers, or a clear error', async () => {
    const good = docker();
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const bytes = Buffer.from(good);
        bytes[at] = bytes[at]! ^ change;
        try {
          expect(await open(bytes)).toEqual([layer]);
        } catch (error) {
          expect(error).toBeInstanceOf(OciError);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('an OCI layout', () => {
  it('is refused when a blob is a link or lies about itself', async () => {
    const root = join(folder, 'layout');
    await mkdir(join(root, 'blobs/sha256'), { recursive: true });
    const put = async (bytes: Buffer) => {
      await writeFile(join(root, 'blobs/sha256', digestOf(bytes).slice(7)), bytes);
      return { digest: digestOf(bytes), size: bytes.length };
    };
    const layerDescriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await put(layer)) };
    const mediaType = mediaTypes.ociManifest;
    const text = {
      schemaVersion: 2,
      mediaType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...(await put(config)) },
      layers: [layerDescriptor],
    };
    const manifest = { mediaType, ...(await put(Buffer.from(JSON.stringify(text)))) };
    await writeFile(join(root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
    const archive = await openImageArchive(root);
    expect([archive.manifest.digest, await buffer(archive.layers[0]!.open())]).toEqual([manifest.digest, layer]);
    const blob = join(root, 'blobs/sha256', digestOf(layer).slice(7));
    await writeFile(blob, 'a laxer');
    await expect(openImageArchive(root).then((one) => buffer(one.layers[0]!.open()))).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' });
    await rm(blob);
    await symlink('/etc/hostname', blob);
    await expect(openImageArchive(root)).rejects.toMatchObject({ code: 'ARCHIVE_UNSAFE' });
  });
});
