import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a small OCI archive whose one layer holds folders as they are: an image without a builder. */
export function writeImageArchive(file: string, folders: Readonly<Record<string, string>>): void {
  const layer = tar(
    Object.entries(folders).flatMap(([name, folder]) =>
      filesOf(folder).map((path) => ({ name: `${name}/${path}`, data: readFileSync(join(folder, path)) })),
    ),
  );
  const osRelease = tar([
    { name: 'etc/os-release', data: Buffer.from('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n') },
  ]);
  const blobs = new Map<string, Buffer>();
  const add = (data: Buffer) => {
    const hex = createHash('sha256').update(data).digest('hex');
    blobs.set(hex, data);
    return { digest: `sha256:${hex}`, size: data.length };
  };
  const layers = [osRelease, layer].map((data) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...add(data) }));
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    ...add(
      Buffer.from(
        JSON.stringify({
          architecture: 'amd64',
          os: 'linux',
          config: {},
          rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
        }),
      ),
    ),
  };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = { mediaType, ...add(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers }))) };
  writeFileSync(
    file,
    tar([
      { name: 'oci-layout', data: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
      { name: 'index.json', data: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [manifest] })) },
      ...[...blobs].map(([hex, data]) => ({ name: `blobs/sha256/${hex}`, data })),
    ]),
  );
}

const filesOf = (folder: string, prefix = ''): string[] =>
  readdirSync(join(folder, prefix)).flatMap((name) => {
    const path = prefix ? `${prefix}/${name}` : name;
    return statSync(join(folder, path)).isDirectory() ? filesOf(folder, path) : [path];
  });

/** POSIX ustar: names under 100 bytes are all that is needed here. */
function tar(entries: readonly { name: string; data: Buffer }[]): Buffer {
  const parts: Buffer[] = [];
  for (const { name, data } of entries) {
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write('0000644\0', 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\u000000', 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    parts.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
