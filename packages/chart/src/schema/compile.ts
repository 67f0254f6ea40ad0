import { Regex } from '../regex/regex.ts';
import { RegexError } from '../regex/syntax.ts';
import { type ExactJson, JsonNumber } from '../value/json.ts';
import { quote } from '../value/text.ts';
import { CompiledSchema } from './compiled.ts';
import { below, fragmentOf, loadSchema, printPlace, type Resource, resolveReference, SchemaDocument, SchemaError } from './document.ts';
import { assertsFormat, type Dialect, hasVocabulary } from './drafts.ts';
import { formatOf } from './formats.ts';
import { isInteger, isUsable, toFloat } from './numbers.ts';

export interface CompileOptions {
  /** Takes the steps of the work. */
  readonly charge: (steps: number) => void;
  /** Whether `format` always decides. */
  readonly assertsFormat?: boolean;
  /** Judges a document, or a part of one, before it is used. @throws SchemaError */
  readonly judge?: (document: SchemaDocument, part: ExactJson, pointer: string) => void;
}

/**
 * Makes schemas ready for the validator, with all that they refer to. Breadth first, as the library does that Helm
 * uses: of several mistakes, the same one is named. Where Go walks a map, in random order, this keeps the file's.
 */
export class SchemaCompiler {
  readonly #options: CompileOptions;
  readonly #documents = new Map<string, SchemaDocument>();
  readonly #made = new Map<ExactJson, CompiledSchema>();
  /** Places that hold no map, by URL and pointer. */
  readonly #plain = new Map<string, CompiledSchema>();
  #queue: Waiting[] = [];
  #next = 0;

  constructor(options: CompileOptions) {
    this.#options = options;
  }

  /** JSON pointer of the schema at hand. */
  get pointer(): string {
    return this.#queue[this.#next - 1]?.schema.pointer ?? '';
  }

  /** @throws SchemaError */
  compile(url: string, root: ExactJson = loadSchema(url)): CompiledSchema {
    const document = this.#document(url, root);
    const schema = this.at(document, '');
    while (this.#next < this.#queue.length) this.#fill(this.#queue[this.#next++] as Waiting);
    this.#queue = [];
    this.#next = 0;
    return schema;
  }

  #document(url: string, root?: ExactJson): SchemaDocument {
    const known = this.#documents.get(url);
    if (known) return known;
    const document = new SchemaDocument(url, root === undefined ? loadSchema(url) : root, this.#options.charge);
    if (document.takeOddness()) this.#options.judge?.(document, document.root, '');
    this.#documents.set(url, document);
    return document;
  }

  /** The schema at a place, which is filled when its turn comes. */
  at(document: SchemaDocument, pointer: string, json?: ExactJson): CompiledSchema {
    let value = json;
    if (value === undefined) {
      try {
        value = document.lookup(pointer);
      } catch (error) {
        // What a reference misses is missed when its turn comes.
        if (!(error instanceof SchemaError)) throw error;
      }
    }
    const isMap = value instanceof Map;
    const key = isMap ? '' : `${document.url}#${pointer}`;
    const known = isMap ? this.#made.get(value as ExactJson) : this.#plain.get(key);
    if (known) return known;
    // The place is written out where it is a key.
    this.#options.charge(isMap ? 4 : 4 + (pointer.length >> 4));
    const schema = new CompiledSchema(document.url, pointer);
    if (isMap) this.#made.set(value as ExactJson, schema);
    else this.#plain.set(key, schema);
    this.#queue.push({ schema, document, json: value });
    return schema;
  }

  #fill({ schema, document, json: known }: Waiting): void {
    const { pointer } = schema;
    const json = known === undefined ? document.lookup(pointer) : known;
    let place = document.placeOf(json);
    if (!place) {
      place = document.add(json, pointer);
      if (document.takeOddness()) this.#options.judge?.(document, json, pointer);
    }
    const { resource } = place;
    schema.draft = resource.dialect.draft.version;
    schema.resource = this.at(document, resource.pointer);
    if (schema.draft >= 2020 && pointer === resource.pointer) {
      for (const anchor of resource.dynamicAnchors) {
        schema.dynamicAnchors ??= new Map();
        schema.dynamicAnchors.set(anchor, this.at(document, resource.anchors.get(anchor) as string));
      }
    }
    if (typeof json === 'boolean') schema.always = json;
    else if (json instanceof Map && json.size === 0) schema.always = true;
    else if (json instanceof Map) this.#read(new Site(this, document, schema, json, resource));
  }

  #read(site: Site): void {
    const { schema, json } = site;
    const ref = json.get('$ref');
    if (typeof ref === 'string') {
      schema.reference = site.refer(ref);
      // Up to draft 7 a reference stands alone.
      if (schema.draft < 2019) return;
    }
    const present: (readonly [Keyword, ExactJson])[] = [];
    for (const [name, value] of json) {
      const keyword = keywords.get(name);
      if (keyword && keyword.since <= schema.draft && site.asserts(keyword.vocabulary)) present.push([keyword, value]);
    }
    if (present.length > 1) present.sort(([a], [b]) => a.rank - b.rank);
    for (const [{ read }, value] of present) read(site, value);
  }

  /** The schema that a reference means at a base. @throws SchemaError */
  refer(document: SchemaDocument, base: string, reference: string): CompiledSchema {
    const target = resolveReference(base, reference, this.#options.charge);
    this.#options.charge(8 + (target.fragment.length >> 1));
    const pointer = document.pointerOf(target);
    if (pointer !== undefined) return this.at(document, pointer);
    const other = this.#document(target.url);
    return this.at(other, other.pointerOf(target) as string);
  }

  /** @throws SchemaError */
  regex(source: string, place: () => string): Regex {
    try {
      return new Regex(source, this.#options.charge);
    } catch (error) {
      if (error instanceof RegexError) throw new SchemaError(`invalid regex ${quote(source)} at ${quote(place())}: ${error.message}`);
      throw error;
    }
  }

  formatsAssert(dialect: Dialect): boolean {
    return this.#options.assertsFormat === true || assertsFormat(dialect);
  }
}

/** A schema that was named and is not filled yet; where nothing was found for it, it has no JSON. */
interface Waiting {
  readonly schema: CompiledSchema;
  readonly document: SchemaDocument;
  readonly json: ExactJson | undefined;
}

/** A schema that is being read, and what its keywords may ask for. */
class Site {
  readonly schema: CompiledSchema;
  readonly json: ReadonlyMap<string, ExactJson>;
  readonly #compiler: SchemaCompiler;
  readonly #document: SchemaDocument;
  readonly #resource: Resource;

  constructor(
    compiler: SchemaCompiler,
    document: SchemaDocument,
    schema: CompiledSchema,
    json: ReadonlyMap<string, ExactJson>,
    resource: Resource,
  ) {
    this.#compiler = compiler;
    this.#document = document;
    this.schema = schema;
    this.json = json;
    this.#resource = resource;
  }

  asserts(vocabulary: string): boolean {
    return hasVocabulary(this.#resource.dialect, vocabulary);
  }

  get assertsFormat(): boolean {
    return this.#compiler.formatsAssert(this.#resource.dialect);
  }

  /** The schema at a keyword, or below it. */
  child(value: ExactJson, keyword: string, token?: string): CompiledSchema {
    const at = below(this.schema.pointer, keyword);
    return this.#compiler.at(this.#document, token === undefined ? at : below(at, token), value);
  }

  refer(reference: string): CompiledSchema {
    return this.#compiler.refer(this.#document, this.#resource.id, reference);
  }

  regex(source: string, keyword: string): Regex {
    return this.#compiler.regex(source, () => printPlace(this.#document.url, below(this.schema.pointer, keyword)));
  }
}

interface Keyword {
  readonly rank: number;
  readonly since: number;
  readonly vocabulary: string;
  readonly read: (site: Site, value: ExactJson) => void;
}

const texts = (value: ExactJson): readonly string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);
const entries = (value: ExactJson): readonly (readonly [string, ExactJson])[] => (value instanceof Map ? [...value] : []);
const numberIn = (value: ExactJson | undefined): JsonNumber | undefined =>
  value instanceof JsonNumber && isUsable(value) ? value : undefined;
const countIn = (value: ExactJson | undefined): number | undefined =>
  value instanceof JsonNumber && isInteger(value) ? toFloat(value) : undefined;

type Read = Keyword['read'];

const list =
  (name: 'allOf' | 'anyOf' | 'oneOf'): Read =>
  (site, value) => {
    if (Array.isArray(value)) site.schema[name] = value.map((item, index) => site.child(item, name, String(index)));
  };

const one =
  (name: 'not' | 'propertyNames' | 'unevaluatedItems' | 'unevaluatedProperties'): Read =>
  (site, value) => {
    site.schema[name] = site.child(value, name);
  };

const count =
  (name: 'minLength' | 'maxLength' | 'minItems' | 'maxItems' | 'minProperties' | 'maxProperties'): Read =>
  ({ schema }, value) => {
    schema[name] = countIn(value);
  };

/** In draft 4 an exclusive bound is a flag beside the bound. */
const bound =
  (name: 'minimum' | 'maximum', exclusive: 'exclusiveMinimum' | 'exclusiveMaximum'): Read =>
  ({ schema, json }) => {
    const isFlag = json.get(exclusive) === true;
    schema[name] = isFlag ? undefined : numberIn(json.get(name));
    schema[exclusive] = numberIn(json.get(isFlag ? name : exclusive));
  };

const flagOrSchema = (site: Site, value: ExactJson, name: string): boolean | CompiledSchema =>
  typeof value === 'boolean' ? value : site.child(value, name);

function readItems(site: Site, value: ExactJson): void {
  const { schema, json } = site;
  if (schema.draft < 2020 && Array.isArray(value)) {
    schema.firstItems = value.map((item, index) => site.child(item, 'items', String(index)));
    const rest = json.get('additionalItems');
    if (rest !== undefined) schema.otherItems = flagOrSchema(site, rest, 'additionalItems');
  } else schema.otherItems = site.child(value, 'items');
}

function readDependencies(site: Site, value: ExactJson): void {
  site.schema.dependencies = entries(value).map(([name, part]) => [
    name,
    Array.isArray(part) ? texts(part) : site.child(part, 'dependencies', name),
  ]);
}

function readIf(site: Site, value: ExactJson): void {
  const { schema, json } = site;
  schema.condition = site.child(value, 'if');
  const [then, otherwise] = [json.get('then'), json.get('else')];
  if (then !== undefined && value !== false) schema.whenTrue = site.child(then, 'then');
  if (otherwise !== undefined && value !== true) schema.whenFalse = site.child(otherwise, 'else');
}

function readContains(site: Site, value: ExactJson): void {
  const { schema, json } = site;
  schema.contains = site.child(value, 'contains');
  if (schema.draft < 2019 || !site.asserts('validation')) return;
  schema.minContains = countIn(json.get('minContains'));
  schema.maxContains = countIn(json.get('maxContains'));
}

function readDynamicReference(site: Site, value: ExactJson): void {
  if (typeof value !== 'string') return;
  const to = site.refer(value);
  const fragment = fragmentOf(value);
  site.schema.dynamicReference = { to, anchor: fragment.startsWith('/') ? '' : fragment };
}

/** In the order in which the library reads them; `$ref` comes before all. */
const inOrder: readonly (readonly [name: string, since: number, vocabulary: string, read: Read])[] = [
  ['allOf', 4, 'applicator', list('allOf')],
  ['anyOf', 4, 'applicator', list('anyOf')],
  ['oneOf', 4, 'applicator', list('oneOf')],
  ['not', 4, 'applicator', one('not')],
  [
    'properties',
    4,
    'applicator',
    (site, value) => {
      site.schema.properties = new Map(entries(value).map(([name, part]) => [name, site.child(part, 'properties', name)]));
    },
  ],
  [
    'patternProperties',
    4,
    'applicator',
    (site, value) => {
      site.schema.patternProperties = entries(value).map(([name, part]) => [
        site.regex(name, 'patternProperties'),
        site.child(part, 'patternProperties', name),
      ]);
    },
  ],
  [
    'additionalProperties',
    4,
    'applicator',
    (site, value) => {
      site.schema.additionalProperties = flagOrSchema(site, value, 'additionalProperties');
    },
  ],
  ['dependencies', 4, 'applicator', readDependencies],
  [
    'type',
    4,
    'validation',
    ({ schema }, value) => {
      const types = typeof value === 'string' ? [value] : texts(value);
      if (types.length > 0) schema.types = types;
    },
  ],
  [
    'enum',
    4,
    'validation',
    ({ schema }, value) => {
      if (Array.isArray(value)) schema.choices = value;
    },
  ],
  [
    'multipleOf',
    4,
    'validation',
    ({ schema }, value) => {
      schema.multipleOf = numberIn(value);
    },
  ],
  ['maximum', 4, 'validation', bound('maximum', 'exclusiveMaximum')],
  ['exclusiveMaximum', 4, 'validation', bound('maximum', 'exclusiveMaximum')],
  ['minimum', 4, 'validation', bound('minimum', 'exclusiveMinimum')],
  ['exclusiveMinimum', 4, 'validation', bound('minimum', 'exclusiveMinimum')],
  ['minLength', 4, 'validation', count('minLength')],
  ['maxLength', 4, 'validation', count('maxLength')],
  [
    'pattern',
    4,
    'validation',
    (site, value) => {
      if (typeof value === 'string') site.schema.pattern = site.regex(value, 'pattern');
    },
  ],
  ['minItems', 4, 'validation', count('minItems')],
  ['maxItems', 4, 'validation', count('maxItems')],
  [
    'uniqueItems',
    4,
    'validation',
    ({ schema }, value) => {
      schema.hasUniqueItems = value === true;
    },
  ],
  ['maxProperties', 4, 'validation', count('maxProperties')],
  ['minProperties', 4, 'validation', count('minProperties')],
  [
    'required',
    4,
    'validation',
    ({ schema }, value) => {
      schema.required = texts(value);
    },
  ],
  [
    'format',
    4,
    'core',
    ({ schema, assertsFormat: isAsserted }, value) => {
      const check = isAsserted && typeof value === 'string' ? formatOf(value) : undefined;
      if (check) schema.format = { name: value as string, check };
    },
  ],
  ['contains', 6, 'applicator', readContains],
  ['propertyNames', 6, 'applicator', one('propertyNames')],
  [
    'const',
    6,
    'validation',
    ({ schema }, value) => {
      schema.constant = [value];
    },
  ],
  ['if', 7, 'applicator', readIf],
  [
    '$recursiveRef',
    2019,
    'core',
    (site, value) => {
      if (typeof value === 'string') site.schema.recursiveReference = site.refer(value);
    },
  ],
  [
    '$recursiveAnchor',
    2019,
    'core',
    ({ schema }, value) => {
      schema.isRecursiveAnchor = value === true;
    },
  ],
  [
    'dependentRequired',
    2019,
    'validation',
    ({ schema }, value) => {
      schema.dependentRequired = entries(value).flatMap(([name, part]) => (Array.isArray(part) ? [[name, texts(part)] as const] : []));
    },
  ],
  [
    'dependentSchemas',
    2019,
    'applicator',
    (site, value) => {
      site.schema.dependentSchemas = entries(value).map(([name, part]) => [name, site.child(part, 'dependentSchemas', name)]);
    },
  ],
  ['unevaluatedItems', 2019, 'unevaluated', one('unevaluatedItems')],
  ['unevaluatedProperties', 2019, 'unevaluated', one('unevaluatedProperties')],
  ['$dynamicRef', 2020, 'core', readDynamicReference],
  [
    '$dynamicAnchor',
    2020,
    'core',
    ({ schema }, value) => {
      if (typeof value === 'string') schema.dynamicAnchor = value;
    },
  ],
  [
    'prefixItems',
    2020,
    'applicator',
    (site, value) => {
      if (Array.isArray(value)) site.schema.firstItems = value.map((item, index) => site.child(item, 'prefixItems', String(index)));
    },
  ],
  ['items', 4, 'applicator', readItems],
];

const keywords: ReadonlyMap<string, Keyword> = new Map(
  inOrder.map(([name, since, vocabulary, read], rank) => [name, { rank, since, vocabulary, read }]),
);
