import type { Digest } from '@desp/model';

/**
 * An image as the gate reads it. The source has already checked every blob against its digest; the gate believes the
 * digests and distrusts everything inside.
 */
export interface ImageSource {
  /** The digest of the image manifest: what a verdict is bound to. */
  readonly digest: Digest;
  /** The parsed image configuration (OCI image-spec, config.md). */
  readonly config: unknown;
  /** From the base upwards, as the manifest lists them. */
  readonly layers: AsyncIterable<ImageLayer> | Iterable<ImageLayer>;
}

export interface ImageLayer {
  /** The digest of the layer's blob. */
  readonly digest: string;
  /** In the order of the archive. Read once; an entry's content can be read only before the next entry is asked for. */
  readonly entries: AsyncIterable<LayerEntry>;
}

export type EntryKind = 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';

export interface LayerEntry {
  /** Relative to the root, without leading or trailing slash, without `.` and `..`. */
  readonly path: string;
  readonly kind: EntryKind;
  /** In bytes; 0 for what is no file. */
  readonly size: number;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  /** For a symlink the text as written; for a hard link the path of the other name, in the form of `path`. */
  readonly linkTarget?: string;
  /** The content of a file; may be called at most once. */
  read(): AsyncIterable<Uint8Array>;
}
