import { formatG } from '../value/float.ts';
import type { Value } from '../value/kinds.ts';
import { printValue } from '../value/print.ts';
import { quote } from '../value/text.ts';

/** What does not meet a schema, as a tree; printed with the words of the library that Helm uses. */
export interface Violation {
  /** Keys and indices down to the value. */
  readonly path: readonly string[];
  readonly text: string;
  readonly causes: readonly Violation[];
  /** A `$ref`, which is not shown when it has one cause. */
  readonly isReference?: boolean;
  /** Several violations of one schema. */
  readonly isGroup?: boolean;
}

export function printViolations(violations: readonly Violation[]): string {
  return violations.map((violation) => print(violation, 0)).join('\n');
}

function print(violation: Violation, depth: number): string {
  if (violation.isReference && violation.causes.length === 1) return print(violation.causes[0] as Violation, depth);
  const line = `${'  '.repeat(depth)}- at ${singleQuoted(pointer(violation.path))}: ${violation.text}`;
  return [line, ...violation.causes.map((cause) => print(cause, depth + 1))].join('\n');
}

const pointer = (path: readonly string[]): string => path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

export function singleQuoted(text: string): string {
  // The library replaces before it takes the quotes off, which costs a last backslash its double.
  return `'${quote(text).replaceAll('\\"', '"').replaceAll("'", "\\'").slice(1, -1)}'`;
}

export const joinQuoted = (texts: readonly string[]): string => texts.map(singleQuoted).join(', ');

export const display = (value: Value): string => (typeof value === 'string' ? singleQuoted(value) : printValue(value));

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** A number in English: thousands apart, and powers of ten where `%g` has an exponent. */
export function englishNumber(value: number): string {
  const [mantissa = '', exponent] = formatG(value).split('e');
  const grouped = mantissa.replace(/^(-?)(\d+)/, (_whole, sign: string, digits: string) => sign + digits.replace(/\B(?=(\d{3})+$)/g, ','));
  if (exponent === undefined) return grouped;
  return `${grouped}×10${exponent
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (digit) => superscripts[Number(digit)] as string)}`;
}
