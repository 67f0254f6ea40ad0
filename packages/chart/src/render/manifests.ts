import type { HookEvent, RenderedHook, RenderedManifest } from '../api.ts';
import { ChartError } from '../errors.ts';
import type { Profile } from '../profile.ts';
import { atoi } from '../value/atoi.ts';
import type { ValueMap } from '../value/kinds.ts';
import { logValue, quote, sortText, trimSpace, trimStart } from '../value/text.ts';
import { member, textOf, typeError } from '../yaml/fields.ts';
import { ConversionError, yamlToValue } from '../yaml/values.ts';
import { type Budget, LimitReached } from './budget.ts';
import type { RenderMemory } from './memory.ts';
import { byKind } from './order.ts';

/** Cuts what templates printed into documents, and tells hooks from manifests. */

export interface SortedManifests {
  readonly manifests: readonly RenderedManifest[];
  readonly hooks: readonly RenderedHook[];
}

export interface SortOptions {
  readonly profile: Profile;
  readonly memory: RenderMemory;
  readonly budget: Budget;
  readonly warn: (line: string) => void;
  /** Takes the failures of documents, which are then left out; without it the first is thrown. */
  readonly onFailure?: ((failure: ChartError) => unknown) | undefined;
}

/** Steps for a document, what stands in it apart. */
const stepsPerDocument = 8;

/** What a template printed, cut into documents. */
export interface PrintedFile {
  readonly documents: readonly PrintedDocument[];
  /** Steps that it takes to read. */
  readonly cost: number;
}

interface PrintedDocument {
  readonly content: string;
  readonly head: Head;
}

/** @throws ChartError MANIFEST_INVALID with Helm's words, LIMIT_EXCEEDED with the line of what was printed */
export function sortManifests(rendered: ReadonlyMap<string, string>, options: SortOptions): SortedManifests {
  const { profile, warn } = options;
  const manifests: RenderedManifest[] = [];
  const hooks: RenderedHook[] = [];
  for (const source of sortText([...rendered.keys()])) {
    for (const { content, head } of documentsOf(source, rendered, options)) {
      const manifest = { source, content, apiVersion: head.apiVersion, kind: head.kind, name: head.name };
      const events = head.annotations.get('helm.sh/hook');
      if (events === undefined) manifests.push(manifest);
      else {
        const hook = asHook(manifest, head.annotations, events);
        if (hook) hooks.push(hook);
        else
          warn(
            profile.name === 'helm3'
              ? `info: skipping unknown hook: ${quote(events)}`
              : `level=INFO msg="skipping unknown hooks" hookTypes=${logValue(events)}`,
          );
      }
    }
  }
  const order = byKind(profile);
  return { manifests: manifests.sort(order), hooks: hooks.sort(order) };
}

/** The documents of one file: those of a file that printed the same in an earlier render are known. */
function documentsOf(source: string, rendered: ReadonlyMap<string, string>, options: SortOptions): readonly PrintedDocument[] {
  const { profile, memory, budget } = options;
  const text = rendered.get(source) as string;
  const files = memory.printed(profile.name);
  const known = files.get(text);
  // Where it is too much, to read it again tells the line.
  if (known && known.cost <= budget.left) {
    budget.step(known.cost);
    return known.documents;
  }
  if (trimSpace(text) === '') return [];
  const before = budget.left;
  payForDocuments(source, text, budget);
  const contents = profile.keepTrailingSpace ? splitKeeping(text) : splitTrimming(text);
  const documents: PrintedDocument[] = [];
  for (const content of contents) {
    const place = { source, text, content };
    const head = readHead(place, rendered, options);
    if (head) documents.push({ content, head });
  }
  if (documents.length === contents.length) files.set(text, { documents, cost: before - budget.left });
  return documents;
}

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13 && code !== 11);

/** Helm 3: at `---` after a line break, white space around it gone; each document trimmed. */
export function splitTrimming(text: string): string[] {
  const trimmed = trimSpace(text);
  const documents: string[] = [];
  let from = 0;
  const cut = (start: number, after: number): void => {
    let begin = start;
    while (begin > from && isSpace(trimmed.charCodeAt(begin - 1))) begin--;
    documents.push(trimmed.slice(from, begin));
    from = after;
    while (isSpace(trimmed.charCodeAt(from))) from++;
  };
  if (trimmed.startsWith('---')) cut(0, 3);
  for (let at = trimmed.indexOf('\n---', from); at >= 0; at = trimmed.indexOf('\n---', from)) cut(at, at + 4);
  documents.push(trimmed.slice(from));
  return documents.filter((document) => document !== '').map(trimSpace);
}

/** Helm 4: at lines that start with `---`; only the start of a document is trimmed. */
export function splitKeeping(text: string): string[] {
  const trimmed = trimStart(text);
  const documents: string[] = [];
  const add = (from: number, to?: number): void => {
    const document = trimStart(trimmed.slice(from, to));
    if (document !== '') documents.push(document);
  };
  let from = trimmed.startsWith('---') ? afterMarker(trimmed, 0) : 0;
  for (let at = trimmed.indexOf('\n---', from); at >= 0; at = trimmed.indexOf('\n---', from)) {
    add(from, at + 1);
    from = afterMarker(trimmed, at + 1);
  }
  add(from);
  return documents;
}

function afterMarker(text: string, marker: number): number {
  let at = marker + 3;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}

/** The document that is no manifest, behind a MANIFEST_INVALID. */
export class ManifestProblem extends Error {
  readonly source: string;
  readonly content: string;

  constructor(source: string, content: string, cause: ConversionError) {
    super(cause.message, { cause });
    this.source = source;
    this.content = content;
  }
}

/** Charges documents before they are cut apart: many small ones are more than their text. */
function payForDocuments(source: string, text: string, budget: Budget): void {
  const most = budget.left / stepsPerDocument;
  let count = 1;
  for (let at = text.indexOf('\n---'); at >= 0; at = text.indexOf('\n---', at + 4)) {
    if (++count > most) throw tooMuch({ source, text, content: text.slice(at + 1) }, new ConversionError(`more than ${count} documents`));
  }
  pay(budget, stepsPerDocument * count + (text.length >> 7), { source, text, content: text });
}

/** Charges the work on what a template printed; the limit names the template and the line of what it printed. */
function pay(budget: Budget, steps: number, place: PrintedPlace): void {
  try {
    budget.step(steps);
  } catch (error) {
    throw error instanceof LimitReached ? tooMuch(place, new ConversionError(error.message)) : error;
  }
}

interface PrintedPlace {
  readonly source: string;
  /** All that the template printed, and the document in it. */
  readonly text: string;
  readonly content: string;
}

function tooMuch({ source, text, content }: PrintedPlace, cause: ConversionError): ChartError {
  const before = text.slice(0, Math.max(text.indexOf(content), 0)).split('\n').length - 1;
  const problem = cause.message.replace(/^error converting YAML to JSON: yaml: (line \d+: )?/, '');
  const line = before + Math.max(cause.line, 1);
  return new ChartError('LIMIT_EXCEEDED', `render stopped at (${source}): line ${line} of what it printed: ${problem}`, {
    where: { file: source },
    cure: 'Look for a range or an include that prints more than was meant.',
    cause: new ManifestProblem(source, content, cause),
  });
}

interface Head {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly annotations: ReadonlyMap<string, string>;
}

/** @returns undefined for a document whose failure `onFailure` takes */
function readHead(
  place: PrintedPlace,
  rendered: ReadonlyMap<string, string>,
  { profile, budget, onFailure }: SortOptions,
): Head | undefined {
  const { source, content } = place;
  try {
    const value = yamlToValue(content, true, { spend: (steps) => pay(budget, steps, place) });
    if (value === null) return { apiVersion: '', kind: '', name: '', annotations: new Map() };
    if (!(value instanceof Map)) throw typeError(value, `Go value of type ${profile.name === 'helm3' ? 'releaseutil' : 'util'}.SimpleHead`);
    const metadata = member(value, 'metadata');
    if (metadata !== null && !(metadata instanceof Map))
      throw typeError(
        metadata,
        'Go struct field SimpleHead.metadata of type struct { Name string "json:\\"name\\""; Annotations map[string]string "json:\\"annotations\\"" }',
      );
    return {
      apiVersion: textOf(member(value, 'apiVersion'), 'SimpleHead.apiVersion'),
      kind: textOf(member(value, 'kind'), 'SimpleHead.kind'),
      name: metadata ? textOf(member(metadata, 'name'), '.metadata.name') : '',
      annotations: metadata ? annotationsOf(metadata) : new Map(),
    };
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    if (error.isLimit) throw tooMuch(place, error);
    const failure = new ChartError('MANIFEST_INVALID', `YAML parse error on ${source}: ${error.message}`, {
      where: { file: source },
      cure: 'Render with --debug to see what the template printed.',
      cause: new ManifestProblem(source, content, error),
      rendered,
    });
    if (!onFailure) throw failure;
    onFailure(failure);
    return undefined;
  }
}

function annotationsOf(metadata: ValueMap): ReadonlyMap<string, string> {
  const annotations = member(metadata, 'annotations');
  if (annotations === null) return new Map();
  if (!(annotations instanceof Map)) throw typeError(annotations, 'Go struct field .metadata.annotations of type map[string]string');
  const out = new Map<string, string>();
  for (const [key, value] of annotations) out.set(key, textOf(value, '.metadata.annotations'));
  return out;
}

const hookEvents = new Map<string, HookEvent>([
  ['pre-install', 'pre-install'],
  ['post-install', 'post-install'],
  ['pre-delete', 'pre-delete'],
  ['post-delete', 'post-delete'],
  ['pre-upgrade', 'pre-upgrade'],
  ['post-upgrade', 'post-upgrade'],
  ['pre-rollback', 'pre-rollback'],
  ['post-rollback', 'post-rollback'],
  ['test', 'test'],
  ['test-success', 'test'],
]);

function asHook(manifest: RenderedManifest, annotations: ReadonlyMap<string, string>, names: string): RenderedHook | undefined {
  const events: HookEvent[] = [];
  for (const name of names.split(',')) {
    const event = hookEvents.get(trimSpace(name).toLowerCase());
    if (!event) return undefined;
    events.push(event);
  }
  const weight = atoi(annotations.get('helm.sh/hook-weight') ?? '');
  const list = (name: string): string[] => {
    const value = annotations.get(name);
    return value === undefined ? [] : value.split(',').map((part) => trimSpace(part).toLowerCase());
  };
  return {
    ...manifest,
    events,
    weight: typeof weight === 'bigint' ? Number(weight) : 0,
    deletePolicies: list('helm.sh/hook-delete-policy'),
    outputLogPolicies: list('helm.sh/hook-output-log-policy'),
  };
}
