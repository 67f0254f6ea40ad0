import { compareSemVer, parseSemVer } from '@desp/model';
import { compareAlpine } from './alpine.ts';
import { compareDebian } from './debian.ts';
import { comparePython } from './python.ts';

/** The version order of each ecosystem that advisories are matched in (OSV schema, "affected[].package.ecosystem"). */
export type VersionOrder = (a: string, b: string) => number | undefined;

/** npm's and Go's versions are SemVer; Go writes a `v` before them, and `+incompatible` behind. */
export const compareSemantic: VersionOrder = (a, b) => {
  const [x, y] = [parseSemVer(a.replace(/^v/, '')), parseSemVer(b.replace(/^v/, ''))];
  return x && y ? compareSemVer(x, y) : undefined;
};

/** Toolchain versions (`1.22`, `1.22rc1`) as SemVer; module versions as they are. */
export function goVersion(version: string): string {
  const toolchain = /^(\d+)\.(\d+)(?:\.(\d+))?(?:(beta|rc)(\d+))?$/.exec(version.replace(/^(?:go|v)/, ''));
  if (!toolchain) return version;
  const [, major, minor, patch, phase, number] = toolchain;
  return `${major}.${minor}.${patch ?? 0}${phase ? `-${phase}.${number}` : ''}`;
}

/** The family of an OSV ecosystem: `Debian:12` is of `Debian`. */
export const ecosystemFamily = (ecosystem: string): string => ecosystem.split(':')[0] as string;

/** The order, or undefined for an ecosystem that is not matched here. */
export function orderOf(ecosystem: string): VersionOrder | undefined {
  switch (ecosystemFamily(ecosystem)) {
    case 'Debian':
    case 'Ubuntu':
      return compareDebian;
    case 'Alpine':
      return compareAlpine;
    case 'npm':
      return compareSemantic;
    case 'Go':
      return (a, b) => compareSemantic(goVersion(a), goVersion(b));
    case 'PyPI':
      return comparePython;
    default:
      return undefined;
  }
}
