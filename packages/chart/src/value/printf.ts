import { GoComplex } from './complex.ts';
import { formatE, formatF, formatG, formatHex } from './float.ts';
import { GoInt, GoObject, int64, TypedList, TypedMap, typeName, type Value } from './kinds.ts';
import { printValue, somewhere, sortedKeys } from './print.ts';
import { fromBytes, isPrint, quote, toBytes } from './text.ts';
import { countNodes } from './weigh.ts';

/** One directive of a format: its flags, and width and precision where given. */
interface Directive {
  readonly verb: string;
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

/** Widest padding that Go takes; beyond it says `%!(BADWIDTH)`. */
const maxPadding = 1_000_000;

/** fmt.Sprintf, with Go's complaints inside the text (`%!d(string=x)`, `%!(EXTRA …)`). */
export function sprintf(format: string, values: readonly Value[]): string {
  return new Formatter(format, values).run();
}

/**
 * The most characters that widths and precisions of a format can add: each item of a list or map is padded. Other
 * numbers in the format count too, so the figure may be too large, never too small.
 */
export function paddingOf(format: string, values: readonly Value[]): number {
  if (!/[0-9]{3}|\*/.test(format)) return 0;
  let sum = 0;
  for (const [digits] of format.matchAll(/[0-9]+/g)) sum += Math.min(Number(digits), maxPadding);
  const stars = format.split('*').length - 1;
  for (const value of values) if (value instanceof GoInt) sum += stars * Math.min(Math.abs(Number(value.value)), maxPadding);
  return sum * values.reduce<number>((items, value) => items + countNodes(value, maxPadding), 1);
}

/** Whether a format may print a value more than once, by its index. */
export const printsAgain = (format: string): boolean => format.includes('[');

class Formatter {
  readonly #format: string;
  readonly #values: readonly Value[];
  #at = 0;
  #next = 0;
  #reordered = false;
  #everReordered = false;
  #goodIndex = true;
  #out = '';

  constructor(format: string, values: readonly Value[]) {
    this.#format = format;
    this.#values = values;
  }

  run(): string {
    const format = this.#format;
    while (this.#at < format.length) {
      const percent = format.indexOf('%', this.#at);
      if (percent < 0) {
        this.#out += format.slice(this.#at);
        break;
      }
      this.#out += format.slice(this.#at, percent);
      this.#at = percent + 1;
      const value = this.#values[this.#next];
      // Most directives are this one.
      if (typeof value === 'string' && format[this.#at] === 's') {
        this.#out += value;
        this.#at++;
        this.#next++;
      } else this.#directive();
    }
    if (!this.#everReordered && this.#next < this.#values.length) this.#extra();
    return this.#out;
  }

  #extra(): void {
    const rest = this.#values.slice(this.#next).map((value) => (value == null ? '<nil>' : `${typeName(value)}=${printValue(value)}`));
    this.#out += `%!(EXTRA ${rest.join(', ')})`;
  }

  #directive(): void {
    const format = this.#format;
    const flags = { minus: false, plus: false, sharp: false, space: false, zero: false };
    this.#goodIndex = true;
    this.#reordered = false;
    for (; this.#at < format.length; this.#at++) {
      const flag = format[this.#at];
      if (flag === '-') flags.minus = true;
      else if (flag === '+') flags.plus = true;
      else if (flag === '#') flags.sharp = true;
      else if (flag === ' ') flags.space = true;
      else if (flag === '0') flags.zero = true;
      else break;
    }
    let afterIndex = this.#index();
    let width: number | undefined;
    if (format[this.#at] === '*') {
      this.#at++;
      width = this.#star('WIDTH');
      if (width !== undefined && width < 0) {
        width = -width;
        flags.minus = true;
        flags.zero = false;
      }
      afterIndex = false;
    } else {
      width = this.#number();
      if (afterIndex && width !== undefined) this.#goodIndex = false;
    }
    const precision = this.#precision(afterIndex);
    if (!this.#reordered) this.#index();
    if (this.#at >= format.length) {
      this.#out += '%!(NOVERB)';
      return;
    }
    const verb = String.fromCodePoint(format.codePointAt(this.#at) as number);
    this.#at += verb.length;
    if (verb === '%') this.#out += '%';
    else if (!this.#goodIndex) this.#out += `%!${verb}(BADINDEX)`;
    else if (this.#next >= this.#values.length) this.#out += `%!${verb}(MISSING)`;
    else this.#out += formatOne({ verb, ...flags, width, precision }, this.#values[this.#next++]);
  }

  #precision(afterIndex: boolean): number | undefined {
    if (this.#format[this.#at] !== '.') return undefined;
    this.#at++;
    if (afterIndex) this.#goodIndex = false;
    this.#index();
    if (this.#format[this.#at] === '*') {
      this.#at++;
      const precision = this.#star('PREC');
      return precision !== undefined && precision < 0 ? undefined : precision;
    }
    return this.#number() ?? 0;
  }

  /** An argument index `[n]`, if one stands here. */
  #index(): boolean {
    if (this.#format[this.#at] !== '[') return false;
    this.#reordered = true;
    this.#everReordered = true;
    const found = /^\[([0-9]+)\]/.exec(this.#format.slice(this.#at));
    if (!found) {
      this.#goodIndex = false;
      const close = this.#format.indexOf(']', this.#at);
      this.#at = close < 0 ? this.#at + 1 : close + 1;
      return false;
    }
    this.#at += found[0].length;
    const index = Number(found[1]) - 1;
    if (index < 0 || index >= this.#values.length) this.#goodIndex = false;
    else this.#next = index;
    return true;
  }

  #star(what: 'WIDTH' | 'PREC'): number | undefined {
    const value = this.#values[this.#next];
    if (this.#next < this.#values.length) this.#next++;
    if (value instanceof GoInt && value.value <= maxPadding && value.value >= -maxPadding) return Number(value.value);
    this.#out += `%!(BAD${what})`;
    return undefined;
  }

  #number(): number | undefined {
    const start = this.#at;
    while (this.#format.charCodeAt(this.#at) >= 48 && this.#format.charCodeAt(this.#at) <= 57) this.#at++;
    if (this.#at === start) return undefined;
    const number = Number(this.#format.slice(start, this.#at));
    return number > maxPadding ? undefined : number;
  }
}

function formatOne(directive: Directive, value: Value): string {
  const { verb } = directive;
  if (value === null || value === undefined) {
    if (verb === 'T' || verb === 'v') return pad(directive, '<nil>');
    return `%!${verb}(<nil>)`;
  }
  if (verb === 'T') return formatText({ ...directive, verb: 's' }, typeName(value));
  if (verb === 'p') return `%!p(${typeName(value)}=${printValue(value)})`;
  return formatValue(directive, value);
}

function formatValue(asked: Directive, value: Value): string {
  const { verb } = asked;
  // The plus of `%+v` asks for the names of fields, not for signs.
  const names = verb === 'v' && asked.plus;
  const directive = names ? { ...asked, plus: false } : asked;
  // Inside a list or map a nil prints the same whatever the verb.
  if (value === null || value === undefined) return '<nil>';
  if (verb === 'v' && directive.sharp) return pad(directive, printValue(value, 'syntax'));
  switch (typeof value) {
    case 'string':
      return formatText(directive, value);
    case 'boolean':
      return verb === 't' || verb === 'v' ? pad(directive, String(value)) : bad(directive, value);
    case 'number':
      return formatFloat(directive, value);
  }
  if (value instanceof GoInt) return formatInt(directive, value);
  if (value instanceof GoObject) return formatObject(asked, value);
  if (value instanceof Map) return formatMap(asked, value);
  const items = Array.isArray(value) ? value : value.items;
  if (value instanceof TypedList && value.type === '[]uint8' && 'sqxX'.includes(verb)) {
    return formatText(directive, fromBytes(Uint8Array.from(items, (item) => Number((item as GoInt).value))));
  }
  return `[${items.map((item) => formatNested(asked, item)).join(' ')}]`;
}

/** A pointer inside a list or map shows as its address. */
function formatNested(directive: Directive, value: Value): string {
  if (!(value instanceof GoObject) || value.kind !== 'ptr' || value.text() !== undefined) return formatValue(directive, value);
  if (directive.verb === 'v') return directive.sharp ? `(${value.type})(${somewhere})` : somewhere;
  return 'bodxX'.includes(directive.verb) ? formatInt(directive, new GoInt('uint64', BigInt(somewhere))) : bad(directive, value);
}

function formatMap(directive: Directive, map: Map<string, Value>): string {
  const items = sortedKeys(map).map((key) => `${formatValue(directive, key)}:${formatNested(directive, map.get(key))}`);
  return `${map instanceof TypedMap || map instanceof Map ? 'map' : ''}[${items.join(' ')}]`;
}

function formatObject(directive: Directive, value: GoObject): string {
  const entries = directive.verb === 'v' || value.kind !== 'map' ? undefined : value.entries();
  if (entries) return `map[${entries.map((pair) => pair.map((item) => formatValue(directive, item)).join(':')).join(' ')}]`;
  if (value instanceof GoComplex) return formatComplex(directive, value);
  const text = value.text();
  if (text !== undefined && 'vsqxX'.includes(directive.verb)) return formatText({ ...directive, plus: false }, text);
  const integer = value.integer();
  if (integer !== undefined) return formatInt(directive, int64(integer));
  if (directive.verb === 'v') return pad(directive, printValue(value, directive.plus ? 'names' : 'plain'));
  const fields = value.fields().map(([, field]) => formatValue(directive, field));
  return `${value.kind === 'ptr' ? '&' : ''}{${fields.join(' ')}}`;
}

/** Both parts as floats: width and precision are of each. */
function formatComplex(directive: Directive, value: GoComplex): string {
  if (!'vbgGxXfFeE'.includes(directive.verb)) return bad(directive, value);
  const plus = directive.plus && directive.verb !== 'v';
  return `(${formatFloat({ ...directive, plus }, value.real)}${formatFloat({ ...directive, plus: true }, value.imaginary)}i)`;
}

/** The complaint about a verb that does not fit: the value in it keeps width and precision. */
const bad = (directive: Directive, value: Value): string =>
  `%!${directive.verb}(${typeName(value)}=${formatValue({ ...directive, verb: 'v' }, value)})`;

function formatText(directive: Directive, value: string): string {
  let text = value;
  if (directive.precision !== undefined && 'vsq'.includes(directive.verb)) text = [...value].slice(0, directive.precision).join('');
  switch (directive.verb) {
    case 'v':
    case 's':
      return pad(directive, text);
    case 'q':
      if (directive.sharp && !text.includes('`') && [...text].every((c) => c === '\t' || isPrint(c))) return pad(directive, `\`${text}\``);
      return pad(directive, directive.plus ? asciiQuote(text) : quote(text));
    case 'x':
    case 'X':
      return pad(directive, hexText(directive, text));
    default:
      return bad(directive, value);
  }
}

const asciiQuote = (text: string): string =>
  quote(text).replace(/[^\0-\x7f]/gu, (c) => {
    const code = c.codePointAt(0) as number;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
  });

function hexText(directive: Directive, text: string): string {
  let bytes = toBytes(text);
  if (directive.precision !== undefined) bytes = bytes.subarray(0, directive.precision);
  const prefix = directive.sharp ? `0${directive.verb}` : '';
  const pairs = Array.from(bytes, (byte) => {
    const hex = byte.toString(16).padStart(2, '0');
    return directive.verb === 'X' ? hex.toUpperCase() : hex;
  });
  if (directive.space) return pairs.map((pair) => prefix + pair).join(' ');
  return (pairs.length > 0 ? prefix : '') + pairs.join('');
}

const bases: Readonly<Record<string, readonly [number, string]>> = {
  d: [10, ''],
  v: [10, ''],
  b: [2, '0b'],
  o: [8, '0'],
  O: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
};

function formatInt(directive: Directive, value: GoInt): string {
  const { verb } = directive;
  const base = bases[verb];
  if (!base) {
    const code = value.value >= 0n && value.value <= 0x10ffffn ? Number(value.value) : 0xfffd;
    if (verb === 'c') return pad(directive, String.fromCodePoint(code));
    if (verb === 'q') return pad(directive, quote(String.fromCodePoint(code), "'"));
    if (verb === 'U') {
      const hex = `U+${value.value
        .toString(16)
        .toUpperCase()
        .padStart(Math.max(4, directive.precision ?? 0), '0')}`;
      return pad(directive, directive.sharp && isPrint(String.fromCodePoint(code)) ? `${hex} '${String.fromCodePoint(code)}'` : hex);
    }
    return bad(directive, value);
  }
  const negative = value.value < 0n;
  let digits = (negative ? -value.value : value.value).toString(base[0]);
  if (verb === 'X') digits = digits.toUpperCase();
  if (directive.precision !== undefined) {
    if (directive.precision === 0 && value.value === 0n) return pad({ ...directive, zero: false }, '');
    digits = digits.padStart(directive.precision, '0');
  }
  const lead = negative ? '-' : directive.plus ? '+' : directive.space ? ' ' : '';
  const prefix = verb === 'O' || (directive.sharp && verb !== 'o') ? base[1] : directive.sharp && digits[0] !== '0' ? '0' : '';
  return padNumber(directive, lead, prefix + digits, directive.precision === undefined);
}

function formatFloat(directive: Directive, value: number): string {
  const { verb, precision } = directive;
  let text: string;
  switch (verb) {
    case 'v':
    case 'g':
    case 'G':
      text = formatG(value, precision ?? -1);
      break;
    case 'e':
    case 'E':
      text = formatE(value, precision ?? 6);
      break;
    case 'f':
    case 'F':
      text = formatF(value, precision ?? 6);
      break;
    case 'x':
    case 'X':
      text = formatHex(value, precision ?? -1);
      break;
    default:
      return bad(directive, value);
  }
  if (verb === 'X' || verb === 'E' || verb === 'G') text = text.toUpperCase().replace('INF', 'Inf').replace('NAN', 'NaN');
  const signed = /^[+-]/.test(text);
  const lead =
    signed && (text[0] === '-' || directive.plus || text === '+Inf')
      ? (text[0] as string)
      : directive.plus
        ? '+'
        : directive.space
          ? ' '
          : '';
  return padNumber(directive, lead, signed ? text.slice(1) : text, Number.isFinite(value));
}

/** Zeros go between sign and digits. */
function padNumber(directive: Directive, lead: string, digits: string, zeros: boolean): string {
  const width = directive.width ?? 0;
  if (directive.zero && zeros && !directive.minus && width > 0) return lead + digits.padStart(width - lead.length, '0');
  return pad({ ...directive, zero: false }, lead + digits);
}

function pad(directive: Directive, text: string): string {
  const width = directive.width ?? 0;
  if (width === 0) return text;
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (directive.minus) return text + ' '.repeat(missing);
  return (directive.zero ? '0' : ' ').repeat(missing) + text;
}
