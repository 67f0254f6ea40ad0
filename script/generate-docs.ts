import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandsPage } from './generate-commands.ts';
import { keywordsPage, requirementsPage } from './generate-tables.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Every page of docs/reference that code writes, by path from the root. To add one: a function, and a line here. */
export async function docsFiles(): Promise<{ readonly path: string; readonly text: string }[]> {
  return [
    { path: 'docs/reference/commands.md', text: await commandsPage() },
    { path: 'docs/reference/requirements.md', text: requirementsPage() },
    { path: 'docs/reference/ci-keywords.md', text: keywordsPage() },
  ];
}

/** Writes the pages, or with `check` only compares. @returns the paths that were not up to date */
export async function generateDocs({ check }: { readonly check: boolean }): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, text } of await docsFiles()) {
    const file = join(root, path);
    if (readText(file) === text) continue;
    stale.push(path);
    if (!check) writeFileSync(file, text);
  }
  return stale;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check');
  const stale = await generateDocs({ check });
  for (const path of stale) process.stdout.write(`${check ? 'not up to date' : 'written'}: ${path}\n`);
  if (check && stale.length) {
    process.stderr.write('Remake them: node script/generate-docs.ts\n');
    process.exitCode = 1;
  }
}
