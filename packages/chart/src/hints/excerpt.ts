import type { Excerpt } from './diagnosis.ts';

/** Lines shown before and after the one that matters. */
const around = 2;
/** Longer lines are cut: a rendered line may hold a whole dashboard. */
const widest = 160;

/**
 * @param line from 1
 * @param column from 1, in characters
 * @param word what the caret stands under, where the line holds it
 */
export function excerptOf(of: Excerpt['of'], file: string, text: string, line: number, column?: number, word?: string): Excerpt {
  const all = text.split('\n');
  const first = Math.max(1, line - around);
  const last = Math.min(all.length, line + around);
  const lines = [];
  for (let number = first; number <= last; number++) lines.push({ line: number, text: shorten(all[number - 1] as string) });
  const own = shorten(all[line - 1] ?? '');
  const caret = caretOf(own, column, word);
  return { of, file, lines, ...(caret ? { caret: { line, ...caret } } : {}) };
}

/** The word nearest to the column; else what stands there up to the end of its action; else the whole line. */
function caretOf(line: string, column: number | undefined, word: string | undefined): { column: number; length: number } | undefined {
  if (word) {
    const before = line.lastIndexOf(word, (column ?? line.length) - 1);
    const at = before >= 0 ? before : line.indexOf(word);
    if (at >= 0) return { column: at + 1, length: word.length };
  }
  const start = column === undefined ? line.length - line.trimStart().length : Math.min(column - 1, line.length);
  const rest = line.slice(start).trimEnd();
  const end = column === undefined ? -1 : rest.search(/ -?\}\}/);
  const length = end > 0 ? end : rest.length;
  return length > 0 ? { column: start + 1, length } : undefined;
}

const shorten = (line: string): string => withoutControls(line.length > widest ? `${line.slice(0, widest - 1)}…` : line);

/** A stranger's text for a terminal: one space for each tab and control character, so that columns stay. */
export const withoutControls = (text: string): string => text.replace(/\p{Cc}/gu, ' ');
