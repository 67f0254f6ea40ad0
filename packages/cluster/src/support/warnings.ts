import { isObject, type Json, type JsonObject, type Schema, type StructSchema } from '../schema/index.ts';
import { entryOf, ignoredBecause, shortNameOf, treatmentOf } from './field-treatment.ts';
import { kindsTable } from './kinds-table.ts';

/** Sentences at most for one object; each names one field of a structure, wherever it stands. */
const mostSentences = 20;
/** Values that are looked at: more than the largest object that etcd would take has. */
const mostValues = 200_000;

interface Found {
  readonly path: string;
  readonly reason: string;
  places: number;
}

/**
 * What of an object is accepted and not acted upon, one sentence each for the `Warning:` header, at most 21 of them.
 *
 * @param storage key of the kind in the store; kinds that the tables do not know, as custom resources, have none
 */
export function ignoredFields(storage: string, object: JsonObject, schema: StructSchema | undefined): string[] {
  const kind = entryOf(kindsTable, storage);
  if (kind?.warning !== undefined) return [kind.warning];
  if (kind?.level !== 'acts' || schema === undefined) return [];
  const search = new Search();
  search.struct(object, schema, '');
  const found = [...search.found.values()];
  const sentences = found.slice(0, mostSentences).map(({ path, reason, places }) => {
    const more = places > 1 ? ` (and ${places - 1} more like it)` : '';
    return `${path}${more} has no effect in this rehearsal cluster: ${reason}`;
  });
  const left = found.length - sentences.length;
  return left > 0 ? [...sentences, `${left} more fields have no effect in this rehearsal cluster`] : sentences;
}

class Search {
  readonly found = new Map<string, Found>();
  #values = 0;

  struct(value: JsonObject, schema: StructSchema, path: string, owner?: { name: string; field: string }): void {
    const treatment = treatmentOf(schema, owner);
    if (treatment === undefined) return;
    const name = shortNameOf(schema);
    for (const [field, inner] of Object.entries(value)) {
      this.#values += 1;
      if (this.#values > mostValues) return;
      const here = path === '' ? field : `${path}.${field}`;
      const rule = treatment.ignored?.[field];
      const because = rule === undefined ? undefined : ignoredBecause(rule, inner, value);
      if (because !== undefined) this.#note(`${name}.${field}`, here + because.which, because.reason);
      else if (treatment.acts?.includes(field)) this.#visit(inner, below(schema, name, field), here, { name, field });
    }
  }

  #visit(value: Json, schema: Schema | undefined, path: string, owner: { name: string; field: string }): void {
    if (schema?.kind === 'list' && Array.isArray(value))
      for (const [index, item] of value.entries()) this.#visit(item, schema.items, `${path}[${index}]`, owner);
    else if (schema?.kind === 'map' && isObject(value))
      for (const [key, item] of Object.entries(value)) this.#visit(item, schema.values, `${path}.${key}`, owner);
    else if (schema?.kind === 'struct' && isObject(value)) this.struct(value, schema, path, owner);
  }

  #note(field: string, path: string, reason: string): void {
    const known = this.found.get(field);
    if (known === undefined) this.found.set(field, { path, reason, places: 1 });
    else known.places += 1;
  }
}

/** A JSON schema's `items` and `additionalProperties` are schemas again, though their type says that they may be anything. */
const below = (schema: StructSchema, name: string, field: string): Schema | undefined =>
  name === 'JSONSchemaProps' && (field === 'items' || field === 'additionalProperties') ? schema : schema.fields.get(field)?.schema;
