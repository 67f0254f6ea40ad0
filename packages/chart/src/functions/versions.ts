import { type Constraint, ConstraintError, parseConstraint, satisfies } from '../semver/constraint.ts';
import { compareVersions, formatVersion, maxVersionLength, parseVersion, type Version } from '../semver/version.ts';
import { GoInt, GoObject, int, type Method, type Value } from '../value/kinds.ts';
import { byteLength } from '../value/text.ts';
import { type FunctionGroup, fail, fn, method } from './define.ts';

/** `semver` and `semverCompare`. */

/** *semver.Version: its fields and methods are callable in templates. */
export class GoVersion extends GoObject {
  readonly type = '*semver.Version';
  readonly kind = 'ptr';
  readonly version: Version;

  constructor(version: Version) {
    super();
    this.version = version;
  }

  override text(): string {
    return formatVersion(this.version);
  }

  override json(): Value {
    return this.text();
  }

  override hidden(): Value {
    return this.version.original;
  }

  override method(name: string): Method | undefined {
    const { version } = this;
    switch (name) {
      case 'Major':
      case 'Minor':
      case 'Patch':
        return method(name, [], () => new GoInt('uint64', version[name.toLowerCase() as 'major' | 'minor' | 'patch']));
      case 'Prerelease':
        return method(name, [], () => version.prerelease);
      case 'Metadata':
        return method(name, [], () => version.metadata);
      case 'Original':
        return method(name, [], () => version.original);
      case 'String':
        return method(name, [], () => this.text());
      case 'Compare':
        return this.#compare(name, (order) => int(order));
      case 'Equal':
        return this.#compare(name, (order) => order === 0);
      case 'LessThan':
        return this.#compare(name, (order) => order < 0);
      case 'GreaterThan':
        return this.#compare(name, (order) => order > 0);
      case 'LessThanEqual':
        return this.#compare(name, (order) => order <= 0);
      case 'GreaterThanEqual':
        return this.#compare(name, (order) => order >= 0);
      default:
        return undefined;
    }
  }

  #compare(name: string, answer: (order: number) => Value): Method {
    return method(name, ['any'], (other) => {
      if (!(other instanceof GoVersion)) return fail(`wrong type for value; expected *semver.Version`);
      return answer(compareVersions(this.version, other.version));
    });
  }
}

function version(text: string): Version {
  const parsed = parseVersion(text);
  if (parsed) return parsed;
  if (byteLength(text) > maxVersionLength) return fail(`version string is too long (max ${maxVersionLength} bytes)`);
  return fail('invalid semantic version');
}

function readConstraint(text: string): Constraint {
  try {
    return parseConstraint(text);
  } catch (error) {
    if (error instanceof ConstraintError) return fail(error.message);
    throw error;
  }
}

export const versionFunctions: FunctionGroup = {
  semver: fn(['string'], (text) => new GoVersion(version(text))),
  semverCompare: fn(['string', 'string'], (constraint, text) => {
    const wanted = readConstraint(constraint);
    return satisfies(version(text), wanted);
  }),
};
