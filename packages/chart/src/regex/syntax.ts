import { LimitReached } from '../render/budget.ts';
import { type CharacterSet, perlClass, posixClass, setOf, single, unicodeClass } from './classes.ts';

/** Go's regular expressions (RE2 syntax) as a tree. */

export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'word' | 'notWord';

export type Expression =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'concat' | 'alternate'; readonly items: readonly Expression[] }
  | Repeat
  | { readonly kind: 'capture'; readonly item: Expression; readonly index: number };

interface Repeat {
  readonly kind: 'repeat';
  readonly item: Expression;
  readonly least: number;
  readonly most: number;
  readonly lazy: boolean;
  /** Written as `{n,m}`. */
  readonly isCounted: boolean;
}

export interface Syntax {
  readonly root: Expression;
  /** Names of groups by index; empty where a group has none. */
  readonly names: readonly string[];
}

/** A malformed expression; the message is Go's, "error parsing regexp: …". */
export class RegexError extends Error {
  constructor(problem: string, excerpt: string) {
    super(`error parsing regexp: ${problem}: \`${excerpt}\``);
    this.name = 'RegexError';
  }
}

interface FlagSet {
  readonly fold: boolean;
  readonly multiline: boolean;
  readonly dotNewline: boolean;
  readonly swapLazy: boolean;
}

/** Highest count in `{n,m}`, and of such within one another together; Go's own. */
const maxRepeat = 1000;
/** Go's own is 1000. */
const maxDepth = 500;
/** Parts of an expression, and instructions that repeats unroll to. Go's own is three million. */
export const maxInstructions = 50_000;
export const tooLarge = `a regular expression of more than ${maxInstructions} instructions`;

/** How often counts repeat the innermost part, at most; what is there no time at all does not count. */
function repeatsOf(expression: Expression): number {
  switch (expression.kind) {
    case 'concat':
    case 'alternate':
      return expression.items.reduce((most, item) => Math.max(most, repeatsOf(item)), 1);
    case 'capture':
      return repeatsOf(expression.item);
    case 'repeat': {
      const { item, isCounted, least, most } = expression;
      if (most === 0) return 1;
      return repeatsOf(item) * (isCounted ? Math.max(most === Number.POSITIVE_INFINITY ? least : most, 1) : 1);
    }
    default:
      return 1;
  }
}

/** @throws RegexError, LimitReached for more parts than `maxInstructions` */
export function parseRegex(pattern: string): Syntax {
  return new RegexParser(pattern).parse();
}

/** A number that begins with zero makes the brace a character. */
const counts = /\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/y;
const groupName = /\(\?P?<(?!$)([^>]*)(>?)/y;
const flagLetters = /\(\?([imsU]*)(?:-([imsU]+))?([:)])/y;
const wrongFlags = /\(\?[imsU]*(?:-[imsU]*)?.?/suy;
const unicodeName = /\\[pP](?:\{(\^?)([^}]*)\}|([^{]))/suy;
const oneCharacter = /\\(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]+)\}|(0[0-7]{0,2}|[1-7][0-7]{1,2})|([aftnrv])|([^\w\u0080-\uffff]|_))/y;
/** Up to the first character that is wrong: of digits, the one that goes beyond the last character there is. */
const wrongEscape = /\\(?:x\{0*(?:10[0-9A-Fa-f]{4}|[0-9A-Fa-f]{0,5}).?|x[^{]?.?|.)/suy;

class RegexParser {
  readonly #pattern: string;
  readonly #names: string[] = [''];
  #at = 0;
  #depth = 0;
  #parts = 0;
  /** Where the last `:]` stands. */
  #lastNamed: number | undefined;
  #flags: FlagSet = { fold: false, multiline: false, dotNewline: false, swapLazy: false };

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  parse(): Syntax {
    const root = this.#alternation();
    if (this.#at < this.#pattern.length) throw new RegexError('unexpected )', this.#pattern);
    return { root, names: this.#names };
  }

  #alternation(): Expression {
    const items: Expression[] = [];
    for (;;) {
      items.push(this.#concatenation());
      if (this.#pattern[this.#at] !== '|') break;
      this.#at++;
    }
    return items.length === 1 ? (items[0] as Expression) : { kind: 'alternate', items };
  }

  #concatenation(): Expression {
    const items: Expression[] = [];
    let lastRepeat = '';
    for (;;) {
      const character = this.#pattern[this.#at];
      if (character === undefined || character === '|' || character === ')') break;
      const start = this.#at;
      const bounds = this.#repetition();
      if (bounds) {
        const shown = this.#pattern.slice(start, this.#at);
        const item = items.pop();
        if (!item) throw new RegexError('missing argument to repetition operator', shown);
        if (lastRepeat !== '') throw new RegexError('invalid nested repetition operator', lastRepeat + shown);
        const repeat: Repeat = { kind: 'repeat', item, ...bounds, lazy: bounds.lazy !== this.#flags.swapLazy };
        const isOften = bounds.isCounted && (bounds.least > 1 || (bounds.most > 1 && bounds.most !== Number.POSITIVE_INFINITY));
        if (isOften && repeatsOf(repeat) > maxRepeat) throw new RegexError('invalid repeat count', shown);
        items.push(repeat);
        lastRepeat = shown;
        continue;
      }
      lastRepeat = '';
      this.#atom(items);
    }
    if (items.length === 0) return { kind: 'empty' };
    return items.length === 1 ? (items[0] as Expression) : { kind: 'concat', items };
  }

  /** A repetition operator, or undefined. A brace that is none is a character. */
  #repetition(): Omit<Repeat, 'kind' | 'item'> | undefined {
    const character = this.#pattern[this.#at];
    let least = 0;
    let most = Number.POSITIVE_INFINITY;
    const isCounted = character === '{';
    if (character === '*') this.#at++;
    else if (character === '+') {
      least = 1;
      this.#at++;
    } else if (character === '?') {
      most = 1;
      this.#at++;
    } else if (isCounted) {
      counts.lastIndex = this.#at;
      const found = counts.exec(this.#pattern);
      if (!found) return undefined;
      least = Number(found[1]);
      if (found[2] === undefined) most = least;
      else if (found[3] !== undefined) most = Number(found[3]);
      if (least > maxRepeat || (most !== Number.POSITIVE_INFINITY && (most > maxRepeat || least > most))) {
        throw new RegexError('invalid repeat count', found[0]);
      }
      this.#at += found[0].length;
    } else return undefined;
    const lazy = this.#pattern[this.#at] === '?';
    if (lazy) this.#at++;
    return { least, most, lazy, isCounted };
  }

  /** What stands next; flags are nothing by themselves, and a quoted text is many. */
  #atom(items: Expression[]): void {
    this.#count();
    switch (this.#pattern[this.#at]) {
      case '(':
        items.push(...this.#group());
        return;
      case '[':
        items.push({ kind: 'set', set: this.#bracket() });
        return;
      case '.':
        this.#at++;
        items.push({ kind: 'set', set: this.#flags.dotNewline ? anyCharacter : anyButNewline });
        return;
      case '^':
        this.#at++;
        items.push({ kind: 'assert', assertion: this.#flags.multiline ? 'lineStart' : 'textStart' });
        return;
      case '$':
        this.#at++;
        items.push({ kind: 'assert', assertion: this.#flags.multiline ? 'lineEnd' : 'textEnd' });
        return;
      case '\\':
        this.#escape(items);
        return;
      default:
        items.push(this.#literal(this.#character()));
    }
  }

  #literal(character: string): Expression {
    const isFolded = this.#flags.fold;
    const plain = isFolded || character > '\x7f' ? undefined : plainLiterals.get(character);
    if (plain) return plain;
    const made: Expression = { kind: 'set', set: setOf([single(character)], { isFolded }) };
    if (!isFolded && character <= '\x7f') plainLiterals.set(character, made);
    return made;
  }

  /** The next character. Bytes that are no UTF-8 are halves of surrogates (value/text.ts). */
  #character(): string {
    const code = this.#pattern.codePointAt(this.#at) as number;
    if (code >= 0xd800 && code <= 0xdfff) throw new RegexError('invalid UTF-8', this.#pattern.slice(this.#at));
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    return character;
  }

  /** What an expression finds at the place at hand. */
  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    return expression.exec(this.#pattern);
  }

  #group(): Expression[] {
    const start = this.#at;
    if (++this.#depth > maxDepth) throw new RegexError('expression nests too deeply', this.#pattern);
    const outer = this.#flags;
    let index: number | undefined;
    const named = this.#match(groupName);
    if (named) {
      const [whole, name = '', close] = named;
      if (close === '') throw new RegexError('invalid named capture', this.#pattern.slice(start));
      if (!/^\w+$/.test(name)) throw new RegexError('invalid named capture', whole);
      index = this.#names.push(name) - 1;
      this.#at += whole.length;
    } else if (!this.#pattern.startsWith('(?', start)) {
      index = this.#names.push('') - 1;
      this.#at++;
    } else if (this.#setFlags()) {
      this.#depth--;
      return [];
    }
    const item = this.#alternation();
    if (this.#pattern[this.#at] !== ')') throw new RegexError('missing closing )', this.#pattern);
    this.#at++;
    this.#depth--;
    this.#flags = outer;
    return [index === undefined ? item : { kind: 'capture', item, index }];
  }

  /** `(?i)` for what follows, true; `(?i:` for a group, false. */
  #setFlags(): boolean {
    const found = this.#match(flagLetters);
    if (!found) throw new RegexError('invalid or unsupported Perl syntax', this.#match(wrongFlags)?.[0] as string);
    const [whole, on = '', off = '', end] = found;
    const flag = (letter: string, before: boolean): boolean => (off.includes(letter) ? false : on.includes(letter) || before);
    this.#flags = {
      fold: flag('i', this.#flags.fold),
      multiline: flag('m', this.#flags.multiline),
      dotNewline: flag('s', this.#flags.dotNewline),
      swapLazy: flag('U', this.#flags.swapLazy),
    };
    this.#at += whole.length;
    return end === ')';
  }

  #escape(items: Expression[]): void {
    const letter = this.#pattern[this.#at + 1];
    const assertion = letter === undefined ? undefined : assertions[letter];
    if (assertion) {
      this.#at += 2;
      items.push({ kind: 'assert', assertion });
    } else if (letter === 'Q') this.#quoted(items);
    else {
      const set = this.#classEscape();
      items.push(set ? { kind: 'set', set } : this.#literal(this.#characterEscape()));
    }
  }

  /** `\Q…\E`: all of it as it stands. */
  #quoted(items: Expression[]): void {
    const close = this.#pattern.indexOf('\\E', this.#at + 2);
    const end = close < 0 ? this.#pattern.length : close;
    this.#at += 2;
    while (this.#at < end) {
      this.#count();
      items.push(this.#literal(this.#character()));
    }
    if (close >= 0) this.#at += 2;
  }

  /** `\d`, `\pL`, `\p{Greek}`; undefined for other escapes. */
  #classEscape(): CharacterSet | undefined {
    const letter = this.#pattern[this.#at + 1];
    if (letter === undefined) throw new RegexError('trailing backslash at end of expression', '');
    const isFolded = this.#flags.fold;
    const perl = perlClass(letter, isFolded);
    if (perl) {
      this.#at += 2;
      return perl;
    }
    if (letter !== 'p' && letter !== 'P') return undefined;
    const found = this.#match(unicodeName);
    if (!found) throw new RegexError('invalid character class range', this.#pattern.slice(this.#at));
    const members = unicodeClass(found[2] ?? found[3] ?? '');
    if (!members) throw new RegexError('invalid character class range', found[0]);
    this.#at += found[0].length;
    return setOf(members, { isNegated: (letter === 'P') !== (found[1] === '^'), isFolded });
  }

  /** One character behind a backslash. */
  #characterEscape(): string {
    const found = this.#match(oneCharacter);
    const [whole = '', hex, longHex, octal, letter, mark] = found ?? [];
    const code = octal === undefined ? Number.parseInt(hex ?? longHex ?? '', 16) : Number.parseInt(octal, 8);
    if (!found || code > 0x10ffff) throw new RegexError('invalid escape sequence', this.#match(wrongEscape)?.[0] as string);
    this.#at += whole.length;
    if (!Number.isNaN(code)) return String.fromCodePoint(code);
    return letter === undefined ? (mark as string) : (controls[letter] as string);
  }

  #bracket(): CharacterSet {
    const start = this.#at;
    this.#at++;
    const isNegated = this.#pattern[this.#at] === '^';
    if (isNegated) this.#at++;
    const members: CharacterSet['members'][number][] = [];
    for (let first = true; ; first = false) {
      const character = this.#pattern[this.#at];
      if (character === undefined) throw new RegexError('missing closing ]', this.#pattern.slice(start));
      if (character === ']' && !first) break;
      this.#count();
      members.push(this.#bracketItem());
    }
    this.#at++;
    return setOf(members, { isNegated, isFolded: this.#flags.fold });
  }

  #bracketItem(): CharacterSet['members'][number] {
    const named = this.#namedClass();
    if (named) return named;
    if (this.#pattern[this.#at] === '\\') {
      const set = this.#classEscape();
      if (set) return set;
    }
    const start = this.#at;
    const low = this.#bracketCharacter();
    if (this.#pattern[this.#at] !== '-' || this.#pattern[this.#at + 1] === ']' || this.#pattern[this.#at + 1] === undefined)
      return single(low);
    this.#at++;
    const high = this.#bracketCharacter();
    const [from, to] = [low.codePointAt(0) as number, high.codePointAt(0) as number];
    if (to < from) throw new RegexError('invalid character class range', this.#pattern.slice(start, this.#at));
    return [from, to];
  }

  /** `[:alpha:]`, and `[:^alpha:]` for what it does not take; undefined where no such thing stands. */
  #namedClass(): CharacterSet | undefined {
    const start = this.#at;
    // Asked once what the last one is: to look for the end of each takes quadratic time where there is none.
    this.#lastNamed ??= this.#pattern.lastIndexOf(':]');
    if (!this.#pattern.startsWith('[:', start) || this.#lastNamed < start + 2) return undefined;
    const end = this.#pattern.indexOf(':]', start + 2);
    const name = this.#pattern.slice(start + 2, end);
    const isNegated = name.startsWith('^');
    const members = posixClass(isNegated ? name.slice(1) : name);
    this.#at = end + 2;
    if (!members) throw new RegexError('invalid character class range', this.#pattern.slice(start, this.#at));
    return setOf(members, { isNegated, isFolded: this.#flags.fold });
  }

  #bracketCharacter(): string {
    if (this.#pattern[this.#at] === '\\') {
      if (this.#at + 1 >= this.#pattern.length) throw new RegexError('trailing backslash at end of expression', '');
      return this.#characterEscape();
    }
    return this.#character();
  }

  /** One more part. */
  #count(): void {
    if (++this.#parts > maxInstructions) throw new LimitReached(tooLarge);
  }
}

/** Most of an expression is such; each is made once. */
const plainLiterals = new Map<string, Expression>();
const anyCharacter = setOf([], { isNegated: true });
const anyButNewline = setOf([single('\n')], { isNegated: true });
const assertions: Readonly<Record<string, Assertion>> = { A: 'textStart', z: 'textEnd', b: 'word', B: 'notWord' };
const controls: Readonly<Record<string, string>> = { a: '\x07', f: '\f', t: '\t', n: '\n', r: '\r', v: '\v' };
