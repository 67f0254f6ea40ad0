/**
 * Go's values as templates see them.
 *
 * Principle: what Go tells apart by type and templates can tell apart by behaviour (printing, comparing, `typeOf`,
 * argument checks) stays apart here; everything else is the nearest native JavaScript value, because most values are
 * strings, lists and maps and these must be fast. Rejected: a wrapper object per value (three times slower), and
 * plain objects for maps (`__proto__`, key order of digits).
 *
 * | Go                        | here                                         |
 * |---------------------------|----------------------------------------------|
 * | no value at all           | `undefined`                                  |
 * | `nil` in an `interface{}` | `null`                                       |
 * | bool, string, float64     | boolean, string, number                      |
 * | int, int64, uint8 …       | {@link GoInt}                                |
 * | map[string]interface{}    | `Map`                                        |
 * | other maps                | {@link TypedMap}                             |
 * | []interface{}             | `Array`                                      |
 * | other slices              | {@link TypedList}                            |
 * | structs, pointers, times  | subclasses of {@link GoObject}               |
 *
 * Strings are text in UTF-16 as everywhere in JavaScript; a byte that is not valid UTF-8 is held as a lone low
 * surrogate U+DC80..U+DCFF and becomes that byte again on the way out (see text.ts).
 */

export type Value = undefined | null | boolean | string | number | GoInt | ValueMap | Value[] | TypedList | GoObject;

/** map[string]interface{}, or another map type when it is a {@link TypedMap}. */
export type ValueMap = Map<string, Value>;

export type IntKind = 'int' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint' | 'uint8' | 'uint16' | 'uint32' | 'uint64';

/** An integer of one of Go's kinds; `value` is exact and in the kind's range. */
export class GoInt {
  readonly kind: IntKind;
  readonly value: bigint;

  constructor(kind: IntKind, value: bigint) {
    this.kind = kind;
    this.value = value;
  }

  toString(): string {
    return this.value.toString();
  }
}

/** Those that were asked for. */
const smallInts: GoInt[] = [];

/** Go's `int`. */
export function int(value: number | bigint): GoInt {
  if (typeof value === 'number') {
    const known = smallInts[value];
    if (known) return known;
    const made = new GoInt('int', BigInt(value));
    if (value >= 0 && value < 256) smallInts[value] = made;
    return made;
  }
  return new GoInt('int', BigInt.asIntN(64, value));
}

/** Go's `int64`, wrapped as Go wraps on overflow. */
export function int64(value: number | bigint): GoInt {
  return new GoInt('int64', BigInt.asIntN(64, BigInt(value)));
}

/** A map of another type than map[string]interface{}. */
export class TypedMap extends Map<string, Value> {
  /** As Go prints it: `map[string]string`, `common.Values`. */
  readonly type: string;
  /** What a missing key yields. */
  readonly zero: Value;
  /** Methods that templates may call, by name (chart values have them); they win over keys. */
  readonly methods: Methods | undefined;
  /** True for Go's nil map of that type. */
  readonly isNil: boolean;

  constructor(type: string, zero: Value, entries?: Iterable<readonly [string, Value]>, methods?: Methods, isNil = false) {
    super();
    if (entries) for (const [key, value] of entries) this.set(key, value);
    this.type = type;
    this.zero = zero;
    this.methods = methods;
    this.isNil = isNil;
  }
}

/** A slice or array of another type than []interface{}. */
export class TypedList {
  /** As Go prints it: `[]string`, `[]int`, `[]uint8`. */
  readonly type: string;
  readonly isNil: boolean;
  #items: Value[] | (() => Value[]);

  /** @param items may be a function that makes them when they are first looked at. */
  constructor(type: string, items: Value[] | (() => Value[]), isNil = false) {
    this.type = type;
    this.#items = items;
    this.isNil = isNil;
  }

  get items(): Value[] {
    if (typeof this.#items === 'function') this.#items = this.#items();
    return this.#items;
  }
}

const allBytes: GoInt[] = [];

function goByte(byte: number): GoInt {
  const known = allBytes[byte];
  if (known) return known;
  const made = new GoInt('uint8', BigInt(byte));
  allBytes[byte] = made;
  return made;
}

/** []byte. @param data may be a function that reads them when they are first looked at */
export function bytes(data: Uint8Array | (() => Uint8Array)): TypedList {
  return new TypedList('[]uint8', () => Array.from(typeof data === 'function' ? data() : data, goByte));
}

export function strings(items: string[]): TypedList {
  return new TypedList('[]string', items);
}

/** Go's nil []string: prints and marshals otherwise than an empty one. */
export const nilStrings = new TypedList('[]string', [], true);

/** A method of a value: parameter types as in function definitions. */
export interface Method {
  readonly name: string;
  readonly params: readonly ParamType[];
  readonly variadic: boolean;
  run(receiver: Value, args: Value[]): Value;
  /** Steps that a call takes, where it does more than look something up. */
  cost?(receiver: Value, args: readonly Value[]): number;
}

export type Methods = Readonly<Record<string, Method>>;

/** Go types that functions take, as Go's error messages name them. `value` is reflect.Value: whatever comes. */
export type ParamType =
  | 'value'
  | 'interface {}'
  | 'string'
  | 'bool'
  | 'int'
  | 'int64'
  | 'uint32'
  | 'float64'
  | '[]interface {}'
  | '[]string'
  | 'map[string]interface {}'
  | 'time.Time'
  | 'time.Duration'
  | 'sprig.certificate'
  | '[]uint8'
  | '*time.Location'
  | '*semver.Version'
  | 'io.Writer';

/** A struct, a pointer to one, or a named type with methods. */
export abstract class GoObject {
  /** As `%T` prints it: `time.Duration`, `*semver.Version`, `engine.files`. */
  abstract readonly type: string;
  /** As `kindOf` prints it. */
  abstract readonly kind: 'struct' | 'ptr' | 'map' | 'slice' | 'int' | 'int64' | 'complex128';

  /** A field's value, or `undefined` where there is none. Unexported fields are absent. */
  field(_name: string): { value: Value } | undefined {
    return undefined;
  }

  /** Whether it has such a field, which templates cannot reach. */
  isUnexported(_name: string): boolean {
    return false;
  }

  method(_name: string): Method | undefined {
    return undefined;
  }

  /** The number of a named integer, such as time.Month; undefined for what is none. */
  integer(): bigint | undefined {
    return undefined;
  }

  /** Another number of the same type, for what has numbers. */
  withInteger(number: bigint): Value {
    return new GoInt('int', number);
  }

  /** Go's truth of the value. */
  truth(): boolean {
    return this.integer() !== 0n;
  }

  /** What `%v` prints; undefined where the fields are to be printed. */
  text(): string | undefined {
    return undefined;
  }

  /** What `{{ . }}` prints where that differs: a value at an address has the methods of its pointer. */
  display(): string | undefined {
    return undefined;
  }

  /** Exported fields in Go's order, for `%v`, `%+v`; JSON has its own hook. */
  fields(): readonly (readonly [string, Value])[] {
    return [];
  }

  /** What reflect.DeepEqual compares beside the exported fields: all that is not seen from outside. */
  hidden(): Value {
    return undefined;
  }

  /** What `range` goes over, sorted; undefined where it cannot. */
  entries(): readonly (readonly [Value, Value])[] | undefined {
    return undefined;
  }

  /** A slice type's items as a plain list; undefined for what is no slice. */
  items(): TypedList | undefined {
    return undefined;
  }

  /** What `len` counts. */
  size(): number | undefined {
    return this.items()?.items.length;
  }

  /** How many plain values printing or copying it is like, beside its fields. */
  weight(): number {
    return 1;
  }

  /** As a function takes it: a copy, which has no address any more, and so not the methods of its pointer. */
  boxed(): Value {
    return this;
  }

  /** What a deep copy of it is: sprig's copies no unexported fields. */
  copied(): Value {
    return this;
  }

  /** What its MarshalText gives, for encoders that ask for it; undefined for what has none. */
  marshaledText(): string | undefined {
    return undefined;
  }

  /** The value that JSON (and so YAML) writes for it. */
  json(): Value {
    return new Map(this.fields());
  }
}

/** The number of an integer, be its type named or not; undefined for what is none. */
export function integerOf(value: Value): bigint | undefined {
  if (value instanceof GoInt) return value.value;
  return value instanceof GoObject ? value.integer() : undefined;
}

/** What `range` goes over for an integer: those of its type from 0 on; undefined for what is none. */
export function countTo(value: Value): Iterable<Value> | undefined {
  const end = integerOf(value);
  if (end === undefined) return undefined;
  const at = (number: bigint): Value => (value instanceof GoObject ? value.withInteger(number) : new GoInt((value as GoInt).kind, number));
  return (function* () {
    for (let number = 0n; number < end; number++) yield at(number);
  })();
}

/** The items of any slice, or undefined. */
export function listItems(value: Value): Value[] | undefined {
  if (Array.isArray(value)) return value;
  if (value instanceof TypedList) return value.items;
  return value instanceof GoObject ? value.items()?.items : undefined;
}

/** Go's type name of a value, as `%T` prints it; `<nil>` for none. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return 'float64';
    case 'object':
      if (value === null) return '<nil>';
      if (value instanceof GoInt) return value.kind;
      if (value instanceof TypedMap) return value.type;
      if (value instanceof Map) return 'map[string]interface {}';
      if (Array.isArray(value)) return '[]interface {}';
      return value.type;
    default:
      return '<nil>';
  }
}

/** Go's kind of a value, as `kindOf` prints it; `invalid` for none. */
export function kindName(value: Value): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return 'float64';
    case 'object':
      if (value === null) return 'invalid';
      if (value instanceof GoInt) return value.kind;
      if (value instanceof Map) return 'map';
      if (Array.isArray(value) || value instanceof TypedList) return 'slice';
      return value.kind;
    default:
      return 'invalid';
  }
}

/** text/template's truth: what `if` and `with` decide by. */
export function isTrue(value: Value): boolean {
  switch (typeof value) {
    case 'string':
      return value.length > 0;
    case 'boolean':
      return value;
    case 'number':
      return value !== 0;
    case 'object':
      if (value === null) return false;
      if (value instanceof Map) return value.size > 0;
      if (Array.isArray(value)) return value.length > 0;
      if (value instanceof GoInt) return value.value !== 0n;
      if (value instanceof TypedList) return value.items.length > 0;
      return value.truth();
    default:
      return false;
  }
}
