import type { ExactJson } from '../value/json.ts';
import { JsonNumber } from '../value/json.ts';

/**
 * The schemas of schemas that json-schema.org publishes, as far as they decide something: titles, comments and defaults
 * are left out. Source: the specifications of draft 4, 6, 7, 2019-09 and 2020-12.
 */

type Plain = boolean | string | number | readonly Plain[] | { readonly [key: string]: Plain };
type PlainMap = Readonly<Record<string, Plain>>;

/** One entry for each of some names. */
const each = (names: string, schema: Plain): PlainMap => Object.fromEntries(names.split(' ').map((name) => [name, schema]));

const text: PlainMap = { type: 'string' };
const flag: PlainMap = { type: 'boolean' };
const number: PlainMap = { type: 'number' };
const mapOf = (schema: Plain): PlainMap => ({ type: 'object', additionalProperties: schema });
const reference = (to: string): PlainMap => ({ $ref: to });

const simpleTypes = { enum: ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] };
const typeOf = (definitions: string): PlainMap => ({
  anyOf: [
    reference(`${definitions}/simpleTypes`),
    { type: 'array', items: reference(`${definitions}/simpleTypes`), minItems: 1, uniqueItems: true },
  ],
});

/** What draft 4, 6 and 7 have in common. `count` is what they call an integer from zero. */
function classic(count: string): { definitions: PlainMap; properties: PlainMap } {
  const self = reference('#');
  return {
    definitions: {
      schemaArray: { type: 'array', minItems: 1, items: self },
      [count]: { type: 'integer', minimum: 0 },
      [`${count}Default0`]: { allOf: [reference(`#/definitions/${count}`), {}] },
      simpleTypes,
    },
    properties: {
      ...each('title description format', text),
      $schema: { type: 'string', format: 'uri' },
      ...each('maximum minimum', number),
      ...each('maxLength maxItems maxProperties', reference(`#/definitions/${count}`)),
      ...each('minLength minItems minProperties', reference(`#/definitions/${count}Default0`)),
      pattern: { type: 'string', format: 'regex' },
      uniqueItems: flag,
      items: { anyOf: [self, reference('#/definitions/schemaArray')] },
      required: reference('#/definitions/stringArray'),
      ...each('definitions properties patternProperties', mapOf(self)),
      dependencies: mapOf({ anyOf: [self, reference('#/definitions/stringArray')] }),
      enum: { type: 'array', minItems: 1, uniqueItems: true },
      type: typeOf('#/definitions'),
      ...each('allOf anyOf oneOf', reference('#/definitions/schemaArray')),
      not: self,
    },
  };
}

function draft4(): PlainMap {
  const { definitions, properties } = classic('positiveInteger');
  const flagOrSelf = { anyOf: [flag, reference('#')] };
  return {
    $schema: 'http://json-schema.org/draft-04/schema#',
    definitions: { ...definitions, stringArray: { type: 'array', items: text, minItems: 1, uniqueItems: true } },
    type: 'object',
    properties: {
      ...properties,
      id: { type: 'string', format: 'uriref' },
      $ref: text,
      multipleOf: { type: 'number', minimum: 0, exclusiveMinimum: true },
      ...each('exclusiveMaximum exclusiveMinimum', flag),
      ...each('additionalItems additionalProperties', flagOrSelf),
    },
    dependencies: { exclusiveMaximum: ['maximum'], exclusiveMinimum: ['minimum'] },
  };
}

function draft6(version = '06', more: PlainMap = {}): PlainMap {
  const { definitions, properties } = classic('nonNegativeInteger');
  const url = `http://json-schema.org/draft-${version}/schema#`;
  return {
    $schema: url,
    $id: url,
    definitions: { ...definitions, stringArray: { type: 'array', items: text, uniqueItems: true } },
    type: ['object', 'boolean'],
    properties: {
      ...properties,
      ...each('$id $ref', { type: 'string', format: 'uri-reference' }),
      multipleOf: { type: 'number', exclusiveMinimum: 0 },
      ...each('exclusiveMaximum exclusiveMinimum', number),
      ...each('additionalItems additionalProperties contains propertyNames', reference('#')),
      ...more,
    },
  };
}

const draft7 = (): PlainMap =>
  draft6('07', {
    ...each('$comment contentMediaType contentEncoding', text),
    ...each('readOnly writeOnly', flag),
    examples: { type: 'array', items: true },
    patternProperties: { ...mapOf(reference('#')), propertyNames: { format: 'regex' } },
    ...each('if then else', reference('#')),
  });

/** The newer drafts are made of vocabularies, each with a schema of its own. */
interface Edition {
  readonly base: string;
  /** A reference to whatever schema of schemas is in use. */
  readonly self: PlainMap;
  readonly head: PlainMap;
}

const vocabulary = ({ base, head }: Edition, name: string, rest: PlainMap): [string, PlainMap] => [
  `${base}meta/${name}`,
  {
    $schema: `${base}schema`,
    $id: `${base}meta/${name}`,
    $vocabulary: { [`${base}vocab/${name}`]: true },
    ...head,
    type: ['object', 'boolean'],
    ...rest,
  },
];

function whole({ base, self, head }: Edition, names: string, optional: string, more: PlainMap): [string, PlainMap] {
  return [
    `${base}schema`,
    {
      $schema: `${base}schema`,
      $id: `${base}schema`,
      $vocabulary: Object.fromEntries(names.split(' ').map((name) => [`${base}vocab/${name}`, name !== optional])),
      ...head,
      allOf: names.split(' ').map((name) => reference(`meta/${name}`)),
      type: ['object', 'boolean'],
      properties: {
        definitions: mapOf(self),
        dependencies: mapOf({ anyOf: [self, reference('meta/validation#/$defs/stringArray')] }),
        ...more,
      },
    },
  ];
}

const validation: PlainMap = {
  properties: {
    multipleOf: { type: 'number', exclusiveMinimum: 0 },
    ...each('maximum exclusiveMaximum minimum exclusiveMinimum', number),
    ...each('maxLength maxItems maxContains minContains maxProperties', reference('#/$defs/nonNegativeInteger')),
    ...each('minLength minItems minProperties', reference('#/$defs/nonNegativeIntegerDefault0')),
    pattern: { type: 'string', format: 'regex' },
    uniqueItems: flag,
    required: reference('#/$defs/stringArray'),
    dependentRequired: mapOf(reference('#/$defs/stringArray')),
    enum: { type: 'array', items: true },
    type: typeOf('#/$defs'),
  },
  $defs: {
    nonNegativeInteger: { type: 'integer', minimum: 0 },
    nonNegativeIntegerDefault0: reference('#/$defs/nonNegativeInteger'),
    simpleTypes,
    stringArray: { type: 'array', items: text, uniqueItems: true },
  },
};

const metaData: PlainMap = {
  properties: {
    ...each('title description', text),
    ...each('deprecated readOnly writeOnly', flag),
    examples: { type: 'array', items: true },
  },
};

const content = (self: PlainMap): PlainMap => ({
  properties: { ...each('contentMediaType contentEncoding', text), contentSchema: self },
});

const applicator = (self: PlainMap, own: PlainMap): PlainMap => ({
  properties: {
    ...each('contains additionalProperties propertyNames if then else not', self),
    ...each('properties dependentSchemas', mapOf(self)),
    patternProperties: { ...mapOf(self), propertyNames: { format: 'regex' } },
    ...each('allOf anyOf oneOf', reference('#/$defs/schemaArray')),
    ...own,
  },
  $defs: { schemaArray: { type: 'array', minItems: 1, items: self } },
});

const format: PlainMap = { properties: { format: text } };

function draft2019(): [string, PlainMap][] {
  const self = { $recursiveRef: '#' };
  const edition = { base: 'https://json-schema.org/draft/2019-09/', self, head: { $recursiveAnchor: true } };
  const uri = { type: 'string', format: 'uri' };
  const uriReference = { type: 'string', format: 'uri-reference' };
  return [
    whole(edition, 'core applicator validation meta-data format content', 'format', {}),
    vocabulary(edition, 'core', {
      properties: {
        $id: { ...uriReference, pattern: '^[^#]*#?$' },
        $schema: uri,
        $anchor: { type: 'string', pattern: '^[A-Za-z][-A-Za-z0-9.:_]*$' },
        ...each('$ref $recursiveRef', uriReference),
        $recursiveAnchor: flag,
        $vocabulary: { ...mapOf(flag), propertyNames: uri },
        $comment: text,
        $defs: mapOf(self),
      },
    }),
    vocabulary(
      edition,
      'applicator',
      applicator(self, {
        ...each('additionalItems unevaluatedItems unevaluatedProperties', self),
        items: { anyOf: [self, reference('#/$defs/schemaArray')] },
      }),
    ),
    vocabulary(edition, 'validation', validation),
    vocabulary(edition, 'meta-data', metaData),
    vocabulary(edition, 'format', format),
    vocabulary(edition, 'content', content(self)),
  ];
}

function draft2020(): [string, PlainMap][] {
  const self = { $dynamicRef: '#meta' };
  const edition = { base: 'https://json-schema.org/draft/2020-12/', self, head: { $dynamicAnchor: 'meta' } };
  const uri = reference('#/$defs/uriString');
  const uriReference = reference('#/$defs/uriReferenceString');
  const names = 'core applicator unevaluated validation meta-data format-annotation content';
  return [
    whole(edition, names, '', {
      $recursiveAnchor: reference('meta/core#/$defs/anchorString'),
      $recursiveRef: reference('meta/core#/$defs/uriReferenceString'),
    }),
    vocabulary(edition, 'core', {
      properties: {
        $id: { ...uriReference, pattern: '^[^#]*#?$' },
        $schema: uri,
        ...each('$ref $dynamicRef', uriReference),
        ...each('$anchor $dynamicAnchor', reference('#/$defs/anchorString')),
        $vocabulary: { ...mapOf(flag), propertyNames: uri },
        $comment: text,
        $defs: mapOf(self),
      },
      $defs: {
        anchorString: { type: 'string', pattern: '^[A-Za-z_][-A-Za-z0-9._]*$' },
        uriString: { type: 'string', format: 'uri' },
        uriReferenceString: { type: 'string', format: 'uri-reference' },
      },
    }),
    vocabulary(edition, 'applicator', applicator(self, { prefixItems: reference('#/$defs/schemaArray'), items: self })),
    vocabulary(edition, 'unevaluated', { properties: each('unevaluatedItems unevaluatedProperties', self) }),
    vocabulary(edition, 'validation', validation),
    vocabulary(edition, 'meta-data', metaData),
    vocabulary(edition, 'format-annotation', format),
    vocabulary(edition, 'format-assertion', format),
    vocabulary(edition, 'content', content(self)),
  ];
}

function exact(value: Plain): ExactJson {
  if (typeof value === 'number') return new JsonNumber(String(value));
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(exact);
  return new Map(Object.entries(value).map(([key, item]) => [key, exact(item)]));
}

let made: ReadonlyMap<string, ExactJson> | undefined;

/** The schema of schemas at a URL, http and https alike; undefined where there is none. */
export function metaschemaAt(url: string): ExactJson | undefined {
  const found = /^https?:\/\/json-schema\.org\/(.*)$/.exec(url);
  if (!found) return undefined;
  made ??= new Map(
    [
      ['http://json-schema.org/draft-04/schema', draft4()] as const,
      ['http://json-schema.org/draft-06/schema', draft6()] as const,
      ['http://json-schema.org/draft-07/schema', draft7()] as const,
      ...draft2019(),
      ...draft2020(),
    ].map(([at, schema]) => [at.replace(/^https?:\/\/json-schema\.org\//, ''), exact(schema)]),
  );
  return made.get(found[1] === 'schema' ? 'draft/2020-12/schema' : (found[1] as string));
}
