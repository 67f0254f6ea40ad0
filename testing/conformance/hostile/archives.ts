import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** Image archives that lie. */
const hexOf = (data: Buffer) => createHash('sha256').update(data).digest('hex');

function entry(name: string, data: Buffer, type = '0', link = ''): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157, 100);
  header.write('ustar\u000000', 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

const end = Buffer.alloc(1024);

/** An OCI archive with one layer; `lie` changes the layer's bytes after its digest was taken. */
export function archiveOf(layer: Buffer, options: { mediaType?: string; lie?: boolean; more?: readonly Buffer[] } = {}): Buffer {
  const blobs: Buffer[] = [];
  const add = (data: Buffer, stored = data) => {
    blobs.push(entry(`blobs/sha256/${hexOf(data)}`, stored));
    return { digest: `sha256:${hexOf(data)}`, size: data.length };
  };
  const told = add(layer, options.lie ? Buffer.concat([layer.subarray(1), Buffer.from('x')]) : layer);
  const config = add(
    Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [told.digest] } })),
  );
  const manifest = add(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
        layers: [{ mediaType: options.mediaType ?? 'application/vnd.oci.image.layer.v1.tar', ...told }],
      }),
    ),
  );
  const index = Buffer.from(
    JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest }] }),
  );
  return Buffer.concat([
    entry('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
    entry('index.json', index),
    ...blobs,
    ...(options.more ?? []),
    end,
  ]);
}

export const lyingDigest = (): Buffer => archiveOf(Buffer.concat([entry('etc/a', Buffer.from('a')), end]), { lie: true });
export const pathTricks = (): Buffer =>
  archiveOf(
    Buffer.concat([
      entry('../../../../tmp/desp-escaped', Buffer.from('a')),
      entry('etc/os-release', Buffer.alloc(0), '2', '../../../../etc/shadow'),
      end,
    ]),
  );
export const archivePathTricks = (file: string): Buffer =>
  archiveOf(Buffer.concat([entry('etc/a', Buffer.from('a')), end]), { more: [entry(`../../../../../../../..${file}`, Buffer.from('a'))] });
/** 8 GiB of nothing in 8 MB: gzip members one after another, as the format allows. */
export function zipBomb(): Buffer {
  const part = gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 });
  const header = gzipSync(entry('var/lib/dpkg/status', Buffer.alloc(0)).fill(Buffer.from(`${(8 * 1024 ** 3 - 1).toString(8)}`), 124, 135));
  return archiveOf(Buffer.concat([header, ...Array.from({ length: 128 }, () => part)]), {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  });
}
