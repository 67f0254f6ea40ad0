import { type Constraint, ConstraintError, parseConstraint, satisfies } from '../semver/constraint.ts';
import { compareVersions, formatVersion, maxVersionLength, parseVersion, type Version } from '../semver/version.ts';
import { bytesOf } from '../value/convert.ts';
import { mismatch, readJson } from '../value/json.ts';
import { bytes, GoInt, GoObject, int, type Method, TypedList, typeName, type Value } from '../value/kinds.ts';
import { GoResult } from '../value/result.ts';
import { byteLength, fromBytes, toBytes } from '../value/text.ts';
import { type FunctionGroup, fail, fn, method, nilPointer } from './define.ts';

/** `semver` and `semverCompare`. */

/** semver.Version, or a pointer to one: its methods are callable in templates. */
export class GoVersion extends GoObject {
  readonly type: string;
  readonly kind: 'ptr' | 'struct';
  #version: Version;

  constructor(version: Version, kind: 'ptr' | 'struct' = 'ptr') {
    super();
    this.type = kind === 'ptr' ? '*semver.Version' : 'semver.Version';
    this.kind = kind;
    this.#version = version;
  }

  get version(): Version {
    return this.#version;
  }

  override text(): string {
    return formatVersion(this.#version);
  }

  override json(): Value {
    return this.text();
  }

  override copied(): GoVersion {
    return new GoVersion({ major: 0n, minor: 0n, patch: 0n, prerelease: '', metadata: '', original: '' }, this.kind);
  }

  override marshaledText(): string {
    return this.text();
  }

  override hidden(): Value {
    return this.#version.original;
  }

  override isUnexported(name: string): boolean {
    return ['major', 'minor', 'patch', 'pre', 'metadata', 'original'].includes(name);
  }

  override method(name: string): Method | undefined {
    return valueMethod(this.#version, name) ?? (this.kind === 'ptr' ? this.#pointerMethod(name) : undefined);
  }

  /** Methods of a pointer alone: a version that another method returns has none of them. */
  #pointerMethod(name: string): Method | undefined {
    const order = Object.hasOwn(orders, name) ? orders[name] : undefined;
    if (order)
      return method(name, ['version'], (other) => {
        if (other instanceof GoVersion) return order(compareVersions(this.#version, other.#version));
        return name === 'Equal' ? false : fail(nilPointer);
      });
    switch (name) {
      case 'Original':
        return method(name, [], () => this.#version.original);
      case 'Scan':
        return method(name, ['any'], (value) => {
          if (value === null || value === undefined) return new GoResult('cannot scan nil into Version');
          if (typeof value === 'string') return this.#become(value);
          return isBytes(value) ? this.#become(fromBytes(bytesOf(value))) : new GoResult(`unsupported Scan type ${typeName(value)}`);
        });
      case 'UnmarshalText':
        return method(name, ['bytes'], (text) => this.#become(fromBytes(bytesOf(text))));
      case 'UnmarshalJSON':
        return method(name, ['bytes'], (text) => {
          try {
            const value = readJson(fromBytes(bytesOf(text)));
            return typeof value === 'string' ? this.#become(value) : new GoResult(mismatch(value, 'string').message);
          } catch (error) {
            return new GoResult((error as Error).message);
          }
        });
      default:
        return undefined;
    }
  }

  /** @returns Go's error, which a template prints */
  #become(text: string): GoResult {
    try {
      this.#version = version(text);
      return new GoResult();
    } catch (error) {
      return new GoResult((error as Error).message);
    }
  }
}

const isBytes = (value: Value): value is TypedList => value instanceof TypedList && value.type === '[]uint8';

const orders: Readonly<Record<string, (order: number) => Value>> = {
  Compare: (order) => int(order),
  Equal: (order) => order === 0,
  LessThan: (order) => order < 0,
  LessThanEqual: (order) => order <= 0,
  GreaterThan: (order) => order > 0,
  GreaterThanEqual: (order) => order >= 0,
};

function valueMethod(version: Version, name: string): Method | undefined {
  const { major, minor, patch, prerelease } = version;
  switch (name) {
    case 'Major':
    case 'Minor':
    case 'Patch':
      return method(name, [], () => new GoInt('uint64', version[name.toLowerCase() as 'major' | 'minor' | 'patch']));
    case 'Prerelease':
      return method(name, [], () => prerelease);
    case 'Metadata':
      return method(name, [], () => version.metadata);
    case 'IncMajor':
      return method(name, [], () =>
        changed(version, { major: increased(major, 'major'), minor: 0n, patch: 0n, prerelease: '', metadata: '' }),
      );
    case 'IncMinor':
      return method(name, [], () => changed(version, { minor: increased(minor, 'minor'), patch: 0n, prerelease: '', metadata: '' }));
    case 'IncPatch':
      // What follows a prerelease is its release.
      return method(name, [], () =>
        changed(version, { patch: prerelease === '' ? increased(patch, 'patch') : patch, prerelease: '', metadata: '' }),
      );
    case 'SetPrerelease':
      return method(name, ['string'], (text) => changed(version, { prerelease: checkedParts(text, 'prerelease') }));
    case 'SetMetadata':
      return method(name, ['string'], (text) => changed(version, { metadata: checkedParts(text, 'metadata') }));
    case 'MarshalJSON':
      return method(name, [], () => bytes(toBytes(JSON.stringify(formatVersion(version)))));
    case 'MarshalText':
      return method(name, [], () => bytes(toBytes(formatVersion(version))));
    case 'String':
    case 'Value':
      return method(name, [], () => formatVersion(version));
    default:
      return undefined;
  }
}

function changed(version: Version, change: Partial<Version>): GoVersion {
  const next = { ...version, ...change };
  return new GoVersion({ ...next, original: (version.original.startsWith('v') ? 'v' : '') + formatVersion(next) }, 'struct');
}

const increased = (segment: bigint, name: string): bigint =>
  segment === 2n ** 64n - 1n ? fail(`${name} version increment would overflow uint64`) : segment + 1n;

function checkedParts(text: string, what: 'prerelease' | 'metadata'): string {
  for (const part of text === '' ? [] : text.split('.')) {
    if (!/^[0-9A-Za-z-]+$/.test(part)) return fail(`invalid ${what} string`);
    if (what === 'prerelease' && /^0[0-9]+$/.test(part)) return fail('version segment starts with 0');
  }
  return text;
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
