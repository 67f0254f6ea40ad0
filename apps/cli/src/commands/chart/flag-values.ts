import { readCsvRecord } from './csv.ts';
import type { ReadFlag } from './flags.ts';

/** What pflag, and Go's strconv and time below it, refuse as a flag's value: each gives the problem in their words. */

const refusal = (call: string, value: string, why: string): string => `strconv.${call}: parsing ${JSON.stringify(value)}: ${why}`;
const syntax = (call: string, value: string): string => refusal(call, value, 'invalid syntax');
const range = (call: string, value: string): string => refusal(call, value, 'value out of range');

/** With a base before the digits, and underscores between them, as Go writes numbers. */
const whole = '(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)';
const integerForm = new RegExp(`^[+-]?${whole}$`);
const unsignedForm = new RegExp(`^${whole}$`);
const floatForm =
  /^[+-]?(?:(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?|inf|infinity|nan)$/i;
const hexFloatForm = /^[+-]?0[xX](?:(?:_?[0-9a-fA-F])+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+$/;

/** The number that a text of these forms stands for: `017` is octal. */
export function wholeNumber(text: string): bigint {
  const digits = text.replace(/^[+-]|_/g, '').replace(/^0(?=[0-7])/, '0o');
  return BigInt(digits) * (text.startsWith('-') ? -1n : 1n);
}

export const bool: ReadFlag = (value) =>
  /^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(value) ? undefined : syntax('ParseBool', value);

export const integer: ReadFlag = (value) => {
  if (!integerForm.test(value)) return syntax('ParseInt', value);
  const number = wholeNumber(value);
  return BigInt.asIntN(64, number) === number ? undefined : range('ParseInt', value);
};

export const unsigned: ReadFlag = (value) => {
  if (!unsignedForm.test(value)) return syntax('ParseUint', value);
  const number = wholeNumber(value);
  return BigInt.asUintN(64, number) === number ? undefined : range('ParseUint', value);
};

/** Of 32 bits. */
export const float: ReadFlag = (value) => {
  if (hexFloatForm.test(value)) return undefined;
  if (!floatForm.test(value)) return syntax('ParseFloat', value);
  const isTooLarge = /^[+-]?[0-9.]/.test(value) && !Number.isFinite(Math.fround(Number(value.replaceAll('_', ''))));
  return isTooLarge ? range('ParseFloat', value) : undefined;
};

/** Values with commas between them. */
export const list: ReadFlag = (value) => {
  const record = readCsvRecord(value);
  return 'problem' in record ? record.problem : undefined;
};

/** In nanoseconds. */
const units: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);

/** `1h30m`, `0`. */
export const duration: ReadFlag = (value) => {
  const shown = JSON.stringify(value);
  const invalid = `time: invalid duration ${shown}`;
  let rest = value.replace(/^[+-]/, '');
  if (rest === '0') return undefined;
  if (rest === '') return invalid;
  let total = 0n;
  while (rest !== '') {
    const [all = '', number = '', name = ''] = /^([0-9]*\.?[0-9]*)([^0-9.]*)/.exec(rest) ?? [];
    if (!/[0-9]/.test(number)) return invalid;
    if (name === '') return `time: missing unit in duration ${shown}`;
    const unit = units.get(name);
    if (unit === undefined) return `time: unknown unit ${JSON.stringify(name)} in duration ${shown}`;
    const [before = '', after = ''] = number.split('.');
    total += BigInt(before) * BigInt(unit) + BigInt(Math.trunc(Number(`0.${after}`) * unit));
    rest = rest.slice(all.length);
  }
  // 64 bits, of which the negative ones hold one more.
  return total > (value.startsWith('-') ? longest + 1n : longest) ? invalid : undefined;
};

const longest = 2n ** 63n - 1n;

/** A text with one equals sign is one pair, whatever commas it holds. */
export const pairs: ReadFlag = (value) => {
  const malformed = (text: string): string => `${text} must be formatted as key=value`;
  const count = value.split('=').length - 1;
  if (count === 0) return malformed(value);
  if (count === 1) return undefined;
  const record = readCsvRecord(value);
  if ('problem' in record) return record.problem;
  const wrong = record.fields.find((pair) => !pair.includes('='));
  return wrong === undefined ? undefined : malformed(wrong);
};

/** Helm 4 takes the name of a strategy, Helm 3 a yes or no. */
export const wait: ReadFlag = (value, helm) => {
  if (helm === 'helm3') return value === 'watcher' ? undefined : bool(value, helm);
  if (['watcher', 'hookOnly', 'legacy', 'true', 'false'].includes(value)) return undefined;
  return `invalid wait input ${JSON.stringify(value)}. Valid inputs are watcher, hookOnly, and legacy`;
};

export const formerWait: ReadFlag = (value, helm) => {
  if (helm === 'helm3' || (value !== 'true' && value !== 'false')) return undefined;
  const instead = value === 'true' ? 'watcher' : 'hookOnly';
  return `level=WARN msg="--wait=${value} is deprecated (boolean value) and can be replaced with --wait=${instead}"`;
};
