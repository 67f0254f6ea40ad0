import type { Digest } from '@desp/model';
import type { ContentDigest, RegistryClient } from '@desp/oci';
import { type ImageSource, layerOf } from '@desp/security';
import { z } from 'zod';

const Manifest = z.object({
  config: z.object({
    digest: z.string(),
    size: z
      .number()
      .int()
      .max(8 * 1024 * 1024),
  }),
  layers: z.array(z.object({ digest: z.string(), size: z.number().int(), mediaType: z.string() })).max(500),
});

/** An image as the gate reads it, straight from its registry: every blob is checked against its digest as it comes. */
export async function readImage(registry: RegistryClient, repository: string, digest: Digest): Promise<ImageSource> {
  const manifest = await registry.getManifest(repository, digest);
  const { config, layers } = Manifest.parse(JSON.parse(manifest.bytes.toString('utf8')));
  const chunks: Buffer[] = [];
  for await (const chunk of await registry.pullBlob(repository, { digest: config.digest as ContentDigest, size: config.size }))
    chunks.push(chunk as Buffer);
  return {
    digest,
    config: JSON.parse(Buffer.concat(chunks).toString('utf8')),
    layers: layers.map((layer) =>
      layerOf({
        digest: layer.digest,
        mediaType: layer.mediaType,
        open: () => opened(registry.pullBlob(repository, { digest: layer.digest as ContentDigest, size: layer.size })),
      }),
    ),
  };
}

/** A stream that is still on its way, as one that is here. */
async function* opened(stream: Promise<AsyncIterable<unknown>>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of await stream) yield chunk as Uint8Array;
}
