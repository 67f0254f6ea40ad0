import {
  excerptOf,
  type FormatOptions,
  formatExcerpt,
  formatStack,
  originText,
  type RenderedManifest,
  type RenderTrace,
  type TracedPart,
  type TracedValue,
  type UnusedValue,
  withoutControls,
} from '@desp/chart';
import { formatPlace } from '@desp/runtime/errors';
import { formatTable } from '../../table.ts';
import type { ExplainedLine } from './explain.ts';

/** What `explain` finds, for a person. */

const titleOf = ({ kind, name, source }: Pick<RenderedManifest, 'kind' | 'name' | 'source'>): string =>
  kind === '' ? source : `${kind}/${name}`;

export function describeLine({ outputLine, document, traced }: ExplainedLine, trace: RenderTrace, options: FormatOptions): string {
  const out = [`Line ${outputLine}: line ${traced.line} of ${titleOf(document)}\n\n  ${withoutControls(traced.text)}\n`];
  const parts = traced.parts.filter(({ text }) => text.trim() !== '');
  for (const group of groupByLine(parts.length > 0 ? parts : traced.parts)) {
    // What an action prints is what one asks for; the text around it stands beside it.
    const main = group.find(({ kind, text }) => kind === 'action' && text.trim() !== '') ?? (group[0] as TracedPart);
    const text = group.map((part) => part.text).join('');
    out.push(`${withoutControls(text).trim()}   ${main.exact ? 'is printed by' : 'is made by a function at'}`);
    out.push(excerptAt(main, trace, options));
    for (const line of formatStack(main.stack)) out.push(`  called: ${line}`);
    for (const value of group.flatMap(({ values }) => values)) out.push(...valueLines(value, trace));
    out.push('');
  }
  return `${out.join('\n').trimEnd()}\n`;
}

/** Parts of one line of a template, one after the other. */
function groupByLine(parts: readonly TracedPart[]): TracedPart[][] {
  const groups: TracedPart[][] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    const before = last?.[0];
    if (last && before && before.place.file === part.place.file && before.place.line === part.place.line) last.push(part);
    else groups.push([part]);
  }
  return groups;
}

function excerptAt({ place, kind, text }: TracedPart, trace: RenderTrace, options: FormatOptions): string {
  const template = trace.template(place.file);
  if (template === undefined || place.line === undefined) return `  ${formatPlace(place)}`;
  const word = kind === 'text' ? text.trim() : undefined;
  return formatExcerpt(excerptOf('template', place.file, template, place.line, place.column, word), options).trimEnd();
}

function valueLines({ origin, name, path, isPrinted }: TracedValue, trace: RenderTrace): string[] {
  const lead = isPrinted ? '' : 'also read: ';
  if (origin.kind === 'builtin') return isPrinted ? [`  value:  ${name}, given by ${originText(origin)}`] : [];
  if (origin.kind === 'unset') return [`  value:  ${lead}${name} is not set`];
  const others = trace.holders(path).filter((one) => originText(one) !== originText(origin));
  const over = others.length > 0 && origin.kind !== 'computed' ? `, over ${others.map(originText).join(', ')}` : '';
  return [`  value:  ${lead}${name}, set by ${originText(origin)}${over}`];
}

/** Longest lines of an object that still stand beside their places. */
const widest = 72;

/** An object's lines beside the places that printed them. */
export function describeObject(document: RenderedManifest, trace: RenderTrace, { colour }: FormatOptions): string {
  const lines = trace.lines(document);
  const rows = lines.map(({ text: raw, parts }) => {
    const text = withoutControls(raw);
    const part =
      parts.findLast(({ kind, text: own }) => kind === 'action' && own.trim() !== '') ??
      parts.findLast(({ text: own }) => own.trim() !== '');
    const values = [
      ...new Set(
        parts
          .flatMap((one) => one.values.filter((value) => value.isPrinted && value.origin.kind !== 'builtin'))
          .map((value) => `${value.name} <- ${originText(value.origin)}`),
      ),
    ];
    return { text, place: part ? `${formatPlace(part.place)}${part.exact ? '' : ' (about)'}` : '', values: values.join('; ') };
  });
  const width = Math.min(widest, Math.max(...rows.map(({ text }) => text.length)));
  const placeWidth = Math.max(...rows.map(({ place }) => place.length));
  const dim = (text: string): string => (colour && text !== '' ? `\u001b[2m${text}\u001b[0m` : text);
  const body = rows.map(({ text, place, values }) =>
    `${(text.length > width ? `${text.slice(0, width - 1)}…` : text).padEnd(width)}  ${dim(place.padEnd(placeWidth))}  ${values}`.trimEnd(),
  );
  return `${titleOf(document)}\n\n${body.join('\n').trimEnd()}\n`;
}

export function describeUnused(unused: readonly UnusedValue[], _options: FormatOptions): string {
  if (unused.length === 0) return 'Templates read every value that is set.\n';
  const rows = unused.map(({ name, origin, near }) => [
    name,
    originText(origin).replace(" (the chart's default)", ''),
    near.map((one) => `did you mean ${one.name}${one.readAt ? `, which ${formatPlace(one.readAt)} reads` : ''}?`).join(' '),
  ]);
  return `No template reads ${unused.length === 1 ? 'this value' : `these ${unused.length} values`}:\n\n${formatTable(['VALUE', 'SET BY', ''], rows)}`;
}
