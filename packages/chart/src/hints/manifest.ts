import type { ManifestProblem } from '../render/manifests.ts';
import type { TracedLine, TracedPart, TracedValue } from '../trace/api.ts';
import type { Trace } from '../trace/trace.ts';
import { YamlError } from '../yaml/errors.ts';
import { ConversionError } from '../yaml/values.ts';

/** What a template printed is no YAML: which line of it, which part of the template, and why. */
export interface ManifestExplanation {
  /** Line of the rendered document, from 1. */
  readonly line: number;
  readonly part: TracedPart | undefined;
  readonly values: readonly TracedValue[];
  readonly cures: readonly string[];
}

/** Lines of a document that is explained: nobody wrote more by hand. */
const mostLines = 20_000;

export function explainManifest(problem: ManifestProblem, trace: Trace): ManifestExplanation {
  const { source, content } = problem;
  const lines = hasMoreLines(content, mostLines) ? [] : trace.lines({ source, content, apiVersion: '', kind: '', name: '' });
  const reported = reportedLine(problem);
  const isSyntax = problem.cause instanceof ConversionError && problem.cause.cause instanceof YamlError;
  for (const explain of isSyntax ? [tab, unquoted, wronglyIndented] : []) {
    const found = explain(lines, reported);
    if (found) return found;
  }
  const line = lines[Math.min(reported, lines.length) - 1];
  const part = line?.parts.findLast(({ kind, text }) => kind === 'action' && text.trim() !== '') ?? line?.parts.at(-1);
  return {
    line: reported,
    part,
    values: part?.values ?? [],
    cures: [isSyntax ? 'Compare the rendered lines with what was meant; indentation and quotes are the usual faults.' : wantedForm],
  };
}

function hasMoreLines(text: string, most: number): boolean {
  let at = -1;
  for (let count = 0; count < most; count++) {
    at = text.indexOf('\n', at + 1);
    if (at < 0) return false;
  }
  return true;
}

const wantedForm =
  'A manifest is a map: apiVersion, kind and metadata.name are texts, annotations a map of texts. Mend what has another form.';

/** go-yaml's line; errors of its parser name the line before, or where the block began. */
function reportedLine(problem: ManifestProblem): number {
  const conversion = problem.cause instanceof ConversionError ? problem.cause.cause : undefined;
  return conversion instanceof YamlError && conversion.line > 0 ? conversion.line : 1;
}

const indentOf = (text: string): number => text.length - text.trimStart().length;

/** Lines that the error may mean, the reported one first. */
const near = (lines: readonly TracedLine[], reported: number): TracedLine[] =>
  [0, 1, -1, 2, -2, 3].flatMap((offset) => lines[reported - 1 + offset] ?? []);

function tab(lines: readonly TracedLine[], reported: number): ManifestExplanation | undefined {
  const found = near(lines, reported).find(({ text }) => /^ *\t/.test(text));
  return found && { line: found.line, part: found.parts[0], values: [], cures: ['YAML is not indented with tabs: put spaces there.'] };
}

/** A value that means something to YAML where it stands bare. */
function unquoted(lines: readonly TracedLine[], reported: number): ManifestExplanation | undefined {
  for (const line of near(lines, reported)) {
    const own = line.parts[0];
    if (own && line.parts.length === 1 && own.kind === 'text' && /^\s*(- )?[\w./-]+: [^\s"'{[|>#&*!].*: /.test(line.text)) {
      const key = line.text.slice(0, line.text.indexOf(':') + 1).trim();
      return {
        line: line.line,
        part: own,
        values: [],
        cures: [`Quote what stands behind "${key}": it holds a colon and a space, which begin a map.`],
      };
    }
    for (const [index, part] of line.parts.entries()) {
      const value = part.values.find(({ isPrinted }) => isPrinted);
      const before = line.parts
        .slice(0, index)
        .map(({ text }) => text)
        .join('');
      if (part.kind !== 'action' || !value || !/[:-] $/.test(before)) continue;
      if (!/: |:$| #|^[@`%&*!|>{}[\],?]/.test(part.text.trim())) continue;
      return {
        line: line.line,
        part,
        values: part.values,
        cures: [`${value.name} holds characters that YAML takes for its own: print it with "| quote".`],
      };
    }
  }
  return undefined;
}

/** A text of several lines whose lines do not stand below one another, or not below their key. */
function wronglyIndented(lines: readonly TracedLine[], reported: number): ManifestExplanation | undefined {
  for (const line of near(lines, reported)) {
    const part = printedBy(line);
    if (!part) continue;
    let first = line.line - 1;
    while (first > 0 && isOf(lines[first - 1], part)) first--;
    let last = line.line - 1;
    while (isOf(lines[last + 1], part)) last++;
    const key = lines.slice(0, first).findLast(({ text }) => text.trim() !== '' && !text.trim().startsWith('#'));
    if (!key || !/:\s*$/.test(key.text)) continue;
    const wanted = indentOf(key.text) + 2;
    const block = lines.slice(first, last + 1).filter(({ text }) => text.trim() !== '');
    const indents = block.map(({ text }) => indentOf(text));
    const isWrong = Math.min(...indents) < wanted || (indents[0] as number) > Math.min(...indents);
    const top = block[0];
    if (!top || !isWrong) continue;
    return {
      line: top.line,
      part: printedBy(top) ?? part,
      values: printedBy(top)?.values ?? [],
      cures: [`This block belongs below "${key.text.trim()}": print it with "{{- … | nindent ${wanted} }}".`],
    };
  }
  return undefined;
}

const printedBy = ({ parts }: TracedLine): TracedPart | undefined =>
  parts.find(({ kind, text }) => kind === 'action' && text.trim() !== '');

/** Whether an action has a part in a line. */
const isOf = (line: TracedLine | undefined, { place: wanted }: TracedPart): boolean =>
  line?.parts.some(({ place }) => place.file === wanted.file && place.line === wanted.line && place.column === wanted.column) ?? false;
