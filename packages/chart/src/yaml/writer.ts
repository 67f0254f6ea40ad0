import { formatG, formatJsonNumber } from '../value/float.ts';
import type { Value } from '../value/kinds.ts';
import { isBreak } from './cursor.ts';
import { naturalOrder } from './order.ts';
import { isAmbiguous } from './resolve.ts';

/**
 * Writes plain data (maps, lists, strings, numbers, booleans, null) as go-yaml v2 does: indent 2, sequences not
 * indented in maps, lines folded past column 80, natural order of keys.
 *
 * @param value what {@link toJsonValue} made: no Go objects any more
 */
export function writeYaml(value: Value): string {
  const writer = new Writer(goYaml2);
  writer.root(value);
  return writer.out;
}

/**
 * Writes as go-yaml v3 with an indent of two does: sequences indented, lines never folded, floats as Go prints them.
 * The values are Go's own here, not JSON's.
 */
export function writePrettyYaml(value: Value): string {
  const writer = new Writer(goYaml3);
  writer.root(value);
  return writer.out;
}

/** Fields of a struct: written in their own order, where a map's keys are sorted. */
export class FieldMap extends Map<string, Value> {}

/** What the two versions of go-yaml do differently. */
interface Style {
  readonly indentSequences: boolean;
  readonly bestWidth: number;
  readonly number: (value: number) => string;
  /** Tabs stand as they are in literal blocks. */
  readonly hasTabsInBlocks: boolean;
}

const goYaml2: Style = { indentSequences: false, bestWidth: 80, number: jsonNumber, hasTabsInBlocks: false };
const goYaml3: Style = { indentSequences: true, bestWidth: Number.POSITIVE_INFINITY, number: floatNumber, hasTabsInBlocks: true };

const indentStep = 2;

class Writer {
  out = '';
  readonly #style: Style;
  #column = 0;
  #indent = -1;
  /** The last thing written was white space, or part of the indentation. */
  #whitespace = true;
  #indention = true;

  constructor(style: Style) {
    this.#style = style;
  }

  root(value: Value): void {
    this.#node(value, false);
    this.#writeIndent();
  }

  #node(value: Value, inMapping: boolean): void {
    if (value instanceof Map) {
      if (value.size === 0) this.#raw('{}');
      else this.#mapping(value);
    } else if (Array.isArray(value)) {
      if (value.length === 0) this.#raw('[]');
      else this.#sequence(value, inMapping);
    } else this.#scalar(value, false);
  }

  #mapping(map: Map<string, Value>): void {
    const outer = this.#indent;
    this.#indent = outer < 0 ? 0 : outer + indentStep;
    const keys = [...map.keys()];
    for (const key of map instanceof FieldMap ? keys : keys.sort(naturalOrder)) {
      const value = map.get(key);
      this.#writeIndent();
      if (isSimpleKey(key)) {
        this.#scalar(key, true);
        this.#indicator(':', false, false, false);
      } else {
        this.#indicator('?', true, false, true);
        this.#scalar(key, false);
        this.#writeIndent();
        this.#indicator(':', true, false, true);
      }
      this.#node(value, true);
    }
    this.#indent = outer;
  }

  #sequence(items: readonly Value[], inMapping: boolean): void {
    const outer = this.#indent;
    // A sequence that follows its key stands at the mapping's own column.
    if (outer < 0) this.#indent = 0;
    else if (!inMapping || this.#indention || this.#style.indentSequences) this.#indent = outer + indentStep;
    for (const item of items) {
      this.#writeIndent();
      this.#indicator('-', true, false, true);
      this.#node(item, false);
    }
    this.#indent = outer;
  }

  #raw(text: string): void {
    this.#indicator(text, true, false, false);
  }

  #indicator(text: string, needsSpace: boolean, isWhitespace: boolean, isIndention: boolean): void {
    if (needsSpace && !this.#whitespace) this.#put(' ');
    this.#put(text);
    this.#whitespace = isWhitespace;
    this.#indention = this.#indention && isIndention;
  }

  #put(text: string): void {
    this.out += text;
    this.#column += text.length;
  }

  #break(): void {
    this.out += '\n';
    this.#column = 0;
  }

  #writeIndent(): void {
    const indent = Math.max(this.#indent, 0);
    if (!this.#indention || this.#column > indent || (this.#column === indent && !this.#whitespace)) this.#break();
    if (this.#column < indent) this.#put(' '.repeat(indent - this.#column));
    this.#whitespace = true;
    this.#indention = true;
  }

  #scalar(value: Value, isKey: boolean): void {
    if (typeof value !== 'string') {
      const text = value === null || value === undefined ? 'null' : typeof value === 'number' ? this.#style.number(value) : String(value);
      this.#plain(text, !isKey);
      return;
    }
    const shape = analyse(value, this.#style.hasTabsInBlocks);
    const outer = this.#indent;
    // A scalar is one step deeper than the mapping that holds it: folded lines show it.
    this.#indent = outer < 0 ? indentStep : outer + indentStep;
    if (!isKey && value.includes('\n') && shape.block) this.#literal(value);
    else if (!value.includes('\n') && !isAmbiguous(value) && !isBase60(value)) {
      if (shape.plain && !(value === '' && isKey)) this.#plain(value, !isKey);
      else if (shape.single) this.#singleQuoted(value, !isKey);
      else this.#doubleQuoted(value, !isKey);
    } else this.#doubleQuoted(value, !isKey);
    this.#indent = outer;
  }

  #plain(value: string, mayFold: boolean): void {
    if (!this.#whitespace) this.#put(' ');
    this.#folded(value, mayFold, 0, value.length);
    this.#whitespace = false;
    this.#indention = false;
  }

  /** Text in which a single space past the best width becomes a line break. */
  #folded(value: string, mayFold: boolean, firstFold: number, lastFold: number): void {
    if (!mayFold || this.#column + value.length <= this.#style.bestWidth) {
      this.out += value;
      this.#column += lengthOf(value);
      return;
    }
    let spaces = false;
    const characters = [...value];
    for (let i = 0; i < characters.length; i++) {
      const character = characters[i] as string;
      if (character !== ' ') {
        this.#putCharacter(character);
        spaces = false;
        continue;
      }
      const foldable = i >= firstFold && i < lastFold && characters[i + 1] !== ' ';
      if (!spaces && this.#column > this.#style.bestWidth && foldable) this.#writeIndent();
      else this.#putCharacter(character);
      spaces = true;
    }
  }

  #putCharacter(character: string): void {
    this.out += character;
    this.#column++;
    this.#indention = false;
  }

  #singleQuoted(value: string, mayFold: boolean): void {
    this.#indicator("'", true, false, false);
    const quoted = value.replaceAll("'", "''");
    // Bytes, not characters, bound where libyaml folds: the last byte never folds.
    this.#folded(quoted, mayFold, 1, [...quoted].length - 1);
    this.#indicator("'", false, false, false);
    this.#whitespace = false;
    this.#indention = false;
  }

  #doubleQuoted(value: string, mayFold: boolean): void {
    this.#indicator('"', true, false, false);
    const characters = [...value];
    let spaces = false;
    for (let i = 0; i < characters.length; i++) {
      const character = characters[i] as string;
      if (needsEscape(character)) {
        this.#put(writeEscape(character));
        spaces = false;
      } else if (character === ' ') {
        if (mayFold && !spaces && this.#column > this.#style.bestWidth && i > 0 && i < characters.length - 1) {
          this.#writeIndent();
          if (characters[i + 1] === ' ') this.#put('\\');
        } else this.#put(' ');
        spaces = true;
      } else {
        this.out += character;
        this.#column++;
        spaces = false;
      }
    }
    this.#indicator('"', false, false, false);
    this.#whitespace = false;
    this.#indention = false;
  }

  #literal(value: string): void {
    const first = value.charCodeAt(0);
    const hint = first === 32 || isBreak(first) ? String(indentStep) : '';
    const last = isBreak(value.charCodeAt(value.length - 1));
    const before = last && (value.length === 1 || isBreak(value.charCodeAt(value.length - 2)));
    this.#indicator('|', true, false, false);
    this.#put(hint + (before ? '+' : last ? '' : '-'));
    this.#break();
    this.#indention = true;
    this.#whitespace = true;
    const pad = ' '.repeat(Math.max(this.#indent, 0));
    const lines = value.split('\n');
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] as string;
      if (line !== '') {
        this.out += pad + line;
        this.#column = pad.length + line.length;
        this.#indention = false;
      }
      if (i < lines.length - 1) {
        this.#break();
        this.#indention = true;
      }
    }
    this.#whitespace = true;
  }
}

const lengthOf = (text: string): number => (/[\ud800-\udbff]/.test(text) ? [...text].length : text.length);

/** Keys of more than 128 bytes, or of several lines, are written with `?`. */
const isSimpleKey = (key: string): boolean => !/[\n\r\x85\u2028\u2029]/.test(key) && new TextEncoder().encode(key).length <= 128;

const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const isBase60 = (text: string): boolean => text.includes(':') && base60.test(text);

/** Numbers come from JSON: integers print as they stand there, in as few digits as tell them, others as Go's shortest %g. */
function jsonNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  if (!Number.isInteger(value)) return formatG(value);
  const digits = formatJsonNumber(value);
  // What fits no 64-bit integer is read back as a float.
  return /^-?[0-9]+$/.test(digits) && fitsInteger(BigInt(digits)) ? digits : formatG(value);
}

const fitsInteger = (value: bigint): boolean => value >= -(2n ** 63n) && value < 2n ** 64n;

function floatNumber(value: number): string {
  if (Number.isFinite(value)) return formatG(value);
  return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
}

interface Shape {
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

const simpleWord = /^[A-Za-z0-9_/.+$()=<>^~][A-Za-z0-9_/.\-+$()=<>^~]*$/;

/** In which styles a scalar can be written in block context. */
function analyse(value: string, hasTabsInBlocks: boolean): Shape {
  if (value === '') return { plain: true, single: true, block: false };
  if (simpleWord.test(value) && !value.startsWith('...') && !value.startsWith('>')) return { plain: true, single: true, block: true };
  const lines = /[\n\r\x85\u2028\u2029]/.test(value);
  const leading = /^[ \n\r\x85\u2028\u2029]/.test(value);
  const trailingSpace = value.endsWith(' ');
  const trailing = trailingSpace || /[\n\r\x85\u2028\u2029]$/.test(value);
  const breakSpace = /[\n\r\x85\u2028\u2029] /.test(value);
  const spaceBreak = / [\n\r\x85\u2028\u2029]/.test(value);
  const special = hasSpecial(value);
  const specialInBlock = special && (!hasTabsInBlocks || hasSpecial(value.replaceAll('\t', '')));
  const plain = !(leading || trailing || breakSpace || spaceBreak || special || lines || hasIndicator(value));
  return { plain, single: !(breakSpace || spaceBreak || special), block: !(trailingSpace || spaceBreak || specialInBlock) };
}

function hasIndicator(value: string): boolean {
  if (/^(---|\.\.\.)/.test(value) || /^[#,[\]{}&*!|>'"%@`]/.test(value)) return true;
  return /^[?:-]([ \t]|$)/.test(value) || /.:([ \t]|$)/s.test(value) || /[\s\0\x85\u2028\u2029]#/.test(value);
}

/** Characters that go-yaml does not print as they are: tabs and all past U+FFFF among them, line feeds not. */
const unprintable = /[^\n -~\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;

const hasSpecial = (value: string): boolean => unprintable.test(value);

const needsEscape = (character: string): boolean =>
  character === '"' || character === '\\' || unprintable.test(character) || isBreak(character.charCodeAt(0)) || character === '\ufeff';

const short: Readonly<Record<string, string>> = {
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'e',
  '"': '"',
  '\\': '\\',
  '\x85': 'N',
  '\xa0': '_',
  '\u2028': 'L',
  '\u2029': 'P',
};

function writeEscape(character: string): string {
  const known = short[character];
  if (known !== undefined) return `\\${known}`;
  const code = character.codePointAt(0) as number;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
