import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Digest } from '@desp/model';
import type { ContentDigest, RegistryClient } from '@desp/oci';

export interface Attachment {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
}

const emptyConfig = Buffer.from('{}');
const sha256 = (bytes: Uint8Array): ContentDigest => `sha256:${createHash('sha256').update(bytes).digest('hex')}` as ContentDigest;

/** Attaches a document to an image as an OCI referrer (image-spec 1.1, "Guidelines for Artifact Usage"); twice is once. */
export async function attach(
  registry: RegistryClient,
  repository: string,
  digest: Digest,
  { mediaType, bytes, annotations }: Attachment,
): Promise<void> {
  const subject = await registry.getManifest(repository, digest);
  const push = async (blob: Uint8Array) => {
    const descriptor = { digest: sha256(blob), size: blob.length };
    await registry.pushBlob(repository, descriptor, () => Readable.from([Buffer.from(blob)]));
    return descriptor;
  };
  const config = await push(emptyConfig);
  const layer = await push(bytes);
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: mediaType,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...config, data: emptyConfig.toString('base64') },
    layers: [{ mediaType, ...layer }],
    subject: { mediaType: subject.mediaType, digest, size: subject.bytes.length },
    annotations,
  };
  const text = Buffer.from(JSON.stringify(manifest));
  await registry.pushManifest(repository, sha256(text), { mediaType: manifest.mediaType, bytes: text });
}
