import type { Budget } from '../render/budget.ts';
import type { ExactJson } from '../value/json.ts';
import { quote } from '../value/text.ts';
import { SchemaCompiler } from './compile.ts';
import { CompiledSchema } from './compiled.ts';
import { printPlace, type Resource, type SchemaDocument, SchemaError } from './document.ts';
import { printViolations, singleQuoted } from './report.ts';
import { validate } from './validate.ts';

/** Schemas of schemas, compiled when they are first needed. */
const compiler = new SchemaCompiler({ charge: () => {}, assertsFormat: true });
const metas = new Map<string, CompiledSchema>();

function metaOf({ dialect: { draft, vocabularies } }: Resource): CompiledSchema {
  const key = `${draft.url} ${vocabularies?.join(' ') ?? ''}`;
  const known = metas.get(key);
  if (known) return known;
  const made = vocabularies ? metaOfVocabularies(draft.url, draft.version, vocabularies) : compiler.compile(draft.url);
  metas.set(key, made);
  return made;
}

/** The library makes a schema of schemas for a choice of vocabularies. */
function metaOfVocabularies(url: string, version: number, vocabularies: readonly string[]): CompiledSchema {
  const schema = new CompiledSchema('urn:mem:metaschema', '');
  schema.draft = version;
  schema.allOf = vocabularies.map((name) => compiler.compile(url.replace(/schema$/, `meta/${name}`)));
  if (version >= 2020) {
    schema.dynamicAnchor = 'meta';
    schema.dynamicAnchors = new Map([['meta', schema]]);
  }
  return schema;
}

/** Checks a document, or a part of one, by the schema of schemas. @throws SchemaError */
export function judge(document: SchemaDocument, part: ExactJson, pointer: string, budget: Budget): void {
  const meta = metaOf(document.resourceAt(pointer));
  const found = validate(meta, part, budget, { meta, resources: document.resources, metaOf });
  if (found.length === 0) return;
  const by = meta.url === 'urn:mem:metaschema' ? meta.url : meta.location;
  throw new SchemaError(
    `${quote(printPlace(document.url, pointer))} is not valid against metaschema: jsonschema validation failed with ${singleQuoted(by)}\n${printViolations(found, budget)}`,
  );
}
