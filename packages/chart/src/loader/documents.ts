import { fromBytes } from '../value/text.ts';

/** One document of a YAML stream, and the line (from 0) of the stream on which it begins. */
export interface StreamDocument {
  readonly text: string;
  readonly line: number;
}

/** Cuts a stream of YAML documents at lines that start with `---`, as Kubernetes' YAML reader does. */
export function documentsOf(text: string): StreamDocument[] {
  if (!text.startsWith('---') && !text.includes('\n---')) return /[^\n]/.test(text) ? [{ text, line: 0 }] : [];
  const documents: StreamDocument[] = [];
  let current: string[] = [];
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('---') && /^---\s*$/.test(line)) {
      if (current.length > 0) documents.push({ text: `${current.join('\n')}\n`, line: index - current.length });
      current = [];
    } else current.push(line);
  }
  if (current.some((line) => line !== '')) documents.push({ text: current.join('\n'), line: lines.length - current.length });
  return documents;
}

export const splitDocuments = (text: string): string[] => documentsOf(text).map((document) => document.text);

/** The line (from 1) of a key in the first column of a file; the first line where it is not found. */
export function lineOfKey(file: Uint8Array | undefined, key: string): number {
  if (!file) return 1;
  const lines = fromBytes(file).split('\n');
  const found = lines.findIndex((line) => line.startsWith(key) && /^\s*:/.test(line.slice(key.length)));
  return found < 0 ? 1 : found + 1;
}
