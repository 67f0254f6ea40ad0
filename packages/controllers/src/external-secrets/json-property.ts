import type { Json, JsonObject } from '@desp/vault';
import { ControllerError } from '../controller-error.ts';

/**
 * Values of a secret as bytes, and the properties in them. Numbers keep the digits that were written: `property` of the
 * original does, its `extract` rounds them through a double, which we leave out as a fault.
 */

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
const isRawNumber = (value: object): value is { readonly rawJSON: string } =>
  Object.isFrozen(value) && 'rawJSON' in value && Object.getPrototypeOf(value) === null;

/** Text as it is, nothing for null, JSON for the rest. */
export function bytesOf(value: Json): Uint8Array {
  if (value === null) return new Uint8Array();
  return Buffer.from(typeof value === 'string' ? value : goJson(value));
}

/** JSON as Go's `encoding/json` prints it: keys sorted, no blanks, and `<`, `>`, `&` escaped. */
export function goJson(value: Json): string {
  if (typeof value === 'string') return goString(value);
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${keys.map((key) => `${goString(key)}:${goJson(value[key] as Json)}`).join(',')}}`;
}

const escaped: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};
const goString = (text: string): string => JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (letter) => escaped[letter] as string);

/**
 * `remoteRef.property`: a literal key first, then a path of keys and list indexes with `.` between them (`\.` is a dot
 * in a key), as gjson reads it.
 *
 * @returns undefined when nothing is there
 * @throws ControllerError for gjson's queries, wildcards and modifiers, which are not done here
 */
export function propertyOf(data: JsonObject, path: string): Json | undefined {
  if (Object.hasOwn(data, path)) return data[path];
  if (/[*?#|@!]/.test(path.replace(/\\./g, ''))) {
    throw new ControllerError('NOT_SUPPORTED', `the property ${JSON.stringify(path)} uses gjson's queries, which are not supported here`, {
      kind: 'user',
      cure: 'Name the keys and list indexes, with dots between them.',
    });
  }
  let value: Json | undefined = data;
  for (const segment of path.match(/(?:\\.|[^.\\])+/g) ?? []) {
    const key = segment.replace(/\\(.)/g, '$1');
    if (Array.isArray(value)) value = /^\d{1,9}$/.test(key) ? value[Number(key)] : undefined;
    else value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    if (value === undefined) return undefined;
  }
  return path === '' ? undefined : value;
}

export { isObject as isJsonObject };
