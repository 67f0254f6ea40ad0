import { byteLength } from '../value/text.ts';

/** Lines of texts, found once a text. */
export class SourceLines {
  readonly #starts = new Map<string, number[]>();

  /** Line and column of an offset, both from 1; columns in bytes, as in Helm's messages plus one. */
  placeOf(text: string, offset: number): { line: number; column: number } {
    const starts = this.#startsOf(text);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: byteLength(text.slice(starts[low], offset)) + 1 };
  }

  #startsOf(text: string): number[] {
    const known = this.#starts.get(text);
    if (known) return known;
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#starts.set(text, starts);
    return starts;
  }
}
