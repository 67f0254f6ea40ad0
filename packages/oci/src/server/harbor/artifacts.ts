import { OciError } from '../../errors.ts';
import { parseManifest } from '../../manifest.ts';
import type { Repository, StoredManifest } from '../../store/metadata.ts';
import { removeReference } from '../manifests.ts';
import { sendEmpty, sendJson } from '../wire.ts';
import { type HarborCall, type HarborRoute, may, notFound, sendPage, visibleProject } from './call.ts';

/** Repositories and artifacts (Harbor's swagger.yaml, tags "repository" and "artifact"). */
const artifact = '/projects/:project/repositories/:repository/artifacts/:reference';
export const artifactRoutes: readonly HarborRoute[] = [
  ['GET', '/projects/:project/repositories', listRepositories],
  ['GET', '/projects/:project/repositories/:repository', getRepository],
  ['GET', '/projects/:project/repositories/:repository/artifacts', listArtifacts],
  ['GET', artifact, getArtifact],
  ['DELETE', artifact, deleteArtifact],
  ['GET', `${artifact}/tags`, listArtifactTags],
  ['GET', `${artifact}/accessories`, listAccessories],
  ['GET', `${artifact}/additions/vulnerabilities`, getVulnerabilities],
];

function visibleRepository(call: HarborCall, project: string, encoded: string): Repository {
  const { name: own } = visibleProject(call, project);
  // Harbor wants the name encoded twice, since it holds slashes.
  const name = `${own}/${decode(encoded)}`;
  const repository = call.context.metadata.repository(call.context.options.name, name);
  if (!repository) throw notFound(`repository ${name}`);
  return repository;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new OciError('BAD_REQUEST', 'The name is not well encoded.', { cause });
  }
}

const repositoryView = (call: HarborCall, repository: Repository) => ({
  id: repository.id,
  name: repository.name,
  creation_time: repository.created_at,
  artifact_count: call.context.metadata.manifests(repository.id).filter(({ subject }) => subject === undefined).length,
});

function listRepositories(call: HarborCall, project = ''): void {
  const { name } = visibleProject(call, project);
  const repositories = call.context.metadata.repositories(call.context.options.name).filter((repository) => repository.project === name);
  sendPage(call.exchange, repositories, (repository) => repositoryView(call, repository));
}

function getRepository(call: HarborCall, project = '', encoded = ''): void {
  sendJson(call.exchange, 200, repositoryView(call, visibleRepository(call, project, encoded)));
}

function visibleArtifact(call: HarborCall, [project = '', encoded = '', reference = '']: readonly string[]) {
  const repository = visibleRepository(call, project, encoded);
  const { metadata } = call.context;
  const digest = metadata.tag(repository.id, reference) ?? reference;
  const manifest = metadata.manifests(repository.id).find((one) => one.digest === digest);
  if (!manifest) throw notFound(`artifact ${repository.name}@${reference.slice(0, 150)}`);
  return { repository, manifest };
}

function artifactView(call: HarborCall, repository: Repository, manifest: StoredManifest) {
  const { metadata } = call.context;
  const parsed = parseManifest(metadata.manifestBytes(manifest.id), manifest.mediaType);
  const content = parsed.kind === 'image' ? parsed.config.size + parsed.layers.reduce((sum, { size }) => sum + size, 0) : 0;
  return {
    id: manifest.id,
    type: manifest.artifactType?.includes('.image.') || manifest.artifactType?.includes('docker.container') ? 'IMAGE' : 'UNKNOWN',
    digest: manifest.digest,
    size: manifest.size + content,
    media_type: parsed.kind === 'image' ? parsed.config.mediaType : manifest.mediaType,
    manifest_media_type: manifest.mediaType,
    artifact_type: manifest.artifactType,
    push_time: manifest.pushedAt,
    project_id: metadata.projectNumber(call.context.options.name, repository.project),
    repository_id: repository.id,
    repository_name: repository.name,
    references:
      parsed.kind === 'index' ? parsed.manifests.map((child) => ({ child_digest: child.digest, platform: child.platform })) : null,
    tags: tagViews(call, repository, manifest),
    accessories: accessoryViews(call, repository, manifest),
  };
}

const tagViews = ({ context }: HarborCall, repository: Repository, manifest: StoredManifest) => {
  const immutable = context.metadata.project(context.options.name, repository.project)?.tags === 'immutable';
  return context.metadata
    .tagsOf(repository.id, manifest.digest)
    .map(({ name, pushedAt }) => ({ name, push_time: pushedAt, repository_id: repository.id, artifact_id: manifest.id, immutable }));
};

const accessoryViews = ({ context }: HarborCall, repository: Repository, subject: StoredManifest) =>
  context.metadata.referrers(repository.id, subject.digest, undefined, 0, 100).map((manifest) => ({
    id: manifest.id,
    artifact_id: manifest.id,
    subject_artifact_id: subject.id,
    subject_artifact_digest: subject.digest,
    subject_artifact_repo: repository.name,
    digest: manifest.digest,
    size: manifest.size,
    type: manifest.artifactType ?? 'subject.accessory',
    creation_time: manifest.pushedAt,
  }));

function listArtifacts(call: HarborCall, project = '', encoded = ''): void {
  const repository = visibleRepository(call, project, encoded);
  const artifacts = call.context.metadata.manifests(repository.id).filter(({ subject }) => subject === undefined);
  sendPage(call.exchange, artifacts, (manifest) => artifactView(call, repository, manifest));
}

function getArtifact(call: HarborCall, ...parts: string[]): void {
  const { repository, manifest } = visibleArtifact(call, parts);
  sendJson(call.exchange, 200, artifactView(call, repository, manifest));
}

async function deleteArtifact(call: HarborCall, ...parts: string[]): Promise<void> {
  const { repository, manifest } = visibleArtifact(call, parts);
  if (!may(call, repository.project, 'delete')) throw new OciError('DENIED', 'forbidden');
  await removeReference(call.context, repository, manifest.digest);
  sendEmpty(call.exchange, 200);
}

function listArtifactTags(call: HarborCall, ...parts: string[]): void {
  const { repository, manifest } = visibleArtifact(call, parts);
  sendPage(call.exchange, tagViews(call, repository, manifest), (tag) => tag);
}

function listAccessories(call: HarborCall, ...parts: string[]): void {
  const { repository, manifest } = visibleArtifact(call, parts);
  sendPage(call.exchange, accessoryViews(call, repository, manifest), (accessory) => accessory);
}

async function getVulnerabilities(call: HarborCall, ...parts: string[]): Promise<void> {
  const { repository, manifest } = visibleArtifact(call, parts);
  const { options } = call.context;
  const report = await options.vulnerabilities?.read({ registry: options.name, repository: repository.name, digest: manifest.digest });
  // Harbor answers an unscanned artifact with an empty object, not with 404.
  sendJson(call.exchange, 200, report ? { 'application/vnd.security.vulnerability.report; version=1.1': report } : {});
}
