import { type Digest, formatImageReference, type ImageReference, parseImageReference } from '@desp/model';
import { canonicalBytes, canonicalJson, digestOf } from '@desp/security';
import { ReleaseError } from './errors.ts';

/**
 * Ties rendered manifests to the digests of the release. A tag is a name, a digest is the thing: what runs is what was
 * judged, whatever happens to the tag afterwards.
 *
 * Images are looked for wherever a list of containers stands, in any kind: a pod template inside a custom resource runs
 * as surely as one in a Deployment.
 */
export type Manifest = Readonly<Record<string, unknown>>;

export interface PinnedManifests {
  readonly manifests: readonly Manifest[];
  /** The images that the manifests run, without repetition, ordered by name. */
  readonly images: readonly { readonly name: string; readonly digest: Digest }[];
}

const containerLists = new Set(['containers', 'initContainers', 'ephemeralContainers']);
/** Kinds whose containers must have an image; elsewhere a list of that name may be something else. */
const workloads = new Set([
  'Pod',
  'PodTemplate',
  'Deployment',
  'ReplicaSet',
  'ReplicationController',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
]);
const maximumDepth = 100;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** `Kind namespace/name`, for messages. */
function nameOf(manifest: Manifest): string {
  const metadata = isObject(manifest['metadata']) ? manifest['metadata'] : {};
  const name = String(metadata['name'] ?? metadata['generateName'] ?? 'without name');
  return `${String(manifest['kind'] ?? 'object without kind')} ${metadata['namespace'] ? `${String(metadata['namespace'])}/` : ''}${name}`;
}

const repositoryOf = (reference: ImageReference): string => `${reference.host ? `${reference.host}/` : ''}${reference.repository}`;

class Pinning {
  readonly problems: string[] = [];
  readonly used = new Map<string, Digest>();
  readonly #images: ReadonlyMap<string, Digest>;

  constructor(images: ReadonlyMap<string, Digest>) {
    this.#images = images;
  }

  manifest(manifest: Manifest): Manifest {
    const strict = workloads.has(String(manifest['kind']));
    return this.#walk(manifest, nameOf(manifest), strict, 0) as Manifest;
  }

  #walk(value: unknown, owner: string, strict: boolean, depth: number): unknown {
    if (depth > maximumDepth) throw new ReleaseError('MANIFEST_INVALID', `${owner} is nested deeper than ${maximumDepth} levels.`);
    if (Array.isArray(value)) return value.map((item) => this.#item(item, owner, strict, depth));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => {
        if (containerLists.has(key) && Array.isArray(member))
          return [key, member.map((item) => this.#container(item, owner, strict, depth + 1))];
        if (key === 'volumes' && Array.isArray(member)) return [key, member.map((item) => this.#volume(item, owner, strict, depth + 1))];
        return [key, this.#walk(member, owner, strict, depth + 1)];
      }),
    );
  }

  /** The items of a List are objects of their own. */
  #item(item: unknown, owner: string, strict: boolean, depth: number): unknown {
    if (isObject(item) && typeof item['kind'] === 'string' && typeof item['apiVersion'] === 'string')
      return this.#walk(item, nameOf(item), workloads.has(item['kind']), depth + 1);
    return this.#walk(item, owner, strict, depth + 1);
  }

  #container(item: unknown, owner: string, strict: boolean, depth: number): unknown {
    if (!isObject(item)) return item;
    const walked = this.#walk(item, owner, strict, depth) as Record<string, unknown>;
    if (!('image' in item)) {
      if (strict) this.problems.push(`${owner}: the container ${JSON.stringify(item['name'] ?? '')} names no image`);
      return walked;
    }
    return { ...walked, image: this.#pin(item['image'], owner) };
  }

  /** Volumes made from images (Kubernetes 1.31, `volumes[].image.reference`). */
  #volume(item: unknown, owner: string, strict: boolean, depth: number): unknown {
    const walked = this.#walk(item, owner, strict, depth);
    if (!isObject(walked) || !isObject(walked['image']) || !('reference' in walked['image'])) return walked;
    return { ...walked, image: { ...walked['image'], reference: this.#pin(walked['image']['reference'], owner) } };
  }

  #pin(image: unknown, owner: string): unknown {
    const reference = typeof image === 'string' ? parseImageReference(image) : undefined;
    if (!reference) {
      this.problems.push(`${owner}: ${JSON.stringify(image)?.slice(0, 200)} is no image reference`);
      return image;
    }
    const repository = repositoryOf(reference);
    const digest =
      (reference.tag === undefined ? undefined : this.#images.get(`${repository}:${reference.tag}`)) ?? this.#images.get(repository);
    if (!digest) {
      this.problems.push(`${owner}: no verdict of this release covers ${String(image)}`);
      return image;
    }
    if (reference.digest && reference.digest !== digest) {
      this.problems.push(`${owner}: ${String(image)} asks for another digest than the judged one (${digest})`);
      return image;
    }
    this.used.set(`${repository}@${digest}`, digest);
    return formatImageReference({ ...reference, digest });
  }
}

/**
 * Every image in the manifests as `repository:tag@digest`. `images` maps a repository with its host, or
 * `repository:tag` where a release has several tags of one, to the digest that was judged. The given objects are not
 * changed. Throws IMAGE_UNCOVERED naming every object and image that no verdict covers.
 */
export function pinImages(manifests: readonly Manifest[], images: ReadonlyMap<string, Digest>): PinnedManifests {
  const pinning = new Pinning(images);
  const pinned = manifests.map((manifest) => pinning.manifest(manifest));
  if (pinning.problems.length > 0) {
    throw new ReleaseError(
      'IMAGE_UNCOVERED',
      `The manifests cannot be tied to this release: ${pinning.problems.slice(0, 20).join('; ')}${pinning.problems.length > 20 ? '; …' : ''}.`,
      {
        cure: 'Release the image with a .release job, or take it out of the chart; a cluster runs only judged images of the service.',
      },
    );
  }
  return {
    manifests: pinned,
    images: [...pinning.used]
      .map(([key, digest]) => ({ name: key.slice(0, key.lastIndexOf('@')), digest }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.digest < b.digest ? -1 : 1)),
  };
}

/** The digest of a set of objects: of the canonical JSON of each, in the order of these texts, so that the order of rendering does not count. */
export function hashManifests(manifests: readonly Manifest[]): Promise<Digest> {
  return digestOf(canonicalBytes(manifests.map((manifest) => canonicalJson(manifest)).sort()));
}

/** What a record lists of each object. */
export function listObjects(manifests: readonly Manifest[]): { apiVersion: string; kind: string; namespace: string; name: string }[] {
  return manifests.map((manifest) => {
    const metadata = isObject(manifest['metadata']) ? manifest['metadata'] : {};
    const [apiVersion, kind, name] = [manifest['apiVersion'], manifest['kind'], metadata['name']];
    if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string') {
      throw new ReleaseError('MANIFEST_INVALID', `A rendered object lacks apiVersion, kind or name: ${nameOf(manifest)}.`);
    }
    return { apiVersion, kind, namespace: String(metadata['namespace'] ?? ''), name };
  });
}
