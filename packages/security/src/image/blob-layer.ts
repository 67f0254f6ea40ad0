import { type DecompressLimits, decompressLayer } from '../archive/decompress.ts';
import { readTar, type TarLimits } from '../archive/tar.ts';
import type { ImageLayer, LayerEntry } from './source.ts';

/** A layer as it lies in a registry: its blob, already checked against its digest. */
export interface LayerBlob {
  readonly digest: string;
  readonly mediaType: string;
  /** Opened when the layer's turn comes, and only then. */
  open(): AsyncIterable<Uint8Array>;
}

/** The layer's entries. A media type that cannot be read shows as an error of the entries, so that the inventory names the layer. */
export function layerOf(blob: LayerBlob, limits: { readonly tar?: TarLimits; readonly decompress?: DecompressLimits } = {}): ImageLayer {
  async function* entries(): AsyncGenerator<LayerEntry, void> {
    yield* readTar(decompressLayer(blob.mediaType, blob.open(), limits.decompress), limits.tar);
  }
  return { digest: blob.digest, entries: entries() };
}
