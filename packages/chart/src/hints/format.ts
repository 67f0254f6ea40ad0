import { formatPlace } from '../errors.ts';
import type { TracedCall } from '../trace/api.ts';
import type { Diagnosis, Excerpt, ValueFinding } from './diagnosis.ts';
import { listed, originText, typeWord } from './words.ts';

export interface FormatOptions {
  /** ANSI colours, for a terminal. */
  readonly colour?: boolean;
}

type Paint = (text: string, style: Style) => string;
type Style = 'bold' | 'dim' | 'red' | 'cyan' | 'green';

const codes: Readonly<Record<Style, string>> = { bold: '1', dim: '2', red: '31', cyan: '36', green: '32' };

const painter =
  (colour: boolean | undefined): Paint =>
  (text, style) =>
    colour ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;

/** What stands below Helm's own message: excerpt, values, calls and cures. Ends with a line break; empty where there is nothing to say. */
export function formatDiagnosis(diagnosis: Diagnosis, options: FormatOptions = {}): string {
  const paint = painter(options.colour);
  const blocks = [
    ...diagnosis.excerpts.map((excerpt) => drawExcerpt(excerpt, paint)),
    diagnosis.stack.length > 1 ? rows('called', formatStack(diagnosis.stack), paint) : '',
    rows('values', diagnosis.values.flatMap(valueLines), paint),
    rows('cure', diagnosis.cures, paint, 'green'),
  ];
  return blocks.filter((block) => block !== '').join('\n');
}

/** Lines with a caret, indented by two. */
export const formatExcerpt = (excerpt: Excerpt, options: FormatOptions = {}): string => drawExcerpt(excerpt, painter(options.colour));

function drawExcerpt(excerpt: Excerpt, paint: Paint): string {
  const width = String(excerpt.lines.at(-1)?.line ?? 0).length;
  const where = formatPlace({ file: excerpt.file, ...(excerpt.caret ? { line: excerpt.caret.line, column: excerpt.caret.column } : {}) });
  const out = [
    `  ${paint(excerpt.of === 'rendered' ? `what ${excerpt.file} printed, line ${excerpt.caret?.line ?? '?'}` : where, 'cyan')}`,
  ];
  for (const { line, text } of excerpt.lines) {
    const isHere = line === excerpt.caret?.line;
    out.push(
      `  ${paint(`${isHere ? '>' : ' '} ${String(line).padStart(width)} |`, 'dim')} ${isHere ? paint(text, 'bold') : text}`.trimEnd(),
    );
    if (isHere && excerpt.caret) {
      out.push(
        `  ${paint(`  ${' '.repeat(width)} |`, 'dim')} ${' '.repeat(excerpt.caret.column - 1)}${paint('^'.repeat(excerpt.caret.length), 'red')}`,
      );
    }
  }
  return `${out.join('\n')}\n`;
}

/** A label and lines beside it, aligned. */
function rows(label: string, lines: readonly string[], paint: Paint, style: Style = 'bold'): string {
  return lines.map((line, index) => `  ${paint((index === 0 ? `${label}:` : '').padEnd(8), style)}${line}\n`).join('');
}

/** From the innermost template outwards. */
export function formatStack(stack: readonly TracedCall[]): string[] {
  return stack
    .toReversed()
    .filter((call) => call.calledAt)
    .map((call) => {
      const what =
        call.kind === 'tpl'
          ? `the text of tpl${call.text?.value ? ` (${call.text.value.name}, set by ${originText(call.text.value.origin)})` : ''}`
          : JSON.stringify(call.name);
      return `${what} from ${call.calledAt ? formatPlace(call.calledAt) : ''}`;
    });
}

function valueLines({ name, type, origin, lackingIn, elsewhere }: ValueFinding): string[] {
  if (type === 'set') return [`${name}, set by ${originText(origin)}`];
  if (type !== 'missing') return [`${name} is ${type === 'null' ? 'null' : `a ${typeWord(type)}`}, set by ${originText(origin)}`];
  return [
    `${name} is not set${lackingIn.length > 0 ? ` by ${listed(lackingIn, 'nor by')}` : ''}`,
    ...(elsewhere.length > 0 ? [`${listed(elsewhere.map(formatPlace))} ${elsewhere.length === 1 ? 'has' : 'have'} it`] : []),
  ];
}
