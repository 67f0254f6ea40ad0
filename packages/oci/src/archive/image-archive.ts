import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Digest } from '@desp/model';
import { z } from 'zod';
import type { RegistryClient } from '../client/registry-client.ts';
import { verifiedStream } from '../client/verified-stream.ts';
import { algorithmOf, type ContentDigest, digestOf, hexOf } from '../digest.ts';
import { OciError } from '../errors.ts';
import { Descriptor, maxManifestBytes, mediaTypes, parseManifest } from '../manifest.ts';
import { type ArchiveFiles, openArchiveFiles } from './archive-files.ts';

export interface ImageArchive {
  /** The image manifest: from the archive, or for `docker save` archives made from its config and layers. */
  readonly manifest: { readonly mediaType: string; readonly digest: ContentDigest; readonly bytes: Buffer };
  readonly config: { readonly descriptor: Descriptor; readonly bytes: Buffer };
  /** Each stream fails at its end unless its bytes are what the manifest promises. */
  readonly layers: readonly { readonly descriptor: Descriptor; open(): Readable }[];
  close(): Promise<void>;
}

export interface ArchiveLimits {
  /** Bytes of all layers together, as they lie in the archive; default 20 GiB. */
  readonly totalBytes?: number;
  /** Default 500. */
  readonly layers?: number;
}

const maxConfigBytes = 4 * 1024 * 1024;
const Index = z.object({ schemaVersion: z.literal(2), manifests: z.array(Descriptor).min(1).max(100) });
const DockerManifest = z.array(z.object({ Config: z.string(), Layers: z.array(z.string()) })).length(1, 'exactly one image');
const Config = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) });

const invalid = (why: string, cause?: unknown) =>
  new OciError('ARCHIVE_INVALID', `The image archive cannot be read: ${why}.`, {
    cure: 'Write the archive anew with skopeo, podman or docker.',
    cause,
  });

/**
 * Opens an image in an OCI layout (folder or tar) or in a `docker save` tar. The archive is not trusted: paths are
 * confined, links do not lead out, every digest is checked, sizes and numbers are limited, and nothing is unpacked.
 */
export async function openImageArchive(path: string, limits: ArchiveLimits = {}): Promise<ImageArchive> {
  const files = await openArchiveFiles(path);
  try {
    const image = (await files.find('index.json')) ? await readLayout(files) : await readDockerArchive(files);
    const { layers = 500, totalBytes = 20 * 1024 ** 3 } = limits;
    const total = image.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    if (image.layers.length > layers || total > totalBytes)
      throw new OciError(
        'ARCHIVE_TOO_LARGE',
        `The image has ${image.layers.length} layers of ${total} bytes; ${layers} of ${totalBytes} are allowed.`,
      );
    return { ...image, close: () => files.close() };
  } catch (error) {
    await files.close();
    throw error;
  }
}

async function readSmall(files: ArchiveFiles, path: string, limit: number): Promise<Buffer> {
  const file = await files.find(path);
  if (!file) throw invalid(`${path.slice(0, 200)} is missing`);
  if (file.size > limit) throw new OciError('ARCHIVE_TOO_LARGE', `${path.slice(0, 200)} of the image archive is over ${limit} bytes.`);
  return buffer(file.open());
}

function parseJson<T>(schema: z.ZodType<T>, bytes: Buffer, what: string): T {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw invalid(`${what} is not what it should be`, cause);
  }
}

const blobPath = (digest: ContentDigest) => `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;

async function readBlob(files: ArchiveFiles, { digest, size }: Descriptor, limit: number): Promise<Buffer> {
  const bytes = await readSmall(files, blobPath(digest), limit);
  if (bytes.length !== size || digestOf(bytes, algorithmOf(digest)) !== digest)
    throw new OciError('CONTENT_MISMATCH', `The image archive's ${digest} holds something else.`);
  return bytes;
}

type Image = Omit<ImageArchive, 'close'>;

async function readLayout(files: ArchiveFiles): Promise<Image> {
  const index = parseJson(Index, await readSmall(files, 'index.json', maxManifestBytes), 'index.json');
  const [first] = index.manifests;
  if (index.manifests.length !== 1 || !first) throw invalid(`its index names ${index.manifests.length} images, and one is wanted`);
  const bytes = await readBlob(files, first, maxManifestBytes);
  const manifest = parseManifest(bytes, first.mediaType);
  if (manifest.kind !== 'image') throw invalid('it holds an index of several platforms; give one platform');
  const config = await readBlob(files, manifest.config, maxConfigBytes);
  const layers = [];
  for (const descriptor of manifest.layers) {
    const file = await files.find(blobPath(descriptor.digest));
    if (!file) throw invalid(`the layer ${descriptor.digest} is missing`);
    if (file.size !== descriptor.size)
      throw new OciError('CONTENT_MISMATCH', `The layer ${descriptor.digest} has ${file.size} bytes, not ${descriptor.size}.`);
    layers.push({ descriptor, open: () => verifiedStream(file.open(), descriptor.digest, descriptor.size, 'the layer') });
  }
  return {
    manifest: { mediaType: manifest.mediaType, digest: first.digest, bytes },
    config: { descriptor: manifest.config, bytes: config },
    layers,
  };
}

/** `docker save`: uncompressed layers, named by files; their digests must be the config's `diff_ids`. */
async function readDockerArchive(files: ArchiveFiles): Promise<Image> {
  const [entry] = parseJson(DockerManifest, await readSmall(files, 'manifest.json', maxManifestBytes), 'manifest.json');
  const bytes = await readSmall(files, entry!.Config, maxConfigBytes);
  const { diff_ids } = parseJson(Config, bytes, 'its config').rootfs;
  if (diff_ids.length !== entry!.Layers.length)
    throw invalid(`its config names ${diff_ids.length} layers, its manifest ${entry!.Layers.length}`);
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(bytes), size: bytes.length };
  const layers = [];
  for (const [number, path] of entry!.Layers.entries()) {
    const file = await files.find(path);
    if (!file) throw invalid(`the layer ${path.slice(0, 200)} is missing`);
    const hash = createHash('sha256');
    for await (const piece of file.open()) hash.update(piece as Buffer);
    const digest = `sha256:${hash.digest('hex')}` as Digest;
    if (digest !== diff_ids[number])
      throw new OciError(
        'CONTENT_MISMATCH',
        `Layer ${number + 1} of the image archive is ${digest}, its config promises ${diff_ids[number]?.slice(0, 100)}.`,
      );
    const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: file.size };
    layers.push({ descriptor, open: () => verifiedStream(file.open(), digest, file.size, 'the layer') });
  }
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: layers.map(({ descriptor }) => descriptor) }),
  );
  return {
    manifest: { mediaType: mediaTypes.ociManifest, digest: digestOf(manifest), bytes: manifest },
    config: { descriptor: config, bytes },
    layers,
  };
}

/** Pushes an archive's image: layers, config, manifest by digest, then the tags. Idempotent. */
export async function pushArchive(
  archive: ImageArchive,
  to: { client: RegistryClient; repository: string },
  tags: readonly string[] = [],
): Promise<ContentDigest> {
  for (const { descriptor, open } of archive.layers) await to.client.pushBlob(to.repository, descriptor, open);
  await to.client.pushBlob(to.repository, archive.config.descriptor, () => Readable.from([archive.config.bytes]));
  for (const reference of [archive.manifest.digest, ...tags]) await to.client.pushManifest(to.repository, reference, archive.manifest);
  return archive.manifest.digest;
}
