import type { HookEvent, RenderedHook, RenderedManifest } from '../api.ts';
import { ChartError } from '../errors.ts';
import type { Profile } from '../profile.ts';
import type { ValueMap } from '../value/kinds.ts';
import { logValue, sortText, trimSpace, trimStart } from '../value/text.ts';
import { member, textOf, typeError } from '../yaml/fields.ts';
import { ConversionError, yamlToValue } from '../yaml/values.ts';
import type { RenderMemory } from './memory.ts';
import { byKind } from './order.ts';

/** Cuts what templates printed into documents, and tells hooks from manifests. */

export interface SortedManifests {
  readonly manifests: readonly RenderedManifest[];
  readonly hooks: readonly RenderedHook[];
}

/**
 * @param onFailure takes the failures of documents, which are then left out; without it the first is thrown
 * @throws ChartError MANIFEST_INVALID with Helm's words
 */
export function sortManifests(
  rendered: ReadonlyMap<string, string>,
  profile: Profile,
  memory: RenderMemory,
  warn: (line: string) => void,
  onFailure?: (failure: ChartError) => unknown,
): SortedManifests {
  const manifests: RenderedManifest[] = [];
  const hooks: RenderedHook[] = [];
  for (const source of sortText([...rendered.keys()])) {
    const text = rendered.get(source) as string;
    if (trimSpace(text) === '') continue;
    for (const content of profile.keepTrailingSpace ? splitKeeping(text) : splitTrimming(text)) {
      const head = memory.heads.get(content) ?? readHead(content, source, profile, rendered, onFailure);
      if (!head) continue;
      memory.heads.set(content, head);
      const manifest = { source, content, apiVersion: head.apiVersion, kind: head.kind, name: head.name };
      const events = head.annotations.get('helm.sh/hook');
      if (events === undefined) manifests.push(manifest);
      else {
        const hook = asHook(manifest, head.annotations, events);
        if (hook) hooks.push(hook);
        else
          warn(
            profile.name === 'helm3'
              ? `info: skipping unknown hook: ${JSON.stringify(events)}`
              : `level=INFO msg="skipping unknown hooks" hookTypes=${logValue(events)}`,
          );
      }
    }
  }
  const order = byKind(profile);
  return { manifests: manifests.sort(order), hooks: hooks.sort(order) };
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

export interface Head {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly annotations: ReadonlyMap<string, string>;
}

function readHead(
  content: string,
  source: string,
  profile: Profile,
  rendered: ReadonlyMap<string, string>,
  onFailure?: (failure: ChartError) => unknown,
): Head | undefined {
  try {
    const value = yamlToValue(content, true);
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
  const weight = annotations.get('helm.sh/hook-weight') ?? '';
  const list = (name: string): string[] => {
    const value = annotations.get(name);
    return value === undefined ? [] : value.split(',').map((part) => trimSpace(part).toLowerCase());
  };
  return {
    ...manifest,
    events,
    weight: /^[+-]?[0-9]+$/.test(weight) ? Number(weight) : 0,
    deletePolicies: list('helm.sh/hook-delete-policy'),
    outputLogPolicies: list('helm.sh/hook-output-log-policy'),
  };
}
