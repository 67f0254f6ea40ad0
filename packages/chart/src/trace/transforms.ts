import { GoInt, type Value } from '../value/kinds.ts';
import { type Made, type Piece, TextTrace } from './pieces.ts';

/**
 * What functions do to a text, as far as its lines can be followed through them.
 *
 * @param piece what stands for characters that the function itself adds
 * @returns the trace of `result`, or undefined where the parts cannot be told apart any more
 */
export function transformed(name: string, args: readonly Value[], made: Made, result: string, piece: Piece): TextTrace | undefined {
  if (result === made.text) return made.trace;
  const trace = follow(name, args, made, result, piece);
  return trace?.length === result.length ? trace : undefined;
}

function follow(name: string, args: readonly Value[], made: Made, result: string, piece: Piece): TextTrace | undefined {
  switch (name) {
    case 'indent':
    case 'nindent': {
      const trace = new TextTrace();
      if (name === 'nindent') trace.push(1, piece, 0);
      if (args[0] instanceof GoInt) trace.append(indented(made, Number(args[0].value), piece));
      return trace;
    }
    case 'replace':
      return typeof args[0] === 'string' && typeof args[1] === 'string' ? replaced(made, args[0], args[1].length, piece) : undefined;
    default:
      return embedded(made, result, piece) ?? sameLines(made, result);
  }
}

function indented({ text, trace }: Made, width: number, piece: Piece): TextTrace {
  const out = new TextTrace();
  for (let start = 0; ; ) {
    const end = text.indexOf('\n', start);
    out.push(width, piece, 0);
    out.append(trace, start, end < 0 ? text.length : end + 1);
    if (end < 0) return out;
    start = end + 1;
  }
}

/** All of `old` replaced by a text of a length; an empty `old` stands between all characters and is not followed. */
export function replaced({ text, trace }: Made, old: string, length: number, piece: Piece): TextTrace | undefined {
  if (old === '') return undefined;
  const out = new TextTrace();
  let from = 0;
  for (let at = text.indexOf(old); at >= 0; at = text.indexOf(old, from)) {
    out.append(trace, from, at);
    out.push(length, piece, 0);
    from = at + old.length;
  }
  out.append(trace, from);
  return out;
}

/** The result is a part of the text (trim, trunc), or the text a part of the result (printf, quote). */
function embedded({ text, trace }: Made, result: string, piece: Piece): TextTrace | undefined {
  if (text === '' || result === '') return undefined;
  if (result.length < text.length) {
    const at = text.indexOf(result);
    return at < 0 ? undefined : trace.slice(at, at + result.length);
  }
  const at = result.indexOf(text);
  if (at < 0) return undefined;
  const out = new TextTrace();
  out.push(at, piece, 0);
  out.append(trace);
  out.push(result.length - at - text.length, piece, at + text.length);
  return out;
}

/** As many lines as before: line by line, no finer. */
function sameLines({ text, trace }: Made, result: string): TextTrace | undefined {
  const before = text.split('\n');
  const after = result.split('\n');
  if (before.length < 2 || before.length !== after.length) return undefined;
  const out = new TextTrace();
  let at = 0;
  for (const [index, line] of after.entries()) {
    const run = trace.indexAt(Math.min(at, trace.length - 1));
    const length = line.length + (index === after.length - 1 ? 0 : 1);
    const source = trace.pieces[run] as Piece;
    out.push(length, { ...source, exact: false }, (trace.offsets[run] as number) + at - (trace.starts[run] as number));
    at += (before[index] as string).length + 1;
  }
  return out;
}
