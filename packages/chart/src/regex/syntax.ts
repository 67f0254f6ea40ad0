import { type CharacterSet, negate, perlClass, posixClass, range, single, unicodeClass } from './classes.ts';

/** Go's regular expressions (RE2 syntax) as a tree. */

export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'word' | 'notWord';

export type Expression =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: CharacterSet; readonly fold: boolean }
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

export function parseRegex(pattern: string): Syntax {
  return new RegexParser(pattern).parse();
}

/** A number that begins with zero makes the brace a character. */
const counts = /\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/y;

class RegexParser {
  readonly #pattern: string;
  readonly #names: string[] = [''];
  #at = 0;
  #depth = 0;
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
        if (!item) throw new RegexError('missing argument to repetition operator', shown.replace(/(?<=.)\?$/, ''));
        if (lastRepeat !== '') throw new RegexError('invalid nested repetition operator', lastRepeat + shown);
        const repeat: Repeat = { kind: 'repeat', item, ...bounds, lazy: bounds.lazy !== this.#flags.swapLazy };
        const isOften = bounds.isCounted && (bounds.least > 1 || (bounds.most > 1 && bounds.most !== Number.POSITIVE_INFINITY));
        if (isOften && repeatsOf(repeat) > maxRepeat) throw new RegexError('invalid repeat count', shown);
        items.push(repeat);
        lastRepeat = shown;
        continue;
      }
      lastRepeat = '';
      const item = this.#atom();
      if (item) items.push(item);
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

  #atom(): Expression | undefined {
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) as number);
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'set', set: this.#bracket(), fold: this.#flags.fold };
      case '.':
        this.#at++;
        return { kind: 'set', set: this.#flags.dotNewline ? negate([]) : negate(single('\n')), fold: false };
      case '^':
        this.#at++;
        return { kind: 'assert', assertion: this.#flags.multiline ? 'lineStart' : 'textStart' };
      case '$':
        this.#at++;
        return { kind: 'assert', assertion: this.#flags.multiline ? 'lineEnd' : 'textEnd' };
      case '\\':
        return this.#escape();
      default:
        this.#at += character.length;
        return { kind: 'set', set: single(character), fold: this.#flags.fold };
    }
  }

  #group(): Expression | undefined {
    const start = this.#at;
    if (++this.#depth > maxDepth) throw new RegexError('expression nests too deeply', this.#pattern);
    const outer = this.#flags;
    let index: number | undefined;
    if (this.#pattern.startsWith('(?', start)) {
      const named = /^\(\?P?<([^>]*)(>?)/.exec(this.#pattern.slice(start));
      if (named && !/^\(\?<[=!]/.test(this.#pattern.slice(start))) {
        const [whole, name = '', close] = named;
        if (close === '') throw new RegexError('invalid named capture', this.#pattern.slice(start));
        if (!/^\w+$/.test(name)) throw new RegexError('invalid named capture', whole);
        index = this.#names.push(name) - 1;
        this.#at += whole.length;
      } else if (this.#setFlags(start)) {
        this.#depth--;
        return undefined;
      }
    } else {
      index = this.#names.push('') - 1;
      this.#at++;
    }
    const item = this.#alternation();
    if (this.#pattern[this.#at] !== ')') throw new RegexError('missing closing )', this.#pattern);
    this.#at++;
    this.#depth--;
    this.#flags = outer;
    return index === undefined ? item : { kind: 'capture', item, index };
  }

  /** `(?i)` for what follows, true; `(?i:` for a group, false. */
  #setFlags(start: number): boolean {
    const found = /^\(\?([imsU]*)(?:(-)([imsU]*))?([:)])/.exec(this.#pattern.slice(start, start + 64));
    const bad = (): RegexError => {
      const shown = /^\(\?[imsU-]*(?:<?[^)]?)/.exec(this.#pattern.slice(start))?.[0] ?? '(?';
      return this.#pattern.indexOf(')', start) < 0 && shown.length === this.#pattern.length - start
        ? new RegexError('missing argument to repetition operator', '?')
        : new RegexError('invalid or unsupported Perl syntax', shown);
    };
    if (!found) throw bad();
    const [whole, on = '', minus, off = '', end] = found;
    if (minus !== undefined && off === '') throw new RegexError('invalid or unsupported Perl syntax', whole);
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

  #escape(): Expression {
    const letter = this.#pattern[this.#at + 1];
    const assertion = letter === undefined ? undefined : assertions[letter];
    if (assertion) {
      this.#at += 2;
      return { kind: 'assert', assertion };
    }
    if (letter === 'Q') return this.#quoted();
    const set = this.#classEscape() ?? single(this.#characterEscape());
    return { kind: 'set', set, fold: this.#flags.fold };
  }

  /** `\Q…\E`: all of it as it stands. */
  #quoted(): Expression {
    const end = this.#pattern.indexOf('\\E', this.#at + 2);
    const text = this.#pattern.slice(this.#at + 2, end < 0 ? this.#pattern.length : end);
    this.#at = end < 0 ? this.#pattern.length : end + 2;
    const items = Array.from(text, (character): Expression => ({ kind: 'set', set: single(character), fold: this.#flags.fold }));
    return items.length === 1 ? (items[0] as Expression) : { kind: 'concat', items };
  }

  /** `\d`, `\pL`, `\p{Greek}`; undefined for other escapes. */
  #classEscape(): CharacterSet | undefined {
    const letter = this.#pattern[this.#at + 1];
    if (letter === undefined) throw new RegexError('trailing backslash at end of expression', '');
    const perl = perlClass(letter);
    if (perl) {
      this.#at += 2;
      return perl;
    }
    if (letter !== 'p' && letter !== 'P') return undefined;
    const found = /^\\[pP](?:\{(\^?)([^}]*)\}|(.))/su.exec(this.#pattern.slice(this.#at, this.#at + 64));
    if (!found) throw new RegexError('invalid character class range', this.#pattern.slice(this.#at));
    const set = unicodeClass(found[2] ?? found[3] ?? '');
    if (!set) throw new RegexError('invalid character class range', found[0]);
    this.#at += found[0].length;
    return (letter === 'P') !== (found[1] === '^') ? negate(set) : set;
  }

  /** One character behind a backslash. */
  #characterEscape(): string {
    const rest = this.#pattern.slice(this.#at, this.#at + 16);
    const bad = (): RegexError =>
      new RegexError('invalid escape sequence', rest.slice(0, 1 + String.fromCodePoint(rest.codePointAt(1) as number).length));
    const found = /^\\(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]+)\}|(0[0-7]{0,2}|[1-7][0-7]{1,2})|([aftnrv])|([^\w\u0080-\uffff]|_))/.exec(rest);
    if (!found) throw bad();
    const [whole, hex, longHex, octal, letter, mark] = found;
    if (octal !== undefined && !octal.startsWith('0') && octal.length < 2) throw bad();
    this.#at += whole.length;
    if (hex !== undefined || longHex !== undefined) {
      const code = Number.parseInt((hex ?? longHex) as string, 16);
      if (code > 0x10ffff) throw bad();
      return String.fromCodePoint(code);
    }
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    return letter === undefined ? (mark as string) : (controls[letter] as string);
  }

  #bracket(): CharacterSet {
    const start = this.#at;
    this.#at++;
    const negated = this.#pattern[this.#at] === '^';
    if (negated) this.#at++;
    const set: CharacterSet[number][] = [];
    for (let first = true; ; first = false) {
      const character = this.#pattern[this.#at];
      if (character === undefined) throw new RegexError('missing closing ]', this.#pattern.slice(start));
      if (character === ']' && !first) break;
      for (const member of this.#bracketItem()) set.push(member);
    }
    this.#at++;
    return negated ? negate(set) : set;
  }

  #bracketItem(): CharacterSet {
    const rest = this.#pattern.slice(this.#at, this.#at + 32);
    if (rest.startsWith('[:')) {
      const found = /^\[:(\^?)(\w+):\]/.exec(rest);
      if (found) {
        const set = posixClass(found[2] as string);
        if (!set) throw new RegexError('invalid character class range', found[0]);
        this.#at += found[0].length;
        return found[1] === '^' ? negate(set) : set;
      }
    }
    if (rest[0] === '\\') {
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
    return range(from, to);
  }

  #bracketCharacter(): string {
    if (this.#pattern[this.#at] === '\\') {
      if (this.#at + 1 >= this.#pattern.length) throw new RegexError('trailing backslash at end of expression', '');
      return this.#characterEscape();
    }
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) as number);
    this.#at += character.length;
    return character;
  }
}

const assertions: Readonly<Record<string, Assertion>> = { A: 'textStart', z: 'textEnd', b: 'word', B: 'notWord' };
const controls: Readonly<Record<string, string>> = { a: '\x07', f: '\f', t: '\t', n: '\n', r: '\r', v: '\v' };
