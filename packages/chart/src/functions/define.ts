import type { Profile } from '../profile.ts';
import type { Budget } from '../render/budget.ts';
import type { GoInt, GoObject, Method, ParamType, TypedList, Value, ValueMap } from '../value/kinds.ts';
import type { GoStruct } from '../value/struct.ts';
import type { Crypto } from './crypto.ts';

/**
 * How a template function is declared: its parameter types as Go has them, and what it does.
 *
 * The evaluator checks and counts arguments by the types before it calls, as Go's reflection does, so a function
 * receives exactly what it declares. Add one to the file of its group; the groups stand in one list in registry.ts.
 */

/** Short names of parameter types in declarations; `...x` as the last takes any number. */
interface TypeNames {
  any: 'interface {}';
  /** reflect.Value: also "no value at all". */
  value: 'value';
  string: 'string';
  bool: 'bool';
  int: 'int';
  int64: 'int64';
  uint32: 'uint32';
  float64: 'float64';
  list: '[]interface {}';
  strings: '[]string';
  map: 'map[string]interface {}';
  time: 'time.Time';
  duration: 'time.Duration';
  bytes: '[]uint8';
  certificate: 'sprig.certificate';
  location: '*time.Location';
  version: '*semver.Version';
  writer: 'io.Writer';
}

type Short = keyof TypeNames;
type Declared = Short | `...${Short}`;

interface Types {
  any: Value;
  value: Value;
  string: string;
  bool: boolean;
  int: GoInt;
  int64: GoInt;
  uint32: GoInt;
  float64: number;
  list: Value[];
  strings: TypedList;
  map: ValueMap;
  time: GoObject;
  duration: GoObject;
  bytes: TypedList;
  certificate: GoStruct;
  location: GoObject;
  version: GoObject;
  writer: GoObject;
}

type ArgumentsOf<P extends readonly Declared[]> = P extends readonly [infer Head, ...infer Tail]
  ? Head extends `...${infer Name extends Short}`
    ? Types[Name][]
    : Head extends Short
      ? Tail extends readonly Declared[]
        ? [Types[Head], ...ArgumentsOf<Tail>]
        : [Types[Head]]
      : []
  : [];

/** What a function may need of the render it runs in. */
export interface CallContext {
  readonly profile: Profile;
  readonly budget: Budget;
  readonly crypto: Crypto;
  /** The current instant. */
  now(): Date;
  include(name: string, data: Value): string;
  tpl(text: string, data: Value): string;
  lookup(apiVersion: string, kind: string, namespace: string, name: string): ValueMap;
  /** Told of each key of a map before it is set or taken out. */
  readonly changing?: ((map: ValueMap, key: string) => void) | undefined;
  /** Given while linting: `required` and `fail` tell it what they miss, in Helm's words, instead of ending the render. */
  readonly tolerate?: ((line: string) => void) | undefined;
}

export interface FunctionDefinition {
  readonly params: readonly ParamType[];
  readonly variadic: boolean;
  readonly call: (context: CallContext, args: Value[]) => Value;
}

export type FunctionGroup = Readonly<Record<string, FunctionDefinition>>;

const goNames: TypeNames = {
  any: 'interface {}',
  value: 'value',
  string: 'string',
  bool: 'bool',
  int: 'int',
  int64: 'int64',
  uint32: 'uint32',
  float64: 'float64',
  list: '[]interface {}',
  strings: '[]string',
  map: 'map[string]interface {}',
  time: 'time.Time',
  duration: 'time.Duration',
  bytes: '[]uint8',
  certificate: 'sprig.certificate',
  location: '*time.Location',
  version: '*semver.Version',
  writer: 'io.Writer',
};

function parameters(declared: readonly Declared[]): { params: ParamType[]; variadic: boolean } {
  const variadic = declared.at(-1)?.startsWith('...') ?? false;
  return { params: declared.map((name) => goNames[name.replace('...', '') as Short]), variadic };
}

/** A function; what its parameters are in Go's words is made of the short ones when it is first called. */
class Declaration implements FunctionDefinition {
  readonly call: FunctionDefinition['call'];
  readonly #declared: readonly Declared[];

  constructor(declared: readonly Declared[], call: FunctionDefinition['call']) {
    this.#declared = declared;
    this.call = call;
  }

  get params(): ParamType[] {
    return parameters(this.#declared).params;
  }

  get variadic(): boolean {
    return parameters(this.#declared).variadic;
  }
}

/** Declares a function of its arguments alone. */
export function fn<const P extends readonly Declared[]>(declared: P, run: (...args: ArgumentsOf<P>) => Value): FunctionDefinition {
  const loose = run as (...args: Value[]) => Value;
  return new Declaration(declared, (_context, args) => loose(...args));
}

/** Declares a function that needs the render it runs in. */
export function contextual<const P extends readonly Declared[]>(
  declared: P,
  run: (context: CallContext, ...args: ArgumentsOf<P>) => Value,
): FunctionDefinition {
  const loose = run as (context: CallContext, ...args: Value[]) => Value;
  return new Declaration(declared, (context, args) => loose(context, ...args));
}

/** Declares a method of a value, with the steps that it takes where these are many. */
export function method<const P extends readonly Declared[]>(
  name: string,
  declared: P,
  run: (...args: ArgumentsOf<P>) => Value,
  cost?: (...args: ArgumentsOf<P>) => number,
): Method {
  const loose = run as (...args: Value[]) => Value;
  const looseCost = cost as ((...args: readonly Value[]) => number) | undefined;
  return {
    name,
    ...parameters(declared),
    run: (_receiver, args) => loose(...args),
    ...(looseCost ? { cost: (_receiver: Value, args: readonly Value[]) => looseCost(...args) } : {}),
  };
}

/** An error that a function returns: the evaluator puts the place and "error calling NAME: " before it. */
export class GoError extends Error {
  /** What Go wraps with `%w`; Helm 4 walks this chain to shape its message. */
  readonly wrapped: Error | undefined;

  constructor(message: string, wrapped?: Error) {
    super(message);
    this.name = 'GoError';
    this.wrapped = wrapped;
  }
}

/** Go's templates cannot call a method, for what it returns. */
export class Uncallable extends GoError {}

/** What Go says where a pointer is followed that leads nowhere. */
export const nilPointer = 'runtime error: invalid memory address or nil pointer dereference';

/** Throws a {@link GoError}; for use in expressions. */
export function fail(message: string, wrapped?: Error): never {
  throw new GoError(message, wrapped);
}
