import { GoInt, type Value, type ValueMap } from '../value/kinds.ts';
import { Cursor } from './cursor.ts';
import {
  cannotStartPlain,
  closingQuote,
  colon,
  countBreaks,
  dash,
  decline,
  foldLines,
  hash,
  isEndOfWord,
  notSure,
  space,
  unescapeCommon,
  word,
} from './everyday-words.ts';
import { pastInt64, resolve } from './resolve.ts';
import { scanBlockScalar } from './scalars.ts';

/**
 * Reads the YAML that charts are written in: block mappings and sequences, scalars plain or quoted on one line, plain
 * ones folded over several, literal blocks, short flow collections, comments. It is there for speed: most of a render's
 * time went into reading manifests token by token.
 *
 * Principle: whatever it is not sure of (anchors, tags, merge keys, tabs, odd indentation, anything wrong) it declines,
 * and the full reader reads the text from its start, or says go-yaml's error. So it never fails, and a rule that
 * is missing here costs time, never a difference: everyday.test.ts holds it against the full reader.
 */

/** Returned where the text is more than everyday YAML. */
export const declined = Symbol('declined');

/** All that a text may hold here: no line breaks but `\n`, no control characters, no byte order mark, no astral characters. */
const unusual = /[^\t\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;

/**
 * @param exactIntegers integers become {@link GoInt}, as in the full reader
 * @param spend told what it took, in half microseconds
 * @param mostNodes values that it may hold, a third of them maps and lists, each of which takes some 250 bytes
 */
export function readEverydayYaml(
  text: string,
  exactIntegers = false,
  spend?: (steps: number) => void,
  mostNodes = maxNodes,
): Value | typeof declined {
  if (unusual.test(text)) return declined;
  const reader = new EverydayReader(text, exactIntegers, mostNodes);
  try {
    return reader.document();
  } catch (error) {
    if (error === notSure) return declined;
    throw error;
  } finally {
    spend?.(reader.cost);
  }
}

/** The full reader bounds nesting by its own rule; here it only keeps the stack small. */
const maxDepth = 100;
/** Most values: a file of five megabytes of everyday YAML has fewer. */
const maxNodes = 600_000;
/** Far below the length at which YAML takes no word for a key any more. */
const maxKeyLength = 200;

class EverydayReader {
  readonly #text: string;
  readonly #exact: boolean;
  readonly #mostNodes: number;
  readonly #mostCollections: number;
  #depth = 0;
  #nodes = 0;
  #collections = 0;
  /** The line that comes next: its first character that is no space, its indentation, and where it ends. */
  #at = 0;
  #indent = 0;
  #end = -1;
  /** A line has been seen: a marker from now on ends the document. */
  #begun = false;
  /** Where the last quoted scalar or flow collection ended. */
  #position = 0;
  /** Whether a comment ended the last line of a plain scalar. */
  #cut = false;

  constructor(text: string, exact: boolean, mostNodes: number) {
    this.#text = text;
    this.#exact = exact;
    this.#mostNodes = mostNodes;
    this.#mostCollections = mostNodes / 3;
  }

  /** What the reading took, in half microseconds. */
  get cost(): number {
    return this.#nodes;
  }

  document(): Value {
    if (!this.#nextLine()) return null;
    if (this.#indent === 0 && this.#text.startsWith('---', this.#at)) {
      if (!this.#isBlankTo(this.#at + 3, this.#end)) decline();
      if (!this.#nextLine()) return null;
    }
    const value = this.#isFlow(this.#at) ? this.#closed(this.#flow(this.#at), -1) : this.#block(this.#indent);
    if (this.#at >= 0) decline();
    return value;
  }

  /** Goes to the next line that holds more than white space and a comment; false at the end of the text. */
  #nextLine(): boolean {
    const text = this.#text;
    for (;;) {
      const start = this.#end + 1;
      if (start >= text.length) {
        this.#at = -1;
        this.#indent = -1;
        return false;
      }
      let at = start;
      while (text.charCodeAt(at) === space) at++;
      const found = text.indexOf('\n', at);
      this.#end = found < 0 ? text.length : found;
      if (at >= this.#end || text.charCodeAt(at) === hash) continue;
      this.#at = at;
      this.#indent = at - start;
      if (this.#indent === 0) this.#checkLineStart();
      return true;
    }
  }

  /** Markers and directives stand in the first column. */
  #checkLineStart(): void {
    const text = this.#text;
    const code = text.charCodeAt(this.#at);
    if (code === 37) decline();
    if (code === dash && this.#begun && text.startsWith('---', this.#at)) decline();
    if (code === 46 && text.startsWith('...', this.#at)) decline();
    this.#begun = true;
  }

  /** A collection whose first line is the current one, from its column on. */
  #block(column: number): Value {
    if (++this.#depth > maxDepth || ++this.#collections > this.#mostCollections) decline();
    const value = this.#isEntry(this.#at) ? this.#sequence(column) : this.#mapping(column);
    this.#depth--;
    return value;
  }

  #isFlow(at: number): boolean {
    const code = this.#text.charCodeAt(at);
    return code === 91 || code === 123;
  }

  #isEntry(at: number): boolean {
    const { length } = this.#text;
    if (this.#text.charCodeAt(at) !== dash) return false;
    const next = at + 1 < length ? this.#text.charCodeAt(at + 1) : 10;
    return next === space || next === 10;
  }

  #mapping(column: number): Value {
    const map: ValueMap = new Map();
    do {
      const at = this.#at;
      const end = this.#keyEnd(at);
      if (end < 0) decline();
      const key = this.#key(at, end);
      map.set(key, this.#afterIndicator(end + 1, column, true));
    } while (this.#indent === column && !this.#isEntry(this.#at));
    if (this.#indent > column) decline();
    return map;
  }

  #sequence(column: number): Value {
    const items: Value[] = [];
    do {
      const at = this.#skipSpaces(this.#at + 1);
      const inner = this.#indent + at - this.#at;
      if (at < this.#end && (this.#isEntry(at) || this.#keyEnd(at) >= 0)) {
        // A collection that begins on its entry's own line.
        this.#at = at;
        this.#indent = inner;
        items.push(this.#block(inner));
      } else items.push(this.#afterIndicator(this.#at + 1, column, false));
    } while (this.#indent === column && this.#isEntry(this.#at));
    if (this.#indent > column) decline();
    return items;
  }

  /** What follows `key:` or `-`: a scalar on the line, or a block on the next; leaves the reader at the line after. */
  #afterIndicator(from: number, column: number, inMapping: boolean): Value {
    this.#countNode();
    const at = this.#skipSpaces(from);
    if (at < this.#end && this.#text.charCodeAt(at) !== hash) return this.#scalar(at, column);
    if (at < this.#end && at === from) decline();
    this.#nextLine();
    if (this.#indent > column) {
      const isBlock = this.#isEntry(this.#at) || this.#keyEnd(this.#at) >= 0;
      return isBlock ? this.#block(this.#indent) : this.#scalar(this.#at, column);
    }
    if (inMapping && this.#indent === column && this.#isEntry(this.#at)) {
      if (++this.#depth > maxDepth || ++this.#collections > this.#mostCollections) decline();
      const value = this.#sequence(column);
      this.#depth--;
      return value;
    }
    return null;
  }

  /** Where the colon of a key at the offset stands; -1 where there is none. */
  #keyEnd(at: number): number {
    const text = this.#text;
    const first = text.charCodeAt(at);
    let end = at;
    if (first === 34 || first === 39) {
      end = text.indexOf(first === 34 ? '"' : "'", at + 1) + 1;
      if (end === 0 || end > this.#end) return -1;
    } else {
      word.lastIndex = at;
      if (!word.test(text)) return -1;
      end = word.lastIndex;
    }
    if (end >= this.#end || end - at > maxKeyLength || text.charCodeAt(end) !== colon) return -1;
    return isEndOfWord(text.charCodeAt(end + 1)) ? end : -1;
  }

  #key(at: number, end: number): string {
    const first = this.#text.charCodeAt(at);
    if (first === 34 || first === 39) {
      const key = this.#text.slice(at + 1, end - 1);
      if (first === 34 && key.includes('\\')) decline();
      return key;
    }
    const key = this.#text.slice(at, end);
    const scalar = resolve(key);
    if (typeof scalar === 'string') return key;
    // Fractions, booleans and nothing have rules of their own.
    return typeof scalar === 'bigint' && scalar < 2n ** 53n && scalar > -(2n ** 53n) ? String(scalar) : decline();
  }

  #scalar(at: number, column: number): Value {
    switch (this.#text.charCodeAt(at)) {
      case 124: // |
        return this.#literal(at, column);
      case 62: // >
        return this.#folded(at, column);
      case 34: // "
      case 39: // '
        return this.#closed(this.#quotedLines(at) ?? this.#quoted(at), column);
      case 91: // [
      case 123: // {
        return this.#closed(this.#flow(at), column);
      default:
        return this.#plain(at, column);
    }
  }

  /** After a scalar that ends by itself only a comment may follow, and no deeper line. */
  #closed(value: Value, column: number): Value {
    const after = this.#skipSpaces(this.#position);
    if (after < this.#end && (after === this.#position || this.#text.charCodeAt(after) !== hash)) decline();
    this.#nextLine();
    if (this.#indent > column) decline();
    return value;
  }

  /** A quoted text that goes on over the end of its line; undefined where it does not. */
  #quotedLines(at: number): string | undefined {
    const text = this.#text;
    const mark = text.charCodeAt(at) === 39 ? "'" : '"';
    const end = closingQuote(text, at, mark);
    if (end < this.#end) return undefined;
    const inner = text.slice(at + 1, end);
    if (inner.includes('\t')) decline();
    const found = text.indexOf('\n', end);
    this.#end = found < 0 ? text.length : found;
    this.#position = end + 1;
    const lines = inner.split('\n');
    if (mark === "'") return foldLines(lines, '\n').replaceAll("''", "'");
    if (!inner.includes('\\')) return foldLines(lines, '\n');
    return unescapeCommon(foldLines(lines, '\\n'));
  }

  /** A quoted text on one line. */
  #quoted(at: number): string {
    const text = this.#text;
    const mark = text.charCodeAt(at) === 39 ? "'" : '"';
    const end = closingQuote(text, at, mark);
    if (end > this.#end) decline();
    this.#position = end + 1;
    const inner = text.slice(at + 1, end);
    if (mark === "'") return inner.includes("'") ? inner.replaceAll("''", "'") : inner;
    return inner.includes('\\') ? unescapeCommon(inner) : inner;
  }

  #plain(at: number, column: number): Value {
    const text = this.#text;
    const first = text.charCodeAt(at);
    if (cannotStartPlain(first) || (first === dash && isEndOfWord(text.charCodeAt(at + 1)))) decline();
    let words = this.#plainLine(at);
    let hasComment = this.#cut;
    // Deeper lines go on with it; each break is a space, each empty line a break.
    for (;;) {
      const before = this.#end;
      if (!this.#nextLine() || this.#indent <= column) return this.#value(words);
      const breaks = countBreaks(text, before, this.#at - this.#indent);
      if (hasComment || breaks < 0) decline();
      words += breaks === 1 ? ' ' : '\n'.repeat(breaks - 1);
      words += this.#plainLine(this.#at);
      hasComment = this.#cut;
    }
  }

  /** The rest of a line as a plain scalar has it: without comment and trailing spaces. */
  #plainLine(at: number): string {
    let line = this.#text.slice(at, this.#end);
    const comment = line.indexOf(' #');
    this.#cut = comment >= 0;
    let length = comment >= 0 ? comment : line.length;
    while (line.charCodeAt(length - 1) === space) length--;
    if (length < line.length) line = line.slice(0, length);
    if (line.includes(': ') || line.charCodeAt(line.length - 1) === colon || line.includes('\t')) decline();
    return line;
  }

  #value(text: string): Value {
    const scalar = resolve(text);
    if (typeof scalar === 'string') return scalar;
    if (typeof scalar === 'number' && !Number.isFinite(scalar)) decline();
    if (typeof scalar !== 'bigint') return scalar;
    if (!this.#exact) return Number(scalar);
    return new GoInt(scalar >= pastInt64 ? 'uint64' : 'int64', scalar);
  }

  /** `|`, `|-`, `|+` with an indentation that shows itself. */
  #literal(at: number, column: number): Value {
    const text = this.#text;
    const sign = text.charCodeAt(at + 1);
    const chomping = sign === 43 || sign === 45 ? sign : 0;
    if (!this.#isBlankTo(at + (chomping ? 2 : 1), this.#end)) decline();
    let start = this.#end + 1;
    // The first line with text tells the indentation; empty lines before it may not be wider.
    let widest = 0;
    let from = start;
    let indent = -1;
    while (indent < 0) {
      const first = this.#skipSpaces(from);
      const code = text.charCodeAt(first);
      if (code === 10) {
        widest = Math.max(widest, first - from);
        from = first + 1;
      } else if (code === 9) decline();
      else indent = first < text.length ? first - from : 0;
    }
    if (indent <= column) {
      // No line is deeper: an empty text.
      if (chomping === 43) decline();
      this.#end = from - 1;
      this.#nextLine();
      return this.#indent > column ? decline() : '';
    }
    if (indent < widest) decline();
    const lines: string[] = [];
    let kept = 0;
    let closed = true;
    for (;;) {
      if (start >= text.length) break;
      const found = text.indexOf('\n', start);
      const end = found < 0 ? text.length : found;
      let first = start;
      const edge = Math.min(start + indent, end);
      while (first < edge && text.charCodeAt(first) === space) first++;
      if (first < edge) break;
      if (first === end) {
        if (found >= 0) lines.push('');
      } else {
        lines.push(text.slice(first, end));
        kept = lines.length;
        closed = found >= 0;
      }
      this.#end = end;
      start = end + 1;
    }
    const body = lines.slice(0, kept).join('\n');
    this.#nextLine();
    if (this.#indent > column) decline();
    if (chomping === dash || !closed) return body;
    return chomping === 0 ? `${body}\n` : `${body}\n${'\n'.repeat(lines.length - kept)}`;
  }

  /** Folded texts are few: the full reader's own scanner reads them. */
  #folded(at: number, column: number): string {
    const text = this.#text;
    const cursor = new Cursor(text);
    cursor.at = at;
    cursor.column = at - text.lastIndexOf('\n', at) - 1;
    const value = scanBlockScalar(cursor, false, column, decline);
    this.#end = cursor.atEnd() ? text.length : cursor.at - cursor.column - 1;
    this.#nextLine();
    return this.#indent > column ? decline() : value;
  }

  /** A flow collection on one line. */
  #flow(at: number): Value {
    if (++this.#depth > maxDepth || ++this.#collections > this.#mostCollections) decline();
    const value = this.#text.charCodeAt(at) === 91 ? this.#flowSequence(at) : this.#flowMapping(at);
    this.#depth--;
    return value;
  }

  #flowSequence(start: number): Value {
    const items: Value[] = [];
    let at = this.#skipSpaces(start + 1);
    while (this.#text.charCodeAt(at) !== 93) {
      items.push(this.#flowItem(at));
      at = this.#flowSeparator(93);
    }
    this.#position = at + 1;
    return items;
  }

  #flowMapping(start: number): Value {
    const map: ValueMap = new Map();
    let at = this.#skipSpaces(start + 1);
    while (this.#text.charCodeAt(at) !== 125) {
      const key = this.#flowItem(at);
      if (typeof key !== 'string' || key.length > maxKeyLength || this.#text.charCodeAt(this.#position) !== colon) decline();
      at = this.#skipSpaces(this.#position + 1);
      map.set(key, this.#flowItem(at));
      at = this.#flowSeparator(125);
    }
    this.#position = at + 1;
    return map;
  }

  /** After an item: the next item's start, or that of the closing bracket. */
  #flowSeparator(close: number): number {
    const at = this.#skipSpaces(this.#position);
    const code = this.#text.charCodeAt(at);
    if (code === close) return at;
    if (code !== 44) decline();
    const next = this.#skipSpaces(at + 1);
    if (next >= this.#end) decline();
    return next;
  }

  #flowItem(at: number): Value {
    if (at >= this.#end) decline();
    this.#countNode();
    const code = this.#text.charCodeAt(at);
    if (code === 91 || code === 123) return this.#flow(at);
    if (code === 34 || code === 39) return this.#quoted(at);
    flowWord.lastIndex = at;
    const found = flowWord.exec(this.#text);
    if (!found) decline();
    this.#position = at + found[0].length;
    return this.#value(found[0]);
  }

  /** The full reader says what is wrong with a text of too many. */
  #countNode(): void {
    if (++this.#nodes > this.#mostNodes) decline();
  }

  #skipSpaces(from: number): number {
    let at = from;
    while (this.#text.charCodeAt(at) === space) at++;
    return at;
  }

  #isBlankTo(from: number, end: number): boolean {
    return this.#skipSpaces(from) >= end;
  }
}

/** A word in a flow collection: it ends at a bracket, a comma, or a colon before a space; anything else is declined after it. */
const flowWord = /(?:-(?=[\w./$]))?[A-Za-z0-9_./$](?:[\w./$+*@()=~%^-]|:(?! ))*(?=[ ,:\]}])/y;
