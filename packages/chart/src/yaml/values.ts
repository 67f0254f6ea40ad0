import { JsonError, mismatch } from '../value/json.ts';
import type { Value, ValueMap } from '../value/kinds.ts';
import { YamlError } from './errors.ts';
import { declined, readEverydayYaml } from './everyday.ts';
import { maxNodes, readYaml, UnsupportedKey } from './reader.ts';

/** sigs.k8s.io/yaml's failure: go-yaml's or encoding/json's message behind its own words. */
export class ConversionError extends Error {}

function hasLines(text: string, count: number): boolean {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) if (++lines > count) return true;
  return false;
}

/**
 * Reads YAML through JSON, as Helm reads all its YAML: every number is a float64.
 *
 * @param onUnusual called before a text is read that is more than everyday YAML, which takes several times as long
 * @throws ConversionError
 */
export function yamlToValue(text: string, exactIntegers = false, onUnusual?: () => void): Value {
  if (text.length > maxNodes && hasLines(text, maxNodes)) {
    throw new ConversionError(`error converting YAML to JSON: yaml: document has more than ${maxNodes} lines`);
  }
  const value = readEverydayYaml(text, exactIntegers);
  if (value !== declined) return value;
  onUnusual?.();
  try {
    return checkFinite(readYaml(text, { exactIntegers }));
  } catch (error) {
    if (error instanceof YamlError || error instanceof UnsupportedKey || error instanceof JsonError) {
      throw new ConversionError(`error converting YAML to JSON: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** Reads YAML that must be a map; an empty text is an empty map. @throws ConversionError */
export function yamlToMap(text: string, target = 'map[string]interface {}', onUnusual?: () => void): ValueMap {
  const value = yamlToValue(text, false, onUnusual);
  if (value === null) return new Map();
  if (value instanceof Map) return value;
  throw new ConversionError(`error unmarshaling JSON: while decoding JSON: ${mismatch(value, target).message}`);
}

function checkFinite(value: Value): Value {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new JsonError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
  }
  if (value instanceof Map) for (const item of value.values()) checkFinite(item);
  else if (Array.isArray(value)) for (const item of value) checkFinite(item);
  return value;
}
