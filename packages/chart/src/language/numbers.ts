import { GoComplex } from '../value/complex.ts';
import { quote, unquote } from '../value/text.ts';
import { kind, type NumberNode } from './nodes.ts';

/**
 * A number literal in all forms its text can take (a Go constant has no type until it is used).
 * Returns the reason in Go's words where the text is no number.
 */
export function parseNumber(pos: number, text: string, isChar: boolean): NumberNode | string {
  if (isChar) {
    const character = unquote(text);
    if (character === undefined || character === '') return 'invalid syntax';
    const code = character.codePointAt(0) as number;
    if (String.fromCodePoint(code) !== character) return `malformed character constant: ${text}`;
    return { type: kind.number, pos, text, integer: BigInt(code), unsigned: BigInt(code), float: code };
  }
  if (text.endsWith('i')) return parseComplex(pos, text);
  let integer = parseInteger(text);
  let unsigned = integer !== undefined && integer >= 0n && !/^[+-]/.test(text) ? integer : undefined;
  if (integer !== undefined && BigInt.asIntN(64, integer) !== integer) integer = undefined;
  if (unsigned !== undefined && BigInt.asUintN(64, unsigned) !== unsigned) unsigned = undefined;
  if (integer === 0n) unsigned = 0n;
  let float: number | undefined;
  if (integer !== undefined) float = Number(integer);
  else if (unsigned !== undefined) float = Number(unsigned);
  else {
    float = parseFloat64(text);
    if (float !== undefined && !/[.eEpP]/.test(text)) return `integer overflow: ${quote(text)}`;
    if (float !== undefined && Number.isInteger(float)) {
      if (float >= -(2 ** 63) && float < 2 ** 63) integer = BigInt(float);
      if (float >= 0 && float < 2 ** 64) unsigned = BigInt(float);
    }
  }
  if (integer === undefined && unsigned === undefined && float === undefined) return `illegal number syntax: ${quote(text)}`;
  return { type: kind.number, pos, text, integer, unsigned, float };
}

/** Where a second number follows the first: a sign that is not an exponent's. */
const secondPart = /(?<=[^eEpP])[+-](?=[^+-]*(?:[eEpP][+-][^+-]*)?$)/;

/** One without an imaginary part may stand for a float, too, and so on. */
function parseComplex(pos: number, text: string): NumberNode | string {
  const digits = text.slice(0, -1);
  const split = digits.search(secondPart);
  const real = split > 0 ? parseFloat64(digits.slice(0, split)) : 0;
  const imaginary = parseFloat64(split > 0 ? digits.slice(split) : digits);
  if (real === undefined || imaginary === undefined)
    return split > 0 ? 'syntax error scanning complex number' : `illegal number syntax: ${quote(text)}`;
  const float = imaginary === 0 ? real : undefined;
  const whole = float !== undefined && Number.isInteger(float) ? BigInt(float) : undefined;
  const integer = whole !== undefined && BigInt.asIntN(64, whole) === whole ? whole : undefined;
  const unsigned = whole !== undefined && BigInt.asUintN(64, whole) === whole ? whole : undefined;
  return { type: kind.number, pos, text, integer, unsigned, float, complex: new GoComplex(real, imaginary) };
}

const integerForm = /^[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/;

/** strconv.ParseInt with base 0; undefined for what is no integer, unbounded otherwise. */
export function parseInteger(text: string): bigint | undefined {
  if (!integerForm.test(text)) return undefined;
  const negative = text[0] === '-';
  let digits = text.replace(/^[+-]/, '').replaceAll('_', '');
  // Far out of every range; reading it exactly would take time that grows with the square of its length.
  if (digits.length > 400) return negative ? -(2n ** 1000n) : 2n ** 1000n;
  if (/^0[0-7]/.test(digits)) digits = `0o${digits.slice(1)}`;
  return negative ? -BigInt(digits) : BigInt(digits);
}

const floatForm = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const hexFloatForm = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?[0-9]+)$/;

/** strconv.ParseFloat; undefined for what is no number or overflows. */
export function parseFloat64(text: string): number | undefined {
  if (!areUnderscoresRight(text)) return undefined;
  const plain = text.replaceAll('_', '');
  const hex = hexFloatForm.exec(plain);
  if (hex) {
    const [, sign = '', whole = '', fraction = '', exponent = '0'] = hex;
    if (whole + fraction === '') return undefined;
    const mantissa = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
    return Number.isFinite(mantissa) ? (sign === '-' ? -mantissa : mantissa) : undefined;
  }
  if (!floatForm.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}

/** Each stands between two digits, or between the mark of a base and a digit. */
function areUnderscoresRight(text: string): boolean {
  if (!text.includes('_')) return true;
  const isHex = /^[+-]?0[xX]/.test(text);
  const digits = text.replace(/^[+-]?(?:0[xXoObB])?/, (mark) => (mark.length > 1 ? '0' : ''));
  return !(isHex ? /(?<![0-9a-fA-F])_|_(?![0-9a-fA-F])/ : /(?<![0-9])_|_(?![0-9])/).test(digits);
}
