import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An image as an OCI image layout (image-spec 1.1, image-layout.md) with exactly one manifest. */
export interface ImageLayout {
  readonly layout: string;
  readonly manifestDigest: string;
  readonly configDigest: string;
}

export interface ImageConfig {
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

export const sha256 = (bytes: Uint8Array | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Time of everything in a deterministic image. */
const epoch = '1970-01-01T00:00:00Z';

/** Writes a one-layer image to `folder`, whole or not at all; the layer is a tar archive and stays uncompressed, so its digest is its content's. */
export async function writeImageLayout(folder: string, layer: Uint8Array, config: ImageConfig): Promise<ImageLayout> {
  const unfinished = `${folder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  const blobs = join(unfinished, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (mediaType: string, bytes: Uint8Array) => {
    const digest = sha256(bytes);
    await writeFile(join(blobs, digest.slice('sha256:'.length)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const layerDescriptor = await put('application/vnd.oci.image.layer.v1.tar', layer);
  const configDescriptor = await put(
    'application/vnd.oci.image.config.v1+json',
    Buffer.from(
      JSON.stringify({
        created: epoch,
        architecture: process.arch === 'x64' ? 'amd64' : process.arch,
        os: 'linux',
        config,
        rootfs: { type: 'layers', diff_ids: [layerDescriptor.digest] },
        history: [{ created: epoch, created_by: 'desp base image' }],
      }),
    ),
  );
  const manifest = await put(
    'application/vnd.oci.image.manifest.v1+json',
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: configDescriptor,
        layers: [layerDescriptor],
      }),
    ),
  );
  await writeFile(join(unfinished, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(unfinished, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  await rm(folder, { recursive: true, force: true });
  await rename(unfinished, folder);
  return { layout: folder, manifestDigest: manifest.digest, configDigest: configDescriptor.digest };
}
