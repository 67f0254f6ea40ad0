/** Semantic versions as Masterminds/semver reads them: minor and patch may be left out, a `v` may lead. */
export interface Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: string;
  readonly metadata: string;
  readonly original: string;
}

const looseForm = /^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/** Longest version text that is read; no real one comes near. */
export const maxVersionLength = 256;

export function parseVersion(text: string): Version | undefined {
  if (text.length > maxVersionLength) return undefined;
  const found = looseForm.exec(text);
  if (!found) return undefined;
  const [, major = '0', minor = '.0', patch = '.0', prerelease = '', metadata = ''] = found;
  const numbers = [major, minor.slice(1), patch.slice(1)].map((digits) => BigInt(digits)) as [bigint, bigint, bigint];
  if (numbers.some((number) => number >= 2n ** 64n)) return undefined;
  // A numeric part of a pre-release must not start with a zero.
  if (prerelease.split('.').some((part) => /^0[0-9]+$/.test(part))) return undefined;
  return { major: numbers[0], minor: numbers[1], patch: numbers[2], prerelease, metadata, original: text };
}

/** `1.2.3-pre+meta`, complete and without a leading `v`. */
export function formatVersion({ major, minor, patch, prerelease, metadata }: Version): string {
  return `${major}.${minor}.${patch}${prerelease && `-${prerelease}`}${metadata && `+${metadata}`}`;
}

/** Below, equal or above by precedence; build metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  for (const part of ['major', 'minor', 'patch'] as const) {
    if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1;
  }
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '') return 1;
  if (b.prerelease === '') return -1;
  const left = a.prerelease.split('.');
  const right = b.prerelease.split('.');
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = comparePart(left[i], right[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  const [isNumberA, isNumberB] = [/^[0-9]+$/.test(a), /^[0-9]+$/.test(b)];
  if (isNumberA && isNumberB) return BigInt(a) < BigInt(b) ? -1 : 1;
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a < b ? -1 : 1;
}
