import { VaultError } from '../errors.ts';

/**
 * The part of HCL 1 that Vault policies are written in: blocks `path "…" { key = value }`, strings, numbers, booleans,
 * lists, nested objects, `#`, `//` and block comments. Anything else is an error with its line. No interpolation.
 */

export type HclValue = string | number | boolean | HclValue[] | { [key: string]: HclValue };
export interface HclBlock {
  readonly type: string;
  readonly label: string;
  readonly body: Readonly<Record<string, HclValue>>;
}

const maxDepth = 16;

interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'sign' | 'end';
  readonly text: string;
  readonly line: number;
}

const tokenPattern =
  /(\s+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|([A-Za-z_][A-Za-z0-9_-]*)|"((?:[^"\\\n]|\\.)*)"|(-?\d+(?:\.\d+)?)|([{}[\]=,:])/y;

const failure = (line: number, why: string) => new VaultError('POLICY_INVALID', `failed to parse policy: line ${line}: ${why}`);

function* tokenise(text: string): Generator<Token> {
  let line = 1;
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const match = tokenPattern.exec(text);
    if (!match) throw failure(line, 'a character that does not belong there');
    const [whole, , word, string, number, sign] = match;
    if (word !== undefined) yield { kind: 'word', text: word, line };
    else if (string !== undefined) yield { kind: 'string', text: unquote(string, line), line };
    else if (number !== undefined) yield { kind: 'number', text: number, line };
    else if (sign !== undefined) yield { kind: 'sign', text: sign, line };
    for (const character of whole) if (character === '\n') line += 1;
  }
  yield { kind: 'end', text: 'the end', line };
}

function unquote(inner: string, line: number): string {
  return inner.replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_all, code: string) => {
    if (code.startsWith('u') && code.length === 5) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    const plain = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\' }[code];
    if (plain === undefined) throw failure(line, `the escape \\${code} is not known`);
    return plain;
  });
}

/** The blocks of a document. @throws VaultError POLICY_INVALID with the line */
export function parseHcl(text: string): HclBlock[] {
  const tokens = tokenise(text);
  let token = tokens.next().value as Token;
  const take = (kind: Token['kind'], sign?: string): string => {
    if (token.kind !== kind || (sign !== undefined && token.text !== sign))
      throw failure(token.line, `expected ${sign ?? kind}, found ${token.text.slice(0, 60)}`);
    const { text: taken } = token;
    if (kind !== 'end') token = tokens.next().value as Token;
    return taken;
  };
  const is = (sign: string) => token.kind === 'sign' && token.text === sign;

  const value = (depth: number): HclValue => {
    if (depth > maxDepth) throw failure(token.line, `nested over ${maxDepth} deep`);
    if (token.kind === 'string') return take('string');
    if (token.kind === 'number') return Number(take('number'));
    if (token.kind === 'word' && (token.text === 'true' || token.text === 'false')) return take('word') === 'true';
    if (is('{')) return body(depth + 1);
    take('sign', '[');
    const list: HclValue[] = [];
    while (!is(']')) {
      list.push(value(depth + 1));
      if (!is(']')) take('sign', ',');
    }
    take('sign', ']');
    return list;
  };
  const body = (depth: number): Record<string, HclValue> => {
    take('sign', '{');
    const entries: Record<string, HclValue> = Object.create(null);
    while (!is('}')) {
      const { line } = token;
      const key = token.kind === 'string' ? take('string') : take('word');
      if (key in entries) throw failure(line, `${key} is given twice`);
      if (!is('{')) take('sign', is(':') ? ':' : '=');
      entries[key] = value(depth);
      if (is(',')) take('sign', ',');
    }
    take('sign', '}');
    return entries;
  };

  const blocks: HclBlock[] = [];
  while (token.kind !== 'end') {
    const type = token.kind === 'string' ? take('string') : take('word');
    if (is('=')) throw failure(token.line, `${type} is no block`);
    const label = take('string');
    if (is('=')) take('sign', '=');
    blocks.push({ type, label, body: body(0) });
  }
  return blocks;
}
