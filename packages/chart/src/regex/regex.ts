import { execute, type Meter, searchCost } from './machine.ts';
import { type Prefix, prefixOf } from './prefix.ts';
import { compile, type Instruction } from './program.ts';
import { parseRegex } from './syntax.ts';

const unmetered: Meter = { step: () => {}, size: () => {} };

/** A compiled regular expression of Go: RE2 syntax, linear time. */
export class Regex {
  readonly source: string;
  readonly #program: readonly Instruction[];
  readonly #names: readonly string[];
  readonly #prefix: Prefix;

  /**
   * @param spend takes the steps of compiling it, which its counted repeats decide: `a{1000}` is a thousand instructions
   * @throws RegexError with Go's message; LimitReached for what is too large
   */
  constructor(source: string, spend: (steps: number) => void = () => {}) {
    this.source = source;
    spend(source.length);
    const { root, names } = parseRegex(source);
    this.#program = compile(root);
    this.#names = names;
    this.#prefix = prefixOf(root);
    spend(this.size);
  }

  /** Instructions. */
  get size(): number {
    return this.#program.length;
  }

  #find(text: string, from: number, meter: Meter): Int32Array | undefined {
    const { text: prefix, isWhole, isAnchored } = this.#prefix;
    if (!isWhole) return execute(this.#program, text, from, { slots: 2 * this.#names.length, prefix, isAnchored }, meter);
    const at = text.indexOf(prefix, from);
    meter.step(searchCost(at < 0 ? text.length - from : at - from));
    return at < 0 ? undefined : Int32Array.of(at, at + prefix.length);
  }

  test(text: string, meter: Meter = unmetered): boolean {
    return this.#find(text, 0, meter) !== undefined;
  }

  /** The first match's text; empty where there is none. */
  find(text: string, meter: Meter = unmetered): string {
    const found = this.#find(text, 0, meter);
    return found ? text.slice(found[0], found[1]) : '';
  }

  /** Places of up to `limit` matches (all for a negative one), none overlapping. */
  findAll(text: string, limit: number, meter: Meter = unmetered): (readonly [number, number])[] {
    const matches: (readonly [number, number])[] = [];
    let previousEnd = -1;
    for (let at = 0; at <= text.length && (limit < 0 || matches.length < limit); ) {
      const found = this.#find(text, at, meter);
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
  replaceAll(text: string, replacement: string, literal: boolean, meter: Meter = unmetered): string {
    const groups = literal ? 0 : replacement.split('$').length - 1;
    let out = '';
    let lastEnd = 0;
    for (let at = 0; at <= text.length; ) {
      const found = this.#find(text, at, meter);
      if (!found) break;
      const [start, end] = found as unknown as [number, number];
      out += text.slice(lastEnd, start);
      meter.size(out.length + replacement.length + groups * (end - start));
      meter.step(groups);
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
      // Several groups may have a name: the first that took part counts.
      const index = /^\d+$/.test(key) ? Number(key) : this.#names.findIndex((own, at) => own === key && (found[2 * at] ?? -1) >= 0);
      const start = found[2 * index];
      return index < 0 || start === undefined || start < 0 ? '' : text.slice(start, found[2 * index + 1]);
    });
  }

  split(text: string, limit: number, meter: Meter = unmetered): string[] | undefined {
    if (limit === 0) return undefined;
    if (this.source !== '' && text === '') return [''];
    const parts: string[] = [];
    let begin = 0;
    let end = 0;
    for (const [start, after] of this.findAll(text, limit, meter)) {
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
