import { JsonError, mismatch, readJson, toJsonValue, writeJson } from '../value/json.ts';
import type { Value, ValueMap } from '../value/kinds.ts';
import { ConversionError, yamlToMap, yamlToValue } from '../yaml/values.ts';
import { writeYaml } from '../yaml/writer.ts';
import { contextual, type FunctionGroup, fail, fn } from './define.ts';

/** YAML and JSON in and out. The plain forms swallow errors as Helm's do; the `must` forms fail. */

function orElse<T extends Value>(run: () => T, otherwise: (message: string) => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof JsonError || error instanceof ConversionError) return otherwise(error.message);
    throw error;
  }
}

const orFail = <T extends Value>(run: () => T): T => orElse(run, (message) => fail(message));

/** The map that `fromX` yields for what it cannot read. */
const errorMap = (message: string): ValueMap => new Map([['Error', message]]);

const toYamlText = (value: Value): string => writeYaml(toJsonValue(value)).replace(/\n$/, '');

function jsonMap(text: string): ValueMap {
  const value = readJson(text);
  if (value === null) return new Map();
  if (value instanceof Map) return value;
  throw mismatch(value, 'map[string]interface {}');
}

function asList(value: Value): Value[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  throw mismatch(value, '[]interface {}');
}

function yamlList(text: string): Value[] {
  const value = yamlToValue(text);
  try {
    return asList(value);
  } catch (error) {
    throw error instanceof JsonError ? new ConversionError(`error unmarshaling JSON: while decoding JSON: ${error.message}`) : error;
  }
}

const html = { escapeHtml: true };

export const documentFunctions: FunctionGroup = {
  fromJson: fn(['string'], (text) => orElse(() => jsonMap(text), errorMap)),
  fromJsonArray: fn(['string'], (text) =>
    orElse(
      () => asList(readJson(text)),
      (message) => [message],
    ),
  ),
  fromYaml: contextual(['string'], (context, text) => {
    context.budget.step(text.length >> 3);
    return orElse(() => yamlToMap(text), errorMap);
  }),
  fromYamlArray: fn(['string'], (text) =>
    orElse(
      () => yamlList(text),
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
  toYaml: contextual(['any'], (context, value) => {
    const text = orElse(
      () => toYamlText(value),
      () => '',
    );
    context.budget.step(text.length >> 4);
    return text;
  }),
};
