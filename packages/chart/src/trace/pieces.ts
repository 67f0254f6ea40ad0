import type { ActionNode, AnyNode, TextNode, Tree } from '../language/nodes.ts';
import type { Value } from '../value/kinds.ts';
import type { PathNode } from './paths.ts';

/** A value that was read on the way to a text. */
export interface Read {
  readonly node: PathNode;
  readonly value: Value;
}

/** A run of a template, and what called it; undefined for a file, which nothing calls. */
export interface Call {
  readonly tree: Tree;
  readonly caller: Site | undefined;
  /** Of a tpl whose text is a value: where that came from. */
  readonly text?: Made | Read | undefined;
}

export interface Site {
  readonly call: Call;
  readonly node: AnyNode;
}

/** What one node wrote at once. */
export interface Piece extends Site {
  readonly node: TextNode | ActionNode;
  readonly text: string;
  readonly reads: readonly Read[];
  /** The text is this place in the values, written as YAML. */
  readonly yaml?: PathNode | undefined;
  /** False where a text went through something that hides which of its parts came from where. */
  readonly exact: boolean;
  /** Stands for all that comes after a trace has become too large. */
  readonly isRest?: boolean;
}

/** A text that was made during an action, and where its parts came from. */
export interface Made {
  readonly text: string;
  readonly trace: TextTrace;
}

/**
 * Which piece each part of a text came from: runs of characters, in order, each a piece and an offset into its text.
 *
 * Principle: a text's trace has the text's length, always; what cannot keep that gives no trace.
 */
export class TextTrace {
  readonly starts: number[] = [];
  readonly pieces: Piece[] = [];
  readonly offsets: number[] = [];
  length = 0;

  static of(piece: Piece): TextTrace {
    const trace = new TextTrace();
    trace.push(piece.text.length, piece, 0);
    return trace;
  }

  push(length: number, piece: Piece, offset: number): void {
    if (length === 0) return;
    if (piece.isRest && this.pieces.at(-1) === piece) {
      this.length += length;
      return;
    }
    this.starts.push(this.length);
    this.pieces.push(piece);
    this.offsets.push(offset);
    this.length += length;
  }

  append(other: TextTrace, from = 0, to = other.length): void {
    for (let i = from === 0 ? 0 : other.indexAt(from); i < other.starts.length; i++) {
      const start = other.starts[i] as number;
      if (start >= to) return;
      const begin = Math.max(start, from);
      const end = Math.min(other.starts[i + 1] ?? other.length, to);
      this.push(end - begin, other.pieces[i] as Piece, (other.offsets[i] as number) + begin - start);
    }
  }

  slice(from: number, to = this.length): TextTrace {
    const trace = new TextTrace();
    trace.append(this, from, to);
    return trace;
  }

  /** The run that holds a position; binary search. */
  indexAt(position: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] as number) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
