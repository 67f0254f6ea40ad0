import type { Profile } from '../profile.ts';
import { LimitReached } from '../render/budget.ts';
import { JsonError, readJson } from '../value/json.ts';
import type { Value } from '../value/kinds.ts';
import { trimSpace } from '../value/text.ts';
import { member, textOf, typeError } from '../yaml/fields.ts';
import { ConversionError, yamlToValue } from '../yaml/values.ts';

/** What lint looks at of a Kubernetes object. */
export interface ObjectHead {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** The objects of a rendered file one after the other, or why the next one cannot be read. */
export type StreamItem = { readonly head: ObjectHead | undefined } | { readonly problem: string };

/**
 * Reads a stream of YAML or JSON documents as Kubernetes' decoder does; it ends with the first problem. Numbers and
 * booleans count as the texts that they are written as.
 *
 * @param spend takes the steps of reading it; a limit that it meets is a problem like others
 */
export function* readObjects(text: string, profile: Profile, spend: (steps: number) => void): Generator<StreamItem> {
  const types = profile.name === 'helm3' ? 'K8sYamlStruct' : 'k8sYamlStruct';
  let rest = text;
  let jsonProblem: string | undefined;
  if (/^\s*\{/.test(text)) {
    for (let count = 0; ; count++) {
      const document = takeJson(rest);
      if (document === undefined) {
        if (/^\s*\{/.test(rest)) jsonProblem = 'unexpected EOF';
        break;
      }
      try {
        spend(document.text.length >> 5);
        yield { head: headOf(readJson(document.text), types) };
        rest = document.rest;
        if (trimSpace(rest) === '') return;
      } catch (error) {
        if (!(error instanceof JsonError || isUnreadable(error))) throw error;
        const offset =
          error instanceof JsonError && error.offset !== undefined ? text.length - rest.length + document.start + error.offset : undefined;
        jsonProblem = offset === undefined ? error.message : `json: offset ${offset}: ${error.message}`;
        if (count > 1) {
          yield { problem: jsonProblem };
          return;
        }
        break;
      }
    }
  }
  try {
    for (const document of splitStream(rest)) yield { head: headOf(yamlToValue(document, true, { spend }), types) };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    yield { problem: jsonProblem ?? error.message };
  }
}

/** What is no YAML, or takes too long to read. */
export const isUnreadable = (error: unknown): error is Error => error instanceof ConversionError || error instanceof LimitReached;

/** The JSON object that a text begins with, by its brackets. */
function takeJson(text: string): { start: number; text: string; rest: string } | undefined {
  const start = text.search(/\S/);
  if (text[start] !== '{') return undefined;
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{' || character === '[') depth++;
    else if ((character === '}' || character === ']') && --depth === 0)
      return { start, text: text.slice(start, at + 1), rest: text.slice(at + 1) };
  }
  return undefined;
}

/** Cuts at lines that start with `---`; only a comment may stand behind that. @throws ConversionError */
function* splitStream(text: string): Generator<string> {
  let document = '';
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  for (const line of lines) {
    if (line.startsWith('---')) {
      const behind = trimSpace(line.slice(3));
      if (behind !== '' && !behind.startsWith('#')) throw new ConversionError(`invalid Yaml document separator: ${behind}`);
      if (document !== '') {
        yield document;
        document = '';
        continue;
      }
    }
    document += `${line}\n`;
  }
  if (document !== '') yield document;
}

function headOf(value: Value, type: string): ObjectHead | undefined {
  if (value === null) return undefined;
  if (!(value instanceof Map)) throw typeError(value, `Go value of type rules.${type}`);
  const metadata = member(value, 'metadata');
  if (metadata !== null && !(metadata instanceof Map))
    throw typeError(metadata, `Go struct field ${type}.Metadata of type rules.k8sYamlMetadata`);
  const inner = (name: string): string => (metadata ? textOf(member(metadata, name), `k8sYamlMetadata.Metadata.${name}`) : '');
  const apiVersion = textOf(member(value, 'apiVersion'), `${type}.apiVersion`);
  const kind = textOf(member(value, 'kind'), `${type}.Kind`);
  const name = inner('Name');
  inner('Namespace');
  return { apiVersion, kind, name };
}
