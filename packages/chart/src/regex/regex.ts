import { execute } from './machine.ts';
import { compile, type Instruction } from './program.ts';
import { parseRegex } from './syntax.ts';

/** A compiled regular expression of Go: RE2 syntax, linear time. */
export class Regex {
  readonly source: string;
  readonly #program: readonly Instruction[];
  readonly #names: readonly string[];

  /** @throws RegexError with Go's message */
  constructor(source: string) {
    this.source = source;
    const { root, names } = parseRegex(source);
    this.#program = compile(root, source);
    this.#names = names;
  }

  /** Instructions: with the text's length, the cost of a search. */
  get size(): number {
    return this.#program.length;
  }

  #find(text: string, from: number): Int32Array | undefined {
    return execute(this.#program, text, from, 2 * this.#names.length);
  }

  test(text: string): boolean {
    return this.#find(text, 0) !== undefined;
  }

  /** The first match's text; empty where there is none. */
  find(text: string): string {
    const found = this.#find(text, 0);
    return found ? text.slice(found[0], found[1]) : '';
  }

  /** Places of up to `limit` matches (all for a negative one), none overlapping. */
  findAll(text: string, limit: number): (readonly [number, number])[] {
    const matches: (readonly [number, number])[] = [];
    let previousEnd = -1;
    for (let at = 0; at <= text.length && (limit < 0 || matches.length < limit); ) {
      const found = this.#find(text, at);
      if (!found) break;
      const [start, end] = found as unknown as [number, number];
      // An empty match right behind another match does not count.
      const counts = end !== at || start !== previousEnd;
      at = end === at ? at + characterWidth(text, at) : end;
      previousEnd = end;
      if (counts) matches.push([start, end]);
    }
    return matches;
  }

  /** Replaces all matches; in the replacement `$1`, `${name}` stand for groups unless it is literal. */
  replaceAll(text: string, replacement: string, literal: boolean): string {
    let out = '';
    let lastEnd = 0;
    for (let at = 0; at <= text.length; ) {
      const found = this.#find(text, at);
      if (!found) break;
      const [start, end] = found as unknown as [number, number];
      out += text.slice(lastEnd, start);
      if (end > lastEnd || start === 0) out += literal ? replacement : this.#expand(replacement, text, found);
      lastEnd = end;
      const width = at < text.length ? characterWidth(text, at) : 0;
      if (at + width > end) at += width;
      else at = Math.max(at + 1, end);
    }
    return out + text.slice(lastEnd);
  }

  #expand(template: string, text: string, found: Int32Array): string {
    return template.replace(/\$(\$|\w+|\{\w+\})/g, (_whole, name: string) => {
      if (name === '$') return '$';
      const key = name.replace(/[{}]/g, '');
      const index = /^\d+$/.test(key) ? Number(key) : this.#names.indexOf(key);
      const start = found[2 * index];
      return index < 0 || start === undefined || start < 0 ? '' : text.slice(start, found[2 * index + 1]);
    });
  }

  split(text: string, limit: number): string[] | undefined {
    if (limit === 0) return undefined;
    if (this.source !== '' && text === '') return [''];
    const parts: string[] = [];
    let begin = 0;
    let end = 0;
    for (const [start, after] of this.findAll(text, limit)) {
      if (limit > 0 && parts.length === limit - 1) break;
      end = start;
      if (after !== 0) parts.push(text.slice(begin, end));
      begin = after;
    }
    if (end !== text.length) parts.push(text.slice(begin));
    return parts;
  }
}

const characterWidth = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
