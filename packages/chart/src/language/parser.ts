import { quote, unquote } from '../value/text.ts';
import { placeIn, TemplateSyntaxError } from './failures.ts';
import { printToken, type Token, type TokenType, token } from './lexer.ts';
import {
  type BranchNode,
  type ChainNode,
  type CommandNode,
  isEmptyTree,
  kind,
  type ListNode,
  type Node,
  type Operand,
  type PipeNode,
  printNode,
  type StopNode,
  type Tree,
  type VariableNode,
} from './nodes.ts';
import { parseNumber } from './numbers.ts';
import { type Phrase, Phrases } from './phrases.ts';
import { type Spend, TokenStream } from './token-stream.ts';

/** Most variables that are in scope at one place. */
const maxVariables = 1000;

/** Deepest nesting of actions and of parentheses. Go allows 10,000 parentheses; nobody writes 200. */
const maxNesting = 500;

const defineAhead = /[ \t\r\n]*define/y;
/** Most phrases need no variable, and declare none. */
const none: readonly string[] = [];
const rightTrim = /[ \t\r\n]-$/;

/**
 * Parses one template text.
 *
 * @param name under which the text itself becomes a template, and which errors name.
 * @param isFunction tells the names of functions; another name in their place is an error.
 * @param phrases of other templates with the same functions, and from now on those of this one
 * @param spend charged while reading, for what is not known from other templates
 * @returns trees by name: the text's own and one for each `define` and `block`.
 * @throws TemplateSyntaxError, and what `spend` throws, as a {@link ChartError} with the place where there is a file
 */
export function parseTemplate(
  name: string,
  source: string,
  isFunction: (name: string) => boolean,
  phrases = new Phrases(),
  spend: Spend = () => {},
): Map<string, Tree> {
  const parser = new Parser(name, source, isFunction, phrases, spend);
  parser.parse();
  return parser.trees;
}

class Parser {
  readonly trees = new Map<string, Tree>();
  readonly #name: string;
  readonly #source: string;
  readonly #isFunction: (name: string) => boolean;
  readonly #phrases: Phrases;
  readonly #tokens: TokenStream;
  #variables: string[] = ['$'];
  /** Variables that the phrase at hand has used. */
  #used: string[] = [];
  /** Offset of the action at hand; positions of what stands in it count from there. */
  #base = 0;
  #rangeDepth = 0;
  #parenDepth = 0;
  #nesting = 0;
  /** Offset of the action that an error is in; -1 outside of any. */
  #actionStart = -1;

  constructor(name: string, source: string, isFunction: (name: string) => boolean, phrases: Phrases, spend: Spend) {
    this.#name = name;
    this.#source = source;
    this.#isFunction = isFunction;
    this.#phrases = phrases;
    this.#tokens = new TokenStream(name, source, spend);
  }

  parse(): void {
    let found = this.#tokens.next();
    const root: ListNode = { type: kind.list, pos: found.pos, nodes: [] };
    for (; found.type !== token.eof; found = this.#tokens.next()) {
      if (found.type === token.leftDelim && this.#isDefinition()) continue;
      const node = this.#textOrAction(found);
      if (node.type === kind.end || node.type === kind.else) this.#fail(`unexpected ${printNode(node)}`);
      root.nodes.push(node as Node);
    }
    this.#add(this.#name, root);
    this.#tokens.settle();
  }

  /** Takes a definition, where the delimiter before begins one. */
  #isDefinition(): boolean {
    defineAhead.lastIndex = this.#tokens.offset;
    if (!defineAhead.test(this.#source)) return false;
    const word = this.#tokens.nextWord();
    if (word.type === token.define) {
      this.#definition();
      return true;
    }
    this.#tokens.putBack(word);
    return false;
  }

  #add(name: string, root: ListNode): void {
    const known = this.trees.get(name);
    if (!known || isEmptyTree(known.root)) {
      this.trees.set(name, { name, parseName: this.#name, source: this.#source, root });
    } else if (!isEmptyTree(root)) {
      this.#fail(`template: multiple definition of template "${name}"`);
    }
  }

  #definition(): void {
    const context = 'define clause';
    const name = this.#templateName(this.#tokens.nextWord(), context);
    this.#expect(token.rightDelim, context);
    this.#add(name, this.#body(context));
  }

  /** A body with variables and ranges of its own, up to its `end`. */
  #body(context: string): ListNode {
    const outer = { variables: this.#variables, range: this.#rangeDepth, start: this.#actionStart };
    this.#variables = ['$'];
    this.#rangeDepth = 0;
    const [list, end] = this.#itemList();
    if (end.type !== kind.end) this.#fail(`unexpected ${printNode(end)} in ${context}`);
    this.#variables = outer.variables;
    this.#rangeDepth = outer.range;
    this.#actionStart = outer.start;
    return list;
  }

  #itemList(): [ListNode, StopNode] {
    let found = this.#tokens.nextWord();
    const list: ListNode = { type: kind.list, pos: found.pos, nodes: [] };
    if (++this.#nesting > maxNesting) this.#fail('exceeded maximum nesting of actions');
    for (; found.type !== token.eof; found = this.#tokens.nextWord()) {
      const node = this.#textOrAction(found);
      if (node.type === kind.end || node.type === kind.else) {
        this.#nesting--;
        return [list, node];
      }
      list.nodes.push(node as Node);
    }
    return this.#fail('unexpected EOF');
  }

  #textOrAction(found: Token): Node | StopNode {
    if (found.type === token.text) return { type: kind.text, pos: found.pos, text: found.text };
    if (found.type === token.leftDelim) {
      this.#actionStart = found.pos;
      const node = this.#action();
      this.#actionStart = -1;
      return node;
    }
    return this.#unexpected(found, 'input');
  }

  #action(): Node | StopNode {
    const declared = this.#variables.length;
    const { word, pos, name, pipe } = this.#phrase();
    const base = this.#base;
    switch (word) {
      case 'block':
        this.#add(name, this.#body('block clause'));
        return { type: kind.template, pos: base + pos, base, name, pipe };
      case 'break':
      case 'continue':
        if (this.#rangeDepth === 0) this.#fail(`{{${word}}} outside {{range}}`);
        return { type: kind[word], pos: base + pos };
      case 'else':
      case 'end':
        return { type: kind[word], pos: base + pos };
      case 'if':
      case 'range':
      case 'with':
        return this.#branch(word, declared, pipe as PipeNode);
      case 'template':
        return { type: kind.template, pos: base + pos, base, name, pipe };
      case 'action':
        return { type: kind.action, pos: base + pos, base, pipe: pipe as PipeNode };
    }
  }

  /** What stands between the delimiters of an action, the right one included; before an `else if` what stands before the `if`. */
  #phrase(): Phrase {
    const start = this.#tokens.offset;
    // With tokens put back the lexer is already within the action.
    const close = this.#tokens.hasNoneBack ? this.#source.indexOf('}}', start) : -1;
    if (close < 0) return this.#newPhrase(start);
    const text = this.#source.slice(start, close);
    const old = this.#phrases.get(text);
    const plain = old ? undefined : this.#phrases.plain(text, this.#isFunction);
    const known = old ?? plain;
    if (known && (known.needs.length === 0 || known.needs.every((name) => this.#variables.includes(name)))) {
      this.#base = start;
      if (known.declares.length > 0) this.#variables.push(...known.declares);
      this.#tokens.leave(close, known.trim, plain?.tokens);
      return known;
    }
    const declared = this.#variables.length;
    if (this.#used.length > 0) this.#used = [];
    const phrase = this.#newPhrase(start);
    // A text with `}}` in it, and an `else if`, end elsewhere.
    if (this.#tokens.hasNoneBack && this.#tokens.last.type === token.rightDelim && this.#tokens.last.pos === close) {
      const { word, pos, name, pipe } = phrase;
      const needs = this.#used.length === 0 ? none : this.#used.filter((used) => this.#variables.indexOf(used) < declared);
      const declares = this.#variables.length === declared ? none : this.#variables.slice(declared);
      this.#phrases.set(text, { word, pos, name, pipe, trim: rightTrim.test(text), needs, declares });
    }
    return phrase;
  }

  #newPhrase(start: number): Phrase {
    this.#base = start;
    const found = this.#tokens.nextWord();
    const pos = found.pos - start;
    switch (found.type) {
      case token.block:
      case token.template:
        return this.#naming(found.type === token.block ? 'block' : 'template');
      case token.break:
      case token.continue: {
        const word = found.type === token.break ? 'break' : 'continue';
        const following = this.#tokens.nextWord();
        if (following.type !== token.rightDelim) this.#unexpected(following, `{{${word}}}`);
        return { word, pos, name: '', pipe: undefined };
      }
      case token.else: {
        const following = this.#tokens.peekWord();
        const isChained = following.type === token.if || following.type === token.with;
        if (!isChained) this.#expect(token.rightDelim, 'else');
        return { word: 'else', pos: following.pos - start, name: '', pipe: undefined };
      }
      case token.end:
        return { word: 'end', pos: this.#expect(token.rightDelim, 'end').pos - start, name: '', pipe: undefined };
      case token.if:
      case token.range:
      case token.with: {
        const word = found.type === token.if ? 'if' : found.type === token.range ? 'range' : 'with';
        const pipe = this.#pipeline(word, token.rightDelim);
        return { word, pos: pipe.pos, name: '', pipe };
      }
      default:
        this.#tokens.putBack(found);
        // As Go: the position is that of the token after the delimiter, the space where there is one.
        return { word: 'action', pos, name: '', pipe: this.#pipeline('command', token.rightDelim) };
    }
  }

  #naming(word: 'block' | 'template'): Phrase {
    const context = `${word} clause`;
    const found = this.#tokens.nextWord();
    const pos = found.pos - this.#base;
    const name = this.#templateName(found, context);
    if (word === 'template') {
      const following = this.#tokens.nextWord();
      if (following.type === token.rightDelim) return { word, pos, name, pipe: undefined };
      this.#tokens.putBack(following);
    }
    return { word, pos, name, pipe: this.#pipeline(context, token.rightDelim) };
  }

  /** @param declared how many variables there were before its own */
  #branch(word: 'if' | 'with' | 'range', declared: number, pipe: PipeNode): BranchNode {
    const base = this.#base;
    if (word === 'range') this.#rangeDepth++;
    const [list, stop] = this.#itemList();
    if (word === 'range') this.#rangeDepth--;
    let elseList: ListNode | undefined;
    if (stop.type === kind.else) {
      const following = this.#tokens.peek().type;
      if ((word === 'if' && following === token.if) || (word === 'with' && following === token.with)) {
        this.#tokens.next();
        if (++this.#nesting > maxNesting) this.#fail('exceeded maximum nesting of actions');
        const before = this.#variables.length;
        const chained = this.#branch(word, before, this.#pipeline(word, token.rightDelim));
        elseList = { type: kind.list, pos: stop.pos, nodes: [chained] };
        this.#nesting--;
      } else {
        const [rest, end] = this.#itemList();
        if (end.type !== kind.end) this.#fail(`expected end; found ${printNode(end)}`);
        elseList = rest;
      }
    }
    this.#variables.length = declared;
    return { type: kind[word], pos: base + pipe.pos, base, pipe, list, elseList };
  }

  #templateName(word: Token, context: string): string {
    if (word.type !== token.string && word.type !== token.rawString) return this.#unexpected(word, context);
    return unquote(word.text) ?? this.#fail('invalid syntax');
  }

  #pipeline(context: string, end: TokenType): PipeNode {
    const first = this.#tokens.peekWord();
    const pipe: PipeNode = { type: kind.pipe, pos: first.pos - this.#base, isAssign: false, declared: [], commands: [] };
    if (first.type === token.variable) this.#declarations(pipe, context);
    for (;;) {
      const found = this.#tokens.nextWord();
      switch (found.type) {
        case end:
          this.#checkPipeline(pipe, context);
          // What grew has room for more, which a tree never needs.
          return { type: kind.pipe, pos: pipe.pos, isAssign: pipe.isAssign, declared: pipe.declared, commands: pipe.commands.slice() };
        case token.bool:
        case token.charConstant:
        case token.complex:
        case token.dot:
        case token.field:
        case token.identifier:
        case token.number:
        case token.nil:
        case token.rawString:
        case token.string:
        case token.variable:
        case token.leftParen:
          pipe.commands.push(this.#command(found));
          break;
        default:
          this.#unexpected(found, context);
      }
    }
  }

  #declarations(pipe: PipeNode, context: string): void {
    for (;;) {
      const variable = this.#tokens.peekWord();
      if (variable.type !== token.variable) return;
      this.#tokens.next();
      const after = this.#tokens.peek();
      const following = this.#tokens.peekWord();
      const isComma = following.type === token.char && following.text === ',';
      if (following.type !== token.assign && following.type !== token.declare && !isComma) {
        // Not a declaration: put it all back, the space too, for it separates arguments.
        if (after.type === token.space) this.#tokens.putBack(after);
        this.#tokens.putBack(variable);
        return;
      }
      this.#tokens.nextWord();
      pipe.declared.push({ type: kind.variable, pos: variable.pos - this.#base, path: variable.text.split('.') });
      this.#variables.push(variable.text);
      if (this.#variables.length > maxVariables) this.#fail(`more than ${maxVariables} variables`);
      if (!isComma) {
        pipe.isAssign = following.type === token.assign;
        return;
      }
      if (context !== 'range' || pipe.declared.length >= 2) this.#fail(`too many declarations in ${context}`);
      const next = this.#tokens.peekWord().type;
      if (next !== token.variable && next !== token.rightDelim && next !== token.rightParen)
        this.#fail('range can only initialize variables');
    }
  }

  #checkPipeline(pipe: PipeNode, context: string): void {
    if (pipe.commands.length === 0) this.#fail(`missing value for ${context}`);
    for (let i = 1; i < pipe.commands.length; i++) {
      switch (pipe.commands[i]?.args[0]?.type) {
        case kind.bool:
        case kind.dot:
        case kind.nil:
        case kind.number:
        case kind.string:
          this.#fail(`non executable command in pipeline stage ${i + 1}`);
      }
    }
  }

  #command(first: Token): CommandNode {
    const args: Operand[] = [];
    for (let found = first; ; found = this.#tokens.nextWord()) {
      const operand = this.#operand(found);
      if (operand) args.push(operand);
      if (this.#tokens.skipSpaces()) continue;
      const after = this.#tokens.next();
      if (after.type === token.space) continue;
      if (after.type === token.rightDelim || after.type === token.rightParen) this.#tokens.putBack(after);
      else if (after.type !== token.pipe) this.#unexpected(after, 'operand');
      break;
    }
    if (args.length === 0) this.#fail('empty command');
    return { type: kind.command, pos: first.pos - this.#base, args: args.slice() };
  }

  #operand(found: Token): Operand | undefined {
    const node = this.#term(found);
    if (!node) return undefined;
    const start = this.#tokens.offset;
    const path = this.#tokens.fields();
    if (path) return this.#below(node, start - this.#base, path);
    if (!this.#tokens.isAtDot || this.#tokens.peek().type !== token.field) return node;
    const pos = this.#tokens.peek().pos - this.#base;
    const unusual: string[] = [];
    while (this.#tokens.peek().type === token.field) unusual.push(this.#tokens.next().text.slice(1));
    return this.#below(node, pos, unusual);
  }

  /** Fields of an operand. */
  #below(node: Operand, pos: number, path: string[]): Operand {
    switch (node.type) {
      case kind.field:
        return { type: kind.field, pos, path: [...node.path, ...path] };
      case kind.variable:
        return { type: kind.variable, pos, path: [...node.path, ...path] };
      case kind.bool:
      case kind.string:
      case kind.number:
      case kind.nil:
      case kind.dot:
        return this.#fail(`unexpected . after term ${quote(printNode(node))}`);
      default: {
        const chain: ChainNode = { type: kind.chain, pos, node, path };
        return chain;
      }
    }
  }

  #term(found: Token): Operand | undefined {
    const pos = found.pos - this.#base;
    switch (found.type) {
      case token.identifier:
        if (!this.#isFunction(found.text)) this.#fail(`function "${found.text}" not defined`, found.text);
        return { type: kind.identifier, pos, name: found.text };
      case token.dot:
        return { type: kind.dot, pos };
      case token.nil:
        return { type: kind.nil, pos };
      case token.variable:
        return this.#variable(found);
      case token.field:
        return { type: kind.field, pos, path: [found.text.slice(1)] };
      case token.bool:
        return { type: kind.bool, pos, value: found.text === 'true' };
      case token.charConstant:
      case token.complex:
      case token.number: {
        const number = parseNumber(pos, found.text, found.type === token.charConstant);
        return typeof number === 'string' ? this.#fail(number) : number;
      }
      case token.leftParen: {
        if (this.#parenDepth >= maxNesting) this.#fail('max expression depth exceeded');
        this.#parenDepth++;
        const pipe = this.#pipeline('parenthesized pipeline', token.rightParen);
        this.#parenDepth--;
        return pipe;
      }
      case token.string:
      case token.rawString: {
        const text = unquote(found.text) ?? this.#fail('invalid syntax');
        return { type: kind.string, pos, quoted: found.text, text };
      }
      default:
        this.#tokens.putBack(found);
        return undefined;
    }
  }

  #variable(found: Token): VariableNode {
    if (!this.#variables.includes(found.text)) this.#fail(`undefined variable "${found.text}"`);
    this.#used.push(found.text);
    return { type: kind.variable, pos: found.pos - this.#base, path: [found.text] };
  }

  #expect(type: TokenType, context: string): Token {
    const found = this.#tokens.nextWord();
    return found.type === type ? found : this.#unexpected(found, context);
  }

  #unexpected(found: Token, context: string): never {
    if (found.type !== token.error) return this.#fail(`unexpected ${printToken(found)} in ${context}`);
    let extra = '';
    const started = this.#actionStart < 0 ? 0 : this.#lineOf(this.#actionStart);
    if (started !== 0 && started !== this.#lineOf(found.pos)) {
      extra = ` in action started at ${this.#name}:${started}`;
      if (found.text.endsWith(' action')) extra = extra.slice(' in action'.length);
    }
    return this.#fail(printToken(found) + extra);
  }

  #lineOf(pos: number): number {
    return placeIn(this.#source, pos).line;
  }

  #fail(problem: string, unknownFunction?: string): never {
    throw new TemplateSyntaxError(this.#name, this.#lineOf(this.#tokens.last.pos), problem, unknownFunction);
  }
}
