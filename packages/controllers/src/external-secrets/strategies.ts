import { ControllerError } from '../controller-error.ts';
import { decodeBase64 } from './go-base64.ts';
import type { ConversionStrategy, DecodingStrategy } from './schema.ts';

/** What becomes of a fetched map on its way into a Secret: names of keys, then encodings of values. */

type Data = ReadonlyMap<string, Uint8Array>;

const maxKeyLength = 253;

/** Characters that a Secret's key may not hold become `_`, or `_U0020_`. @throws ControllerError when two names become one */
export function convertKeys(data: Data, strategy: ConversionStrategy): Map<string, Uint8Array> {
  const converted = new Map<string, Uint8Array>();
  for (const [key, value] of data) {
    const name = [...key].map((letter) => (/[-._\p{N}\p{L}]/u.test(letter) ? letter : replacement(letter, strategy))).join('');
    if (converted.has(name)) throw invalid(`secret name collision during conversion: ${name}`);
    converted.set(name, value);
  }
  return converted;
}

function replacement(letter: string, strategy: ConversionStrategy): string {
  if (strategy === 'Default') return '_';
  return strategy === 'Unicode' ? `_U${(letter.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}_` : letter;
}

/** @throws ControllerError for a name that no Secret can hold */
export function checkKeys(data: Data): void {
  for (const key of data.keys()) {
    const why =
      key === ''
        ? 'key is empty'
        : key.length > maxKeyLength
          ? `key is longer than ${maxKeyLength} characters`
          : /[^-._A-Za-z0-9]/.test(key)
            ? 'key holds other characters than letters, digits, ".", "-" and "_"'
            : undefined;
    if (why !== undefined) {
      throw invalid(
        `invalid secret keys (TIP: use rewrite or conversionStrategy to change keys): ${JSON.stringify(key.slice(0, 300))}: ${why}`,
      );
    }
  }
}

/** @throws ControllerError naming strategy, key and byte */
export function decodeMap(data: Data, strategy: DecodingStrategy): Map<string, Uint8Array> {
  const decoded = new Map<string, Uint8Array>();
  for (const key of [...data.keys()].sort()) {
    decoded.set(key, decode(data.get(key) as Uint8Array, strategy, `failure decoding key ${key}: `));
  }
  return decoded;
}

/** One value of `spec.data`. @throws ControllerError */
export function decodeValue(value: Uint8Array, strategy: DecodingStrategy): Uint8Array {
  return decode(value, strategy, '');
}

function decode(value: Uint8Array, strategy: DecodingStrategy, what: string): Uint8Array {
  if (strategy === 'None') return value;
  const standard = strategy === 'Base64URL' ? undefined : decodeBase64(value, 'standard');
  if (standard?.ok) return standard.bytes;
  const url = strategy === 'Base64' ? undefined : decodeBase64(value, 'url');
  if (url?.ok) return url.bytes;
  if (strategy === 'Auto') return value;
  const offset = standard?.offset ?? url?.offset;
  throw invalid(`error applying decoding strategy ${strategy} to data: ${what}illegal base64 data at input byte ${offset}`);
}

const invalid = (message: string): ControllerError => new ControllerError('INVALID', message, { kind: 'user' });
