import { RE2JS } from 're2js';

/**
 * GitLab's expression language of `rules: if` (https://docs.gitlab.com/ci/jobs/job_rules/#cicd-variable-expressions):
 * `==  !=  =~  !~  &&  ||`, parentheses, `null`, "text", 'text', $NAME and /pattern/flags.
 *
 * Two rules of GitLab's evaluator are kept although they surprise: `&&` and `||` yield an operand, and only the absent value is
 * false to them (an empty text is not); the whole expression holds when its result is neither absent, false nor blank.
 * Patterns run in linear time (RE2), as in GitLab.
 */

type Value = string | boolean | null;
type Pattern = { readonly pattern: RE2JS };
type Node = (variables: ReadonlyMap<string, string>) => Value | Pattern;

/** A compiled expression: true when the rule holds. A variable that is not in the map is absent. */
export type Expression = (variables: ReadonlyMap<string, string>) => boolean;

export class ExpressionError extends Error {
  /** Where in the expression, counted from 0. */
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const limits = { length: 4096, depth: 50, pattern: 1024 } as const;

interface Token {
  readonly kind: 'operator' | 'open' | 'close' | 'operand';
  readonly text: string;
  readonly offset: number;
  readonly node?: Node;
}

/** Compiles an expression of at most 4,096 characters. Throws `ExpressionError`. */
export function compileExpression(text: string): Expression {
  if (text.length > limits.length) throw new ExpressionError(`it is longer than ${limits.length} characters`, 0);
  const root = new ExpressionParser(tokenize(text), text.length).parse();
  return (variables) => {
    const result = root(variables);
    if (isPattern(result)) return true;
    return typeof result === 'string' ? result.trim() !== '' : result === true;
  };
}

const isPattern = (value: Value | Pattern): value is Pattern => typeof value === 'object' && value !== null;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const rules: readonly [RegExp, (match: RegExpExecArray) => Omit<Token, 'offset' | 'text'>][] = [
    [/\s+/y, () => ({ kind: 'operator' })],
    [/==|!=|=~|!~|&&|\|\|/y, () => ({ kind: 'operator' })],
    [/\(/y, () => ({ kind: 'open' })],
    [/\)/y, () => ({ kind: 'close' })],
    [/\$([A-Za-z_]\w*)/y, (match) => ({ kind: 'operand', node: (variables) => variables.get(match[1] as string) ?? null })],
    [/"([^"]*)"|'([^']*)'/y, (match) => ({ kind: 'operand', node: () => match[1] ?? match[2] ?? '' })],
    [/null\b/y, () => ({ kind: 'operand', node: () => null })],
    [
      /\/((?:[^/\\]|\\.)+)\/([ismU]*)/y,
      (match) => {
        const pattern = compilePattern(match[1] as string, match[2] as string, match.index);
        return { kind: 'operand', node: () => ({ pattern }) };
      },
    ],
  ];
  for (let offset = 0; offset < text.length; ) {
    let length = 0;
    for (const [rule, make] of rules) {
      rule.lastIndex = offset;
      const match = rule.exec(text);
      if (!match) continue;
      length = match[0].length;
      if (match[0].trim() !== '') tokens.push({ ...make(match), text: match[0], offset });
      break;
    }
    if (length === 0) throw new ExpressionError(`"${text.slice(offset, offset + 20)}" is not understood`, offset);
    offset += length;
  }
  return tokens;
}

function compilePattern(body: string, flags: string, offset: number): RE2JS {
  if (body.length > limits.pattern) throw new ExpressionError(`a pattern is longer than ${limits.pattern} characters`, offset);
  const source = body.replaceAll('\\/', '/');
  try {
    return RE2JS.compile(flags ? `(?${flags})${source}` : source);
  } catch {
    throw new ExpressionError(`/${body.slice(0, 40)}/ is not a pattern that RE2 knows`, offset);
  }
}

/** Precedence climbing: comparisons bind tighter than `&&`, and that tighter than `||`. */
class ExpressionParser {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  parse(): Node {
    const node = this.#or();
    const rest = this.#tokens[this.#next];
    if (rest) throw new ExpressionError(`"${rest.text}" stands where an operator or the end should be`, rest.offset);
    return node;
  }

  #or(): Node {
    let left = this.#and();
    while (this.#take('||')) {
      const [first, second] = [left, this.#and()];
      left = (variables) => either(first(variables), () => second(variables));
    }
    return left;
  }

  #and(): Node {
    let left = this.#comparison();
    while (this.#take('&&')) {
      const [first, second] = [left, this.#comparison()];
      left = (variables) => both(first(variables), () => second(variables));
    }
    return left;
  }

  #comparison(): Node {
    let left = this.#operand();
    for (let operator = this.#comparisonOperator(); operator; operator = this.#comparisonOperator()) {
      const [first, second, compare] = [left, this.#operand(), comparisons[operator]];
      left = (variables) => compare(first(variables), second(variables));
    }
    return left;
  }

  #comparisonOperator(): keyof typeof comparisons | undefined {
    for (const operator of ['==', '!=', '=~', '!~'] as const) if (this.#take(operator)) return operator;
    return undefined;
  }

  #operand(): Node {
    const token = this.#tokens[this.#next];
    if (!token) throw new ExpressionError('it ends where a value should be', this.#end);
    this.#next += 1;
    if (token.node) return token.node;
    if (token.kind !== 'open') throw new ExpressionError(`"${token.text}" stands where a value should be`, token.offset);
    this.#depth += 1;
    if (this.#depth > limits.depth) throw new ExpressionError(`parentheses are nested deeper than ${limits.depth}`, token.offset);
    const inner = this.#or();
    if (this.#tokens[this.#next]?.kind !== 'close') throw new ExpressionError('a parenthesis is not closed', token.offset);
    this.#next += 1;
    this.#depth -= 1;
    return inner;
  }

  #take(operator: string): boolean {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'operator' || token.text !== operator) return false;
    this.#next += 1;
    return true;
  }
}

const isAbsent = (value: Value | Pattern): boolean => value === null || value === false;
const both = (left: Value | Pattern, right: () => Value | Pattern): Value | Pattern => (isAbsent(left) ? left : right());
const either = (left: Value | Pattern, right: () => Value | Pattern): Value | Pattern => (isAbsent(left) ? right() : left);

const comparisons = {
  '==': (left: Value | Pattern, right: Value | Pattern): boolean => left === right,
  '!=': (left: Value | Pattern, right: Value | Pattern): boolean => left !== right,
  '=~': (left: Value | Pattern, right: Value | Pattern): boolean => matches(left, right),
  '!~': (left: Value | Pattern, right: Value | Pattern): boolean => !matches(left, right),
} as const;

/** A variable may hold the pattern as `/text/flags`; what is no pattern matches nothing. */
function matches(left: Value | Pattern, right: Value | Pattern): boolean {
  const pattern = isPattern(right) ? right.pattern : typeof right === 'string' ? patternOf(right) : undefined;
  if (!pattern) return false;
  const text = typeof left === 'string' ? left : '';
  return pattern.matcher(text.slice(0, 65_536)).find();
}

function patternOf(text: string): RE2JS | undefined {
  const match = /^\/(.+)\/([ismU]*)$/s.exec(text);
  if (!match) return undefined;
  try {
    return compilePattern(match[1] as string, match[2] as string, 0);
  } catch {
    return undefined;
  }
}
