/**
 * Semantic Versioning 2.0.0, sections 2, 9, 10 and 11 (Annex 1 of the procedure).
 */
export interface SemVer {
  readonly text: string;
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: readonly string[];
  readonly build: readonly string[];
}

const pattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;

/** The parsed version, or undefined when the text is not exactly one SemVer version (a leading `v` is not; nor is one over 256 characters). */
export function parseSemVer(text: string): SemVer | undefined {
  const match = text.length <= 256 ? pattern.exec(text) : null;
  if (!match) return undefined;
  const [, major, minor, patch, prerelease, build] = match;
  return {
    text,
    major: BigInt(major as string),
    minor: BigInt(minor as string),
    patch: BigInt(patch as string),
    prerelease: prerelease?.split('.') ?? [],
    build: build?.split('.') ?? [],
  };
}

const compare = <T extends bigint | number | string>(a: T, b: T): -1 | 0 | 1 => (a < b ? -1 : a > b ? 1 : 0);

function compareIdentifiers(a: string, b: string): -1 | 0 | 1 {
  const [aNumeric, bNumeric] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (aNumeric && bNumeric) return compare(BigInt(a), BigInt(b));
  if (aNumeric !== bNumeric) return aNumeric ? -1 : 1;
  return compare(a, b);
}

/** Precedence: -1 when `a` comes before `b`, 1 after, 0 the same; build metadata does not count (section 10). */
export function compareSemVer(a: SemVer, b: SemVer): -1 | 0 | 1 {
  const core = compare(a.major, b.major) || compare(a.minor, b.minor) || compare(a.patch, b.patch);
  if (core) return core;
  if (a.prerelease.length === 0 || b.prerelease.length === 0)
    return compare(Math.sign(b.prerelease.length), Math.sign(a.prerelease.length));
  for (const [index, identifier] of a.prerelease.entries()) {
    const other = b.prerelease[index];
    if (other === undefined) return 1;
    const order = compareIdentifiers(identifier, other);
    if (order) return order;
  }
  return compare(a.prerelease.length, b.prerelease.length);
}
