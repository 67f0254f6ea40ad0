import type { RenderedHook, RenderedManifest } from '../api.ts';
import type { SourcePlace } from '../errors.ts';
import { kind } from '../language/nodes.ts';
import type { WorkChart } from '../loader/work-chart.ts';
import type { Profile } from '../profile.ts';
import { splitKeeping, splitTrimming } from '../render/manifests.ts';
import { printValue } from '../value/print.ts';
import { Marks } from '../yaml/marks.ts';
import { readYaml } from '../yaml/reader.ts';
import type { RenderTrace, TracedCall, TracedLine, TracedPart, TracedValue } from './api.ts';
import { deepest, formatPath, type PathNode, type ValuePath } from './paths.ts';
import type { Call, Made, Piece, Read, Site, TextTrace } from './pieces.ts';
import type { Provenance, ValueOrigin } from './provenance.ts';
import type { Recorder } from './recorder.ts';
import { SourceLines } from './source-lines.ts';
import { replaced } from './transforms.ts';

/** Reads what a {@link Recorder} kept. */
export class Trace implements RenderTrace {
  readonly #recorder: Recorder;
  readonly provenance: Provenance;
  readonly #profile: Profile;
  readonly #notes: string;
  readonly #texts: ReadonlyMap<string, string>;
  readonly #sources = new SourceLines();
  readonly #documents = new Map<string, Map<string, Made>>();
  readonly #yaml = new WeakMap<Piece, readonly ValuePath[]>();

  constructor(recorder: Recorder, provenance: Provenance, profile: Profile, chart: WorkChart) {
    this.#recorder = recorder;
    this.provenance = provenance;
    this.#profile = profile;
    this.#notes = `${chart.name}/templates/NOTES.txt`;
    this.#texts = templateTexts(chart);
  }

  lines(of: RenderedManifest | RenderedHook | 'notes'): readonly TracedLine[] {
    const made = of === 'notes' ? this.#file(this.#notes) : this.#documentsOf(of.source).get(of.content);
    return made ? this.#linesOf(made) : [];
  }

  origin(path: ValuePath): ValueOrigin {
    return this.provenance.originOf(path);
  }

  holders(path: ValuePath): readonly ValueOrigin[] {
    return this.provenance.holdersOf(path);
  }

  template(file: string): string | undefined {
    return this.#texts.get(file);
  }

  /** A site as a place of a template file, with the calls down to it. */
  locate(site: Site, offset?: number): { place: SourcePlace; stack: TracedCall[] } {
    const stack: TracedCall[] = [];
    let { call, node }: Site = site;
    let at = offset ?? node.pos;
    let place: SourcePlace | undefined;
    for (;;) {
      const { tree, caller } = call;
      const here = this.#sources.placeOf(tree.source, at);
      const isText = tree.parseName === 'gotpl';
      if (!isText) place ??= { file: tree.parseName, ...here };
      const calledAt = caller && this.#fileOf(caller);
      stack.push({
        kind: !caller ? 'file' : tree.name === 'gotpl' ? 'tpl' : caller.node.type === kind.template ? 'template' : 'include',
        name: tree.name,
        ...(calledAt ? { calledAt } : {}),
        ...(isText ? { text: { ...here, ...this.#textValue(call, at) } } : {}),
      });
      if (!caller) return { place: place ?? { file: tree.name, ...here }, stack: stack.reverse() };
      call = caller.call;
      node = caller.node;
      at = node.pos;
    }
  }

  /** The value that a tpl's text is, or the part of it that stands at an offset. */
  #textValue(call: Call, offset: number): { value?: TracedValue } {
    if (!call.text) return {};
    if ('node' in call.text) return { value: this.#value(call.text, '') };
    const { trace } = call.text;
    const run = trace.indexAt(offset);
    const piece = trace.pieces[run];
    if (!piece) return {};
    const value = this.#valuesOf(piece, (trace.offsets[run] as number) + offset - (trace.starts[run] as number), '')[0];
    return value ? { value } : {};
  }

  /** The nearest place in a file: what a tpl's text holds has its place where tpl is called. */
  #fileOf({ call, node }: Site): SourcePlace {
    if (call.tree.parseName === 'gotpl' && call.caller) return this.#fileOf(call.caller);
    return { file: call.tree.parseName, ...this.#sources.placeOf(call.tree.source, node.pos) };
  }

  /** What a file came out as: `<no value>` is taken out of it. */
  #file(path: string): Made | undefined {
    const made = this.#recorder.files.get(path);
    if (!made?.text.includes('<no value>')) return made;
    const trace = replaced(made, '<no value>', 0, made.trace.pieces[0] as Piece);
    return trace && { text: made.text.replaceAll('<no value>', ''), trace };
  }

  #documentsOf(source: string): Map<string, Made> {
    const known = this.#documents.get(source);
    if (known) return known;
    const documents = new Map<string, Made>();
    const file = this.#file(source);
    let from = 0;
    for (const text of file ? (this.#profile.keepTrailingSpace ? splitKeeping : splitTrimming)(file.text) : []) {
      const at = (file as Made).text.indexOf(text, from);
      from = at + text.length;
      documents.set(text, { text, trace: (file as Made).trace.slice(at, from) });
    }
    this.#documents.set(source, documents);
    return documents;
  }

  #linesOf({ text, trace }: Made): TracedLine[] {
    const lines: TracedLine[] = [];
    let start = 0;
    for (const [index, line] of text.split('\n').entries()) {
      const begin = start;
      let parts: readonly TracedPart[] | undefined;
      const find = (): readonly TracedPart[] => (parts ??= this.#partsOf(line, trace.slice(begin, begin + line.length)));
      lines.push({
        line: index + 1,
        text: line,
        get parts() {
          return find();
        },
      });
      start += line.length + 1;
    }
    return lines;
  }

  #partsOf(line: string, { pieces, starts, offsets }: TextTrace): TracedPart[] {
    return pieces.map((piece, run) => {
      const printed = line.slice(starts[run], starts[run + 1] ?? line.length);
      return this.#part(piece, offsets[run] as number, printed);
    });
  }

  #part(piece: Piece, offset: number, text: string): TracedPart {
    const isText = piece.node.type === kind.text;
    const { place, stack } = this.locate(piece, isText ? piece.node.pos + offset : undefined);
    return {
      text,
      kind: isText ? 'text' : 'action',
      place,
      stack,
      values: isText ? [] : this.#valuesOf(piece, offset, text),
      exact: piece.exact,
    };
  }

  #valuesOf(piece: Piece, offset: number, text: string): TracedValue[] {
    if (piece.yaml) {
      const below = this.#yamlPaths(piece)[this.#sources.placeOf(piece.text, offset).line - 1] ?? [];
      const path = [...piece.yaml.path, ...below];
      return [{ path, name: formatPath(path), origin: this.provenance.originOf(path), isPrinted: true }];
    }
    const nodes = new Map<PathNode, Read>(piece.reads.map((read) => [read.node, read]));
    return deepest([...nodes.values()]).map((read) => this.#value(read, text));
  }

  #value({ node, value }: Read, text: string): TracedValue {
    const { path } = node;
    const shown = value === undefined || value === null ? '' : printValue(value);
    // What range gives as a key is printed as itself.
    const isPrinted =
      text === '' ? value !== undefined && value !== null : (shown !== '' && text.includes(shown)) || text === String(node.key);
    return { path, name: formatPath(path), origin: this.provenance.originOf(path, value), isPrinted };
  }

  /** The path below the printed value that each line of its YAML belongs to. */
  #yamlPaths(piece: Piece): readonly ValuePath[] {
    const known = this.#yaml.get(piece);
    if (known) return known;
    const paths = yamlPaths(piece.text);
    this.#yaml.set(piece, paths);
    return paths;
  }
}

function templateTexts(chart: WorkChart): Map<string, string> {
  const own = chart.templates.map(({ name, text }): [string, string] => [`${chart.path}/${name}`, text]);
  return new Map([...own, ...chart.dependencies.flatMap((child) => [...templateTexts(child)])]);
}

function yamlPaths(text: string): ValuePath[] {
  const marks = new Marks();
  const paths: ValuePath[] = [];
  const visit = (value: unknown, path: ValuePath): void => {
    const entries: [string | number, unknown][] = value instanceof Map ? [...value] : Array.isArray(value) ? [...value.entries()] : [];
    for (const [key, item] of entries) {
      const line = marks.lineOf(value as object, key);
      const below = [...path, key];
      // The deepest of the keys that begin on one line stands for it.
      if (line !== undefined && (paths[line - 1] === undefined || isStart(paths[line - 1] as ValuePath, path))) paths[line - 1] = below;
      visit(item, below);
    }
  };
  try {
    visit(readYaml(text, { marks }), []);
  } catch {
    return [];
  }
  // Lines of longer texts belong to the key above.
  const count = text.split('\n').length;
  for (let line = 1; line < count; line++) paths[line] ??= paths[line - 1] as ValuePath;
  return paths;
}

const isStart = (start: ValuePath, path: ValuePath): boolean =>
  start.length <= path.length && start.every((key, index) => path[index] === key);
