/** A place in a YAML text. Code -1 is the end. Columns count UTF-16 units, which differs from libyaml only past U+FFFF. */
export class Cursor {
  readonly #text: string;
  at = 0;
  line = 0;
  column = 0;

  constructor(text: string) {
    this.#text = text;
  }

  code(ahead = 0): number {
    const at = this.at + ahead;
    return at < this.#text.length ? this.#text.charCodeAt(at) : -1;
  }

  /** libyaml takes NUL for the end of the text. */
  atEnd(): boolean {
    return this.at >= this.#text.length || this.#text.charCodeAt(this.at) === 0;
  }

  skip(): void {
    this.at++;
    this.column++;
  }

  skipMany(count: number): void {
    this.at += count;
    this.column += count;
  }

  /** Over a run of spaces. */
  skipSpaces(): void {
    const text = this.#text;
    let at = this.at;
    while (text.charCodeAt(at) === 32) at++;
    this.column += at - this.at;
    this.at = at;
  }

  /** Over the characters of a plain scalar's word: to white space, to a colon before white space, in flow to an indicator. */
  skipWord(inFlow: boolean): void {
    const text = this.#text;
    let at = this.at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code <= 32 ? isBlankOrEnd(code) : code > 0x84 && isBreak(code)) break;
      if (code === 58 && (at + 1 >= text.length || isBlankOrEnd(text.charCodeAt(at + 1)))) break;
      if (inFlow && (code === 44 || code === 63 || code === 91 || code === 93 || code === 123 || code === 125)) break;
    }
    this.column += at - this.at;
    this.at = at;
  }

  /** Over one line break; returns the break as go-yaml keeps it. */
  skipLine(): string {
    const code = this.code();
    this.at += code === 13 && this.code(1) === 10 ? 2 : 1;
    this.line++;
    this.column = 0;
    return code === 0x2028 || code === 0x2029 ? String.fromCharCode(code) : '\n';
  }

  skipToBreak(): void {
    const start = this.at;
    while (!isBreakOrEnd(this.code())) this.at++;
    this.column += this.at - start;
  }

  /** At the end of a text without a last line break, as if it had one. */
  toLineStart(): void {
    this.column = 0;
    this.line++;
  }

  slice(start: number, end: number): string {
    return this.#text.slice(start, end);
  }

  rest(length: number): string {
    return this.#text.slice(this.at, this.at + length);
  }

  startsWithMarker(marker: '---' | '...'): boolean {
    return this.#text.startsWith(marker, this.at) && isBlankOrEnd(this.code(3));
  }
}

export const isBreak = (code: number): boolean => code === 10 || code === 13 || code === 0x85 || code === 0x2028 || code === 0x2029;
export const isBreakOrEnd = (code: number): boolean => code <= 0 || isBreak(code);
export const isBlank = (code: number): boolean => code === 32 || code === 9;
export const isBlankOrEnd = (code: number): boolean => isBlank(code) || isBreakOrEnd(code);
export const isAlpha = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 || code === 45;
