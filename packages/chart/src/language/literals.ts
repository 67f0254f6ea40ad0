import { GoError } from '../functions/define.ts';
import { GoDuration } from '../time/duration.ts';
import { GoInt, GoObject, int, type ParamType, typeName, type Value } from '../value/kinds.ts';
import { printPointee } from '../value/print.ts';
import { type BoolNode, kind, type NumberNode, printNode, type StringNode } from './nodes.ts';

/** Literals as values: of their own type, or of the type that a function takes. */

type Literal = BoolNode | NumberNode | StringNode;

/** A number by its look: with a point or exponent a float64, else an int; undefined where it overflows. */
export function constantValue({ text, float, integer, complex }: NumberNode): Value {
  if (complex) return complex;
  const isHex = /^0[xX]/.test(text) && text.length > 2 && !/[pP]/.test(text);
  if (float !== undefined && !isHex && text[0] !== "'" && /[.eEpP]/.test(text)) return float;
  return integer === undefined ? undefined : int(integer);
}

export const literalValue = (node: BoolNode | StringNode): Value => (node.type === kind.bool ? node.value : node.text);

/** A literal where a type is wanted: Go's constants take the type of their place, if they fit. */
export function literalAs(type: ParamType, node: Literal): { value: Value } | { problem: string } {
  const expected = (what: string): { problem: string } => ({ problem: `expected ${what}; found ${printNode(node)}` });
  switch (type) {
    case 'string':
      return node.type === kind.string ? { value: node.text } : expected('string');
    case 'bool':
      return node.type === kind.bool ? { value: node.value } : expected('bool');
    case 'int':
    case 'int64':
      return node.type === kind.number && node.integer !== undefined ? { value: new GoInt(type, node.integer) } : expected('integer');
    case 'time.Duration':
      return node.type === kind.number && node.integer !== undefined ? { value: new GoDuration(node.integer) } : expected('integer');
    case 'uint32':
      return node.type === kind.number && node.unsigned !== undefined
        ? { value: new GoInt(type, node.unsigned) }
        : expected('unsigned integer');
    case 'float64':
      return node.type === kind.number && node.float !== undefined ? { value: node.float } : expected('float');
    default:
      return { problem: `can't handle ${printNode(node)} for arg of type ${type}` };
  }
}

/** What an action prints for a value. */
export function printable(value: Value): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return '<no value>';
  return (value instanceof GoObject ? value.display() : undefined) ?? printPointee(value);
}

/** `call` exists, but no value of a chart is a function. */
export function notCallable(callee: string, value: Value): never {
  if (value === undefined || value === null) throw new GoError('call of nil');
  throw new GoError(`non-function ${callee} of type ${typeName(value)}`);
}
