import { readFileSync } from 'node:fs';

/** A text of template code, and the function or rule that it is about. */
export interface Case {
  readonly about: string;
  readonly template: string;
}

/** What Helm said to a case: what the template printed, or the message of its failure. */
export type Outcome = { readonly out: string } | { readonly error: string };

export interface GoldenCase extends Case {
  readonly helm3: Outcome;
  readonly helm4: Outcome;
}

export interface Golden {
  readonly madeBy: { readonly helm3: string; readonly helm4: string };
  readonly cases: readonly GoldenCase[];
}

export const tables = ['functions', 'language'] as const;
export type Table = (typeof tables)[number];

/** Reads a table of cases: one template a line, `## NAME` before those about NAME. */
export function readCases(table: Table): Case[] {
  const cases: Case[] = [];
  let about = '';
  for (const line of readFileSync(new URL(`${table}.txt`, import.meta.url), 'utf8').split('\n')) {
    if (line.startsWith('## ')) about = line.slice(3);
    else if (line !== '' && !line.startsWith('# ')) cases.push({ about, template: line });
  }
  return cases;
}

export function readGolden(table: Table): Golden {
  return JSON.parse(readFileSync(new URL(`goldens/${table}.json`, import.meta.url), 'utf8')) as Golden;
}
