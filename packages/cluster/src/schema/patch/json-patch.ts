/**
 * RFC 6902 JSON Patch with RFC 6901 pointers, as `application/json-patch+json` carries it.
 */
import { SchemaError } from '../errors.ts';
import { copy, equal, isObject, type Json, type JsonObject, own, ownString, put } from '../json.ts';

/** Kubernetes' own bound on the operations of one patch. */
const maxOperations = 10_000;
/** `copy` can double a document; nothing may grow beyond this many values. */
const maxValues = 500_000;

const notApplicable = (message: string): SchemaError =>
  new SchemaError('PATCH_NOT_APPLICABLE', message, { cure: 'Read the object again and make the patch for what it holds now.' });
const malformed = (message: string): SchemaError => new SchemaError('MALFORMED', message, { cure: 'Send a list of RFC 6902 operations.' });

function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw malformed(`The JSON pointer ${JSON.stringify(pointer)} does not begin with a slash.`);
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The index that a token names in a list: 0 to length, or `-` for the end where that is allowed. */
function listIndex(token: string, length: number, forInsert: boolean): number | undefined {
  if (forInsert && token === '-') return length;
  if (!/^(0|[1-9]\d{0,8})$/.test(token)) return undefined;
  const index = Number(token);
  return index < length || (forInsert && index === length) ? index : undefined;
}

function child(container: Json | undefined, token: string): Json | undefined {
  if (Array.isArray(container)) {
    const index = listIndex(token, container.length, false);
    return index === undefined ? undefined : container[index];
  }
  return isObject(container) ? own(container, token) : undefined;
}

/** A document that the operations change in place; it is ours alone. */
class Draft {
  root: Json;
  private values: number;

  constructor(root: Json) {
    this.root = copy(root);
    this.values = countValues(this.root);
  }

  read(pointer: string, operation: string): Json {
    let at: Json | undefined = this.root;
    for (const token of parsePointer(pointer)) at = child(at, token);
    if (at === undefined) throw notApplicable(`${operation} operation does not apply: doc is missing path: ${JSON.stringify(pointer)}`);
    return at;
  }

  add(pointer: string, value: Json): void {
    this.values += countValues(value);
    if (this.values > maxValues) throw new SchemaError('TOO_LARGE', `The patch makes a document of more than ${maxValues} values.`);
    const tokens = parsePointer(pointer);
    const last = tokens.pop();
    if (last === undefined) {
      this.root = value;
      return;
    }
    const container = this.container(tokens, pointer, 'add');
    if (Array.isArray(container)) {
      const index = listIndex(last, container.length, true);
      if (index === undefined)
        throw notApplicable(`add operation does not apply: doc is missing path: ${JSON.stringify(pointer)}: index out of bounds`);
      container.splice(index, 0, value);
    } else put(container, last, value);
  }

  remove(pointer: string, operation = 'remove'): Json {
    const tokens = parsePointer(pointer);
    const last = tokens.pop();
    const value = this.read(pointer, operation);
    if (last === undefined) throw malformed('A patch cannot remove the whole document.');
    const container = this.container(tokens, pointer, operation);
    if (Array.isArray(container)) container.splice(Number(last), 1);
    else delete container[last];
    return value;
  }

  replace(pointer: string, value: Json): void {
    const tokens = parsePointer(pointer);
    const last = tokens.pop();
    this.read(pointer, 'replace');
    if (last === undefined) this.root = value;
    else {
      const container = this.container(tokens, pointer, 'replace');
      if (Array.isArray(container)) container[Number(last)] = value;
      else put(container, last, value);
    }
  }

  private container(tokens: readonly string[], pointer: string, operation: string): Json[] | JsonObject {
    let at: Json | undefined = this.root;
    for (const token of tokens) at = child(at, token);
    if (Array.isArray(at) || isObject(at)) return at;
    throw notApplicable(`${operation} operation does not apply: doc is missing path: ${JSON.stringify(pointer)}`);
  }
}

function countValues(value: Json): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const item of Object.values(value)) count += countValues(item);
  return count;
}

function text(operation: JsonObject, key: string): string {
  const value = ownString(operation, key);
  if (value === undefined) throw malformed(`The operation ${JSON.stringify(own(operation, 'op') ?? null)} has no ${key}.`);
  return value;
}

function newValue(operation: JsonObject): Json {
  const value = own(operation, 'value');
  if (value === undefined) throw malformed(`The operation ${JSON.stringify(own(operation, 'op') ?? null)} has no value.`);
  return copy(value);
}

/**
 * The document after all operations, or an error and no change (RFC 6902). Throws PATCH_NOT_APPLICABLE when a path is missing or a
 * `test` fails, MALFORMED when the patch is no list of operations, TOO_LARGE beyond 10,000 operations or 500,000 values.
 */
export function applyJsonPatch(document: Json, operations: Json): Json {
  if (!Array.isArray(operations)) throw malformed('The patch is no list.');
  if (operations.length > maxOperations)
    throw new SchemaError('TOO_LARGE', `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`);
  const draft = new Draft(document);
  for (const operation of operations) {
    if (!isObject(operation)) throw malformed('An operation of the patch is no object.');
    const op = text(operation, 'op');
    const path = text(operation, 'path');
    switch (op) {
      case 'add':
        draft.add(path, newValue(operation));
        break;
      case 'remove':
        draft.remove(path);
        break;
      case 'replace':
        draft.replace(path, newValue(operation));
        break;
      case 'copy':
        draft.add(path, copy(draft.read(text(operation, 'from'), 'copy')));
        break;
      case 'move': {
        const from = text(operation, 'from');
        if (path.startsWith(`${from}/`))
          throw notApplicable(`move operation does not apply: ${JSON.stringify(from)} cannot move into itself`);
        draft.add(path, draft.remove(from, 'move'));
        break;
      }
      case 'test':
        if (!equal(draft.read(path, 'test'), own(operation, 'value') ?? null))
          throw notApplicable(`testing value ${path} failed: test failed`);
        break;
      default:
        throw malformed(`Unexpected kind: ${op}`);
    }
  }
  return draft.root;
}
