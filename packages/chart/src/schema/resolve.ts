import { ChartError } from '../errors.ts';
import type { Value, ValueMap } from '../value/kinds.ts';

/** Finds the schemas that `$ref` names, inside one document. Nothing is fetched. */
export class SchemaDocument {
  readonly root: Value;
  readonly draft: number;
  /** Schemas by absolute URI, and by URI with anchor. */
  readonly #byUri = new Map<string, Value>();
  /** The base URI that holds at a schema with an `$id` of its own. */
  readonly #bases = new Map<Value, string>();

  constructor(root: Value) {
    this.root = root;
    this.draft = draftOf(root instanceof Map ? root.get('$schema') : undefined);
    this.#index(root, documentUri, 0);
  }

  #index(schema: Value, base: string, depth: number): void {
    if (depth > maxDepth) throw tooDeep();
    if (Array.isArray(schema)) for (const item of schema) this.#index(item, base, depth + 1);
    if (!(schema instanceof Map)) return;
    const id = schema.get(this.draft === 4 ? 'id' : '$id');
    let here = base;
    if (typeof id === 'string' && depth > 0) {
      here = resolveUri(base, id);
      this.#byUri.set(here.replace(/#$/, ''), schema);
    } else if (depth === 0) {
      if (typeof id === 'string') {
        here = resolveUri(base, id).replace(/#.*$/, '');
        this.#byUri.set(here, schema);
      }
      this.#byUri.set(documentUri, schema);
    }
    this.#bases.set(schema, here);
    for (const key of ['$anchor', '$dynamicAnchor']) {
      const anchor = schema.get(key);
      if (typeof anchor === 'string') this.#byUri.set(`${here.replace(/#.*$/, '')}#${anchor}`, schema);
    }
    for (const [key, value] of schema)
      if (key !== 'enum' && key !== 'const' && key !== 'default' && key !== 'examples') this.#index(value, here, depth + 1);
  }

  /** @throws ChartError where the reference leads out of the document or nowhere */
  resolve(reference: string, from: ValueMap): Value {
    const uri = resolveUri(this.#bases.get(from) ?? documentUri, reference);
    const [base = '', fragment = ''] = splitFragment(uri);
    const whole = this.#byUri.get(uri) ?? (fragment === '' ? this.#byUri.get(base) : undefined);
    if (whole !== undefined) return whole;
    const target = this.#byUri.get(base);
    if (target === undefined) {
      throw new ChartError(
        'UNSUPPORTED',
        `schema reference ${JSON.stringify(reference)} leads out of values.schema.json, and nothing is fetched`,
        {
          cure: 'Put the referenced schema into $defs, or pass --skip-schema-validation.',
        },
      );
    }
    const found = fragment.startsWith('/') ? byPointer(target, fragment) : undefined;
    if (found === undefined) {
      throw new ChartError('CHART_INVALID', `schema reference ${JSON.stringify(reference)} names nothing in values.schema.json`, {
        cure: 'Mend the reference.',
      });
    }
    return found;
  }
}

const documentUri = 'file:///values.schema.json';
const maxDepth = 500;

const tooDeep = (): ChartError => new ChartError('LIMIT_EXCEEDED', `values.schema.json is nested more than ${maxDepth} deep`);

function draftOf(schema: Value): number {
  if (typeof schema !== 'string') return 2020;
  const found = /draft-0?(\d)\/|draft\/(\d{4})-/.exec(schema);
  if (!found) return 2020;
  return Number(found[1] ?? found[2]);
}

const splitFragment = (uri: string): string[] => {
  const hash = uri.indexOf('#');
  return hash < 0 ? [uri, ''] : [uri.slice(0, hash), uri.slice(hash + 1)];
};

function resolveUri(base: string, reference: string): string {
  if (reference.startsWith('#')) return (splitFragment(base)[0] as string) + reference;
  try {
    return new URL(reference, base).href.replace(/#$/, '');
  } catch {
    return reference;
  }
}

function byPointer(root: Value, pointer: string): Value {
  let current: Value = root;
  for (const part of pointer.slice(1).split('/')) {
    const key = decode(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (current instanceof Map) current = current.get(key);
    else if (Array.isArray(current)) current = current[Number(key)];
    else return undefined;
  }
  return current;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
