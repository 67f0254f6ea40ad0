import type { SourcePlace } from '@desp/runtime/errors';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { FleetError } from './errors.ts';
import type { Json, JsonMap } from './types.ts';

/** YAML as JSON, with the place of every value by its path. */
export interface YamlFile {
  readonly value: Json;
  /** Place of the key or item at this path; of the nearest known parent otherwise. */
  placeOf(path: readonly (string | number)[]): SourcePlace;
}

/** Limits of one file; Fleet has none but etcd's 1.5 MB for the whole bundle. */
export const yamlLimits = { bytes: 1024 * 1024, depth: 100, nodes: 100_000 } as const;

/** Reads one YAML 1.1 document (what Go's YAML reads) as JSON. Throws `FleetError` FLEET_YAML_INVALID and LIMIT_EXCEEDED. */
export function readYamlFile(file: string, data: Uint8Array): YamlFile {
  if (data.byteLength > yamlLimits.bytes)
    throw new FleetError('LIMIT_EXCEEDED', `Cannot read ${file}: it has ${data.byteLength} bytes; ${yamlLimits.bytes} are allowed.`, {
      where: { file },
    });
  const text = new TextDecoder('utf-8').decode(data);
  const counter = new LineCounter();
  const at = (offset: number | undefined): SourcePlace => {
    const { line, col } = counter.linePos(offset ?? 0);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const document = parse(file, text, counter);
  const problem = document.errors[0];
  if (problem) throw invalid(file, `it is not valid YAML: ${problem.message.split('\n', 1)[0]}`, at(problem.pos[0]));
  const reader = new JsonReader(file, at);
  const value = document.contents === null ? null : reader.read(document.contents as ParsedNode, '', 0);
  return {
    value,
    placeOf: (path) => {
      for (let length = path.length; length > 0; length--) {
        const place = reader.places.get(pointer(path.slice(0, length)));
        if (place) return place;
      }
      return { file, line: 1, column: 1 };
    },
  };
}

/** As `readYamlFile`, for a file whose content is a map or nothing. */
export function readYamlMap(file: string, data: Uint8Array): JsonMap {
  const { value } = readYamlFile(file, data);
  if (value === null) return {};
  if (isJsonMap(value)) return value;
  throw invalid(file, 'its content is no map', { file, line: 1, column: 1 });
}

export const isJsonMap = (value: Json | undefined): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parse(file: string, text: string, lineCounter: LineCounter) {
  try {
    // Duplicate keys are looked for while reading: the library's own search is quadratic.
    return parseDocument(text, { lineCounter, uniqueKeys: false, version: '1.1', prettyErrors: false, logLevel: 'silent' });
  } catch (error) {
    if (error instanceof RangeError)
      throw new FleetError('LIMIT_EXCEEDED', `Cannot read ${file}: it is nested too deeply.`, { where: { file } });
    throw error;
  }
}

const pointer = (path: readonly (string | number)[]): string => path.map((part) => `/${part}`).join('');

class JsonReader {
  readonly places = new Map<string, SourcePlace>();
  readonly #file: string;
  readonly #at: (offset: number | undefined) => SourcePlace;
  readonly #anchors = new Map<string, ParsedNode>();
  #nodes = 0;

  constructor(file: string, at: (offset: number | undefined) => SourcePlace) {
    this.#file = file;
    this.#at = at;
  }

  read(node: ParsedNode, path: string, depth: number): Json {
    this.#nodes += 1;
    // The budget also ends alias bombs and aliases to a node that contains them.
    if (this.#nodes > yamlLimits.nodes || depth > yamlLimits.depth)
      throw new FleetError('LIMIT_EXCEEDED', `Cannot read ${this.#file}: it expands to too many or too deeply nested values.`, {
        where: this.#at(node.range?.[0]),
        cure: 'Remove nested aliases.',
      });
    this.#keepPlace(path, node.range?.[0]);
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (!target) throw invalid(this.#file, `alias *${node.source} has no anchor before it`, this.#at(node.range?.[0]));
      return this.read(target, path, depth + 1);
    }
    if ('anchor' in node && node.anchor) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node.value, node.source);
    if (isSeq(node)) return node.items.map((item, index) => this.read(item as ParsedNode, `${path}/${index}`, depth + 1));
    return this.#map(node, path, depth);
  }

  #map(node: ParsedNode, path: string, depth: number): JsonMap {
    if (!isMap(node)) throw invalid(this.#file, 'a node is neither map, list nor scalar', this.#at(node.range?.[0]));
    const entries = new Map<string, Json>();
    const merged: JsonMap[] = [];
    for (const pair of node.items) {
      const place = this.#at(pair.key.range?.[0]);
      if (!isScalar(pair.key)) throw invalid(this.#file, 'a key is no text', place);
      const key = String(this.#scalar(pair.key.value, pair.key.source));
      if (entries.has(key)) throw invalid(this.#file, `the key "${key}" stands twice`, place, 'Remove one of them.');
      this.#keepPlace(`${path}/${key}`, pair.key.range?.[0]);
      const value = pair.value ? this.read(pair.value as ParsedNode, `${path}/${key}`, depth + 1) : null;
      if (key === '<<' && (pair.key.type === 'PLAIN' || pair.key.type === undefined))
        merged.push(...(Array.isArray(value) ? value : [value]).filter(isJsonMap));
      else entries.set(key, value);
    }
    for (const source of merged) for (const [key, value] of Object.entries(source)) if (!entries.has(key)) entries.set(key, value);
    return Object.fromEntries(entries);
  }

  /** The key's place, which comes first, counts. Long paths are not kept: an alias could repeat them without end. */
  #keepPlace(path: string, offset: number | undefined): void {
    if (path.length <= 500 && !this.places.has(path)) this.places.set(path, this.#at(offset));
  }

  #scalar(value: unknown, source: string | undefined): Json {
    if (typeof value === 'string' || value === null) return value;
    // `y` and `n` are texts to Go's YAML inside a key or value of a chart that somebody wrote for Helm.
    if (typeof value === 'boolean') return source !== undefined && /^[yn]$/i.test(source) ? source : value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return source ?? String(value);
  }
}

const invalid = (file: string, why: string, where: SourcePlace, cure = 'Correct the file at this place.'): FleetError =>
  new FleetError('FLEET_YAML_INVALID', `Cannot read ${file}: ${why}.`, { where, cure });
