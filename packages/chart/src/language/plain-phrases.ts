import { unquote } from '../value/text.ts';
import { type CommandNode, kind, type Operand, type PipeNode } from './nodes.ts';
import { parseNumber } from './numbers.ts';
import type { KnownPhrase } from './phrases.ts';

/**
 * Phrases of plain words, `if .Values.a.b` or `include "x" $ | nindent 4`: nine of ten are, and to read them word by word takes
 * a third of the time of making tokens first, which tells when a process has just begun.
 *
 * Principle: what is more (parentheses, declarations, other numbers and texts, whatever is wrong) is left to the parser. What is
 * read here becomes the very nodes that the parser makes, and costs as many steps: plain-phrases.test.ts holds it against the parser.
 */

export interface PlainPhrase extends KnownPhrase {
  /** How many tokens it is of, its right delimiter included; the parser may read a space more. */
  readonly tokens: number;
}

const opening = /[ \t\r\n]*(?:(?:if|with|range)(?=[ \t\r\n]))?[ \t\r\n]*/y;
/** Fields, of a variable too; a variable, name, whole number or text; the dot; the bar. */
const plainWord = /(?:(?:\$\w*)?(?:\.[A-Za-z_]\w*)+|\$\w*|[A-Za-z_]\w*|\d{1,9}|"[^"\\\n]*"|[.|])(?=[ \t\r\n]|$)/y;
const none: readonly string[] = [];

/** @param text what stands between the delimiters of an action */
export function readPlainPhrase(text: string, isFunction: (name: string) => boolean): PlainPhrase | undefined {
  const last = text.length - 1;
  const trim = text.charCodeAt(last) === 45 && isSpace(text.charCodeAt(last - 1));
  const end = trim ? last : text.length;
  opening.lastIndex = 0;
  opening.test(text);
  const pos = opening.lastIndex;
  const word = text.slice(0, pos).trim();
  let tokens = word === '' ? 1 : 2;
  let needs = none;
  const commands: CommandNode[] = [];
  let args: Operand[] = [];
  let start = pos;
  for (let at = pos; at < end; ) {
    plainWord.lastIndex = at;
    if (!plainWord.test(text)) return undefined;
    const found = text.slice(at, plainWord.lastIndex);
    tokens++;
    const next = afterSpace(text, plainWord.lastIndex);
    if (found === '|') {
      if (args.length === 0) return undefined;
      commands.push({ type: kind.command, pos: start, args: args.slice() });
      args = [];
      start = next;
    } else {
      const operand = readOperand(found, at, isFunction);
      // A value is no stage of a pipeline.
      if (!operand || (args.length === 0 && commands.length > 0 && operand.type !== kind.identifier)) return undefined;
      if ('path' in operand) tokens += operand.path.length - 1;
      if (operand.type === kind.variable) needs = [...needs, operand.path[0] as string];
      args.push(operand);
    }
    at = next;
  }
  if (args.length === 0) return undefined;
  commands.push({ type: kind.command, pos: start, args: args.slice() });
  // What grew has room for more, which a tree never needs.
  const pipe: PipeNode = { type: kind.pipe, pos, isAssign: false, declared: [], commands: commands.slice() };
  return { word: word === '' ? 'action' : (word as 'if' | 'with' | 'range'), pos, name: '', pipe, trim, needs, declares: none, tokens };
}

const isSpace = (code: number): boolean => code === 32 || code === 9 || code === 13 || code === 10;

function afterSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

function readOperand(word: string, pos: number, isFunction: (name: string) => boolean): Operand | undefined {
  const code = word.charCodeAt(0);
  switch (code) {
    case 46: // .
      if (word.length === 1) return { type: kind.dot, pos };
      return fieldsAt(pos, word.slice(1).split('.'));
    case 36: {
      // $
      const path = word.split('.');
      // As Go: it stands where its first field does.
      return { type: kind.variable, pos: path.length > 1 ? pos + (path[0] as string).length : pos, path };
    }
    case 34: {
      // "
      const text = unquote(word);
      return text === undefined ? undefined : { type: kind.string, pos, quoted: word, text };
    }
  }
  if (code <= 57) {
    const number = parseNumber(pos, word, false);
    return typeof number === 'string' ? undefined : number;
  }
  if (isFunction(word)) return { type: kind.identifier, pos, name: word };
  return word === 'true' || word === 'false' ? { type: kind.bool, pos, value: word === 'true' } : undefined;
}

/** As Go: several fields stand where the second one does. */
const fieldsAt = (pos: number, path: string[]): Operand => ({
  type: kind.field,
  pos: path.length > 1 ? pos + 1 + (path[0] as string).length : pos,
  path,
});
