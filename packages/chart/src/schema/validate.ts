import { ChartError } from '../errors.ts';
import { Regex } from '../regex/regex.ts';
import type { Budget } from '../render/budget.ts';
import { deepEqual } from '../value/convert.ts';
import { GoInt, type Value, type ValueMap } from '../value/kinds.ts';
import { sortedKeys } from '../value/print.ts';
import { countNodes } from '../value/weigh.ts';
import { formats } from './formats.ts';
import { display, englishNumber, joinQuoted, singleQuoted, type Violation } from './report.ts';
import { SchemaDocument } from './resolve.ts';

/**
 * Checks values against a JSON Schema of draft 4 to 2020-12 (the default), with the order and the words of the
 * library that Helm uses. Where Go walks a map, in random order, this walks it sorted.
 */
export function validate(schema: Value, value: Value, budget: Budget): readonly Violation[] {
  const validator = new Validator(new SchemaDocument(schema), budget);
  const found = validator.check(schema, value, [], new Unevaluated(value));
  if (!found) return [];
  return found.isGroup ? found.causes : [found];
}

/** Properties and items of one value that no schema has looked at yet. */
class Unevaluated {
  readonly keys: Set<string>;

  constructor(value: Value, keys?: Iterable<string>) {
    this.keys = new Set(
      keys ?? (value instanceof Map ? value.keys() : Array.isArray(value) ? value.map((_item, index) => String(index)) : []),
    );
  }
}

const maxDepth = 400;

const typeOf = (value: Value): string => {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean' || typeof value === 'string') return typeof value;
  if (typeof value === 'number' || value instanceof GoInt) return 'number';
  return Array.isArray(value) ? 'array' : 'object';
};

/** The order in which the library lists types. */
const typeOrder = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'];

const numberOf = (value: Value): number | undefined =>
  typeof value === 'number' ? value : value instanceof GoInt ? Number(value.value) : undefined;

const texts = (value: Value): string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);

/** Equality of JSON: numbers by value, whatever their kind. */
function jsonEqual(a: Value, b: Value): boolean {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined || y !== undefined) return x === y;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => jsonEqual(item, b[index]));
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, item]) => b.has(key) && jsonEqual(item, b.get(key)));
  return deepEqual(a, b);
}

type Found = Violation | undefined;

class Validator {
  readonly #document: SchemaDocument;
  readonly #budget: Budget;
  readonly #patterns = new Map<string, Regex>();
  #depth = 0;

  constructor(document: SchemaDocument, budget: Budget) {
    this.#document = document;
    this.#budget = budget;
  }

  check(schema: Value, value: Value, path: readonly string[], left: Unevaluated): Found {
    this.#budget.step(4);
    if (schema === true || schema === undefined) return undefined;
    if (schema === false) return { path, text: 'false schema', causes: [] };
    if (!(schema instanceof Map)) return undefined;
    if (++this.#depth > maxDepth)
      throw new ChartError('LIMIT_EXCEEDED', 'values.schema.json refers to itself without end', { cure: 'Mend the reference.' });
    const found = this.#checkAll(schema, value, path, left);
    this.#depth--;
    return found;
  }

  #checkAll(schema: ValueMap, value: Value, path: readonly string[], left: Unevaluated): Found {
    const { draft } = this.#document;
    const ref = schema.get('$ref');
    // Up to draft 7 a reference stands alone.
    if (typeof ref === 'string' && draft < 2019) return this.#reference(schema, ref, value, path, left);
    const first = this.#simple(schema, value, path);
    if (first) return first;
    const found: Violation[] = [];
    const add = (...violations: Found[]): void => {
      for (const violation of violations) if (violation) found.push(violation);
    };
    if (typeof ref === 'string') add(this.#reference(schema, ref, value, path, left));
    if (value instanceof Map) this.#object(schema, value, path, left, add);
    else if (Array.isArray(value)) this.#array(schema, value, path, left, add);
    else if (typeof value === 'string') this.#text(schema, value, path, add);
    else if (typeOf(value) === 'number') this.#number(schema, numberOf(value) as number, path, add);
    if (draft >= 2019) {
      for (const key of ['$recursiveRef', '$dynamicRef']) {
        const target = schema.get(key);
        if (typeof target === 'string') add(this.#reference(schema, target, value, path, left));
      }
    }
    this.#conditions(schema, value, path, left, add);
    if (draft >= 2019) this.#unevaluated(schema, value, path, left, add);
    if (found.length < 2) return found[0];
    return { path, text: 'validation failed', causes: found, isGroup: true };
  }

  #reference(schema: ValueMap, reference: string, value: Value, path: readonly string[], left: Unevaluated): Found {
    const found = this.check(this.#document.resolve(reference, schema), value, path, left);
    if (!found) return undefined;
    return { path, text: 'validation failed', causes: found.isGroup ? found.causes : [found], isReference: true };
  }

  /** Keywords after whose failure nothing else is looked at. */
  #simple(schema: ValueMap, value: Value, path: readonly string[]): Found {
    const type = schema.get('type');
    const wanted = typeof type === 'string' ? [type] : texts(type);
    const actual = typeOf(value);
    const isInteger = actual === 'number' && Number.isInteger(numberOf(value));
    if (wanted.length > 0 && !wanted.includes(actual) && !(isInteger && wanted.includes('integer'))) {
      const shown = typeOrder.filter((name) => wanted.includes(name));
      return { path, text: `got ${actual}, want ${shown.join(' or ')}`, causes: [] };
    }
    if (schema.has('const') && this.#document.draft !== 4 && !jsonEqual(value, schema.get('const'))) {
      const only = schema.get('const');
      return {
        path,
        text: typeof only === 'object' && only !== null && !(only instanceof GoInt) ? "'const' failed" : `value must be ${display(only)}`,
        causes: [],
      };
    }
    const choices = schema.get('enum');
    if (Array.isArray(choices)) this.#budget.step(2 * choices.length);
    if (Array.isArray(choices) && !choices.some((choice) => jsonEqual(value, choice))) return { path, text: enumText(choices), causes: [] };
    return this.#format(schema, value, path);
  }

  #format(schema: ValueMap, value: Value, path: readonly string[]): Found {
    const name = schema.get('format');
    // From 2019-09 on a format is only a note.
    if (typeof name !== 'string' || typeof value !== 'string' || this.#document.draft >= 2019 || !Object.hasOwn(formats, name))
      return undefined;
    const reason = formats[name]?.(value);
    return reason === undefined ? undefined : { path, text: `${singleQuoted(value)} is not valid ${name}: ${reason}`, causes: [] };
  }

  #object(schema: ValueMap, value: ValueMap, path: readonly string[], left: Unevaluated, add: (...found: Found[]) => void): void {
    const say = (text: string): void => add({ path, text, causes: [] });
    bound(
      schema.get('minProperties'),
      (want) => value.size < want,
      (want) => say(`minProperties: got ${count(value.size)}, want ${count(want)}`),
    );
    bound(
      schema.get('maxProperties'),
      (want) => value.size > want,
      (want) => say(`maxProperties: got ${count(value.size)}, want ${count(want)}`),
    );
    const missing = texts(schema.get('required')).filter((key) => !value.has(key));
    if (missing.length > 0)
      say(missing.length === 1 ? `missing property ${singleQuoted(missing[0] as string)}` : `missing properties ${joinQuoted(missing)}`);
    this.#dependencies(schema, value, path, left, add);
    this.#properties(schema, value, path, left, add);
    const names = schema.get('propertyNames');
    if (names !== undefined && this.#document.draft > 4) {
      for (const key of sortedKeys(value)) {
        const found = this.check(names, key, [], new Unevaluated(key));
        if (found) add({ path, text: `invalid propertyName ${singleQuoted(key)}`, causes: found.isGroup ? found.causes : [found] });
      }
    }
  }

  #properties(schema: ValueMap, value: ValueMap, path: readonly string[], left: Unevaluated, add: (...found: Found[]) => void): void {
    const properties = asMap(schema.get('properties'));
    const patterns = [...asMap(schema.get('patternProperties'))].map(([pattern, inner]) => [this.#pattern(pattern), inner] as const);
    const additional = schema.get('additionalProperties');
    const extra: string[] = [];
    for (const key of sortedKeys(value)) {
      const item = value.get(key);
      const inner = (inSchema: Value): Found => this.check(inSchema, item, [...path, key], new Unevaluated(item));
      let evaluated = false;
      if (properties.has(key)) {
        evaluated = true;
        add(inner(properties.get(key)));
      }
      for (const [pattern, inSchema] of patterns) {
        if (!pattern.test(key, this.#budget)) continue;
        evaluated = true;
        add(inner(inSchema));
      }
      if (!evaluated && additional !== undefined) {
        evaluated = true;
        if (additional === false) extra.push(key);
        else add(inner(additional));
      }
      if (evaluated) left.keys.delete(key);
    }
    if (extra.length > 0) add({ path, text: `additional properties ${joinQuoted(extra)} not allowed`, causes: [] });
  }

  #dependencies(schema: ValueMap, value: ValueMap, path: readonly string[], left: Unevaluated, add: (...found: Found[]) => void): void {
    for (const keyword of ['dependencies', 'dependentSchemas', 'dependentRequired']) {
      for (const [key, wanted] of asMap(schema.get(keyword))) {
        if (!value.has(key)) continue;
        if (!Array.isArray(wanted)) add(this.check(wanted, value, path, left));
        else {
          const missing = texts(wanted).filter((name) => !value.has(name));
          if (missing.length > 0)
            add({ path, text: `properties ${joinQuoted(missing)} required, if ${singleQuoted(key)} exists`, causes: [] });
        }
      }
    }
  }

  #array(schema: ValueMap, value: readonly Value[], path: readonly string[], left: Unevaluated, add: (...found: Found[]) => void): void {
    const say = (text: string): void => add({ path, text, causes: [] });
    bound(
      schema.get('minItems'),
      (want) => value.length < want,
      (want) => say(`minItems: got ${count(value.length)}, want ${count(want)}`),
    );
    bound(
      schema.get('maxItems'),
      (want) => value.length > want,
      (want) => say(`maxItems: got ${count(value.length)}, want ${count(want)}`),
    );
    if (schema.get('uniqueItems') === true) {
      const twice = this.#duplicates(value);
      if (twice) say(`items at ${count(twice[0])} and ${count(twice[1])} are equal`);
    }
    const inner = (inSchema: Value, index: number): void => {
      left.keys.delete(String(index));
      add(this.check(inSchema, value[index], [...path, String(index)], new Unevaluated(value[index])));
    };
    const isNew = this.#document.draft >= 2020;
    const each = schema.get('items');
    const first = isNew ? schema.get('prefixItems') : each;
    let evaluated = 0;
    if (Array.isArray(first)) {
      evaluated = Math.min(first.length, value.length);
      for (let i = 0; i < evaluated; i++) inner(first[i], i);
    }
    const rest = isNew ? each : Array.isArray(each) ? schema.get('additionalItems') : each;
    if (rest === false && !isNew && Array.isArray(each)) {
      if (evaluated < value.length) say(`last ${count(value.length - evaluated)} additionalItem(s) not allowed`);
    } else if (rest !== undefined) for (let i = evaluated; i < value.length; i++) inner(rest, i);
    this.#contains(schema, value, path, left, add);
  }

  #duplicates(value: readonly Value[]): [number, number] | undefined {
    for (let i = 1; i < value.length; i++) {
      this.#budget.step(i * countNodes(value[i], 1000));
      for (let j = 0; j < i; j++) if (jsonEqual(value[i], value[j])) return [j, i];
    }
    return undefined;
  }

  #contains(schema: ValueMap, value: readonly Value[], path: readonly string[], left: Unevaluated, add: (...found: Found[]) => void): void {
    const wanted = schema.get('contains');
    if (wanted === undefined || this.#document.draft === 4) return;
    const failures: Violation[] = [];
    const matched: number[] = [];
    value.forEach((item, index) => {
      const found = this.check(wanted, item, [...path, String(index)], new Unevaluated(item));
      if (found) failures.push(found);
      else {
        matched.push(index);
        if (this.#document.draft >= 2020) left.keys.delete(String(index));
      }
    });
    const least = numberOf(schema.get('minContains'));
    if (least !== undefined && matched.length < least) {
      const rest = matched.length === 0 ? 'but none matched' : `but matched ${matched.length} items at ${matched.join(' ')}`;
      add({ path, text: `min ${count(least)} items required to match contains schema, ${rest}`, causes: failures });
    } else if (least === undefined && matched.length === 0) add({ path, text: 'no items match contains schema', causes: failures });
    const most = numberOf(schema.get('maxContains'));
    if (most !== undefined && matched.length > most) {
      add({
        path,
        text: `max ${count(most)} items required to match contains schema, but matched ${matched.length} items at ${matched.join(' ')}`,
        causes: [],
      });
    }
  }

  #text(schema: ValueMap, value: string, path: readonly string[], add: (...found: Found[]) => void): void {
    const say = (text: string): void => add({ path, text, causes: [] });
    const length = [...value].length;
    bound(
      schema.get('minLength'),
      (want) => length < want,
      (want) => say(`minLength: got ${count(length)}, want ${count(want)}`),
    );
    bound(
      schema.get('maxLength'),
      (want) => length > want,
      (want) => say(`maxLength: got ${count(length)}, want ${count(want)}`),
    );
    const pattern = schema.get('pattern');
    if (typeof pattern === 'string' && !this.#pattern(pattern).test(value, this.#budget))
      say(`${singleQuoted(value)} does not match pattern ${singleQuoted(pattern)}`);
  }

  #pattern(source: string): Regex {
    const known = this.#patterns.get(source);
    if (known) return known;
    try {
      const made = new Regex(source);
      this.#budget.step(made.size >> 1);
      this.#patterns.set(source, made);
      return made;
    } catch (error) {
      throw new ChartError('CHART_INVALID', `values.schema.json has a bad pattern ${JSON.stringify(source)}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  #number(schema: ValueMap, value: number, path: readonly string[], add: (...found: Found[]) => void): void {
    const got = englishNumber(value);
    const compare = (keyword: string, fails: (want: number) => boolean): void =>
      bound(schema.get(keyword), fails, (want) => add({ path, text: `${keyword}: got ${got}, want ${englishNumber(want)}`, causes: [] }));
    // In draft 4 the exclusive bounds are flags.
    const exclusiveLow = schema.get('exclusiveMinimum') === true;
    const exclusiveHigh = schema.get('exclusiveMaximum') === true;
    if (exclusiveLow)
      bound(
        schema.get('minimum'),
        (want) => value <= want,
        (want) => add({ path, text: `exclusiveMinimum: got ${got}, want ${englishNumber(want)}`, causes: [] }),
      );
    else compare('minimum', (want) => value < want);
    if (exclusiveHigh)
      bound(
        schema.get('maximum'),
        (want) => value >= want,
        (want) => add({ path, text: `exclusiveMaximum: got ${got}, want ${englishNumber(want)}`, causes: [] }),
      );
    else compare('maximum', (want) => value > want);
    compare('exclusiveMinimum', (want) => value <= want);
    compare('exclusiveMaximum', (want) => value >= want);
    compare('multipleOf', (want) => !isMultiple(value, want));
  }

  #conditions(schema: ValueMap, value: Value, path: readonly string[], left: Unevaluated, add: (...found: Found[]) => void): void {
    /** Checks a branch; what it evaluated counts only when it holds. */
    const branch = (inner: Value): Found => {
      this.#budget.step(left.keys.size);
      const own = new Unevaluated(value, left.keys);
      const found = this.check(inner, value, path, own);
      if (!found) for (const key of left.keys) if (!own.keys.has(key)) left.keys.delete(key);
      return found;
    };
    if (schema.has('not') && !branch(schema.get('not'))) add({ path, text: "'not' failed", causes: [] });
    const all = list(schema.get('allOf'))
      .map(branch)
      .filter((found) => found !== undefined);
    if (all.length > 0) add({ path, text: "'allOf' failed", causes: all });
    this.#anyOf(list(schema.get('anyOf')), branch, path, left, add);
    this.#oneOf(list(schema.get('oneOf')), branch, path, add);
    if (schema.has('if') && this.#document.draft >= 7) {
      const next = branch(schema.get('if')) ? 'else' : 'then';
      if (schema.has(next)) add(branch(schema.get(next)));
    }
  }

  #anyOf(
    branches: readonly Value[],
    branch: (inner: Value) => Found,
    path: readonly string[],
    left: Unevaluated,
    add: (...found: Found[]) => void,
  ): void {
    const failures: Violation[] = [];
    let matched = false;
    for (const inner of branches) {
      const found = branch(inner);
      if (found) failures.push(found);
      else {
        matched = true;
        if (left.keys.size === 0) break;
      }
    }
    if (branches.length > 0 && !matched) add({ path, text: "'anyOf' failed", causes: failures });
  }

  #oneOf(branches: readonly Value[], branch: (inner: Value) => Found, path: readonly string[], add: (...found: Found[]) => void): void {
    const failures: Violation[] = [];
    let matched = -1;
    for (const [index, inner] of branches.entries()) {
      const found = branch(inner);
      if (found) failures.push(found);
      else if (matched < 0) matched = index;
      else {
        add({ path, text: `'oneOf' failed, subschemas ${matched}, ${index} matched`, causes: [] });
        return;
      }
    }
    if (branches.length > 0 && matched < 0) add({ path, text: "'oneOf' failed, none matched", causes: failures });
  }

  #unevaluated(schema: ValueMap, value: Value, path: readonly string[], left: Unevaluated, add: (...found: Found[]) => void): void {
    const keyword = value instanceof Map ? 'unevaluatedProperties' : Array.isArray(value) ? 'unevaluatedItems' : undefined;
    const inner = keyword && schema.get(keyword);
    if (keyword === undefined || inner === undefined) return;
    for (const key of [...left.keys].sort()) {
      const item = value instanceof Map ? value.get(key) : (value as Value[])[Number(key)];
      add(this.check(inner, item, [...path, key], new Unevaluated(item)));
    }
    left.keys.clear();
  }
}

const count = (value: number): string => englishInteger(value);
const englishInteger = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

const asMap = (value: Value): ValueMap => (value instanceof Map ? value : new Map());
const list = (value: Value): readonly Value[] => (Array.isArray(value) ? value : []);

function bound(limit: Value, fails: (want: number) => boolean, say: (want: number) => void): void {
  const want = numberOf(limit);
  if (want !== undefined && fails(want)) say(want);
}

function isMultiple(value: number, of: number): boolean {
  const quotient = value / of;
  return Number.isInteger(quotient) || Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.abs(quotient);
}

function enumText(choices: readonly Value[]): string {
  if (choices.some((choice) => Array.isArray(choice) || choice instanceof Map)) return "'enum' failed";
  const shown = choices.map(display);
  return shown.length === 1 ? `value must be ${shown[0]}` : `value must be one of ${shown.join(', ')}`;
}
