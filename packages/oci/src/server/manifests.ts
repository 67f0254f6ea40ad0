import { algorithmOf, type ContentDigest, digestOf, parseDigest } from '../digest.ts';
import { OciError } from '../errors.ts';
import { type Descriptor, isForeignLayer, type Manifest, maxManifestBytes, parseManifest } from '../manifest.ts';
import { isTag } from '../names.ts';
import { type Repository, referencesOf, type StoredManifest } from '../store/metadata.ts';
import type { Caller } from './access.ts';
import { knownProject, knownRepository, type RegistryContext, writableRepository } from './context.ts';
import { type Exchange, readBody, sendEmpty, sendJson } from './wire.ts';

type Reference = { readonly tag: string; readonly digest?: undefined } | { readonly tag?: undefined; readonly digest: ContentDigest };

function parseReference(text: string): Reference {
  if (text.includes(':')) return { digest: parseDigest(text) };
  if (isTag(text)) return { tag: text };
  throw new OciError('TAG_INVALID', `${JSON.stringify(text.slice(0, 150))} is neither tag nor digest.`);
}

function findManifest(context: RegistryContext, repository: Repository, text: string): StoredManifest {
  const reference = parseReference(text);
  const digest = reference.digest ?? context.metadata.tag(repository.id, reference.tag);
  const manifest = digest && context.metadata.manifest(repository.id, digest);
  if (!manifest) throw new OciError('MANIFEST_UNKNOWN', `manifest unknown to registry: ${repository.name}:${text}`);
  return manifest;
}

/** end-3: GET and HEAD; both ask the pull policy, as Harbor does. */
export async function serveManifest(context: RegistryContext, exchange: Exchange, name: string, reference: string): Promise<void> {
  const caller = await context.gate.demand(exchange, name, 'pull');
  const repository = knownRepository(context, name);
  const manifest = findManifest(context, repository, reference);
  await askPullPolicy(context, caller, repository, manifest);
  exchange.response.writeHead(200, {
    'content-type': manifest.mediaType,
    'content-length': manifest.size,
    'docker-content-digest': manifest.digest,
    etag: `"${manifest.digest}"`,
  });
  exchange.response.end(exchange.method === 'HEAD' ? undefined : context.metadata.manifestBytes(manifest.id));
}

/** Never asks for the platform: it must read what it judges. */
async function askPullPolicy(context: RegistryContext, caller: Caller, repository: Repository, manifest: StoredManifest): Promise<void> {
  const { beforePull } = context.options;
  if (!beforePull || caller.principal.kind === 'platform') return;
  const project = context.metadata.project(context.options.name, repository.project);
  if (project?.metadata['prevent_vul'] === 'false') return;
  const decision = await beforePull({
    registry: context.options.name,
    repository: repository.name,
    digest: manifest.digest,
    mediaType: manifest.mediaType,
    artifactType: manifest.artifactType,
    subject: manifest.subject,
    principal: caller.principal,
  });
  if (decision.kind !== 'allow') throw new OciError('PROJECTPOLICYVIOLATION', decision.message);
}

/** end-7: checks that the manifest is whole, asks the policies, stores the bytes exactly as they came. */
export async function putManifest(context: RegistryContext, exchange: Exchange, name: string, text: string): Promise<void> {
  const caller = await context.gate.demand(exchange, name, 'push');
  const reference = parseReference(text);
  const bytes = await readBody(exchange.request, maxManifestBytes);
  const declared = exchange.request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  const manifest = parseManifest(bytes, declared || undefined);
  const digest = digestOf(bytes, reference.digest ? algorithmOf(reference.digest) : 'sha256');
  if (reference.digest && reference.digest !== digest) {
    throw new OciError('DIGEST_INVALID', `The manifest's bytes are ${digest}, not ${reference.digest}.`, {
      cure: 'Push the content again.',
    });
  }
  const project = knownProject(context, name);
  const repository = await writableRepository(context, name);
  refuseMissingReferences(context, repository, manifest);
  const notice = {
    registry: context.options.name,
    repository: name,
    tag: reference.tag,
    digest,
    mediaType: manifest.mediaType,
    artifactType: manifest.artifactType,
    subject: manifest.subject?.digest,
    principal: caller.principal,
  };
  const decision = (await context.options.beforePush?.(notice)) ?? { kind: 'allow' };
  if (decision.kind !== 'allow') throw new OciError(decision.code, decision.message);
  await context.metadata.putManifest(repository.id, digest, bytes, manifest, reference.tag, context.clock.now().toISOString(), () => {
    // Asked again inside the transaction: neither another push nor a deletion may have come between.
    refuseMissingReferences(context, repository, manifest);
    if (reference.tag !== undefined && project.tags === 'immutable') refuseMovedTag(context, repository, reference.tag, digest);
  });
  context.log.info({ repository: name, tag: reference.tag, digest, by: caller.principal.name }, 'Received a manifest.');
  try {
    await context.options.onManifest?.({ ...notice, size: bytes.length });
  } catch (error) {
    context.log.error({ error, repository: name, digest }, 'The notification of a pushed manifest failed.');
  }
  sendEmpty(exchange, 201, {
    location: `/v2/${name}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(manifest.subject ? { 'oci-subject': manifest.subject.digest } : {}),
  });
}

/** An image's blobs and an index's children must be there, in this repository; the subject need not (distribution-spec, "Pushing Manifests with Subject"). */
function refuseMissingReferences(context: RegistryContext, repository: Repository, manifest: Manifest): void {
  const check = (descriptor: Descriptor): void => {
    if (manifest.kind === 'image' && isForeignLayer(descriptor)) return;
    const size =
      manifest.kind === 'index'
        ? context.metadata.manifest(repository.id, descriptor.digest)?.size
        : context.metadata.blobSize(repository.id, descriptor.digest);
    if (size === undefined) {
      throw new OciError('MANIFEST_BLOB_UNKNOWN', `The manifest needs ${descriptor.digest}, which ${repository.name} does not hold.`, {
        cure: 'Push it first.',
      });
    }
    if (size !== descriptor.size) {
      throw new OciError('MANIFEST_INVALID', `The manifest says ${descriptor.digest} has ${descriptor.size} bytes; it has ${size}.`);
    }
  };
  referencesOf(manifest).forEach(check);
}

/** A repeated push of the same digest is no move: a release that was interrupted may run again. */
function refuseMovedTag(context: RegistryContext, repository: Repository, tag: string, digest: ContentDigest): void {
  const present = context.metadata.tag(repository.id, tag);
  if (present !== undefined && present !== digest) throw immutable(repository, tag);
}

const immutable = (repository: Repository, tag: string) =>
  new OciError('PRECONDITION', `Failed to process request due to '${repository.name}:${tag}' configured as immutable.`);

/** end-9: a tag alone, or a manifest with all its tags. */
export async function deleteManifest(context: RegistryContext, exchange: Exchange, name: string, text: string): Promise<void> {
  await context.gate.demand(exchange, name, 'delete');
  const repository = knownRepository(context, name);
  await removeReference(context, repository, text);
  sendEmpty(exchange, 202);
}

/** Deletes a tag, or a manifest by digest, under the project's rule for tags. */
export async function removeReference(context: RegistryContext, repository: Repository, text: string): Promise<void> {
  const manifest = findManifest(context, repository, text);
  const reference = parseReference(text);
  const frozen = context.metadata.project(context.options.name, repository.project)?.tags === 'immutable';
  if (reference.tag !== undefined) {
    if (frozen) throw immutable(repository, reference.tag);
    await context.metadata.deleteTag(repository.id, reference.tag);
    return;
  }
  const [held] = context.metadata.tagsOf(repository.id, manifest.digest);
  if (frozen && held) throw immutable(repository, held.name);
  const parent = context.metadata.parentOf(repository.id, manifest.digest);
  if (parent)
    throw new OciError('UNSUPPORTED', `manifest ${manifest.digest} is part of index ${parent}`, { cure: 'Delete the index first.' });
  await context.metadata.deleteManifest(repository.id, manifest.digest);
}

const referrersPage = 1000;

/** end-12: an index of what names this digest as its subject; empty when nothing does, the subject itself included. */
export async function serveReferrers(context: RegistryContext, exchange: Exchange, name: string, reference: string): Promise<void> {
  await context.gate.demand(exchange, name, 'pull');
  const digest = parseDigest(reference);
  const artifactType = exchange.query.get('artifactType') || undefined;
  const after = Number(/^\d{1,15}$/.exec(exchange.query.get('last') ?? '')?.[0] ?? 0);
  const repository = context.metadata.repository(context.options.name, name);
  const found = repository ? context.metadata.referrers(repository.id, digest, artifactType, after, referrersPage + 1) : [];
  const page = found.slice(0, referrersPage);
  const headers: Record<string, string> = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
  if (artifactType !== undefined) headers['oci-filters-applied'] = 'artifactType';
  const last = page.at(-1);
  if (found.length > page.length && last) {
    const query = new URLSearchParams({ ...(artifactType === undefined ? {} : { artifactType }), last: String(last.id) });
    headers['link'] = `</v2/${name}/referrers/${digest}?${query}>; rel="next"`;
  }
  const manifests = page.map((manifest) => ({
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.size,
    ...(manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
    ...(Object.keys(manifest.annotations).length === 0 ? {} : { annotations: manifest.annotations }),
  }));
  sendJson(exchange, 200, { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }, headers);
}
