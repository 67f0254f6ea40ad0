import type { ReadFlag } from './flags.ts';

/** What pflag, and Go's strconv and time below it, refuse as a flag's value: each gives the problem in their words. */

const syntax = (call: string, value: string): string => `strconv.${call}: parsing ${JSON.stringify(value)}: invalid syntax`;

const whole = '(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)';
const integerForm = new RegExp(`^[+-]?${whole}$`);
const unsignedForm = new RegExp(`^${whole}$`);
const floatForm = /^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|infinity|nan)$/i;

export const bool: ReadFlag = (value) =>
  /^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(value) ? undefined : syntax('ParseBool', value);
export const integer: ReadFlag = (value) => (integerForm.test(value) ? undefined : syntax('ParseInt', value));
export const unsigned: ReadFlag = (value) => (unsignedForm.test(value) ? undefined : syntax('ParseUint', value));
export const float: ReadFlag = (value) => (floatForm.test(value) ? undefined : syntax('ParseFloat', value));

const units: ReadonlySet<string> = new Set(['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h']);

/** `1h30m`, `0`. */
export const duration: ReadFlag = (value) => {
  const shown = JSON.stringify(value);
  let rest = value.replace(/^[+-]/, '');
  if (rest === '0') return undefined;
  if (rest === '') return `time: invalid duration ${shown}`;
  while (rest !== '') {
    const [all = '', number = '', unit = ''] = /^([0-9]*\.?[0-9]*)([^0-9.]*)/.exec(rest) ?? [];
    if (!/[0-9]/.test(number)) return `time: invalid duration ${shown}`;
    if (unit === '') return `time: missing unit in duration ${shown}`;
    if (!units.has(unit)) return `time: unknown unit ${JSON.stringify(unit)} in duration ${shown}`;
    rest = rest.slice(all.length);
  }
  return undefined;
};

/** A text with one equals sign is one pair, whatever commas it holds. */
export const pairs: ReadFlag = (value) => {
  const parts = value.split('=').length === 2 ? [value] : value.split(',');
  const wrong = parts.find((pair) => !pair.includes('='));
  return wrong === undefined ? undefined : `${wrong} must be formatted as key=value`;
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
