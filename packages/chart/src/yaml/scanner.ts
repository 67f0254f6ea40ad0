import { Cursor, isAlpha, isBlank, isBlankOrEnd, isBreak } from './cursor.ts';
import { YamlError } from './errors.ts';
import { scanBlockScalar, scanFlowScalar, scanPlainScalar } from './scalars.ts';

/**
 * Cuts YAML 1.1 into tokens as libyaml does, on which go-yaml stands: indentation becomes block tokens, and a key is
 * recognised only at its colon ("simple keys"). The same rules in the same places give the same error messages.
 */

export const token = {
  streamEnd: 0,
  versionDirective: 1,
  tagDirective: 2,
  documentStart: 3,
  documentEnd: 4,
  blockSequenceStart: 5,
  blockMappingStart: 6,
  blockEnd: 7,
  flowSequenceStart: 8,
  flowSequenceEnd: 9,
  flowMappingStart: 10,
  flowMappingEnd: 11,
  blockEntry: 12,
  flowEntry: 13,
  key: 14,
  value: 15,
  alias: 16,
  anchor: 17,
  tag: 18,
  scalar: 19,
} as const;

export type TokenType = (typeof token)[keyof typeof token];

export interface Token {
  readonly type: TokenType;
  /** Line of its start, from 0. */
  readonly line: number;
  readonly text: string;
  /** Of a scalar: written without quotes. Of a tag: the part after the handle is in `suffix`. */
  readonly plain: boolean;
  readonly suffix: string;
}

interface SimpleKey {
  possible: boolean;
  required: boolean;
  /** Its token is held back until it is known whether it is a key. */
  awaited: boolean;
  tokenNumber: number;
  index: number;
  line: number;
  column: number;
}

/** Deepest nesting of collections; go-yaml's own figure. */
const maxDepth = 10_000;
/** A key must end within so many characters of its start. */
const maxKeyLength = 1024;

export class Scanner {
  readonly cursor: Cursor;
  readonly #tokens: Token[] = [];
  #head = 0;
  #taken = 0;
  #done = false;
  #indent = -1;
  readonly #indents: number[] = [];
  #flowLevel = 0;
  #keyAllowed = true;
  readonly #keys: SimpleKey[] = [impossible()];

  constructor(text: string) {
    this.cursor = new Cursor(text);
  }

  /** The next token, left in place. */
  peek(): Token {
    while (this.#needsMore()) this.#fetch();
    return this.#tokens[this.#head] as Token;
  }

  skip(): void {
    this.#head++;
    this.#taken++;
    if (this.#head > 256 && this.#head === this.#tokens.length) {
      this.#tokens.length = 0;
      this.#head = 0;
    }
  }

  /** More must be scanned while nothing is there, or while what is there might turn out to be a key. */
  #needsMore(): boolean {
    if (this.#done) return false;
    if (this.#head === this.#tokens.length) return true;
    // Inner keys come later than outer ones; those of tokens that were taken are no more.
    for (let at = this.#keys.length - 1; at >= 0; at--) {
      const key = this.#keys[at] as SimpleKey;
      if (key.tokenNumber < this.#taken) return false;
      if (key.possible && key.awaited && key.tokenNumber === this.#taken && this.#isValid(key)) return true;
    }
    return false;
  }

  #isValid(key: SimpleKey): boolean {
    if (!key.possible) return false;
    const { cursor } = this;
    if (key.line < cursor.line || key.index + maxKeyLength < cursor.at) {
      if (key.required) this.fail("could not find expected ':'");
      key.possible = false;
      return false;
    }
    return true;
  }

  fail(problem: string): never {
    throw new YamlError(problem, this.cursor.line === 0 ? 0 : this.cursor.line + 1);
  }

  #fetch(): void {
    const { cursor } = this;
    this.#toNextToken();
    this.#unroll(cursor.column);
    if (cursor.atEnd()) this.#streamEnd();
    else if (!(cursor.column === 0 && this.#documentLevel()) && !this.#indicator(cursor.code(), cursor.code(1))) {
      if (!this.#startsPlain(cursor.code(), cursor.code(1))) this.fail('found character that cannot start any token');
      this.#plainScalar();
    }
  }

  /** What only the first column may hold: a directive or a document marker. */
  #documentLevel(): boolean {
    const { cursor } = this;
    if (cursor.code() === 37) this.#directive();
    else if (cursor.startsWithMarker('---')) this.#documentMarker(token.documentStart);
    else if (cursor.startsWithMarker('...')) this.#documentMarker(token.documentEnd);
    else return false;
    return true;
  }

  /** A token that its first character tells; false where a plain scalar may begin. */
  #indicator(code: number, next: number): boolean {
    const inFlow = this.#flowLevel > 0;
    if (code === 91) this.#flowStart(token.flowSequenceStart);
    else if (code === 123) this.#flowStart(token.flowMappingStart);
    else if (code === 93) this.#flowEnd(token.flowSequenceEnd);
    else if (code === 125) this.#flowEnd(token.flowMappingEnd);
    else if (code === 44) this.#flowEntry();
    else if (code === 45 && isBlankOrEnd(next)) this.#blockEntry();
    else if (code === 63 && (inFlow || isBlankOrEnd(next))) this.#key();
    else if (code === 58 && (inFlow || isBlankOrEnd(next))) this.#value();
    else if (code === 42) this.#anchor(token.alias);
    else if (code === 38) this.#anchor(token.anchor);
    else if (code === 33) this.#tag();
    else if ((code === 124 || code === 62) && !inFlow) this.#blockScalar(code === 124);
    else if (code === 39 || code === 34) this.#flowScalar(code === 39);
    else return false;
    return true;
  }

  #startsPlain(code: number, next: number): boolean {
    if (code === 45) return !isBlank(next);
    if (code === 63 || code === 58) return this.#flowLevel === 0 && !isBlankOrEnd(next);
    return !isBlankOrEnd(code) && !',[]{}#&*!|>\'"%@`'.includes(String.fromCharCode(code));
  }

  /** Over white space, comments and line breaks; a break lets a key follow in block context. */
  #toNextToken(): void {
    const { cursor } = this;
    for (;;) {
      if (cursor.column === 0 && cursor.code() === 0xfeff) cursor.skip();
      cursor.skipSpaces();
      while (cursor.code() === 9 && (this.#flowLevel > 0 || !this.#keyAllowed)) {
        cursor.skip();
        cursor.skipSpaces();
      }
      if (cursor.code() === 35) cursor.skipToBreak();
      if (!isBreak(cursor.code())) return;
      cursor.skipLine();
      if (this.#flowLevel === 0) this.#keyAllowed = true;
    }
  }

  #add(type: TokenType, line: number, text = '', plain = false, suffix = ''): void {
    this.#tokens.push({ type, line, text, plain, suffix });
  }

  #insert(number: number, type: TokenType, line: number): void {
    // What was taken already cannot become a key; go-yaml puts the key's token behind all others.
    const at = number < this.#taken ? this.#tokens.length : this.#head + number - this.#taken;
    this.#tokens.splice(at, 0, { type, line, text: '', plain: false, suffix: '' });
  }

  #roll(column: number, number: number | undefined, type: TokenType, line: number): void {
    if (this.#flowLevel > 0 || this.#indent >= column) return;
    this.#indents.push(this.#indent);
    this.#indent = column;
    if (this.#indents.length > maxDepth) this.fail(`exceeded max depth of ${maxDepth}`);
    if (number === undefined) this.#add(type, line);
    else this.#insert(number, type, line);
  }

  #unroll(column: number): void {
    if (this.#flowLevel > 0) return;
    while (this.#indent > column) {
      this.#add(token.blockEnd, this.cursor.line);
      this.#indent = this.#indents.pop() as number;
    }
  }

  #saveKey(): void {
    if (!this.#keyAllowed) return;
    const { cursor } = this;
    this.#removeKey();
    this.#keys[this.#keys.length - 1] = {
      possible: true,
      required: this.#flowLevel === 0 && this.#indent === cursor.column,
      awaited: true,
      tokenNumber: this.#nextNumber(),
      index: cursor.at,
      line: cursor.line,
      column: cursor.column,
    };
  }

  #nextNumber(): number {
    return this.#taken + this.#tokens.length - this.#head;
  }

  #removeKey(): void {
    const key = this.#keys.at(-1) as SimpleKey;
    if (key.possible && key.required) this.fail("could not find expected ':'");
    key.possible = false;
  }

  #streamEnd(): void {
    if (this.cursor.column !== 0) this.cursor.toLineStart();
    this.#unroll(-1);
    this.#removeKey();
    this.#keyAllowed = false;
    this.#add(token.streamEnd, this.cursor.line);
    this.#done = true;
  }

  #directive(): void {
    this.#unroll(-1);
    this.#removeKey();
    this.#keyAllowed = false;
    const { cursor } = this;
    const { line } = cursor;
    const found = /^%([\w-]+)([^\r\n]*)/.exec(cursor.rest(1024));
    if (!found) this.fail('could not find expected directive name');
    const [, name, rest = ''] = found;
    for (let i = 0; i < found[0].length; i++) cursor.skip();
    const words = rest
      .replace(/\s+#.*$/, '')
      .trim()
      .split(/\s+/);
    if (name === 'YAML') {
      if (!/^\d+\.\d+$/.test(words[0] ?? '')) this.fail("did not find expected digit or '.' character");
      this.#add(token.versionDirective, line, words[0]);
    } else if (name === 'TAG') {
      if (words.length !== 2) this.fail('did not find expected whitespace');
      this.#add(token.tagDirective, line, words[0], false, words[1]);
    } else this.fail('found unknown directive name');
  }

  #documentMarker(type: TokenType): void {
    this.#unroll(-1);
    this.#removeKey();
    this.#keyAllowed = false;
    const { line } = this.cursor;
    for (let i = 0; i < 3; i++) this.cursor.skip();
    this.#add(type, line);
  }

  #flowStart(type: TokenType): void {
    this.#saveKey();
    this.#keys.push({ ...impossible(), tokenNumber: this.#nextNumber() });
    this.#flowLevel++;
    if (this.#flowLevel > maxDepth) this.fail(`exceeded max depth of ${maxDepth}`);
    this.#keyAllowed = true;
    this.#single(type);
  }

  #flowEnd(type: TokenType): void {
    this.#removeKey();
    if (this.#flowLevel > 0) {
      this.#flowLevel--;
      const inner = this.#keys.pop() as SimpleKey;
      const outer = this.#keys.at(-1) as SimpleKey;
      // go-yaml forgets to wait for the colon behind an empty collection.
      if (inner.tokenNumber === outer.tokenNumber) outer.awaited = false;
    }
    this.#keyAllowed = false;
    this.#single(type);
  }

  #flowEntry(): void {
    this.#removeKey();
    this.#keyAllowed = true;
    this.#single(token.flowEntry);
  }

  #blockEntry(): void {
    const { cursor } = this;
    if (this.#flowLevel === 0) {
      if (!this.#keyAllowed) this.fail('block sequence entries are not allowed in this context');
      this.#roll(cursor.column, undefined, token.blockSequenceStart, cursor.line);
    }
    this.#removeKey();
    this.#keyAllowed = true;
    this.#single(token.blockEntry);
  }

  #key(): void {
    const { cursor } = this;
    if (this.#flowLevel === 0) {
      if (!this.#keyAllowed) this.fail('mapping keys are not allowed in this context');
      this.#roll(cursor.column, undefined, token.blockMappingStart, cursor.line);
    }
    this.#removeKey();
    this.#keyAllowed = this.#flowLevel === 0;
    this.#single(token.key);
  }

  #value(): void {
    const { cursor } = this;
    const key = this.#keys.at(-1) as SimpleKey;
    if (this.#isValid(key)) {
      this.#insert(key.tokenNumber, token.key, key.line);
      this.#roll(key.column, key.tokenNumber, token.blockMappingStart, key.line);
      key.possible = false;
      this.#keyAllowed = false;
    } else {
      if (this.#flowLevel === 0) {
        if (!this.#keyAllowed) this.fail('mapping values are not allowed in this context');
        this.#roll(cursor.column, undefined, token.blockMappingStart, cursor.line);
      }
      this.#keyAllowed = this.#flowLevel === 0;
    }
    this.#single(token.value);
  }

  /** A token of one character. */
  #single(type: TokenType): void {
    this.#add(type, this.cursor.line);
    this.cursor.skip();
  }

  #anchor(type: TokenType): void {
    this.#saveKey();
    this.#keyAllowed = false;
    const { cursor } = this;
    const { line } = cursor;
    cursor.skip();
    const start = cursor.at;
    while (isAlpha(cursor.code())) cursor.skip();
    const name = cursor.slice(start, cursor.at);
    const after = cursor.code();
    if (name === '' || !(isBlankOrEnd(after) || '?:,]}%@`'.includes(String.fromCharCode(after)))) {
      this.fail('did not find expected alphabetic or numeric character');
    }
    this.#add(type, line, name);
  }

  #tag(): void {
    this.#saveKey();
    this.#keyAllowed = false;
    const { cursor } = this;
    const { line } = cursor;
    const rest = cursor.rest(2048);
    const verbatim = /^!<([\w\-#;/?:@&=+$,.!~*'()[\]%]*)>/.exec(rest);
    const short = /^(!(?:[\w-]*!)?)([\w\-#;/?:@&=+$.!~*'()%]*)/.exec(rest);
    let handle = '';
    let suffix = '';
    if (rest[1] === '<') {
      if (!verbatim) this.fail("did not find the expected '>'");
      suffix = verbatim[1] as string;
      cursor.skipMany(verbatim[0].length);
    } else {
      handle = short?.[1] ?? '!';
      suffix = short?.[2] ?? '';
      if (handle !== '!' && suffix === '') this.fail('did not find expected tag URI');
      cursor.skipMany(handle.length + suffix.length);
      if (handle === '!' && suffix === '') [handle, suffix] = ['', '!'];
    }
    if (!isBlankOrEnd(cursor.code())) this.fail('did not find expected whitespace or line break');
    this.#add(token.tag, line, handle, false, suffix);
  }

  #blockScalar(literal: boolean): void {
    this.#removeKey();
    this.#keyAllowed = true;
    const { line } = this.cursor;
    this.#add(
      token.scalar,
      line,
      scanBlockScalar(this.cursor, literal, this.#indent, (problem) => this.fail(problem)),
    );
  }

  #flowScalar(single: boolean): void {
    this.#saveKey();
    this.#keyAllowed = false;
    const { line } = this.cursor;
    this.#add(
      token.scalar,
      line,
      scanFlowScalar(this.cursor, single, (problem) => this.fail(problem)),
    );
  }

  #plainScalar(): void {
    this.#saveKey();
    this.#keyAllowed = false;
    const { line } = this.cursor;
    const scalar = scanPlainScalar(this.cursor, this.#flowLevel > 0, this.#indent + 1, (problem) => this.fail(problem));
    if (scalar.endedLine) this.#keyAllowed = true;
    this.#add(token.scalar, line, scalar.text, true);
  }
}

const impossible = (): SimpleKey => ({ possible: false, required: false, awaited: false, tokenNumber: -1, index: 0, line: 0, column: 0 });
