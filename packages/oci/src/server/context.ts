import type { Clock, Logger } from '@desp/runtime';
import { OciError } from '../errors.ts';
import { projectOf } from '../names.ts';
import type { BlobFiles } from '../store/blob-files.ts';
import type { Metadata, Repository } from '../store/metadata.ts';
import type { Gatekeeper } from './access.ts';
import type { Project, RegistryOptions } from './types.ts';

/** What every endpoint works with. */
export interface RegistryContext {
  readonly options: RegistryOptions;
  readonly gate: Gatekeeper;
  readonly blobs: BlobFiles;
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: { readonly blobBytes: number; readonly openUploads: number; readonly transfers: number };
}

/** The repository that is read from. @throws OciError NAME_UNKNOWN, NAME_INVALID */
export function knownRepository(context: RegistryContext, name: string): Repository {
  projectOf(name);
  const repository = context.metadata.repository(context.options.name, name);
  if (!repository) throw new OciError('NAME_UNKNOWN', `repository ${name} not found`);
  return repository;
}

/** The project that is written to. @throws OciError NAME_UNKNOWN when nobody made it */
export function knownProject(context: RegistryContext, repository: string): Project {
  const name = projectOf(repository);
  const project = context.metadata.project(context.options.name, name);
  if (!project) {
    throw new OciError('NAME_UNKNOWN', `project ${name} not found`, { cure: 'Create the service first; its projects come with it.' });
  }
  return project;
}

/** The repository that is written to; made at the first push. */
export async function writableRepository(context: RegistryContext, name: string): Promise<Repository> {
  const project = knownProject(context, name);
  return context.metadata.ensureRepository(context.options.name, project.name, name, context.clock.now().toISOString());
}
