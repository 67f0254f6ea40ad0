import type { SourcePlace } from '@desp/runtime/errors';
import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseAllDocuments, type Scalar } from 'yaml';
import { PipelineError } from './errors.ts';

/**
 * YAML with the place of every node, so that `include` and `extends` can merge nodes of several files and an error still names
 * the line that a person wrote.
 *
 * Scalars are resolved by YAML 1.1, as GitLab's parser does (`yes` is true, `010` is 8). Aliases are expanded by copying under
 * one node budget: an alias bomb ends as soon as the budget is spent, not when the memory is.
 */

export type SourceNode = SourceMap | SourceList | SourceScalar;

export interface SourceMap {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, SourceEntry>;
  readonly place: SourcePlace;
}

export interface SourceEntry {
  readonly place: SourcePlace;
  readonly node: SourceNode;
}

export interface SourceList {
  readonly kind: 'list';
  readonly items: readonly SourceNode[];
  readonly place: SourcePlace;
}

export interface SourceScalar {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly place: SourcePlace;
}

/** Limits of one file. GitLab's own are 2 MB (since 16.10) and 100 levels; a CI file that people write is far below these. */
export const sourceLimits = { bytes: 512 * 1024, depth: 50, nodes: 50_000 } as const;

/** Reads one YAML document. Throws `PipelineError` with codes YAML_INVALID and YAML_LIMIT. */
export function readSourceTree(file: string, text: string): SourceNode {
  if (text.length > sourceLimits.bytes)
    throw limit(file, `is ${text.length} characters long; ${sourceLimits.bytes} are allowed`, { file }, 'Split the file with include.');
  const counter = new LineCounter();
  const documents = parse(file, text, counter);
  const placeAt = (offset: number | undefined): SourcePlace => {
    const { line, col } = counter.linePos(offset ?? 0);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const [document] = documents;
  if (!document) return { kind: 'scalar', value: null, place: { file, line: 1, column: 1 } };
  for (const each of documents) {
    const problem = each.errors[0];
    if (problem) throw invalid(file, firstLine(problem.message), placeAt(problem.pos[0]));
  }
  if (documents.length > 1)
    throw invalid(file, 'holds more than one YAML document', placeAt(documents[1]?.range[0]), 'Remove the second document (after ---).');
  if (document.contents === null) return { kind: 'scalar', value: null, place: { file, line: 1, column: 1 } };
  return new TreeReader(file, placeAt).read(document.contents as ParsedNode, 0);
}

function parse(file: string, text: string, lineCounter: LineCounter) {
  try {
    // Duplicate keys are looked for while the tree is read: the library's own search is quadratic.
    const documents = parseAllDocuments(text, { lineCounter, uniqueKeys: false, version: '1.1', prettyErrors: false, logLevel: 'silent' });
    return Array.isArray(documents) ? documents : [];
  } catch (error) {
    if (error instanceof RangeError) throw limit(file, 'is nested too deeply', { file }, `Use at most ${sourceLimits.depth} levels.`);
    throw error;
  }
}

class TreeReader {
  readonly #file: string;
  readonly #placeAt: (offset: number | undefined) => SourcePlace;
  readonly #anchors = new Map<string, ParsedNode>();
  readonly #open = new Set<ParsedNode>();
  #nodes = 0;

  constructor(file: string, placeAt: (offset: number | undefined) => SourcePlace) {
    this.#file = file;
    this.#placeAt = placeAt;
  }

  read(node: ParsedNode, depth: number): SourceNode {
    const place = this.#placeAt(node.range?.[0]);
    this.#nodes += 1;
    if (this.#nodes > sourceLimits.nodes)
      throw limit(this.#file, `expands to more than ${sourceLimits.nodes} values`, place, 'Remove nested aliases.');
    if (depth > sourceLimits.depth) throw limit(this.#file, `is nested deeper than ${sourceLimits.depth} levels`, place, 'Flatten it.');
    if (isAlias(node)) return this.#readAlias(node, place, depth);
    this.#refuseTag(node, place);
    if ('anchor' in node && node.anchor) this.#anchors.set(node.anchor, node);
    if (this.#open.has(node)) throw invalid(this.#file, 'has an alias to a node that contains it', place);
    this.#open.add(node);
    try {
      if (isScalar(node)) return { kind: 'scalar', value: scalarValue(node), place };
      if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => this.read(item as ParsedNode, depth + 1)), place };
      return this.#readMap(node, place, depth);
    } finally {
      this.#open.delete(node);
    }
  }

  #readAlias(node: Alias, place: SourcePlace, depth: number): SourceNode {
    const target = this.#anchors.get(node.source);
    if (!target) throw invalid(this.#file, `has an alias *${node.source} without an anchor before it`, place);
    return this.read(target, depth);
  }

  #readMap(node: ParsedNode, place: SourcePlace, depth: number): SourceNode {
    if (!isMap(node)) throw invalid(this.#file, 'has a node that is neither map, list nor scalar', place);
    const entries = new Map<string, SourceEntry>();
    const merged: SourceMap[] = [];
    for (const pair of node.items) {
      const key = pair.key as ParsedNode;
      const keyPlace = this.#placeAt(key.range?.[0]);
      const name = this.#keyName(key, keyPlace, depth);
      const value: SourceNode = pair.value
        ? this.read(pair.value as ParsedNode, depth + 1)
        : { kind: 'scalar', value: null, place: keyPlace };
      if (name === '<<' && isScalar(key) && (key.type === 'PLAIN' || key.type === undefined)) {
        merged.push(...this.#mergeSources(value));
        continue;
      }
      const earlier = entries.get(name);
      if (earlier)
        throw invalid(
          this.#file,
          `has the key "${name}" twice; the first is in line ${earlier.place.line}`,
          keyPlace,
          'Remove one of them.',
        );
      entries.set(name, { place: keyPlace, node: value });
    }
    // Merge keys never win over the map's own; of several, the first wins (https://yaml.org/type/merge.html).
    for (const source of merged) for (const [name, entry] of source.entries) if (!entries.has(name)) entries.set(name, entry);
    return { kind: 'map', entries, place };
  }

  #mergeSources(value: SourceNode): SourceMap[] {
    const sources = value.kind === 'list' ? value.items : [value];
    return sources.map((source) => {
      if (source.kind !== 'map') throw invalid(this.#file, 'merges (<<) something that is not a map', source.place);
      return source;
    });
  }

  #keyName(key: ParsedNode, place: SourcePlace, depth: number): string {
    const read = key === null ? { kind: 'scalar' as const, value: null, place } : this.read(key, depth + 1);
    if (read.kind !== 'scalar') throw invalid(this.#file, 'has a map or list as a key', place);
    return String(read.value);
  }

  #refuseTag(node: ParsedNode, place: SourcePlace): void {
    const tag = 'tag' in node ? node.tag : undefined;
    if (tag && !tag.startsWith('tag:yaml.org,2002:'))
      throw invalid(this.#file, `uses the tag ${tag}, which is outside the subset`, place, 'Write the value out, or use extends.');
  }
}

function scalarValue(node: Scalar): SourceScalar['value'] {
  const { value, source } = node;
  if (typeof value === 'string' || value === null) return value;
  // `y` and `n` are words to GitLab's parser; dates and numbers beyond 2^53 keep their text.
  if (typeof value === 'boolean') return source !== undefined && /^[yn]$/i.test(source) ? source : value;
  if (typeof value === 'number') return Number.isSafeInteger(value) || !Number.isInteger(value) ? value : (source ?? String(value));
  return source ?? String(value);
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? text;

const invalid = (file: string, why: string, place: SourcePlace, cure = 'Correct the YAML at this place.'): PipelineError =>
  new PipelineError(
    'YAML_INVALID',
    `Cannot read ${file}: it ${/^(has|holds|uses|merges)/.test(why) ? why : `is not valid YAML: ${why}`}.`,
    place,
    cure,
  );

const limit = (file: string, why: string, place: SourcePlace, cure: string): PipelineError =>
  new PipelineError('YAML_LIMIT', `Cannot read ${file}: it ${why}.`, place, cure);
