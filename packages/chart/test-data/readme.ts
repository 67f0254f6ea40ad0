import { readFileSync } from 'node:fs';

export interface Example {
  /** Its last statement, for the test's name. */
  readonly title: string;
  readonly code: string;
  /** What it prints: the comment lines at its end. */
  readonly printed: string;
}

/** The TypeScript blocks of the README. */
export function readmeExamples(): Example[] {
  const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => {
    const lines = code.trimEnd().split('\n');
    let end = lines.length;
    while (end > 0 && /^\/\/( |$)/.test(lines[end - 1] as string)) end--;
    const printed = lines.slice(end).map((line) => line.slice(3));
    return { title: lines[end - 1] ?? '', code, printed: printed.join('\n').trimEnd() };
  });
}
