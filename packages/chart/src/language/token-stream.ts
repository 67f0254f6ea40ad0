import { LimitReached } from '../render/budget.ts';
import { placeIn } from './failures.ts';
import { Lexer, type Token, token } from './lexer.ts';

/** Charges steps for what is read. @throws LimitReached */
export type Spend = (steps: number) => void;

/** Tokens that are read between two charges. */
const tokensAtOnce = 128;
/** What it becomes takes more memory than time. */
const stepsPerToken = 2.5;

/** The tokens of a text, which can be put back. */
export class TokenStream {
  /** The newest token from the lexer: its line is the line of an error, as in Go. */
  last: Token = { type: token.eof, pos: 0, text: '' };
  readonly #file: string;
  readonly #source: string;
  readonly #lexer: Lexer;
  readonly #spend: Spend;
  /** Tokens that were put back, the next one last. */
  readonly #back: Token[] = [];
  #unpaid: number;

  /** @param file which a limit that `spend` meets names; `gotpl` for a text of tpl, which has none: its caller has */
  constructor(file: string, source: string, spend: Spend) {
    this.#file = file;
    this.#source = source;
    this.#lexer = new Lexer(source);
    this.#spend = spend;
    this.#unpaid = 1 + (source.length >> 12);
  }

  /** Where the lexer reads on. */
  get offset(): number {
    return this.#lexer.offset;
  }

  get hasNoneBack(): boolean {
    return this.#back.length === 0;
  }

  next(): Token {
    return this.#back.pop() ?? this.#read();
  }

  peek(): Token {
    const found = this.#back.at(-1);
    if (found) return found;
    const read = this.#read();
    this.#back.push(read);
    return read;
  }

  /** The next token that is no space. */
  nextWord(): Token {
    for (let found = this.#back.pop(); found; found = this.#back.pop()) if (found.type !== token.space) return found;
    this.#lexer.skipSpaces();
    return this.#read();
  }

  /** Skips white space; whether there was any. With tokens put back they come first. */
  skipSpaces(): boolean {
    return this.#back.length === 0 && this.#lexer.skipSpaces();
  }

  /** Takes the fields that follow an operand at once, but for unusual ones; whether some remain is said by `peek`. */
  fields(): string[] | undefined {
    if (this.#back.length > 0) return undefined;
    const path = this.#lexer.fields();
    if (path) this.#unpaid += path.length;
    return path;
  }

  get isAtDot(): boolean {
    return this.#back.length > 0 || this.#lexer.isAtDot;
  }

  peekWord(): Token {
    const found = this.nextWord();
    this.#back.push(found);
    return found;
  }

  putBack(found: Token): void {
    this.#back.push(found);
  }

  /** Goes to the right delimiter of an action whose words are known. @param tokens how many they are, where they were not paid before */
  leave(close: number, trim: boolean, tokens = 0): void {
    this.last = this.#lexer.leave(close, trim);
    this.#unpaid += tokens;
    if (this.#unpaid >= tokensAtOnce) this.settle();
  }

  /** Charges what has been read since the last time. @throws ChartError */
  settle(): void {
    try {
      this.#spend(this.#unpaid * stepsPerToken);
    } catch (error) {
      if (!(error instanceof LimitReached) || this.#file === 'gotpl') throw error;
      const { line, column } = placeIn(this.#source, this.last.pos);
      throw error.toChartError(this.#file, line, column);
    }
    this.#unpaid = 0;
  }

  #read(): Token {
    this.last = this.#lexer.next();
    if (++this.#unpaid >= tokensAtOnce) this.settle();
    return this.last;
  }
}
