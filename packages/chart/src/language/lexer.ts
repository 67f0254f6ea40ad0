import { byteLength, quote } from '../value/text.ts';

/**
 * Cuts a template into tokens, on demand, as Go's text/template does: text outside `{{ }}`, words inside, trim
 * markers and comments swallowed. Positions follow Go's, for they show in error messages.
 */

export const token = {
  error: 0,
  bool: 1,
  char: 2,
  charConstant: 3,
  complex: 4,
  assign: 5,
  declare: 6,
  eof: 7,
  field: 8,
  identifier: 9,
  leftDelim: 10,
  leftParen: 11,
  number: 12,
  pipe: 13,
  rawString: 14,
  rightDelim: 15,
  rightParen: 16,
  space: 17,
  string: 18,
  text: 19,
  variable: 20,
  keyword: 21,
  block: 22,
  break: 23,
  continue: 24,
  dot: 25,
  define: 26,
  else: 27,
  end: 28,
  if: 29,
  nil: 30,
  range: 31,
  template: 32,
  with: 33,
} as const;

export type TokenType = (typeof token)[keyof typeof token];

/** A line is nowhere kept: that of an error is counted when there is one. */
export interface Token {
  readonly type: TokenType;
  readonly pos: number;
  readonly text: string;
}

const keywords = new Map<string, TokenType>([
  ['block', token.block],
  ['break', token.break],
  ['continue', token.continue],
  ['define', token.define],
  ['else', token.else],
  ['end', token.end],
  ['if', token.if],
  ['nil', token.nil],
  ['range', token.range],
  ['template', token.template],
  ['with', token.with],
]);

/** A token as Go's parser prints it in "unexpected …". */
export function printToken({ type, text }: Token): string {
  if (type === token.eof) return 'EOF';
  if (type === token.error) return text;
  if (type > token.keyword) return `<${text}>`;
  // Cut by characters where it is longer in bytes.
  return byteLength(text) > 10 ? `${quote([...text.slice(0, 20)].slice(0, 10).join(''))}...` : quote(text);
}

const isSpaceCode = (code: number): boolean => code === 32 || code === 9 || code === 13 || code === 10;

export class Lexer {
  #input: string;
  #pos = 0;
  #inside = false;
  #parens = 0;

  constructor(input: string) {
    this.#input = input;
  }

  next(): Token {
    return this.#inside ? this.#insideAction() : this.#textOrDelim();
  }

  /** Where the next token begins. */
  get offset(): number {
    return this.#pos;
  }

  /** Skips white space within an action, up to a trim marker. Returns whether there was any. */
  skipSpaces(): boolean {
    const input = this.#input;
    const start = this.#pos;
    if (!this.#inside || !isSpaceCode(input.charCodeAt(start))) return false;
    const end = this.#skipSpace(start);
    this.#pos = input.charCodeAt(end) === 45 && input.startsWith('}}', end + 1) ? end - 1 : end;
    return true;
  }

  get isAtDot(): boolean {
    return this.#input.charCodeAt(this.#pos) === 46;
  }

  /**
   * Takes the fields `.a.b` that follow at once, or undefined where there are none; unusual ones are left to `next`. All are on
   * one line.
   */
  fields(): string[] | undefined {
    if (this.#input.charCodeAt(this.#pos) !== 46) return undefined;
    plainFields.lastIndex = this.#pos;
    if (!plainFields.test(this.#input)) return undefined;
    const start = this.#pos + 1;
    this.#pos = plainFields.lastIndex;
    return this.#input.slice(start, this.#pos).split('.');
  }

  /** Leaves an action whose words are known: the next token is its right delimiter, which is given. */
  leave(close: number, trim: boolean): Token {
    this.#pos = trim ? close - 2 : close;
    return this.#rightDelim(trim);
  }

  #textOrDelim(): Token {
    const input = this.#input;
    for (;;) {
      const start = this.#pos;
      const at = input.indexOf('{{', start);
      if (at < 0) {
        if (start >= input.length) return { type: token.eof, pos: start, text: 'EOF' };
        this.#pos = input.length;
        return { type: token.text, pos: start, text: input.slice(start) };
      }
      const trim = input.charCodeAt(at + 2) === 45 && isSpaceCode(input.charCodeAt(at + 3));
      if (at > start) {
        let end = at;
        if (trim) while (end > start && isSpaceCode(input.charCodeAt(end - 1))) end--;
        this.#pos = at;
        if (end > start) return { type: token.text, pos: start, text: input.slice(start, end) };
      }
      const afterMarker = trim ? at + 4 : at + 2;
      if (input.charCodeAt(afterMarker) !== 47 || input.charCodeAt(afterMarker + 1) !== 42) {
        this.#pos = afterMarker;
        this.#inside = true;
        this.#parens = 0;
        return { type: token.leftDelim, pos: at, text: '{{' };
      }
      const failure = this.#comment(afterMarker);
      if (failure) return failure;
    }
  }

  /** Skips a comment; an error token where it is malformed. */
  #comment(start: number): Token | undefined {
    const input = this.#input;
    const close = input.indexOf('*/', start + 2);
    if (close < 0) return this.#error('unclosed comment', start);
    let at = close + 2;
    const trim = this.#rightTrim(at) && input.startsWith('}}', at + 2);
    if (!trim && !input.startsWith('}}', at)) return this.#error('comment ends before closing delimiter', start);
    at += trim ? 4 : 2;
    this.#pos = trim ? this.#skipSpace(at) : at;
    return undefined;
  }

  #insideAction(): Token {
    const input = this.#input;
    const start = this.#pos;
    const code = input.charCodeAt(start);
    if (Number.isNaN(code)) return this.#error('unclosed action', start);
    const isSpace = isSpaceCode(code);
    const trim = isSpace && this.#rightTrim(start) && input.startsWith('}}', start + 2);
    if (trim || (code === 125 && input.charCodeAt(start + 1) === 125)) {
      if (this.#parens !== 0) return this.#error('unclosed left paren', start);
      return this.#rightDelim(trim);
    }
    if (isSpace) return this.#space();
    switch (code) {
      case 61: // =
        return this.#take(token.assign, 1);
      case 58: // :
        if (input[start + 1] !== '=') return this.#error('expected :=', start);
        return this.#take(token.declare, 2);
      case 124: // |
        return this.#take(token.pipe, 1);
      case 34: // "
        return this.#quoted('"', token.string, 'unterminated quoted string');
      case 39: // '
        return this.#quoted("'", token.charConstant, 'unterminated character constant');
      case 96: // `
        return this.#rawString();
      case 36: // $
        return this.#fieldOrVariable(token.variable);
      case 40: // (
        this.#parens++;
        return this.#take(token.leftParen, 1);
      case 41: // )
        this.#parens--;
        if (this.#parens < 0) return this.#error('unexpected right paren', start);
        return this.#take(token.rightParen, 1);
      case 46: {
        // A dot starts a number when a digit follows, or the input ends.
        const following = input.charCodeAt(start + 1);
        if (start + 1 < input.length && !(following >= 48 && following <= 57)) return this.#fieldOrVariable(token.field);
        return this.#number();
      }
    }
    if (code === 43 || code === 45 || (code >= 48 && code <= 57)) return this.#number();
    if (this.#wordLength(start) > 0) return this.#identifier();
    if (code > 32 && code < 127) return this.#take(token.char, 1);
    return this.#error(`unrecognized character in action: ${unicodeName(input.codePointAt(start) as number)}`, start);
  }

  #rightDelim(trim: boolean): Token {
    const pos = trim ? this.#pos + 2 : this.#pos;
    this.#pos = trim ? this.#skipSpace(pos + 2) : pos + 2;
    this.#inside = false;
    return { type: token.rightDelim, pos, text: '}}' };
  }

  #space(): Token {
    const start = this.#pos;
    const end = this.#skipSpace(start);
    // A trim marker needs its space: leave the last one to it.
    if (this.#input[end] === '-' && this.#input.startsWith('}}', end + 1)) {
      if (end - start === 1) return this.#rightDelim(true);
      return this.#take(token.space, end - 1 - start);
    }
    return this.#take(token.space, end - start);
  }

  #quoted(mark: string, type: TokenType, problem: string): Token {
    const input = this.#input;
    const start = this.#pos;
    const end = input.indexOf(mark, start + 1);
    if (end >= 0) {
      const inner = input.slice(start, end);
      if (!inner.includes('\\') && !inner.includes('\n')) return this.#take(type, end + 1 - start);
    }
    for (let i = start + 1; i < input.length; i++) {
      const character = input[i];
      if (character === '\n') break;
      if (character === '\\') {
        i++;
        if (input[i] === '\n') break;
      } else if (character === mark) return this.#take(type, i + 1 - start);
    }
    return this.#error(problem, start);
  }

  #rawString(): Token {
    const end = this.#input.indexOf('`', this.#pos + 1);
    if (end < 0) return this.#error('unterminated raw quoted string', this.#pos);
    return this.#take(token.rawString, end + 1 - this.#pos);
  }

  #fieldOrVariable(type: TokenType): Token {
    const start = this.#pos;
    const first = start + 1;
    if (this.#atTerminator(first)) return this.#take(type === token.variable ? type : token.dot, 1);
    const end = first + this.#wordLength(first);
    if (!this.#atTerminator(end)) return this.#error(`bad character ${unicodeName(this.#input.codePointAt(end) as number)}`, start);
    return this.#take(type, end - start);
  }

  #identifier(): Token {
    const start = this.#pos;
    const end = start + this.#wordLength(start);
    if (!this.#atTerminator(end)) return this.#error(`bad character ${unicodeName(this.#input.codePointAt(end) as number)}`, start);
    const word = this.#input.slice(start, end);
    const keyword = keywords.get(word);
    if (keyword !== undefined) return this.#take(keyword, end - start);
    return this.#take(word === 'true' || word === 'false' ? token.bool : token.identifier, end - start);
  }

  #number(): Token {
    const start = this.#pos;
    const first = this.#scanNumber(start);
    if (first.bad) return this.#error(`bad number syntax: ${quote(this.#input.slice(start, first.end))}`, start);
    const sign = this.#input[first.end];
    if (sign !== '+' && sign !== '-') return this.#take(token.number, first.end - start);
    const second = this.#scanNumber(first.end);
    if (second.bad || this.#input[second.end - 1] !== 'i')
      return this.#error(`bad number syntax: ${quote(this.#input.slice(start, second.end))}`, start);
    return this.#take(token.complex, second.end - start);
  }

  #scanNumber(start: number): { end: number; bad: boolean } {
    const input = this.#input;
    let at = start;
    const accept = (set: string): boolean => {
      if (at < input.length && set.includes(input[at] as string)) {
        at++;
        return true;
      }
      return false;
    };
    const run = (set: string): void => {
      while (accept(set));
    };
    accept('+-');
    let digits = '0123456789_';
    if (accept('0')) {
      if (accept('xX')) digits = '0123456789abcdefABCDEF_';
      else if (accept('oO')) digits = '01234567_';
      else if (accept('bB')) digits = '01_';
    }
    run(digits);
    if (accept('.')) run(digits);
    if (digits.length === 11 && accept('eE')) {
      accept('+-');
      run('0123456789_');
    }
    if (digits.length === 23 && accept('pP')) {
      accept('+-');
      run('0123456789_');
    }
    accept('i');
    const more = characterLength(input, at);
    return more > 0 ? { end: at + more, bad: true } : { end: at, bad: false };
  }

  /** Length of the letters, digits and underscores from `at`. */
  #wordLength(at: number): number {
    asciiWord.lastIndex = at;
    let end = asciiWord.test(this.#input) ? asciiWord.lastIndex : at;
    // Nothing else of ASCII goes on with it.
    while (this.#input.charCodeAt(end) >= 0x80) {
      const length = characterLength(this.#input, end);
      if (length === 0) break;
      end += length;
      asciiWord.lastIndex = end;
      if (asciiWord.test(this.#input)) end = asciiWord.lastIndex;
    }
    return end - at;
  }

  #atTerminator(at: number): boolean {
    if (at >= this.#input.length) return true;
    const code = this.#input.charCodeAt(at);
    if (isSpaceCode(code)) return true;
    switch (code) {
      case 46: // .
      case 44: // ,
      case 124: // |
      case 58: // :
      case 41: // )
      case 40: // (
        return true;
      default:
        return this.#input.startsWith('}}', at);
    }
  }

  #rightTrim(at: number): boolean {
    return this.#input.charCodeAt(at + 1) === 45 && isSpaceCode(this.#input.charCodeAt(at));
  }

  #skipSpace(at: number): number {
    let end = at;
    while (isSpaceCode(this.#input.charCodeAt(end))) end++;
    return end;
  }

  #take(type: TokenType, length: number): Token {
    const start = this.#pos;
    this.#pos = start + length;
    return { type, pos: start, text: this.#input.slice(start, start + length) };
  }

  /** After an error the input is empty: the parser stops at it. */
  #error(message: string, pos: number): Token {
    const found: Token = { type: token.error, pos, text: message };
    this.#input = '';
    this.#pos = 0;
    return found;
  }
}

/** Fields of ASCII letters, and what ends a field behind them. */
const plainFields = /(?:\.[A-Za-z_][A-Za-z0-9_]*)+(?=[ \t\r\n,|:)(]|\}\}|$)/y;

/** The part of a word that needs no look at Unicode's tables. */
const asciiWord = /[A-Za-z0-9_]+/y;

/** Length in UTF-16 units of a letter, digit or underscore at an offset; 0 for anything else. */
function characterLength(input: string, at: number): number {
  const code = input.charCodeAt(at);
  if (code < 0x80) {
    return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 ? 1 : 0;
  }
  if (Number.isNaN(code)) return 0;
  const character = String.fromCodePoint(input.codePointAt(at) as number);
  // Made here, for most templates need none of Unicode's tables.
  return /^[\p{L}\p{Nd}]$/u.test(character) ? character.length : 0;
}

/** Go's `%#U`. */
function unicodeName(code: number): string {
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return code >= 32 && code !== 127 ? `${hex} '${String.fromCodePoint(code)}'` : hex;
}
