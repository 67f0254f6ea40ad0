import { JsonError, mismatch } from '../value/json.ts';
import type { Value, ValueMap } from '../value/kinds.ts';
import { YamlError } from './errors.ts';
import { declined, readEverydayYaml } from './everyday.ts';
import { readYaml, UnsupportedKey } from './reader.ts';

/** sigs.k8s.io/yaml's failure: go-yaml's or encoding/json's message behind its own words. */
export class ConversionError extends Error {
  /** Line (from 1) of the text; 0 where it is not known. */
  readonly line: number;
  /** It is our bounds that the text goes past, where Helm would have read on. */
  readonly isLimit: boolean;

  constructor(message: string, options: ErrorOptions = {}, linesBefore = 0) {
    super(message, options);
    const { cause } = options;
    const known = cause instanceof YamlError || cause instanceof ConversionError ? cause : undefined;
    this.line = known && known.line > 0 ? known.line + linesBefore : 0;
    this.isLimit = known?.isLimit ?? false;
  }
}

/** What reading YAML costs, in steps of half a microsecond. */
export interface YamlMeter {
  /** Told before an unusual text is read, and after any. @throws what ends the reading */
  readonly spend: (steps: number) => void;
  /** Most nodes of a text that may be larger than a chart's. */
  readonly mostNodes?: number;
}

const free: YamlMeter = { spend: () => {} };

/**
 * Reads YAML through JSON, as Helm reads all its YAML: every number is a float64.
 *
 * @param meter pays for the reading; what is more than everyday YAML takes several times as long
 * @throws ConversionError
 */
export function yamlToValue(text: string, exactIntegers = false, { spend, mostNodes }: YamlMeter = free): Value {
  const value = readEverydayYaml(text, exactIntegers, spend, mostNodes);
  if (value !== declined) return value;
  try {
    return checkFinite(readYaml(text, { exactIntegers, spend, mostNodes }));
  } catch (error) {
    if (error instanceof YamlError || error instanceof UnsupportedKey || error instanceof JsonError) {
      throw new ConversionError(`error converting YAML to JSON: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** Reads YAML that must be a map; an empty text is an empty map. @throws ConversionError */
export function yamlToMap(text: string, target = 'map[string]interface {}', meter = free): ValueMap {
  const value = yamlToValue(text, false, meter);
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
