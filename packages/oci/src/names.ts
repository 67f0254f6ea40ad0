import { Tag } from '@desp/model';
import { OciError } from './errors.ts';

/** distribution-spec, "Pulling manifests": the grammar of `<name>`; its length is limited as clients limit it. */
const repository = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const maxRepositoryLength = 255;

/** True for a name of the specification's grammar, at most 255 characters. */
export function isRepositoryName(name: string): boolean {
  return name.length <= maxRepositoryLength && repository.test(name);
}

/** True for a tag of the specification's grammar. */
export function isTag(text: string): boolean {
  return Tag.safeParse(text).success;
}

/**
 * Harbor's rule: the first segment is the project, and a repository needs at least one more.
 *
 * @throws OciError NAME_INVALID
 */
export function projectOf(name: string): string {
  const slash = name.indexOf('/');
  if (slash < 0 || !isRepositoryName(name)) {
    throw new OciError('NAME_INVALID', `${JSON.stringify(name.slice(0, 300))} is no repository name.`, {
      cure: 'Use PROJECT/IMAGE in lower case, as in sample-app/image-a.',
    });
  }
  return name.slice(0, slash);
}
