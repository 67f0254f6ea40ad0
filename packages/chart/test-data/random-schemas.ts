/**
 * Random values.schema.json: right but for at most one keyword, so that Helm has no choice of what to name first. Names
 * of properties are checked at the root only: elsewhere the library shows the place of whichever sibling comes later.
 */
import type { Generator } from './programs.ts';

const keys = ['name', 'size', 'ports', 'map', 'flag', 's', 'name0', 'size1'];
const types = ['string', 'integer', 'number', 'boolean', 'null', 'array', 'object'];
const drafts = [
  undefined,
  undefined,
  'http://json-schema.org/draft-04/schema#',
  'http://json-schema.org/draft-06/schema#',
  'http://json-schema.org/draft-07/schema#',
  'http://json-schema.org/draft-07/schema#',
  'https://json-schema.org/draft/2019-09/schema',
  'https://json-schema.org/draft/2020-12/schema',
];
const patterns = ['^[a-z]+$', '\\d', 'x$', '^$', '(?i)T', '^.{3,5}$', '[^ü]', '\\.', '^(text|one)'];
const formats = ['ipv4', 'ipv6', 'date', 'date-time', 'time', 'uri', 'email', 'hostname', 'uuid', 'semver', 'regex', 'duration', 'none'];

type Json = null | boolean | string | number | Json[] | { [key: string]: Json };

class SchemaGenerator {
  readonly #random: Generator;
  readonly #draft: string | undefined;

  constructor(random: Generator) {
    this.#random = random;
    this.#draft = random.pick(drafts);
  }

  /** Whether the draft knows `true` and `false` as schemas. */
  get #isNew(): boolean {
    return !this.#draft?.includes('draft-04');
  }

  make(): string {
    const schema = this.#object(3);
    if (this.#draft) schema['$schema'] = this.#draft;
    schema['$defs'] = { x: this.#schema(2), y: { $ref: '#/$defs/x' } };
    if (this.#random.chance(0.15)) schema['propertyNames'] = { pattern: this.#random.pick(patterns) };
    if (this.#random.chance(0.15)) schema['unevaluatedProperties'] = this.#isNew && this.#random.chance(0.7) ? false : { type: 'object' };
    if (this.#random.chance(0.1)) this.#spoil(schema);
    return JSON.stringify(schema, null, this.#random.pick([0, 2]));
  }

  #spoil(schema: { [key: string]: Json }): void {
    const [key, value] = this.#random.pick<[string, Json]>([
      ['type', 'strin'],
      ['minLength', -1],
      ['required', 'name'],
      ['pattern', '('],
      ['properties', []],
      ['$ref', '#/$defs/none'],
      ['$ref', '#none'],
      ['allOf', []],
      ['enum', 'a'],
      ['multipleOf', 0],
      ['additionalProperties', 1],
      ['$id', '%zz'],
    ]);
    schema[key] = value;
  }

  #number(): number {
    return this.#random.pick([0, 1, 2, 3, 5, 1.5, 1000, 1_000_000]);
  }

  #count(): number {
    return this.#random.pick([0, 0, 1, 2, 3, 4]);
  }

  #plain(): Json {
    return this.#random.pick<Json>([null, true, false, 0, 1, 1.5, 'text', '', 'ünï', "it's", [], [1], {}, { name0: 1 }]);
  }

  #schema(depth: number): Json {
    if (this.#isNew && this.#random.chance(0.08)) return this.#random.chance(0.8);
    if (depth <= 0 || this.#random.chance(0.25)) return this.#leaf();
    switch (this.#random.pick(['object', 'array', 'all', 'any', 'one', 'not', 'if', 'ref', 'leaf'])) {
      case 'object':
        return this.#object(depth);
      case 'array':
        return this.#array(depth);
      case 'all':
        return { allOf: this.#some(depth) };
      case 'any':
        return { anyOf: this.#some(depth) };
      case 'one':
        return { oneOf: this.#some(depth) };
      case 'not':
        return { not: this.#schema(depth - 1) };
      case 'if':
        return Object.fromEntries(['if', 'then', 'else'].map((key) => [key, this.#schema(depth - 1)]));
      case 'ref':
        return { $ref: this.#random.pick(['#/$defs/x', '#/$defs/y']), maxLength: this.#count() };
      default:
        return this.#leaf();
    }
  }

  #some(depth: number): Json[] {
    return Array.from({ length: 1 + this.#count() }, () => this.#schema(depth - 1));
  }

  #leaf(): Json {
    switch (this.#random.pick(['type', 'types', 'enum', 'const', 'number', 'text', 'format', 'sizes'])) {
      case 'type':
        return { type: this.#random.pick(types) };
      case 'types':
        return {
          type: types
            .filter(() => this.#random.chance(0.5))
            .concat('string')
            .filter((type, index, all) => all.indexOf(type) === index),
        };
      case 'enum':
        return { enum: [this.#plain()] };
      case 'const':
        return { const: this.#plain() };
      case 'number':
        return { [this.#random.pick(['minimum', 'maximum'])]: this.#number(), multipleOf: this.#random.pick([1, 0.1, 0.5, 3]) };
      case 'text':
        return { minLength: this.#count(), maxLength: this.#count() + 3, pattern: this.#random.pick(patterns) };
      case 'format':
        return { format: this.#random.pick(formats) };
      default:
        return { minProperties: this.#count(), maxItems: this.#count(), minItems: 1, maxProperties: 2 };
    }
  }

  #object(depth: number): { [key: string]: Json } {
    const schema: { [key: string]: Json } = {};
    const properties: { [key: string]: Json } = {};
    for (const key of keys) if (this.#random.chance(0.3)) properties[key] = this.#schema(depth - 1);
    schema['properties'] = properties;
    if (this.#random.chance(0.3)) schema['type'] = 'object';
    if (this.#random.chance(0.15)) schema['required'] = [this.#random.pick(keys)];
    if (this.#random.chance(0.1)) schema['additionalProperties'] = this.#random.chance(0.5) ? false : this.#object(0);
    if (this.#random.chance(0.2)) schema['patternProperties'] = { [this.#random.pick(patterns)]: this.#schema(depth - 1) };
    if (this.#random.chance(0.1)) schema['dependentRequired'] = { [this.#random.pick(keys)]: [this.#random.pick(keys)] };
    if (this.#random.chance(0.1)) schema['dependencies'] = { [this.#random.pick(keys)]: this.#schema(depth - 1) };
    return schema;
  }

  #array(depth: number): Json {
    const schema: { [key: string]: Json } = {};
    const isNewest = this.#draft === undefined || this.#draft.includes('2020');
    if (this.#random.chance(0.5)) schema['items'] = isNewest || this.#random.chance(0.5) ? this.#schema(depth - 1) : this.#some(depth);
    if (this.#random.chance(0.3)) schema['prefixItems'] = this.#some(depth);
    if (this.#random.chance(0.3)) schema['additionalItems'] = this.#random.chance(0.5);
    if (this.#random.chance(0.3)) schema['contains'] = this.#schema(depth - 1);
    if (this.#random.chance(0.2)) schema['minContains'] = this.#count();
    if (this.#random.chance(0.2)) schema['maxContains'] = this.#count();
    if (this.#random.chance(0.3)) schema['uniqueItems'] = true;
    if (this.#random.chance(0.2)) schema['unevaluatedItems'] = { type: this.#random.pick(types) };
    return schema;
  }
}

export const makeSchema = (random: Generator): string => new SchemaGenerator(random).make();
