import { quote } from '../value/text.ts';
import { compareVersions, parseVersion, type Version } from './version.ts';

/**
 * Version constraints as Masterminds/semver v3 has them: `>=1.2 <2 || ^3.1`, `1.2.x`, `~1.2`, `1.2 - 1.4`.
 * A pre-release matches only a constraint that names a pre-release.
 */
export type Constraint = readonly (readonly Comparison[])[];

interface Comparison {
  readonly operator: string;
  readonly version: Version;
  readonly minorDirty: boolean;
  readonly patchDirty: boolean;
  readonly dirty: boolean;
}

const versionForm =
  'v?([0-9|x|X|\\*]+)(\\.[0-9|x|X|\\*]+)?(\\.[0-9|x|X|\\*]+)?(-([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?(\\+([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?';
const operators = '=||!=|>|<|>=|=>|<=|=<|~|~>|\\^';
const one = new RegExp(`^\\s*(${operators})\\s*(${versionForm})\\s*$`);

/** What several comparisons need. Made once and late: these expressions take longer to compile than a small chart's templates. */
let several: { readonly find: RegExp; readonly valid: RegExp; readonly range: RegExp } | undefined;
const formsOfSeveral = (): NonNullable<typeof several> =>
  (several ??= {
    find: new RegExp(`(${operators})\\s*(${versionForm})`, 'g'),
    valid: new RegExp(`^(\\s*(${operators})\\s*(${versionForm})\\s*)((?:\\s+|,\\s*)(${operators})\\s*(${versionForm})\\s*)*$`),
    range: new RegExp(`\\s*(${versionForm})\\s+-\\s+(${versionForm})\\s*`, 'g'),
  });

/** Longest constraint that is read. */
const maxLength = 4096;

/** A constraint that cannot be read. The message is the library's. */
export class ConstraintError extends Error {}

/** @throws ConstraintError */
export function parseConstraint(text: string): Constraint {
  if (text.length > maxLength) throw new ConstraintError('version constraint is too long');
  // Most are one comparison; a bar is also one of the library's digits.
  if (!text.includes('|') && one.test(text)) return [[parseComparison(text)]];
  const { find, valid, range } = formsOfSeveral();
  const rewritten = text.replace(range, (_match, low: string, ...rest: unknown[]) => `>=${low} <=${rest[9] as string} `);
  return rewritten.split('||').map((part) => {
    if (!valid.test(part)) throw new ConstraintError(`improper constraint: ${quote(part)}`);
    return (part.match(find) ?? []).map(parseComparison);
  });
}

const isWild = (part: string | undefined): boolean => part === undefined || /^\.?[xX*]$/.test(part);

function parseComparison(text: string): Comparison {
  const found = one.exec(text);
  if (!found) throw new ConstraintError(`improper constraint: ${quote(text)}`);
  const [, operator = '', whole = '', major = '', minor, patch, prerelease = ''] = found;
  let version = whole;
  const flags = { minorDirty: false, patchDirty: false, dirty: false };
  if (isWild(major)) {
    version = `0.0.0${prerelease}`;
    flags.dirty = true;
  } else if (isWild(minor)) {
    flags.minorDirty = true;
    flags.dirty = true;
    version = `${major}.0.0${prerelease}`;
  } else if (isWild(patch)) {
    flags.patchDirty = true;
    flags.dirty = true;
    version = `${major}${minor}.0${prerelease}`;
  }
  const parsed = parseVersion(version);
  if (!parsed) throw new ConstraintError('constraint parser error');
  return { operator, version: parsed, ...flags };
}

/** Whether the version meets one of the alternatives. */
export function satisfies(version: Version, constraint: Constraint): boolean {
  return constraint.some((comparisons) => {
    // A pre-release is looked at only where the alternative names one.
    if (version.prerelease !== '' && !comparisons.some((comparison) => comparison.version.prerelease !== '')) return false;
    return comparisons.every((comparison) => check(version, comparison));
  });
}

function check(version: Version, comparison: Comparison): boolean {
  const { operator, version: wanted } = comparison;
  switch (operator) {
    case '':
    case '=':
      return comparison.dirty ? tilde(version, comparison) : compareVersions(version, wanted) === 0;
    case '!=':
      return notEqual(version, comparison);
    case '>':
      return greater(version, comparison);
    case '<':
      return compareVersions(version, wanted) < 0;
    case '>=':
    case '=>':
      return compareVersions(version, wanted) >= 0;
    case '<=':
    case '=<':
      return atMost(version, comparison);
    case '~':
    case '~>':
      return tilde(version, comparison);
    default:
      return caret(version, comparison);
  }
}

function notEqual(version: Version, comparison: Comparison): boolean {
  const { version: wanted } = comparison;
  if (!comparison.dirty) return compareVersions(version, wanted) !== 0;
  if (version.major !== wanted.major) return true;
  if (version.minor !== wanted.minor && !comparison.minorDirty) return true;
  if (comparison.minorDirty) return false;
  if (!comparison.patchDirty) return compareVersions(version, wanted) !== 0;
  return version.prerelease !== wanted.prerelease;
}

function greater(version: Version, { version: wanted, dirty, minorDirty, patchDirty }: Comparison): boolean {
  if (!dirty) return compareVersions(version, wanted) > 0;
  if (version.major !== wanted.major) return version.major > wanted.major;
  if (minorDirty) return false;
  return patchDirty ? version.minor > wanted.minor : compareVersions(version, wanted) > 0;
}

function atMost(version: Version, { version: wanted, dirty, minorDirty }: Comparison): boolean {
  if (!dirty) return compareVersions(version, wanted) <= 0;
  if (version.major > wanted.major) return false;
  return !(version.major === wanted.major && version.minor > wanted.minor && !minorDirty);
}

function tilde(version: Version, comparison: Comparison): boolean {
  const { version: wanted, minorDirty, patchDirty } = comparison;
  if (compareVersions(version, wanted) < 0) return false;
  // `*` and, by the library's own rule, `~0.0.0` match everything.
  if (wanted.major === 0n && wanted.minor === 0n && wanted.patch === 0n && !minorDirty && !patchDirty) return true;
  if (version.major !== wanted.major) return false;
  return version.minor === wanted.minor || minorDirty;
}

function caret(version: Version, comparison: Comparison): boolean {
  const { version: wanted, minorDirty, patchDirty } = comparison;
  if (compareVersions(version, wanted) < 0) return false;
  if (wanted.major > 0n || minorDirty) return version.major === wanted.major;
  if (version.major > 0n) return false;
  if (wanted.minor > 0n || patchDirty) return version.minor === wanted.minor;
  if (version.minor > 0n) return false;
  return version.patch === wanted.patch;
}

/** Helm's IsCompatibleRange: false for what cannot be read. */
export function isCompatible(constraint: string, version: string): boolean {
  const parsed = parseVersion(version);
  if (!parsed) return false;
  try {
    return satisfies(parsed, parseConstraint(constraint));
  } catch (error) {
    if (error instanceof ConstraintError) return false;
    throw error;
  }
}
