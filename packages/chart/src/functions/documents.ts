import { LimitReached } from '../render/budget.ts';
import { GoDuration } from '../time/duration.ts';
import { readToml } from '../toml/reader.ts';
import { TomlError, writeToml } from '../toml/writer.ts';
import { GoComplex } from '../value/complex.ts';
import { JsonError, JsonLimit, mismatch, readJson, toJsonValue, writeJson } from '../value/json.ts';
import { GoObject, listItems, TypedList, TypedMap, type Value, type ValueMap } from '../value/kinds.ts';
import { GoStruct } from '../value/struct.ts';
import { ConversionError, type YamlMeter, yamlToMap, yamlToValue } from '../yaml/values.ts';
import { FieldMap, writePrettyYaml, writeYaml } from '../yaml/writer.ts';
import { type CallContext, contextual, type FunctionGroup, fail, fn } from './define.ts';

/** YAML and JSON in and out. The plain forms swallow errors as Helm's do; the `must` forms fail. */

function orElse<T extends Value>(run: () => T, otherwise: (message: string) => T): T {
  try {
    return run();
  } catch (error) {
    // What Helm would read is no error of the template's that it could catch.
    if ((error instanceof ConversionError && error.isLimit) || error instanceof JsonLimit) throw new LimitReached(error.message);
    if (error instanceof JsonError || error instanceof ConversionError || error instanceof TomlError) return otherwise(error.message);
    throw error;
  }
}

const orFail = <T extends Value>(run: () => T): T => orElse(run, (message) => fail(message));

/** The map that `fromX` yields for what it cannot read. */
const errorMap = (message: string): ValueMap => new Map([['Error', message]]);

const toYamlText = (value: Value): string => writeYaml(toJsonValue(value)).replace(/\n$/, '');

function jsonMap(text: string): ValueMap {
  const value = readJson(text);
  if (value === null) return new TypedMap('map[string]interface {}', null, undefined, undefined, true);
  if (value instanceof Map) return value;
  throw mismatch(value, 'map[string]interface {}');
}

/** The map of a JSON text, with an `Error` beside what could be read. */
function fromJson(text: string): ValueMap {
  try {
    return jsonMap(text);
  } catch (error) {
    if (error instanceof JsonLimit) throw new LimitReached(error.message);
    if (!(error instanceof JsonError)) throw error;
    const map: ValueMap = error.partial instanceof Map ? error.partial : new Map();
    return map.set('Error', error.message);
  }
}

function asList(value: Value): Value[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  throw mismatch(value, '[]interface {}');
}

const jsonList = (text: string): Value => {
  const value = readJson(text);
  return value === null ? new TypedList('[]interface {}', [], true) : asList(value);
};

const meterOf = ({ budget }: CallContext): YamlMeter => ({ spend: (steps) => budget.step(steps) });

function yamlList(text: string, meter: YamlMeter): Value[] {
  const value = yamlToValue(text, false, meter);
  try {
    return asList(value);
  } catch (error) {
    throw error instanceof JsonError ? new ConversionError(`error unmarshaling JSON: while decoding JSON: ${error.message}`) : error;
  }
}

const html = { escapeHtml: true };

/** Plain data for go-yaml v3: lists and maps of any Go type, structs by their fields in small letters, other objects by their JSON form. */
function plain(value: Value): Value {
  if (value instanceof GoStruct) {
    const exported = value.fields().filter(([name]) => /^[A-Z]/.test(name));
    return new FieldMap(exported.map(([name, field]) => [name.toLowerCase(), plain(field)]));
  }
  if (value instanceof GoObject && value.kind === 'map') return plain(new Map(value.entries() as [string, Value][]));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, plain(item)]));
  const items = listItems(value);
  if (items) return items.map(plain);
  if (value instanceof GoDuration) return value.text();
  if (value instanceof GoComplex) return fail('cannot marshal type: complex128');
  return value instanceof GoObject ? toJsonValue(value) : value;
}

/** The encoder panics on nil, which nothing catches. */
function toTomlText(value: Value): string {
  return value === null || value === undefined ? fail('reflect: call of reflect.Value.Type on zero Value') : writeToml(value);
}

export const documentFunctions: FunctionGroup = {
  fromJson: fn(['string'], fromJson),
  fromJsonArray: fn(['string'], (text) =>
    orElse<Value>(
      () => jsonList(text),
      (message) => [message],
    ),
  ),
  fromYaml: contextual(['string'], (context, text) => orElse(() => yamlToMap(text, undefined, meterOf(context)), errorMap)),
  fromYamlArray: contextual(['string'], (context, text) =>
    orElse(
      () => yamlList(text, meterOf(context)),
      (message) => [message],
    ),
  ),
  mustFromJson: fn(['string'], (text) => orFail(() => readJson(text))),
  mustToJson: fn(['any'], (value) => orFail(() => writeJson(value, html))),
  mustToPrettyJson: fn(['any'], (value) => orFail(() => writeJson(value, { ...html, indent: 2 }))),
  mustToRawJson: fn(['any'], (value) => orFail(() => writeJson(value, { escapeHtml: false }))),
  mustToYaml: fn(['any'], (value) =>
    orElse(
      () => toYamlText(value),
      (message) => fail(`error marshaling into JSON: ${message}`),
    ),
  ),
  toJson: fn(['any'], (value) =>
    orElse(
      () => writeJson(value, html),
      () => '',
    ),
  ),
  toPrettyJson: fn(['any'], (value) =>
    orElse(
      () => writeJson(value, { ...html, indent: 2 }),
      () => '',
    ),
  ),
  toRawJson: fn(['any'], (value) => orFail(() => writeJson(value, { escapeHtml: false }))),
  toYaml: fn(['any'], (value) =>
    orElse(
      () => toYamlText(value),
      () => '',
    ),
  ),
  toYamlPretty: fn(['any'], (value) => writePrettyYaml(plain(value)).replace(/\n$/, '')),
  fromToml: fn(['string'], (text) => orElse(() => readToml(text), errorMap)),
  mustToToml: fn(['any'], (value) => orFail(() => toTomlText(value))),
  toToml: fn(['any'], (value) =>
    orElse(
      () => toTomlText(value),
      (message) => message,
    ),
  ),
};
