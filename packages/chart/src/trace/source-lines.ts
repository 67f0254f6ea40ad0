import { byteLength } from '../value/text.ts';

interface Lines {
  /** Offsets at which they begin. */
  readonly starts: readonly number[];
  /** Bytes before every so many characters; undefined where each is one byte. */
  readonly bytes: readonly number[] | undefined;
}

/** A line may be as long as its text, so its bytes are not counted anew for each place in it. */
const stride = 1024;

/** Lines of texts, found once a text. */
export class SourceLines {
  readonly #lines = new Map<string, Lines>();

  /** Line and column of an offset, both from 1; columns in bytes, as in Helm's messages plus one. */
  placeOf(text: string, offset: number): { line: number; column: number } {
    const { starts, bytes } = this.#linesOf(text);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    const start = starts[low] as number;
    const length = bytes ? bytesBefore(text, offset, bytes) - bytesBefore(text, start, bytes) : offset - start;
    return { line: low + 1, column: length + 1 };
  }

  #linesOf(text: string): Lines {
    const known = this.#lines.get(text);
    if (known) return known;
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    const lines = { starts, bytes: byteLength(text) === text.length ? undefined : bytesOf(text) };
    this.#lines.set(text, lines);
    return lines;
  }
}

function bytesOf(text: string): number[] {
  const bytes = [0];
  for (let mark = 1; mark * stride <= text.length; mark++)
    bytes.push((bytes[mark - 1] as number) + byteLength(text.slice(offsetOf(text, mark - 1), offsetOf(text, mark))));
  return bytes;
}

function bytesBefore(text: string, offset: number, bytes: readonly number[]): number {
  const mark = Math.floor(offset / stride);
  return (bytes[mark] as number) + byteLength(text.slice(offsetOf(text, mark), offset));
}

/** Where a mark stands: never within a character. */
const offsetOf = (text: string, mark: number): number => mark * stride - ((text.codePointAt(mark * stride - 1) ?? 0) > 0xffff ? 1 : 0);
