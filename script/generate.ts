import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeApi } from '../apps/platform/src/api/server.ts';
import { clusterPage } from './generate-cluster.ts';
import { commandsPage } from './generate-commands.ts';
import { keywordsPage, requirementsPage } from './generate-tables.ts';

/**
 * Writes what is generated from code and committed, or with `--check` says what differs (exit code 1). To add a document: a
 * line in `documents`; the same code must always give the same text.
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const documents: readonly { readonly file: string; readonly make: () => Promise<string> }[] = [
  { file: 'docs/reference/openapi.json', make: async () => `${JSON.stringify(await describeApi(), null, 2)}\n` },
  { file: 'docs/reference/commands.md', make: commandsPage },
  { file: 'docs/reference/requirements.md', make: async () => requirementsPage() },
  { file: 'docs/reference/ci-keywords.md', make: async () => keywordsPage() },
  { file: 'docs/reference/cluster.md', make: async () => clusterPage() },
];

const check = process.argv.includes('--check');
const differing: string[] = [];
for (const { file, make } of documents) {
  const path = join(root, file);
  const text = await make();
  if (text === read(path)) continue;
  differing.push(file);
  if (check) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
if (check && differing.length > 0) {
  process.stderr.write(`${differing.join(', ')}: not what the code makes now. Run npm run generate and commit what it writes.\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(
    differing.length > 0 && !check ? `Wrote ${differing.join(', ')}.\n` : 'Generated documents are as the code makes them.\n',
  );
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
