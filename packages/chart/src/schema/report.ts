import type { Budget } from '../render/budget.ts';
import type { ExactJson } from '../value/json.ts';
import { printValue } from '../value/print.ts';
import { quote } from '../value/text.ts';
import { type AnyNumber, isNumber, literalOf } from './numbers.ts';

/** What does not meet a schema, as a tree; printed with the words of the library that Helm uses. */
export interface Violation {
  /** Keys and indices down to the value. */
  readonly path: readonly string[];
  readonly text: string;
  readonly causes: readonly Violation[];
  /** A reference, which is not shown when it has one cause. */
  readonly isReference?: boolean;
  /** Several violations of one schema. */
  readonly isGroup?: boolean;
}

/** A group stands for its parts. */
export const partsOf = (violation: Violation): readonly Violation[] => (violation.isGroup ? violation.causes : [violation]);

/** A line for each violation. @throws LimitReached: each names its place, which may be long */
export function printViolations(violations: readonly Violation[], budget: Budget): string {
  const lines: string[] = [];
  const print = (violation: Violation, depth: number): void => {
    const { path, text, causes } = violation;
    const isShown = !(violation.isReference && causes.length === 1);
    if (isShown) {
      const line = `${'  '.repeat(depth)}- at ${singleQuoted(pointer(path))}: ${text}`;
      budget.step(line.length >> 5);
      lines.push(line);
    }
    for (const cause of causes) print(cause, isShown ? depth + 1 : depth);
  };
  for (const violation of violations) print(violation, 0);
  return lines.join('\n');
}

const pointer = (path: readonly string[]): string => path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

export function singleQuoted(text: string): string {
  // The library replaces before it takes the quotes off, which costs a last backslash its double.
  return `'${quote(text).replaceAll('\\"', '"').replaceAll("'", "\\'").slice(1, -1)}'`;
}

export const joinQuoted = (texts: readonly string[]): string => texts.map(singleQuoted).join(', ');

/** A plain value of a schema, as the library shows it. */
function display(value: ExactJson | AnyNumber): string {
  if (typeof value === 'string') return singleQuoted(value);
  return isNumber(value) ? literalOf(value) : printValue(value as null | boolean);
}

const isPlain = (value: ExactJson): boolean => typeof value !== 'object' || value === null || isNumber(value);

export function enumText(choices: readonly ExactJson[]): string {
  if (!choices.every(isPlain)) return "'enum' failed";
  const shown = choices.map(display);
  return shown.length === 1 ? `value must be ${shown[0]}` : `value must be one of ${shown.join(', ')}`;
}

export const constantText = (only: ExactJson): string => (isPlain(only) ? `value must be ${display(only)}` : "'const' failed");
