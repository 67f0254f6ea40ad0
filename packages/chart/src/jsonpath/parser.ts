import { ChartError } from '../errors.ts';
import { parseFloat64 } from '../language/numbers.ts';
import { atoi } from '../value/atoi.ts';
import { isPrint, unquote } from '../value/text.ts';
import type { Node, SliceNode } from './nodes.ts';

/**
 * Reads the language of `kubectl -o jsonpath`, which `helm show values --jsonpath` takes: text, and between braces a way
 * through values.
 *
 * It is read as its own reader does, oddities included, because expressions that people have depend on them: the parts of
 * a union, a quoted key and the sides of a filter are cut out by their marks, put into braces and read anew. So
 * `['a.b']` is `.a.b`, and a bracket or comma within quotes ends what it stands in.
 *
 * Source: client-go 0.37, util/jsonpath.
 */

/** Characters of an expression. The kernel takes no longer argument than twice this. */
const maxLength = 64 * 1024;
/** Filters and unions within one another. */
const maxDepth = 64;

/** An expression, ready to be followed. */
export interface JsonPath {
  readonly text: string;
  readonly nodes: readonly Node[];
}

/**
 * Reads an expression such as `{.image.tag}` or `{range .ports[*]}{.name}{"\n"}{end}`. What is not in braces is printed
 * as it stands.
 *
 * @throws ChartError EXPRESSION_INVALID with Helm's words; LIMIT_EXCEEDED for more than 65,536 characters
 */
export function parseJsonPath(text: string): JsonPath {
  const at = (problem: string): string => `error parsing jsonpath ${text}: ${problem}`;
  if (text.length > maxLength)
    throw new ChartError('LIMIT_EXCEEDED', `a jsonpath of ${text.length} characters is longer than the limit of ${maxLength}`);
  try {
    return { text, nodes: new Parser(text, 0).read() };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new ChartError(error.isLimit ? 'LIMIT_EXCEEDED' : 'EXPRESSION_INVALID', at(error.message), {
      cure: 'Write the way to a value in braces, for instance {.image.tag} or {.ports[*].name}.',
    });
  }
}

class Problem extends Error {
  readonly isLimit: boolean;

  constructor(message: string, isLimit = false) {
    super(message);
    this.isLimit = isLimit;
  }
}

const ends = ' \t\r\n.,[]$@{}';
const number = /[+-]?[\p{Nd}.]*/uy;
const wordStart = /[_\p{L}\p{Nd}]/u;
const digit = /\p{Nd}/u;
/** Without a group that may match nothing, so that it takes linear time. */
const comparison = /^([^!<>=]+)([!<>=]+)([^\n]+)$/;
const sliceForm = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/;

class Parser {
  readonly #input: string;
  readonly #depth: number;
  #at = 0;

  constructor(input: string, depth: number) {
    if (depth > maxDepth) throw new Problem(`filters and unions are nested more than ${maxDepth} deep`, true);
    this.#input = input;
    this.#depth = depth;
  }

  read(): Node[] {
    const nodes: Node[] = [];
    while (this.#at < this.#input.length) {
      const brace = this.#input.indexOf('{', this.#at);
      const end = brace < 0 ? this.#input.length : brace;
      if (end > this.#at) nodes.push({ kind: 'text', text: this.#input.slice(this.#at, end) });
      this.#at = end + 1;
      if (brace >= 0) nodes.push({ kind: 'action', nodes: this.#action() });
    }
    return nodes;
  }

  /** Reads a part by itself, as if it stood in braces; only up to the first closing one. */
  #part(text: string): readonly Node[] {
    const [first] = new Parser(`{${text}}`, this.#depth + 1).read();
    return first?.kind === 'action' ? first.nodes : [];
  }

  #startsWith(text: string): boolean {
    return this.#input.startsWith(text, this.#at);
  }

  /** Up to the closing brace, which is consumed. */
  #action(): Node[] {
    const nodes: Node[] = [];
    for (;;) {
      if (this.#startsWith('}')) {
        this.#at++;
        return nodes;
      }
      if (this.#startsWith('[?(')) nodes.push(this.#filter());
      else if (this.#startsWith('..')) this.#recursive(nodes);
      else this.#next(nodes);
    }
  }

  #next(nodes: Node[]): void {
    const code = this.#input.codePointAt(this.#at);
    const character = code === undefined ? '' : String.fromCodePoint(code);
    if (character === '' || character === '\r' || character === '\n') throw new Problem('unclosed action');
    // The mark of the current value says nothing.
    if (character === ' ' || character === '@' || character === '$') this.#at++;
    else if (character === '[') nodes.push(...this.#brackets());
    else if (character === '"' || character === "'") nodes.push(this.#quoted(character));
    else if (character === '.') {
      this.#at++;
      nodes.push(this.#field());
    } else if (character === '+' || character === '-' || digit.test(character)) nodes.push(this.#number());
    else if (wordStart.test(character)) nodes.push(this.#word());
    else throw new Problem(`unrecognized character in action: ${named(character)}`);
  }

  #recursive(nodes: Node[]): void {
    if (nodes.at(-1)?.kind === 'recursive') throw new Problem('invalid multiple recursive descent');
    this.#at += 2;
    nodes.push({ kind: 'recursive' });
    const code = this.#input.codePointAt(this.#at);
    if (code !== undefined && wordStart.test(String.fromCodePoint(code))) nodes.push(this.#field());
  }

  /** A name up to what ends one; a backslash takes the next character for the name. */
  #field(): Node {
    const start = this.#at;
    while (this.#at < this.#input.length && !ends.includes(this.#input[this.#at] as string))
      this.#at += this.#input[this.#at] === '\\' ? 2 : 1;
    this.#at = Math.min(this.#at, this.#input.length);
    const name = this.#input.slice(start, this.#at);
    return name === '*' ? { kind: 'wildcard' } : { kind: 'field', name: name.replaceAll('\\', '') };
  }

  #word(): Node {
    const start = this.#at;
    while (this.#at < this.#input.length && !ends.includes(this.#input[this.#at] as string)) this.#at++;
    const word = this.#input.slice(start, this.#at);
    return word === 'true' || word === 'false' ? { kind: 'bool', value: word === 'true' } : { kind: 'word', word };
  }

  #number(): Node {
    number.lastIndex = this.#at;
    const text = number.exec(this.#input)?.[0] ?? '';
    this.#at += text.length;
    const integer = atoi(text);
    if (typeof integer === 'bigint') return { kind: 'integer', value: integer };
    const float = parseFloat64(text);
    if (float === undefined) throw new Problem(`cannot parse number ${text}`);
    return { kind: 'float', value: float };
  }

  #quoted(mark: string): Node {
    const start = this.#at;
    let end = start + 1;
    for (; this.#input[end] !== mark || this.#input[end - 1] === '\\'; end++)
      if (end >= this.#input.length || this.#input[end] === '\n') throw new Problem('unterminated quoted string');
    this.#at = end + 1;
    const quoted = this.#input.slice(start, this.#at);
    const text = unquote(quoted);
    if (text === undefined) throw new Problem(`unquote string ${quoted} error invalid syntax`);
    return { kind: 'text', text };
  }

  /** `[…]`: an index, a slice, a quoted key, or several of them. */
  #brackets(): readonly Node[] {
    const start = this.#at + 1;
    const end = this.#input.indexOf(']', start);
    const line = this.#input.indexOf('\n', start);
    if (end < 0 || (line >= 0 && line < end)) throw new Problem('unterminated array');
    this.#at = end + 1;
    const text = this.#input.slice(start, end);
    const members = text.split(',');
    if (members.length > 1) return [{ kind: 'union', members: members.map((member) => this.#part(`[${withoutSpaces(member)}]`)) }];
    const key = /^'([^']*)'$/.exec(text)?.[1];
    return key === undefined ? [sliceOf(text === '*' ? ':' : text)] : this.#part(`.${key}`);
  }

  #filter(): Node {
    const start = this.#at + '[?('.length;
    let end = start;
    let mark = '';
    let isClosed = false;
    // Only the first quoted text may hold a parenthesis.
    for (; this.#input[end] !== ')' || (mark !== '' && !isClosed); end++) {
      const character = this.#input[end];
      if (character === undefined || character === '\n') throw new Problem('unterminated filter');
      if (character !== '"' && character !== "'") continue;
      if (mark === '') mark = character;
      else if (character === mark && this.#input[end - 1] !== '\\') isClosed = true;
    }
    if (this.#input[end + 1] !== ']') throw new Problem('unclosed array expect ]');
    this.#at = end + 2;
    const text = this.#input.slice(start, end);
    const [, left, operator, right = ''] = comparison.exec(text) ?? [];
    if (left === undefined) return { kind: 'filter', left: this.#part(text), operator: undefined, right: [] };
    return { kind: 'filter', left: this.#part(left), operator, right: this.#part(right) };
  }
}

function sliceOf(text: string): SliceNode {
  const found = sliceForm.exec(text);
  if (!found) throw new Problem(`invalid array index ${text}`);
  const [from, to, step] = found.slice(1).map((part, index) => {
    const digits = index > 0 ? part?.slice(1) : part;
    if (!digits) return undefined;
    const value = atoi(digits);
    if (typeof value === 'string') throw new Problem(`array index ${digits} is not a number`);
    return value;
  });
  const isSingle = !found[2];
  return { kind: 'slice', from, to: isSingle ? (from ?? 0n) + 1n : to, isSingle, step };
}

/** By loops: a regular expression for the end of a text takes quadratic time. */
function withoutSpaces(text: string): string {
  let [start, end] = [0, text.length];
  while (text[start] === ' ') start++;
  while (end > start && text[end - 1] === ' ') end--;
  return text.slice(start, end);
}

/** fmt's `%#U`. */
function named(character: string): string {
  const code = (character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0');
  return `U+${code}${isPrint(character) ? ` '${character}'` : ''}`;
}
