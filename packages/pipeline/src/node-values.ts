import { PipelineError } from './errors.ts';
import type { KeywordRule } from './keywords.ts';
import type { SourceEntry, SourceMap, SourceNode } from './source-tree.ts';
import type { PipelineWarning } from './types.ts';
import type { Variable } from './variables.ts';

/** Readers of one value each; every one throws `PipelineError` VALUE_INVALID that names `what` and the place. */

export function wrong(what: string, node: SourceNode, wanted: string): PipelineError {
  return new PipelineError('VALUE_INVALID', `${what} is no ${wanted}.`, node.place, `Write a ${wanted}.`);
}

export function textOf(what: string, node: SourceNode): string {
  if (node.kind === 'scalar' && node.value !== null) return String(node.value);
  throw wrong(what, node, 'text');
}

export function booleanOf(what: string, node: SourceNode): boolean {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
  throw wrong(what, node, 'boolean (true or false)');
}

export function mapOf(what: string, node: SourceNode): SourceMap {
  if (node.kind === 'map') return node;
  throw wrong(what, node, 'map');
}

export function oneOf<T extends string>(what: string, node: SourceNode, choices: readonly T[]): T {
  const text = node.kind === 'scalar' ? String(node.value) : '';
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new PipelineError('VALUE_INVALID', `${what} is "${text}".`, node.place, `Write one of ${choices.join(', ')}.`);
}

export function textsOf(what: string, node: SourceNode): string[] {
  return (node.kind === 'list' ? node.items : [node]).map((item) => textOf(what, item));
}

/** `script` and its siblings: a text or a list, in which lists are flattened (GitLab does so up to ten levels). */
export function scriptOf(what: string, node: SourceNode): string[] {
  if (node.kind === 'scalar' && typeof node.value === 'string') return [node.value];
  if (node.kind !== 'list') throw wrong(what, node, 'text or list of texts');
  return node.items.flatMap((item) => {
    if (item.kind === 'list') return scriptOf(what, item);
    if (item.kind === 'scalar' && typeof item.value === 'string') return [item.value];
    throw new PipelineError(
      'VALUE_INVALID',
      `A line of ${what} is no text.`,
      item.place,
      'Put quotes around the line: it holds a colon, perhaps.',
    );
  });
}

/** Refuses or notes the keywords of a map by a table. */
export function checkKeywords(
  where: string,
  entries: ReadonlyMap<string, SourceEntry>,
  table: Readonly<Record<string, KeywordRule>>,
): { errors: PipelineError[]; warnings: PipelineWarning[] } {
  const errors: PipelineError[] = [];
  const warnings: PipelineWarning[] = [];
  for (const [name, entry] of entries) {
    const rule = Object.hasOwn(table, name) ? table[name] : undefined;
    if (rule?.treatment === 'honoured') continue;
    if (rule?.treatment === 'noted') {
      warnings.push({ message: `${where}: "${name}" has no effect: ${rule.note}.`, where: entry.place });
      continue;
    }
    const why = rule ? `is outside the subset: ${rule.note}` : 'is no keyword that is known here';
    errors.push(new PipelineError('KEYWORD_UNSUPPORTED', `${where}: "${name}" ${why}.`, entry.place, `Remove "${name}".`));
  }
  return { errors, warnings };
}

/** A `variables` block: name → text, number, boolean, or a map with value. Null counts as empty text. */
export function variablesOf(where: string, node: SourceNode | undefined): Map<string, Variable> {
  if (!node || (node.kind === 'scalar' && node.value === null)) return new Map();
  const result = new Map<string, Variable>();
  for (const [name, entry] of mapOf(`variables of ${where}`, node).entries) {
    const what = `Variable ${name} of ${where}`;
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw new PipelineError('VALUE_INVALID', `${what}: the name is none.`, entry.place, 'Use letters, digits and underscores.');
    result.set(name, { ...variableOf(what, entry.node), place: entry.place });
  }
  return result;
}

function variableOf(what: string, node: SourceNode): { value: string; raw: boolean } {
  if (node.kind === 'scalar') return { value: node.value === null ? '' : String(node.value), raw: false };
  const map = mapOf(what, node);
  for (const [key, entry] of map.entries)
    if (!['value', 'description', 'options', 'expand'].includes(key))
      throw new PipelineError(
        'KEYWORD_UNSUPPORTED',
        `${what}: "${key}" is no keyword that is known here.`,
        entry.place,
        `Remove "${key}".`,
      );
  const [value, expand] = [map.entries.get('value')?.node, map.entries.get('expand')?.node];
  return { value: value ? textOf(what, value) : '', raw: expand ? !booleanOf(`expand of ${what}`, expand) : false };
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** `1h 30m`, `90 minutes`, `3600`: seconds, more than 0 and at most 7 days. */
export function durationOf(what: string, node: SourceNode): number {
  const text = textOf(what, node).trim().toLowerCase();
  const part = /(\d{1,9})\s*(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)?(?:\s+|,\s*|$|(?=\d))/y;
  let seconds = 0;
  for (part.lastIndex = 0; part.lastIndex < text.length; ) {
    const match = part.exec(text);
    if (!match) throw wrong(what, node, 'duration such as 1h 30m');
    seconds += Number(match[1]) * (units[match[2]?.[0] ?? 's'] as number);
  }
  if (seconds <= 0 || seconds > 604_800) throw wrong(what, node, 'duration of at most 7 days');
  return seconds;
}

/** `retry`: 0 to 2, or a map with max. */
export function retriesOf(what: string, node: SourceNode): number {
  let value = node;
  if (node.kind === 'map') {
    for (const [key, entry] of node.entries)
      if (key !== 'max')
        throw new PipelineError(
          'KEYWORD_UNSUPPORTED',
          `${what}: "${key}" is outside the subset: every failure is retried.`,
          entry.place,
          `Remove "${key}".`,
        );
    value = node.entries.get('max')?.node ?? node;
  }
  if (value.kind === 'scalar' && typeof value.value === 'number' && [0, 1, 2].includes(value.value)) return value.value;
  throw wrong(what, value, 'number of 0 to 2');
}
