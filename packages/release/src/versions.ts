import { compareSemVer, parseSemVer } from '@desp/model';
import { ReleaseError } from './errors.ts';

/** Rules for a release's version (procedure, Annex 1 and section 5.2.1: SemVer 2.0.0, Git tags). */

const refuse = (message: string, cure: string): ReleaseError => new ReleaseError('VERSION_REFUSED', message, { cure });

/**
 * Fails unless `candidate` is SemVer and higher by precedence than every version that was released before. Build
 * metadata does not make a version higher (SemVer, section 10), so it alone never makes a new release.
 */
export function demandNextVersion(released: readonly string[], candidate: string): void {
  const next = parseSemVer(candidate);
  if (!next) {
    throw refuse(
      `The version ${JSON.stringify(candidate.slice(0, 100))} is not SemVer 2.0.0 (X.Y.Z, without a leading "v").`,
      'Tag the commit with a version such as 1.2.3.',
    );
  }
  for (const text of released) {
    const before = parseSemVer(text);
    if (!before)
      throw new ReleaseError('VERSION_REFUSED', `The released version ${JSON.stringify(text.slice(0, 100))} is not SemVer.`, {
        kind: 'bug',
      });
    if (compareSemVer(next, before) <= 0) {
      throw refuse(
        text === candidate
          ? `Version ${candidate} was released before; a released version is never changed (SemVer, section 3).`
          : `Version ${candidate} is not higher than ${text}, which was released before.`,
        `Choose a version above ${highest(released)}.`,
      );
    }
  }
}

const highest = (versions: readonly string[]): string =>
  versions.reduce((top, text) => {
    const [a, b] = [parseSemVer(top), parseSemVer(text)];
    return a && b && compareSemVer(b, a) > 0 ? text : top;
  });

/** Whether `demandNextVersion` would take the candidate. */
export function nextVersionAllowed(released: readonly string[], candidate: string): boolean {
  try {
    demandNextVersion(released, candidate);
    return true;
  } catch (error) {
    if (error instanceof ReleaseError && error.kind === 'user') return false;
    throw error;
  }
}

export interface VersionInput {
  /** Names of all Git tags on the commit; those that are no SemVer version are other people's business. */
  readonly tagsOnCommit: readonly string[];
  /** The `version` of every chart in the repository, by path. */
  readonly chartVersions: ReadonlyMap<string, string>;
}

/** The version of the release that a commit makes: its one Git tag X.Y.Z, else the version that all its charts share. */
export function decideVersion(input: VersionInput): { readonly version: string; readonly from: 'git-tag' | 'chart' } {
  const tags = input.tagsOnCommit.filter((tag) => parseSemVer(tag));
  if (tags.length > 1)
    throw refuse(`The commit has ${tags.length} version tags: ${[...tags].sort().join(', ')}.`, 'Leave one version tag on the commit.');
  if (tags[0] !== undefined) return { version: tags[0], from: 'git-tag' };
  const versions = new Set(input.chartVersions.values());
  if (versions.size === 0)
    throw refuse(
      'The commit has no version tag, and its repository no chart with a version.',
      'Tag the commit with a version such as 1.2.3, or give the chart a version.',
    );
  if (versions.size > 1) {
    const list = [...input.chartVersions].map(([path, version]) => `${path}: ${version}`).join(', ');
    throw refuse(
      `The commit has no version tag, and its charts have different versions (${list}).`,
      'Tag the commit with the version of the release, or give all charts the same version.',
    );
  }
  const version = [...versions][0] as string;
  if (!parseSemVer(version))
    throw refuse(
      `The charts' version ${JSON.stringify(version.slice(0, 100))} is not SemVer 2.0.0.`,
      'Give the charts a version such as 1.2.3.',
    );
  return { version, from: 'chart' };
}
