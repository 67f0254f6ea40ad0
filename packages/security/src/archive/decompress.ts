import { messageOf } from '@desp/runtime/errors';
import { ownBytes } from '../encoding.ts';
import { SecurityError } from '../errors.ts';

/** Layers as they lie in a registry, turned into tar streams (OCI image-spec, layer.md, "+gzip", "+zstd"). */

export interface DecompressLimits {
  /** Of the output, in bytes. */
  readonly outputBytes: number;
  /** Output over input; judged once `ratioFrom` bytes have come out, since small files may shrink a lot. */
  readonly ratio: number;
  readonly ratioFrom: number;
}

export const defaultDecompressLimits: DecompressLimits = { outputBytes: 16 * 2 ** 30, ratio: 200, ratioFrom: 64 * 2 ** 20 };

/** The tar stream of a layer with the given media type. Docker's and OCI's types for plain and gzip; all else is ARCHIVE_UNSUPPORTED. */
export function decompressLayer(
  mediaType: string,
  source: AsyncIterable<Uint8Array>,
  limits: DecompressLimits = defaultDecompressLimits,
): AsyncIterable<Uint8Array> {
  switch (mediaType) {
    case 'application/vnd.oci.image.layer.v1.tar':
    case 'application/vnd.oci.image.layer.nondistributable.v1.tar':
      return source;
    case 'application/vnd.oci.image.layer.v1.tar+gzip':
    case 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip':
    case 'application/vnd.docker.image.rootfs.diff.tar.gzip':
      return gunzip(source, limits);
    default:
      throw new SecurityError(
        'ARCHIVE_UNSUPPORTED',
        `A layer of media type ${JSON.stringify(mediaType.slice(0, 120))} cannot be read here, so nobody assesses it.`,
        {
          cure: 'Push the image with gzip layers (buildah and skopeo: --dest-compress-format gzip).',
        },
      );
  }
}

/** Inflates a gzip stream (RFC 1952) by the platform's own DecompressionStream, within limits. */
export async function* gunzip(
  source: AsyncIterable<Uint8Array>,
  limits: DecompressLimits = defaultDecompressLimits,
): AsyncGenerator<Uint8Array, void> {
  const iterator = source[Symbol.asyncIterator]();
  let input = 0;
  let sourceError: unknown;
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const next = await iterator.next();
        if (next.done) return controller.close();
        input += next.value.length;
        controller.enqueue(ownBytes(next.value));
      } catch (error) {
        sourceError = error;
        controller.error(error);
      }
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  const reader = compressed.pipeThrough(new DecompressionStream('gzip')).getReader();
  let output = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      output += value.length;
      if (output > limits.outputBytes) throw new SecurityError('ARCHIVE_LIMIT', `A layer inflates to over ${limits.outputBytes} bytes.`);
      if (output > limits.ratioFrom && output > input * limits.ratio) {
        throw new SecurityError(
          'ARCHIVE_LIMIT',
          `A layer inflates more than ${limits.ratio} times (${input} to over ${output} bytes): a decompression bomb.`,
        );
      }
      yield value;
    }
  } catch (error) {
    if (error instanceof SecurityError || error === sourceError) throw error;
    throw new SecurityError('ARCHIVE_INVALID', `A layer is no sound gzip stream: ${messageOf(error)}.`, { cause: error });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
