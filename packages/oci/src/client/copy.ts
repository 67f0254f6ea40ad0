import type { ContentDigest } from '../digest.ts';
import { OciError } from '../errors.ts';
import { type Descriptor, isForeignLayer, parseManifest } from '../manifest.ts';
import type { RegistryClient } from './registry-client.ts';

export interface CopyEnd {
  readonly client: RegistryClient;
  readonly repository: string;
}

export interface CopyRequest {
  readonly from: CopyEnd;
  readonly to: CopyEnd;
  /** What is copied: a digest, never a tag. */
  readonly digest: ContentDigest;
  /** Tags that it gets at the target, last of all. */
  readonly tags?: readonly string[];
  /** Also what names it as a subject (SBOM, verdict, signature), and what names those. Default true. */
  readonly referrers?: boolean;
}

export interface CopyReport {
  readonly digest: ContentDigest;
  readonly manifests: number;
  readonly blobs: { readonly pushed: number; readonly mounted: number; readonly present: number };
}

/** Manifests reachable from one digest before a copy is refused as endless. */
const maxManifests = 1000;
const maxDepth = 4;

/**
 * Copies an image by digest from one repository to another, between registries or within one. Children come before
 * parents, blobs before manifests, referrers before the tag: whoever sees the tag sees all. Every byte is checked
 * against its digest. Idempotent: what the target has is not sent again, so an interrupted copy is resumed by repeating it.
 */
export async function copyImage(request: CopyRequest): Promise<CopyReport> {
  const { from, to, digest, tags = [], referrers = true } = request;
  const blobs = { pushed: 0, mounted: 0, present: 0 };
  const done = new Set<ContentDigest>();
  const mountFrom = from.client.url === to.client.url && from.repository !== to.repository ? { mountFrom: from.repository } : {};

  const copyBlob = async (blob: Descriptor) => {
    const outcome = await to.client.pushBlob(to.repository, blob, () => from.client.pullBlob(from.repository, blob), mountFrom);
    blobs[outcome] += 1;
  };

  const copyManifest = async (wanted: ContentDigest, depth: number): Promise<{ mediaType: string; bytes: Uint8Array } | undefined> => {
    if (done.has(wanted)) return undefined;
    if (done.size >= maxManifests || depth > maxDepth) {
      throw new OciError(
        'MANIFEST_INVALID',
        `${from.repository}@${digest} leads to over ${maxManifests} manifests or is nested over ${maxDepth} deep.`,
      );
    }
    done.add(wanted);
    const fetched = await from.client.getManifest(from.repository, wanted);
    const manifest = parseManifest(fetched.bytes, fetched.mediaType);
    if (manifest.kind === 'index') for (const child of manifest.manifests) await copyManifest(child.digest, depth + 1);
    else {
      const unique = new Map(
        [manifest.config, ...manifest.layers].filter((blob) => !isForeignLayer(blob)).map((blob) => [blob.digest, blob]),
      );
      for (const blob of unique.values()) await copyBlob(blob);
    }
    await to.client.pushManifest(to.repository, wanted, fetched);
    if (referrers) {
      for (const referrer of await from.client.referrers(from.repository, wanted)) await copyManifest(referrer.digest, depth + 1);
    }
    return fetched;
  };

  const root = await copyManifest(digest, 0);
  for (const tag of root ? tags : []) await to.client.pushManifest(to.repository, tag, root!);
  return { digest, manifests: done.size, blobs };
}
