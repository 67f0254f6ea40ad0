import { formatG } from '../value/float.ts';
import { GoInt, type Value, type ValueMap } from '../value/kinds.ts';
import { fromBytes, quote, sortText } from '../value/text.ts';
import { YamlError } from './errors.ts';
import type { Marks } from './marks.ts';
import { resolve } from './resolve.ts';
import { Scanner, type Token, token } from './scanner.ts';

/**
 * Reads the first document of a YAML 1.1 text the way go-yaml v2 does, keys as strings the way sigs.k8s.io/yaml
 * makes them.
 *
 * Principle: values are built while parsing; an alias copies the value of its anchor and pays for each node of it, so
 * an alias bomb ends by go-yaml's own rule. Rejected: a node tree first, which doubles the time of large values.
 */

export interface ReadOptions {
  /** Integers stay {@link GoInt} (int64 or uint64) instead of becoming float64 as through JSON. */
  readonly exactIntegers?: boolean;
  /** Told of each key that its map has already, with the line of its value: what go-yaml refuses when it is strict. */
  readonly onDuplicate?: (key: string, line: number) => void;
  /** Told what it took, in half microseconds. @throws what ends the reading */
  readonly spend?: (steps: number) => void;
  /** Takes the line of every key and item. */
  readonly marks?: Marks;
  /** Where there may be more nodes than are usual. */
  readonly mostNodes?: number | undefined;
}

/** @throws YamlError with go-yaml's message */
export function readYaml(text: string, options: ReadOptions = {}): Value {
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text;
  checkCharacters(plain);
  const reader = new Reader(plain, options);
  let value: Value;
  try {
    value = reader.document();
  } catch (error) {
    // Past a limit nothing follows, and its line is worth more than the charge.
    if (!(error instanceof YamlError && error.isLimit)) options.spend?.(reader.cost);
    throw error;
  }
  options.spend?.(reader.cost);
  return value;
}

/** Characters that no YAML text may hold; lone surrogates are bytes that are no UTF-8 (see text.ts). */
const forbidden =
  /[\0-\x08\v\f\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])/;

function checkCharacters(text: string): void {
  const found = forbidden.exec(text);
  if (!found) return;
  const unit = found[0].charCodeAt(0);
  if (unit < 0xdc80 || unit > 0xdcff) throw new YamlError('control characters are not allowed');
  const byte = unit - 0xdc00;
  if (byte < 0xc0 || byte >= 0xf8) throw new YamlError('invalid leading UTF-8 octet');
  throw new YamlError(found.index === text.length - 1 ? 'incomplete UTF-8 octet sequence' : 'invalid trailing UTF-8 octet');
}

interface Anchor {
  value: Value;
  nodes: number;
  /** True until its own node is complete: an alias inside it would contain itself. */
  open: boolean;
}

const longTag = 'tag:yaml.org,2002:';
/** Deepest nesting; go-yaml takes 10,000, Go's stack grows and ours does not. */
const maxDepth = 1000;
/** Most nodes of a document, those that aliases stand for included: each takes some 250 bytes, and values are copied. */
const maxNodes = 300_000;

class Reader {
  readonly #scanner: Scanner;
  readonly #exact: boolean;
  readonly #mostNodes: number;
  readonly #onDuplicate: ReadOptions['onDuplicate'];
  readonly #marks: Marks | undefined;
  readonly #anchors = new Map<string, Anchor>();
  readonly #handles = new Map([
    ['!', '!'],
    ['!!', longTag],
  ]);
  #badKey: YamlError | UnsupportedKey | undefined;
  #nodes = 0;
  #aliased = 0;
  #depth = 0;

  constructor(text: string, options: ReadOptions) {
    this.#scanner = new Scanner(text);
    this.#exact = options.exactIntegers ?? false;
    this.#mostNodes = options.mostNodes ?? maxNodes;
    this.#marks = options.marks;
    this.#onDuplicate = options.onDuplicate;
  }

  /** What the reading took, in half microseconds. */
  get cost(): number {
    return 3 * this.#nodes;
  }

  document(): Value {
    this.#directives();
    const found = this.#peek();
    if (found.type === token.streamEnd) return null;
    if (found.type === token.documentEnd) return null;
    const value = this.#node(true, false);
    // What follows belongs to the next document, which go-yaml does not read; its first token it does.
    this.#peek();
    // go-yaml reads the whole text before it makes values of it, and sees what is no key only then.
    if (this.#badKey) throw this.#badKey;
    return value;
  }

  #directives(): void {
    let any = false;
    for (;;) {
      const found = this.#peek();
      if (found.type === token.documentEnd && !any) {
        this.#scanner.skip();
      } else if (found.type === token.versionDirective) {
        if (found.text !== '1.1' && found.text !== '1.2') this.#fail('found incompatible YAML document', found.line);
        any = true;
        this.#scanner.skip();
      } else if (found.type === token.tagDirective) {
        if (found.text !== '!' && found.text !== '!!' && this.#handles.has(found.text))
          this.#fail('found duplicate %TAG directive', found.line);
        this.#handles.set(found.text, found.suffix);
        any = true;
        this.#scanner.skip();
      } else break;
    }
    const found = this.#peek();
    if (found.type === token.documentStart) this.#scanner.skip();
    else if (any) this.#fail('did not find expected <document start>', found.line);
  }

  #peek(): Token {
    return this.#scanner.peek();
  }

  /** An error of the parser: go-yaml prints its line counted from 0, and that of the context where it is 0. */
  #fail(problem: string, line: number, contextLine = 0): never {
    throw new YamlError(problem, line === 0 ? contextLine : line);
  }

  #count(nodes: number): void {
    this.#nodes += nodes;
    if (this.#nodes > this.#mostNodes)
      throw new YamlError(`document has more than ${this.#mostNodes} nodes`, this.#peek().line + 1, { isLimit: true });
    if (this.#aliased > 100 && this.#nodes > 1000 && this.#aliased / this.#nodes > allowedAliases(this.#nodes)) {
      throw new YamlError('document contains excessive aliasing', 0, { foundOn: this.#peek().line + 1 });
    }
  }

  #node(block: boolean, indentless: boolean): Value {
    let found = this.#peek();
    if (found.type === token.alias) {
      this.#scanner.skip();
      return this.#alias(found.text);
    }
    if (++this.#depth > maxDepth) throw new YamlError(`exceeded max depth of ${maxDepth}`, found.line + 1, { isLimit: true });
    const startLine = found.line;
    let anchor: string | undefined;
    let tag: string | undefined;
    while (found.type === token.anchor || found.type === token.tag) {
      if (found.type === token.anchor) {
        if (anchor !== undefined) break;
        anchor = found.text;
      } else {
        if (tag !== undefined) break;
        tag = this.#tag(found, startLine);
      }
      this.#scanner.skip();
      found = this.#peek();
    }
    this.#count(1);
    const before = this.#nodes;
    const entry: Anchor | undefined = anchor === undefined ? undefined : { value: null, nodes: 1, open: true };
    if (entry && anchor !== undefined) this.#anchors.set(anchor, entry);
    const value = this.#content(found, block, indentless, tag, anchor !== undefined || tag !== undefined, startLine);
    if (entry) {
      entry.value = value;
      entry.nodes = this.#nodes - before + 1;
      entry.open = false;
    }
    this.#depth--;
    return value;
  }

  #content(found: Token, block: boolean, indentless: boolean, tag: string | undefined, hasProperties: boolean, startLine: number): Value {
    switch (found.type) {
      case token.scalar:
        this.#scanner.skip();
        return this.#scalar(found, tag);
      case token.flowSequenceStart:
        return this.#flowSequence(found.line);
      case token.flowMappingStart:
        return this.#flowMapping(found.line);
      case token.blockSequenceStart:
        if (block) return this.#blockSequence(found.line);
        break;
      case token.blockMappingStart:
        if (block) return this.#blockMapping(found.line);
        break;
      case token.blockEntry:
        if (indentless) return this.#indentlessSequence();
        break;
    }
    if (hasProperties) return tag === undefined || tag === `${longTag}null` ? null : this.#tagged('', tag);
    return this.#fail('did not find expected node content', found.line, startLine);
  }

  #tag(found: Token, startLine: number): string {
    if (found.text === '') return found.suffix;
    const prefix = this.#handles.get(found.text);
    if (prefix === undefined) return this.#fail('found undefined tag handle', found.line, startLine);
    return prefix + found.suffix;
  }

  #alias(name: string): Value {
    const anchor = this.#anchors.get(name);
    if (!anchor) throw new YamlError(`unknown anchor '${name}' referenced`);
    if (anchor.open) throw new YamlError(`anchor '${name}' value contains itself`);
    this.#aliased += anchor.nodes;
    this.#count(anchor.nodes + 1);
    return copy(anchor.value, this.#marks);
  }

  #scalar(found: Token, tag: string | undefined): Value {
    if (tag !== undefined && tag !== '!') return this.#tagged(found.text, tag);
    if (!found.plain && tag === undefined) return found.text;
    return this.#value(resolve(found.text));
  }

  #value(scalar: ReturnType<typeof resolve>): Value {
    if (typeof scalar !== 'bigint') return scalar;
    if (!this.#exact) return Number(scalar);
    return new GoInt(scalar >= 2n ** 63n ? 'uint64' : 'int64', scalar);
  }

  #tagged(text: string, tag: string): Value {
    if (!tag.startsWith(longTag)) return text;
    const kind = tag.slice(longTag.length);
    const scalar = resolve(text);
    const actual =
      scalar === null
        ? 'null'
        : typeof scalar === 'bigint'
          ? 'int'
          : typeof scalar === 'number'
            ? 'float'
            : typeof scalar === 'boolean'
              ? 'bool'
              : 'str';
    switch (kind) {
      case 'str':
        return text;
      case 'binary':
        try {
          return fromBytes(Uint8Array.from(atob(text.replace(/[\r\n]/g, '')), (c) => c.charCodeAt(0)));
        } catch {
          throw new YamlError('!!binary value contains invalid base64 data');
        }
      case 'int':
      case 'bool':
      case 'null':
      case 'float':
      case 'timestamp':
        if (kind === 'float' && typeof scalar === 'bigint') return Number(scalar);
        if (kind === actual || kind === 'timestamp') return this.#value(scalar);
        throw new YamlError(`cannot decode !!${actual} \`${text}\` as a !!${kind}`);
      default:
        return text;
    }
  }

  #blockSequence(startLine: number): Value {
    const items: Value[] = [];
    this.#scanner.skip();
    for (;;) {
      const found = this.#peek();
      if (found.type === token.blockEnd) {
        this.#scanner.skip();
        return items;
      }
      if (found.type !== token.blockEntry) this.#fail("did not find expected '-' indicator", found.line, startLine);
      this.#scanner.skip();
      this.#marks?.set(items, items.length, found.line + 1);
      const next = this.#peek().type;
      items.push(next === token.blockEntry || next === token.blockEnd ? this.#nothing() : this.#node(true, false));
    }
  }

  #indentlessSequence(): Value {
    const items: Value[] = [];
    for (let found = this.#peek(); found.type === token.blockEntry; found = this.#peek()) {
      this.#scanner.skip();
      this.#marks?.set(items, items.length, found.line + 1);
      const next = this.#peek().type;
      const empty = next === token.blockEntry || next === token.key || next === token.value || next === token.blockEnd;
      items.push(empty ? this.#nothing() : this.#node(true, false));
    }
    return items;
  }

  #nothing(): null {
    this.#count(1);
    return null;
  }

  #blockMapping(startLine: number): Value {
    const map: ValueMap = new Map();
    this.#scanner.skip();
    for (;;) {
      const found = this.#peek();
      if (found.type === token.blockEnd) {
        this.#scanner.skip();
        return map;
      }
      if (found.type !== token.key) this.#fail('did not find expected key', found.line, startLine);
      this.#scanner.skip();
      const next = this.#peek();
      const noKey = next.type === token.key || next.type === token.value || next.type === token.blockEnd;
      const isMerge = next.type === token.scalar && next.plain && next.text === '<<';
      const key = noKey ? this.#nothing() : this.#node(true, true);
      let value: Value = null;
      let { line } = next;
      if (this.#peek().type === token.value) {
        this.#scanner.skip();
        const after = this.#peek();
        const empty = after.type === token.key || after.type === token.value || after.type === token.blockEnd;
        if (!empty) line = after.line;
        value = empty ? this.#nothing() : this.#node(true, true);
      }
      if (this.#onDuplicate && typeof key === 'string' && map.has(key)) this.#onDuplicate(key, line);
      this.#put(map, key, value, isMerge, next.line);
    }
  }

  #flowSequence(startLine: number): Value {
    const items: Value[] = [];
    this.#scanner.skip();
    for (let first = true; ; first = false) {
      let found = this.#peek();
      if (found.type !== token.flowSequenceEnd && !first) {
        if (found.type !== token.flowEntry) this.#fail("did not find expected ',' or ']'", found.line, startLine);
        this.#scanner.skip();
        found = this.#peek();
      }
      if (found.type === token.flowSequenceEnd) {
        this.#scanner.skip();
        return items;
      }
      this.#marks?.set(items, items.length, found.line + 1);
      if (found.type === token.key) items.push(this.#pair());
      else items.push(this.#node(false, false));
    }
  }

  /** `[ a: b ]`: a mapping of one pair. */
  #pair(): Value {
    this.#scanner.skip();
    this.#count(1);
    const map: ValueMap = new Map();
    const next = this.#peek();
    const noKey = next.type === token.value || next.type === token.flowEntry || next.type === token.flowSequenceEnd;
    const key = noKey ? null : this.#node(false, false);
    let value: Value = null;
    if (this.#peek().type === token.value) {
      this.#scanner.skip();
      const after = this.#peek().type;
      if (after !== token.flowEntry && after !== token.flowSequenceEnd) value = this.#node(false, false);
    }
    this.#put(map, key, value, next.plain && next.text === '<<', next.line);
    return map;
  }

  #flowMapping(startLine: number): Value {
    const map: ValueMap = new Map();
    this.#scanner.skip();
    for (let first = true; ; first = false) {
      let found = this.#peek();
      if (found.type !== token.flowMappingEnd && !first) {
        if (found.type !== token.flowEntry) this.#fail("did not find expected ',' or '}'", found.line, startLine);
        this.#scanner.skip();
        found = this.#peek();
      }
      if (found.type === token.flowMappingEnd) {
        this.#scanner.skip();
        return map;
      }
      if (found.type !== token.key) {
        const isMerge = found.type === token.scalar && found.plain && found.text === '<<';
        this.#put(map, this.#node(false, false), null, isMerge, found.line);
        continue;
      }
      this.#scanner.skip();
      const next = this.#peek();
      const noKey = next.type === token.value || next.type === token.flowEntry || next.type === token.flowMappingEnd;
      const key = noKey ? null : this.#node(false, false);
      let value: Value = null;
      if (this.#peek().type === token.value) {
        this.#scanner.skip();
        const after = this.#peek().type;
        if (after !== token.flowEntry && after !== token.flowMappingEnd) value = this.#node(false, false);
      }
      if (this.#onDuplicate && typeof key === 'string' && map.has(key)) this.#onDuplicate(key, next.line);
      this.#put(map, key, value, next.type === token.scalar && next.plain && next.text === '<<', next.line);
    }
  }

  #put(map: ValueMap, key: Value, value: Value, isMerge: boolean, line: number): void {
    if (!isMerge) {
      const name = typeof key === 'string' ? key : keyText(key, value);
      if (typeof name !== 'string') {
        if (!(this.#badKey instanceof YamlError)) this.#badKey = name instanceof YamlError ? name : (this.#badKey ?? name);
        return;
      }
      map.set(name, value);
      this.#marks?.set(map, name, line + 1);
      return;
    }
    const sources = Array.isArray(value) ? [...value].reverse() : [value];
    for (const source of sources) {
      if (!(source instanceof Map)) throw new YamlError('map merge requires map or sequence of maps as the value');
      for (const [name, item] of source) {
        map.set(name, item);
        this.#marks?.set(map, name, this.#marks.lineOf(source, name) ?? line + 1);
      }
    }
  }
}

/** A key that is no string as sigs.k8s.io/yaml writes it, or why it is none. */
function keyText(key: Value, value: Value): string | YamlError | UnsupportedKey {
  if (typeof key === 'boolean') return String(key);
  if (key instanceof GoInt) return key.toString();
  if (typeof key === 'number') {
    if (Number.isNaN(key)) return '.nan';
    if (!Number.isFinite(key)) return key > 0 ? '.inf' : '-.inf';
    return Number.isInteger(key) && Math.abs(key) < 2 ** 53 ? String(key) : formatFloat32(key);
  }
  if (key instanceof Map) return new YamlError(`invalid map key: ${goLiteral(key)}`);
  if (Array.isArray(key)) return new YamlError(`invalid map key: ${goLiteral(key)}`);
  return new UnsupportedKey(value);
}

/** A null key: go-yaml takes it, the step to JSON does not. */
export class UnsupportedKey extends Error {
  constructor(value: Value) {
    super(`unsupported map key of type: %!s(<nil>), key: <nil>, value: ${goSyntax(value)}`);
  }
}

/** `%#v` of what go-yaml makes of a node; keys are shown as the texts that they have become. */
function goLiteral(value: Value): string {
  if (value === null) return 'interface {}(nil)';
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goLiteral).join(', ')}}`;
  if (!(value instanceof Map)) return typeof value === 'number' ? formatG(value) : String(value);
  const items = sortText([...value.keys()]).map((key) => `${quote(key)}:${goLiteral(value.get(key))}`);
  return `map[interface {}]interface {}{${items.join(', ')}}`;
}

const goSyntax = (value: Value): string => (typeof value === 'string' ? JSON.stringify(value) : value === null ? '<nil>' : String(value));

/** The shortest digits that name the same float32, `%g`. */
export function formatFloat32(value: number): string {
  const target = Math.fround(value);
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(target.toPrecision(digits));
    if (Math.fround(short) === target) return formatG(short);
  }
  return formatG(target);
}

function allowedAliases(nodes: number): number {
  if (nodes <= 400_000) return 0.99;
  if (nodes >= 4_000_000) return 0.1;
  return 0.99 - (0.89 * (nodes - 400_000)) / 3_600_000;
}

function copy(value: Value, marks: Marks | undefined): Value {
  if (value instanceof Map) {
    const out: ValueMap = new Map();
    for (const [key, item] of value) out.set(key, copy(item, marks));
    marks?.copied(value, out);
    return out;
  }
  if (!Array.isArray(value)) return value;
  const out = value.map((item) => copy(item, marks));
  marks?.copied(value, out);
  return out;
}
