import type { Budget } from '../render/budget.ts';
import { LimitReached, limitOf } from '../render/budget.ts';
import { typeName, type Value } from '../value/kinds.ts';
import { compareText } from '../value/text.ts';
import type { CompiledSchema } from './compiled.ts';
import { below, type Resource } from './document.ts';
import { type AnyNumber, compareNumbers, costOf, englishInteger, englishNumber, isMultiple, isNumber } from './numbers.ts';
import { constantText, enumText, joinQuoted, partsOf, singleQuoted, type Violation } from './report.ts';
import { Scope } from './scope.ts';
import { Unevaluated } from './unevaluated.ts';
import { countParts, type Instance, isType, jsonEqual, Location, typeOf, typeOrder } from './values.ts';

/** While a schema is checked, a part of it that has a dialect of its own is checked by the schema of that. */
export interface MetaContext {
  readonly meta: CompiledSchema;
  readonly resources: ReadonlyMap<string, Resource>;
  readonly metaOf: (resource: Resource) => CompiledSchema;
}

/**
 * What a value violates of a schema, in the order and the words of the library that Helm uses. Where Go walks a map,
 * in random order, violations come sorted by name.
 */
export function validate(schema: CompiledSchema, value: Instance, budget: Budget, context?: MetaContext): readonly Violation[] {
  const validator = new Validator(budget, context);
  let found: Found;
  try {
    found = validator.check(schema, value);
  } catch (error) {
    const limit = limitOf(error);
    throw limit ? new SchemaLimit(limit.message, validator.at) : error;
  }
  return found ? partsOf(found) : [];
}

/** Values may not be nested deeper; they are not, for their readers have limits too. */
const maxDepth = 2000;

type Found = Violation | undefined;
type Items = readonly Instance[];
type Members = ReadonlyMap<string, Instance>;

/** One schema that checks one value. */
interface Frame {
  readonly schema: CompiledSchema;
  readonly at: Location;
  readonly scope: Scope;
  readonly left: Unevaluated;
  /** Only whether there is a violation counts, not which. */
  readonly isQuiet: boolean;
  readonly budget: Budget;
  readonly found: Violation[];
}

const unnamed: Violation = { path: [], text: '', causes: [] };

type Place = Pick<Frame, 'at' | 'isQuiet' | 'budget'>;

function violation({ at, isQuiet, budget }: Place, text: () => string, causes: readonly Violation[] = []): Violation {
  if (isQuiet) return unnamed;
  const said = text();
  const { path } = at;
  // What is said may be as long as the values, many times.
  budget.step(4 + (said.length >> 5) + (path.length >> 3));
  return { path, text: said, causes };
}

function say(frame: Frame, text: () => string, causes: readonly Violation[] = []): void {
  frame.found.push(violation(frame, text, causes));
}

/** A limit that is met where a schema is used. */
export class SchemaLimit extends LimitReached {
  /** JSON pointer of the schema. */
  readonly pointer: string;

  constructor(problem: string, pointer: string) {
    super(problem);
    this.pointer = pointer;
  }
}

class Validator {
  /** JSON pointer of the schema at hand. */
  at = '';
  readonly #budget: Budget;
  readonly #context: MetaContext | undefined;
  #depth = 0;

  constructor(budget: Budget, context: MetaContext | undefined) {
    this.#budget = budget;
    this.#context = context;
  }

  check(schema: CompiledSchema, value: Instance): Found {
    const scope = new Scope(schema, '', 0, undefined, this.#context?.meta);
    return this.#check(schema, value, Location.root(), scope, Unevaluated.of(value, schema, false), false);
  }

  /** Another schema for the same value; what it looked at counts when it holds. */
  #checkSame(frame: Frame, schema: CompiledSchema, value: Instance, keyword = '', isQuiet = false): Found {
    const { scope, at, left } = frame;
    const own = Unevaluated.of(value, schema, left.size > 0);
    this.#budget.step(own.size >> 1);
    const { schema: used, meta } = this.#dialectOf(schema, at, scope);
    const inner = new Scope(schema, keyword, scope.depth, scope, meta);
    const found = this.#check(used, value, at, inner, own, frame.isQuiet || isQuiet);
    if (!found) left.merge(own);
    return found;
  }

  #checkBelow({ scope, at, isQuiet }: Frame, schema: CompiledSchema, value: Instance, token: string): Found {
    const place = at.below(token);
    const { schema: used, meta } = this.#dialectOf(schema, place, scope);
    const inner = new Scope(schema, '', scope.depth + 1, scope, meta);
    return this.#check(used, value, place, inner, Unevaluated.of(value, used, false), isQuiet);
  }

  #dialectOf(schema: CompiledSchema, at: Location, { meta }: Scope): { schema: CompiledSchema; meta: CompiledSchema | undefined } {
    if (!this.#context || schema !== meta) return { schema, meta };
    const { path } = at;
    const { resources } = this.#context;
    if (resources.size === 1 && path.length > 0) return { schema, meta };
    const pointer = path.reduce(below, '');
    this.#budget.step((path.length >> 3) + (pointer.length >> 7));
    const resource = resources.get(pointer);
    if (!resource) return { schema, meta };
    const own = this.#context.metaOf(resource);
    return { schema: own, meta: own };
  }

  #check(schema: CompiledSchema, value: Instance, at: Location, scope: Scope, left: Unevaluated, isQuiet: boolean): Found {
    this.at = schema.pointer;
    this.#budget.step(4 + (scope.chain >> 6));
    if (schema.always === true) return undefined;
    const budget = this.#budget;
    const place = { at, isQuiet, budget };
    if (schema.always === false) return violation(place, () => 'false schema');
    const cycle = scope.cycle();
    if (cycle) return violation(place, cycle);
    if (++this.#depth > maxDepth) throw new LimitReached(`values and schema are nested more than ${maxDepth} deep`);
    const found = this.#simple(schema, value, place) ?? this.#checkAll({ schema, at, scope, left, isQuiet, budget, found: [] }, value);
    this.#depth--;
    return found;
  }

  /** Keywords after whose failure nothing else is looked at. */
  #simple(schema: CompiledSchema, value: Instance, place: Place): Found {
    const type = typeOf(value);
    if (type === undefined) return violation(place, () => `invalid jsonType ${typeName(value as Value)}`);
    const { types, constant, choices, format } = schema;
    if (types && !isType(value, type, types))
      return violation(place, () => `got ${type}, want ${typeOrder.filter((name) => types.includes(name)).join(' or ')}`);
    const spend = (steps: number): void => this.#budget.step(steps);
    if (constant && !jsonEqual(value, constant[0], spend)) return violation(place, () => constantText(constant[0]));
    if (choices) {
      this.#budget.step(2 * choices.length);
      if (!choices.some((choice) => jsonEqual(value, choice, spend))) return violation(place, () => enumText(choices));
    }
    if (!format || typeof value !== 'string') return undefined;
    spend(4 + value.length);
    const reason = format.check(value, spend);
    return reason === undefined ? undefined : violation(place, () => `${singleQuoted(value)} is not valid ${format.name}: ${reason}`);
  }

  #checkAll(frame: Frame, value: Instance): Found {
    const { schema, found, left } = frame;
    if (schema.reference) {
      const failure = this.#refer(frame, schema.reference, value, '$ref');
      if (schema.draft < 2019) return failure;
      if (failure) found.push(failure);
    }
    if (value instanceof Map) this.#object(frame, value);
    else if (Array.isArray(value)) this.#array(frame, value);
    else if (typeof value === 'string') this.#text(frame, value);
    else if (isNumber(value)) this.#number(frame, value);
    if (found.length === 0 || !frame.isQuiet) {
      if (schema.recursiveReference || schema.dynamicReference) this.#budget.step(this.#depth >> 5);
      if (schema.recursiveReference)
        add(frame, this.#refer(frame, frame.scope.recursive(schema.recursiveReference), value, '$recursiveRef'));
      if (schema.dynamicReference) add(frame, this.#refer(frame, frame.scope.dynamic(schema.dynamicReference), value, '$dynamicRef'));
      this.#conditions(frame, value);
      if (value instanceof Map && schema.unevaluatedProperties) {
        for (const key of [...(left.keys ?? [])].sort(compareText))
          add(frame, this.#checkBelow(frame, schema.unevaluatedProperties, value.get(key), key));
        left.keys = undefined;
      } else if (Array.isArray(value) && schema.unevaluatedItems) {
        for (const index of left.items ?? [])
          add(frame, this.#checkBelow(frame, schema.unevaluatedItems, (value as Items)[index], String(index)));
        left.items = undefined;
      }
    }
    if (found.length < 2) return found[0];
    return { ...violation(frame, () => 'validation failed', found), causes: found, isGroup: true };
  }

  #refer(frame: Frame, schema: CompiledSchema, value: Instance, keyword: string): Found {
    const found = this.#checkSame(frame, schema, value, keyword);
    return found && { ...violation(frame, () => 'validation failed', partsOf(found)), isReference: true };
  }

  #object(frame: Frame, value: Members): void {
    const { schema } = frame;
    const { minProperties, maxProperties, required } = schema;
    atLeast(frame, 'minProperties', value.size, minProperties);
    atMost(frame, 'maxProperties', value.size, maxProperties);
    this.#budget.step(required.length);
    const missing = required.filter((key) => !value.has(key));
    if (missing.length > 0)
      say(frame, () =>
        missing.length === 1 ? `missing property ${singleQuoted(missing[0] as string)}` : `missing properties ${joinQuoted(missing)}`,
      );
    if (frame.isQuiet && frame.found.length > 0) return;
    this.#depending(frame, schema.dependencies, value);
    this.#properties(frame, value);
    if (schema.propertyNames) this.#names(frame, schema.propertyNames, value);
    this.#depending(frame, schema.dependentSchemas, value);
    this.#depending(frame, schema.dependentRequired, value);
  }

  #depending(frame: Frame, all: readonly (readonly [string, readonly string[] | CompiledSchema])[], value: Members): void {
    this.#budget.step(all.length >> 4);
    for (const [key, wanted] of all) {
      if (!value.has(key)) continue;
      if (!('length' in wanted)) add(frame, this.#checkSame(frame, wanted, value as Instance));
      else {
        this.#budget.step(wanted.length);
        const missing = wanted.filter((name) => !value.has(name));
        if (missing.length > 0) say(frame, () => `properties ${joinQuoted(missing)} required, if ${singleQuoted(key)} exists`);
      }
    }
  }

  #properties(frame: Frame, value: Members): void {
    const { properties, patternProperties, additionalProperties } = frame.schema;
    if (!properties && patternProperties.length === 0 && additionalProperties === undefined) return;
    this.#budget.step(value.size >> 2);
    const extra: string[] = [];
    const found: (readonly [string, Violation])[] = [];
    for (const [key, item] of value) {
      const check = (schema: CompiledSchema): void => {
        const violation = this.#checkBelow(frame, schema, item, key);
        if (violation) found.push([key, violation]);
      };
      const own = properties?.get(key);
      let isEvaluated = own !== undefined;
      if (own) check(own);
      for (const [pattern, schema] of patternProperties) {
        if (!pattern.test(key, this.#budget)) continue;
        isEvaluated = true;
        check(schema);
      }
      if (!isEvaluated && additionalProperties !== undefined) {
        isEvaluated = true;
        if (additionalProperties === false) extra.push(key);
        else if (additionalProperties !== true) check(additionalProperties);
      }
      if (isEvaluated) frame.left.keys?.delete(key);
    }
    if (found.length > 1) found.sort(([a], [b]) => compareText(a, b));
    for (const [, violation] of found) frame.found.push(violation);
    if (extra.length > 0) say(frame, () => `additional properties ${joinQuoted(extra.sort(compareText))} not allowed`);
  }

  #names(frame: Frame, schema: CompiledSchema, value: Members): void {
    for (const key of [...value.keys()].sort(compareText)) {
      const found = this.check(schema, key);
      if (!found) continue;
      const { at } = frame;
      this.#budget.step(4 + (key.length >> 5));
      // The path is read when the report is printed, not now.
      frame.found.push({
        get path() {
          return at.path;
        },
        text: `invalid propertyName ${singleQuoted(key)}`,
        causes: partsOf(found),
      });
    }
  }

  #array(frame: Frame, value: Items): void {
    const { schema } = frame;
    atLeast(frame, 'minItems', value.length, schema.minItems);
    atMost(frame, 'maxItems', value.length, schema.maxItems);
    const twice = schema.hasUniqueItems ? this.#duplicates(value) : undefined;
    if (twice) say(frame, () => `items at ${englishInteger(twice[0])} and ${englishInteger(twice[1])} are equal`);
    const { firstItems, otherItems } = schema;
    const first = Math.min(firstItems.length, value.length);
    for (let i = 0; i < first; i++) add(frame, this.#checkBelow(frame, firstItems[i] as CompiledSchema, value[i], String(i)));
    if (otherItems === false) {
      if (first < value.length) say(frame, () => `last ${englishInteger(value.length - first)} additionalItem(s) not allowed`);
    } else if (otherItems && otherItems !== true) {
      for (let i = first; i < value.length; i++) add(frame, this.#checkBelow(frame, otherItems, value[i], String(i)));
    }
    if (schema.contains) this.#contains(frame, schema.contains, value);
  }

  #duplicates(value: Items): readonly [number, number] | undefined {
    for (let i = 1; i < value.length; i++) {
      this.#budget.step(i * countParts(value[i], 1000));
      for (let j = 0; j < i; j++) if (jsonEqual(value[i], value[j])) return [j, i];
    }
    return undefined;
  }

  #contains(frame: Frame, wanted: CompiledSchema, value: Items): void {
    const { draft, minContains, maxContains } = frame.schema;
    const failures: Violation[] = [];
    const matched: number[] = [];
    for (const [index, item] of value.entries()) {
      const found = this.#checkBelow(frame, wanted, item, String(index));
      if (found) failures.push(found);
      else {
        matched.push(index);
        if (draft >= 2020) frame.left.items?.delete(index);
      }
    }
    const places = (): string => `matched ${englishInteger(matched.length)} items at ${matched.join(' ')}`;
    if (minContains !== undefined && matched.length < minContains) {
      const but = (): string => (matched.length === 0 ? 'none matched' : places());
      say(frame, () => `min ${englishInteger(minContains)} items required to match contains schema, but ${but()}`, failures);
    } else if (minContains === undefined && matched.length === 0) say(frame, () => 'no items match contains schema', failures);
    if (maxContains !== undefined && matched.length > maxContains)
      say(frame, () => `max ${englishInteger(maxContains)} items required to match contains schema, but ${places()}`);
  }

  #text(frame: Frame, value: string): void {
    const { minLength, maxLength, pattern } = frame.schema;
    if (minLength !== undefined || maxLength !== undefined) {
      this.#budget.step(value.length >> 5);
      const length = [...value].length;
      atLeast(frame, 'minLength', length, minLength);
      atMost(frame, 'maxLength', length, maxLength);
    }
    if (pattern && !pattern.test(value, this.#budget))
      say(frame, () => `${singleQuoted(value)} does not match pattern ${singleQuoted(pattern.source)}`);
  }

  #number(frame: Frame, value: AnyNumber): void {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = frame.schema;
    const compare = (keyword: string, want: AnyNumber | undefined, fails: (want: AnyNumber) => boolean): void => {
      if (want === undefined) return;
      // What is multiplied takes longer than what is compared.
      this.#budget.step(keyword === 'multipleOf' ? 8 * (costOf(value) + costOf(want)) : (costOf(value) + costOf(want)) >> 4);
      if (fails(want)) say(frame, () => `${keyword}: got ${englishNumber(value)}, want ${englishNumber(want)}`);
    };
    compare('minimum', minimum, (want) => compareNumbers(value, want) < 0);
    compare('maximum', maximum, (want) => compareNumbers(value, want) > 0);
    compare('exclusiveMinimum', exclusiveMinimum, (want) => compareNumbers(value, want) <= 0);
    compare('exclusiveMaximum', exclusiveMaximum, (want) => compareNumbers(value, want) >= 0);
    compare('multipleOf', multipleOf, (want) => !isMultiple(value, want));
  }

  #conditions(frame: Frame, value: Instance): void {
    const { not, allOf, anyOf, oneOf, condition, whenTrue, whenFalse } = frame.schema;
    if (not && !this.#checkSame(frame, not, value, '', true)) say(frame, () => "'not' failed");
    if (allOf.length > 0) {
      const failures = allOf.map((schema) => this.#checkSame(frame, schema, value)).filter((found) => found !== undefined);
      if (failures.length > 0) say(frame, () => "'allOf' failed", failures);
    }
    if (anyOf.length > 0) this.#anyOf(frame, anyOf, value);
    if (oneOf.length > 0) this.#oneOf(frame, oneOf, value);
    if (!condition) return;
    const next = this.#checkSame(frame, condition, value, '', true) ? whenFalse : whenTrue;
    if (next) add(frame, this.#checkSame(frame, next, value));
  }

  #anyOf(frame: Frame, schemas: readonly CompiledSchema[], value: Instance): void {
    const failures: Violation[] = [];
    for (const schema of schemas) {
      const found = this.#checkSame(frame, schema, value);
      if (found) failures.push(found);
      // Where somebody asks what was looked at, all of them look.
      else if (frame.left.size === 0) return;
    }
    if (failures.length === schemas.length) say(frame, () => "'anyOf' failed", failures);
  }

  #oneOf(frame: Frame, schemas: readonly CompiledSchema[], value: Instance): void {
    const failures: Violation[] = [];
    let matched = -1;
    for (const [index, schema] of schemas.entries()) {
      const found = this.#checkSame(frame, schema, value, '', matched >= 0);
      if (found) failures.push(found);
      else if (matched < 0) matched = index;
      else {
        const first = matched;
        say(frame, () => `'oneOf' failed, subschemas ${englishInteger(first)}, ${englishInteger(index)} matched`);
        return;
      }
    }
    if (matched < 0) say(frame, () => "'oneOf' failed, none matched", failures);
  }
}

function add(frame: Frame, found: Found): void {
  if (found) frame.found.push(found);
}

function atLeast(frame: Frame, keyword: string, got: number, want: number | undefined): void {
  if (want !== undefined && got < want) say(frame, () => `${keyword}: got ${englishInteger(got)}, want ${englishInteger(want)}`);
}

function atMost(frame: Frame, keyword: string, got: number, want: number | undefined): void {
  if (want !== undefined && got > want) say(frame, () => `${keyword}: got ${englishInteger(got)}, want ${englishInteger(want)}`);
}
