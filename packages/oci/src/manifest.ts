import { z } from 'zod';
import { ContentDigest } from './digest.ts';
import { OciError } from './errors.ts';

/** Media types of manifests that registries and clients of ours take (OCI image-spec 1.1, Docker schema 2). */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerList];
export const manifestTypes: readonly string[] = Object.values(mediaTypes);

/** Bytes of the largest manifest taken or sent (distribution-spec, "Pushing Manifests": at least 4 MiB). */
export const maxManifestBytes = 4 * 1024 * 1024;

const Annotations = z.record(z.string(), z.string());

/** image-spec, descriptor.md. `size` is in bytes. */
export const Descriptor = z.object({
  mediaType: z.string().max(255),
  digest: ContentDigest,
  size: z.number().int().min(0),
  urls: z.array(z.string()).optional(),
  annotations: Annotations.optional(),
  artifactType: z.string().optional(),
  platform: z.looseObject({ architecture: z.string(), os: z.string(), variant: z.string().optional() }).optional(),
});
export type Descriptor = z.infer<typeof Descriptor>;

const shared = {
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  subject: Descriptor.nullish(),
  annotations: Annotations.nullish(),
};

const ImageManifest = z.object({ ...shared, config: Descriptor, layers: z.array(Descriptor) });
const ImageIndex = z.object({ ...shared, manifests: z.array(Descriptor) });

/** A manifest that was read: what it points at, without the bytes. */
export type Manifest = {
  readonly mediaType: string;
  /** As the referrers list shows it: the manifest's own, else its config's media type. */
  readonly artifactType: string | undefined;
  readonly subject: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
} & (
  | { readonly kind: 'image'; readonly config: Descriptor; readonly layers: readonly Descriptor[] }
  | { readonly kind: 'index'; readonly manifests: readonly Descriptor[] }
);

const invalid = (why: string, cause?: unknown) =>
  new OciError('MANIFEST_INVALID', `The manifest cannot be read: ${why}.`, {
    cure: 'Push an OCI 1.1 or Docker schema 2 manifest or index.',
    cause,
  });

const known = new Set([
  'schemaVersion',
  'mediaType',
  'artifactType',
  'subject',
  'annotations',
  'config',
  'layers',
  'manifests',
  'digest',
  'size',
  'urls',
  'platform',
]);
const knownByFolded = new Map([...known].map((key) => [key.toLowerCase(), key]));

/**
 * Readers in Go match keys without regard to case, ours with. A manifest that two readers read differently could be
 * judged as one image and run as another: it is refused (as is one that is image and index at once, GHSA-qq97-vm5h-rrhg).
 */
function refuseAmbiguity(value: object): void {
  for (const [key, inner] of Object.entries(value)) {
    const proper = knownByFolded.get(key.toLowerCase());
    if (proper !== undefined && proper !== key) throw invalid(`the key ${JSON.stringify(key)} differs from ${proper} in case only`);
    if (proper === undefined || key === 'annotations') continue;
    for (const item of Array.isArray(inner) ? inner : [inner]) if (item !== null && typeof item === 'object') refuseAmbiguity(item);
  }
}

/**
 * Reads a manifest or index.
 *
 * @param declared media type of the HTTP header, when there was one; it must agree with the one inside.
 * @throws OciError MANIFEST_INVALID
 */
export function parseManifest(bytes: Uint8Array, declared: string | undefined): Manifest {
  if (bytes.length > maxManifestBytes) throw invalid(`it is over ${maxManifestBytes} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid('it is no JSON text', cause);
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json)) throw invalid('it is no JSON object');
  refuseAmbiguity(json);
  const inner = 'mediaType' in json && typeof json.mediaType === 'string' ? json.mediaType : undefined;
  const mediaType = declared ?? inner ?? ('manifests' in json ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  if (inner !== undefined && inner !== mediaType) throw invalid(`it says ${inner} inside and ${mediaType} outside`);
  if (!manifestTypes.includes(mediaType)) throw invalid(`its type ${mediaType.slice(0, 200)} is not supported`);
  const isIndex = indexTypes.includes(mediaType);
  if ((isIndex ? ['config', 'layers'] : ['manifests']).some((key) => key in json)) throw invalid('it is an image and an index at once');
  const parsed = (isIndex ? ImageIndex : ImageManifest).safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(`${issue?.path.join('.') || 'it'}: ${issue?.message}`);
  }
  const { data } = parsed;
  const base = { mediaType, subject: data.subject ?? undefined, annotations: data.annotations ?? {} };
  if ('manifests' in data) return { ...base, kind: 'index', artifactType: data.artifactType, manifests: data.manifests };
  return { ...base, kind: 'image', artifactType: data.artifactType ?? data.config.mediaType, config: data.config, layers: data.layers };
}

/** True for layers that stay at other hosts by their licence; a registry need not hold them. */
export function isForeignLayer(descriptor: Descriptor): boolean {
  return (
    descriptor.mediaType.startsWith('application/vnd.docker.image.rootfs.foreign.') ||
    descriptor.mediaType.startsWith('application/vnd.oci.image.layer.nondistributable.')
  );
}
