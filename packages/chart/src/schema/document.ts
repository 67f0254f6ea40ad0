import type { ExactJson } from '../value/json.ts';
import { quote } from '../value/text.ts';
import { escapeSegment, parseUrl, printUrl, resolveUrl, UrlError, unescapeUrl } from '../value/url.ts';
import { type Dialect, type Draft, draftOf, newestDraft } from './drafts.ts';
import { areNames, forms, isPattern, positions } from './forms.ts';
import { metaschemaAt } from './metaschemas.ts';

/** A schema that cannot be used; the message is that of the library which Helm uses. */
export class SchemaError extends Error {}

type JsonMap = ReadonlyMap<string, ExactJson>;

/** A part of a document with a URL of its own: the document itself, and what has an `$id`. */
export interface Resource {
  readonly id: string;
  readonly pointer: string;
  readonly dialect: Dialect;
  /** Places by the names that `$anchor` gives them. */
  readonly anchors: Map<string, string>;
  readonly dynamicAnchors: string[];
}

/** Where a schema stands, and what holds there. */
export interface Place {
  readonly pointer: string;
  readonly resource: Resource;
}

const escapeToken = (token: string): string =>
  token.includes('~') || token.includes('/') ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token;

export const below = (pointer: string, token: string): string => `${pointer}/${escapeToken(token)}`;

/** A URL and a pointer or anchor, as messages show them. */
export const printPlace = (url: string, fragment: string): string => `${url}#${fragment.split('/').map(escapeSegment).join('/')}`;

export interface Target {
  readonly url: string;
  /** A pointer when it is empty or begins with a slash, else an anchor. */
  readonly fragment: string;
}

/** What stands behind the `#` of a reference. @throws SchemaError */
export function fragmentOf(reference: string): string {
  const hash = reference.indexOf('#');
  return unescapeUrl(hash < 0 ? '' : reference.slice(hash + 1), (reason) => {
    throw new SchemaError(`error in parsing ${quote(reference)}: ${reason}`);
  });
}

/** A reference as it is meant at a base. @param charge takes the steps @throws SchemaError */
export function resolveReference(base: string, reference: string, charge: (steps: number) => void): Target {
  const hash = reference.indexOf('#');
  const before = hash < 0 ? reference : reference.slice(0, hash);
  const fragment = fragmentOf(reference);
  if (before === '') return { url: base, fragment };
  // Both are parsed, and what comes of them is as long.
  charge((base.length + before.length) >> 3);
  const parse = (text: string) => {
    try {
      return parseUrl(text);
    } catch (error) {
      if (error instanceof UrlError) throw new SchemaError(`error in parsing ${quote(text)}: ${error.message}`);
      throw error;
    }
  };
  const from = parse(base);
  const to = parse(before);
  const resolved = resolveUrl(from, to);
  return { url: printUrl(to.scheme === '' && from.opaque !== '' ? { ...resolved, opaque: from.opaque } : resolved), fragment };
}

/** One document of schemas: its parts with URLs, anchors, and whether anything in it needs a closer look. */
export class SchemaDocument {
  readonly url: string;
  readonly root: ExactJson;
  readonly #resources = new Map<string, Resource>();
  readonly #byId = new Map<string, Resource>();
  readonly #places = new Map<JsonMap, Place>();
  /** Whether something was seen that the schema of schemas must judge. */
  #isOdd = false;
  readonly #charge: (steps: number) => void;

  /** @param charge takes the steps of what is more than a walk over the document @throws SchemaError */
  constructor(url: string, root: ExactJson, charge: (steps: number) => void) {
    this.url = url;
    this.root = root;
    this.#charge = charge;
    this.#collect(root, url, '', { draft: newestDraft, vocabularies: undefined });
  }

  get resources(): ReadonlyMap<string, Resource> {
    return this.#resources;
  }

  /** Whether something was odd since the last question. */
  takeOddness(): boolean {
    const was = this.#isOdd;
    this.#isOdd = false;
    return was;
  }

  placeOf(schema: ExactJson): Place | undefined {
    return schema instanceof Map ? this.#places.get(schema) : undefined;
  }

  /** The nearest resource around a place. */
  resourceAt(pointer: string): Resource {
    for (let at = pointer; at !== '' && this.#resources.size > 1; at = at.slice(0, at.lastIndexOf('/'))) {
      this.#charge(at.length >> 8);
      const found = this.#resources.get(at);
      if (found) return found;
    }
    return this.#resources.get('') as Resource;
  }

  /** Takes in a part that stands where no draft looks for schemas, because something refers to it. */
  add(schema: ExactJson, pointer: string): Place {
    const around = this.resourceAt(pointer);
    if (!(schema instanceof Map)) this.#isOdd ||= typeof schema !== 'boolean' || around.dialect.draft.version === 4;
    else this.#collect(schema, around.id, pointer, around.dialect);
    return this.placeOf(schema) ?? { pointer, resource: around };
  }

  /** The pointer that a target in this document means; undefined where the target is in another. @throws SchemaError */
  pointerOf({ url, fragment }: Target): string | undefined {
    const resource = url === this.url ? this.#resources.get('') : this.#byId.get(url);
    if (!resource) return undefined;
    if (fragment === '' || fragment.startsWith('/')) return resource.pointer + fragment;
    const found = resource.anchors.get(fragment);
    if (found !== undefined) return found;
    throw new SchemaError(`anchor in ${quote(printPlace(resource.id, fragment))} not found in schema ${quote(this.url)}`);
  }

  /** What stands at a pointer. @throws SchemaError */
  lookup(pointer: string): ExactJson {
    this.#charge(pointer.length >> 7);
    let current = this.root;
    for (const token of pointer.split('/').slice(1)) {
      if (/~(?![01])/.test(token)) throw new SchemaError(`invalid json-pointer ${quote(printPlace(this.url, pointer))}`);
      const key = token.replace(/~[01]/g, (mark) => (mark === '~0' ? '~' : '/'));
      const next: ExactJson | undefined =
        current instanceof Map ? current.get(key) : Array.isArray(current) && /^[+-]?\d+$/.test(key) ? current[Number(key)] : undefined;
      if (next === undefined) throw new SchemaError(`json-pointer in ${quote(printPlace(this.url, pointer))} not found`);
      current = next;
    }
    return current;
  }

  #collect(schema: ExactJson, base: string, pointer: string, fallback: Dialect): void {
    if (!(schema instanceof Map)) {
      if (pointer === '') this.#addResource(base, pointer, fallback);
      this.#isOdd ||= typeof schema !== 'boolean';
      return;
    }
    if (this.#places.has(schema)) return;
    const named = draftAt(this.url, schema, pointer, fallback.draft);
    // A `$schema` counts only where a document or a part with an id begins.
    const counts = pointer === '' || idOf(named, schema) !== '';
    const own = counts ? named : fallback.draft;
    const dialect = (): Dialect =>
      counts && typeof schema.get('$schema') === 'string' ? { draft: own, vocabularies: vocabulariesOf(schema, own) } : fallback;
    const resource = this.#resourceOf(base, pointer, idOf(own, schema), dialect);
    this.#places.set(schema, { pointer, resource });
    this.#collectAnchors(schema, pointer, resource);
    for (const [keyword, value] of schema) this.#collectKeyword(keyword, value, { pointer, resource }, own);
  }

  #resourceOf(base: string, pointer: string, id: string, dialect: () => Dialect): Resource {
    let url = base;
    if (id !== '') {
      try {
        url = resolveReference(base, id, this.#charge).url;
      } catch (error) {
        if (error instanceof SchemaError) throw new SchemaError(`error in parsing id at ${quote(printPlace(this.url, pointer))}`);
        throw error;
      }
    }
    const known = this.#byId.get(url);
    if (id === '' && pointer !== '') return known as Resource;
    if (known && known.pointer !== pointer)
      throw new SchemaError(`duplicate id ${quote(url)} in ${quote(this.url)} at ${quote(pointer)} and ${quote(known.pointer)}`);
    return known ?? this.#addResource(url, pointer, dialect());
  }

  #addResource(id: string, pointer: string, dialect: Dialect): Resource {
    const resource = { id, pointer, dialect, anchors: new Map(), dynamicAnchors: [] };
    this.#resources.set(pointer, resource);
    this.#byId.set(id, resource);
    return resource;
  }

  #collectAnchors(schema: JsonMap, pointer: string, resource: Resource): void {
    const { version, id } = resource.dialect.draft;
    const add = (anchor: ExactJson | undefined): void => {
      if (typeof anchor !== 'string') return;
      const known = resource.anchors.get(anchor);
      if (known !== undefined && known !== pointer)
        throw new SchemaError(`duplicate anchor ${quote(anchor)} in ${quote(this.url)} at ${quote(known)} and ${quote(pointer)}`);
      resource.anchors.set(anchor, pointer);
    };
    if (version < 2019) {
      const name = schema.get(id);
      // Beside `$ref` all else is nothing.
      if (typeof name !== 'string' || !name.includes('#') || schema.has('$ref')) return;
      const fragment = unescapeUrl(name.slice(name.indexOf('#') + 1), () => {
        throw new SchemaError(`error in parsing anchor at ${quote(printPlace(this.url, pointer))}`);
      });
      if (fragment !== '' && !fragment.startsWith('/')) add(fragment);
      return;
    }
    add(schema.get('$anchor'));
    const dynamic = schema.get('$dynamicAnchor');
    if (version < 2020 || typeof dynamic !== 'string') return;
    add(dynamic);
    resource.dynamicAnchors.push(dynamic);
  }

  #collectKeyword(keyword: string, value: ExactJson, at: Place, draft: Draft): void {
    const position = positions.get(keyword);
    if (!position || position.since > draft.version) {
      const isRight = forms.get(keyword);
      this.#isOdd ||= isRight !== undefined && !isRight(value, draft, this.#charge);
      return;
    }
    const pointer = below(at.pointer, keyword);
    const visit = (part: ExactJson, token?: string): void => {
      if (typeof part === 'boolean') {
        this.#isOdd ||= draft.version === 4 && !keyword.startsWith('additional');
        return;
      }
      this.#collect(part, at.resource.id, token === undefined ? pointer : below(pointer, token), at.resource.dialect);
    };
    const isList = Array.isArray(value);
    if (position.kind === 'map' || position.kind === 'dependencies') this.#collectMap(keyword, value, visit);
    else if (position.kind === 'schema' || (position.kind === 'schema or list' && !isList)) visit(value);
    else if (!isList) this.#isOdd = true;
    else {
      this.#isOdd ||= value.length === 0 || (keyword === 'items' && draft.version >= 2020);
      for (const [index, part] of value.entries()) visit(part, String(index));
    }
  }

  #collectMap(keyword: string, value: ExactJson, visit: (part: ExactJson, token: string) => void): void {
    if (!(value instanceof Map)) {
      this.#isOdd = true;
      return;
    }
    for (const [name, part] of value) {
      if (keyword === 'patternProperties') this.#isOdd ||= !isPattern(name, this.#charge);
      if (keyword === 'dependencies' && Array.isArray(part)) this.#isOdd ||= !areNames(part);
      else visit(part, name);
    }
  }
}

function idOf({ version, id }: Draft, schema: JsonMap): string {
  if (version < 2019 && schema.has('$ref')) return '';
  const name = schema.get(id);
  return typeof name === 'string' ? (name.split('#')[0] as string) : '';
}

/** The draft of a schema by its `$schema`. @throws SchemaError */
function draftAt(url: string, schema: JsonMap, pointer: string, fallback: Draft, seen: readonly string[] = []): Draft {
  const name = schema.get('$schema');
  if (typeof name !== 'string') return fallback;
  const draft = draftOf(name);
  if (draft) return draft;
  const meta = name.split('#')[0] as string;
  try {
    parseUrl(meta);
  } catch (error) {
    if (error instanceof UrlError) throw new SchemaError(`invalid $schema in ${quote(printPlace(url, pointer))}: ${error.message}`);
    throw error;
  }
  if (pointer === '' && meta === url) throw new SchemaError(`draft ${quote(meta)} is not supported`);
  if (seen.includes(meta)) throw new SchemaError(`cycle in resolving $schema in ${quote(meta)}`);
  const document = loadSchema(meta);
  return document instanceof Map ? draftAt(meta, document, '', fallback, [...seen, meta]) : fallback;
}

/** The vocabularies that the schema of schemas of a schema asks for. */
function vocabulariesOf(schema: JsonMap, { vocabularies }: Draft): readonly string[] | undefined {
  const name = schema.get('$schema') as string;
  if (draftOf(name) || !vocabularies) return undefined;
  const url = name.split('#')[0] as string;
  const document = loadSchema(url);
  const wanted = document instanceof Map ? document.get('$vocabulary') : undefined;
  if (!(wanted instanceof Map)) return undefined;
  const names: string[] = [];
  for (const [vocabulary, isRequired] of wanted) {
    if (isRequired !== true) continue;
    const short = vocabulary.startsWith(vocabularies.prefix) ? vocabulary.slice(vocabularies.prefix.length) : '';
    if (!vocabularies.known.includes(short)) throw new SchemaError(`unsupported vocabulary ${quote(vocabulary)} in ${quote(url)}`);
    names.push(short);
  }
  return names.includes('core') ? names : [...names, 'core'];
}

/** A document that a schema names: of those of json-schema.org; one under `urn:` takes everything. @throws SchemaError */
export function loadSchema(url: string): ExactJson {
  const meta = metaschemaAt(url);
  if (meta !== undefined) return meta;
  const scheme = parseUrl(url).scheme;
  if (scheme === 'urn') return true;
  const isElsewhere = ['http', 'https', 'file'].includes(scheme);
  const reason = isElsewhere ? 'nothing outside of values.schema.json is read or fetched' : `no URLLoader registered for ${quote(url)}`;
  throw new SchemaError(`failing loading ${quote(url)}: ${reason}`);
}
