import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Area, Case } from './case.ts';

/** One passed case, as the committed file keeps it for the support table. */
export interface Row {
  readonly area: string;
  readonly name: string;
  readonly kubectl?: readonly string[];
  readonly verbs?: Readonly<Record<string, string>>;
  readonly fields?: Readonly<Record<string, string>>;
}

const file = fileURLToPath(new URL('results.json', import.meta.url));
const cure = 'DESP_ACCEPTANCE_RECORD=1 npx vitest run --project real testing/conformance/cluster && npm run generate';

export const rowOf = (area: string, { name, kubectl, verbs, fields }: Case): Row => ({
  area,
  name,
  ...(kubectl === undefined ? {} : { kubectl }),
  ...(verbs === undefined ? {} : { verbs }),
  ...(fields === undefined ? {} : { fields }),
});

/** The rows in the order of the suite: they pass in any. */
const inOrder = (areas: readonly Area[], rows: readonly Row[]): Row[] => {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return areas.flatMap(({ title, cases }) => cases.flatMap(({ name }) => byKey.get(keyOf({ area: title, name })) ?? []));
};
const keyOf = ({ area, name }: { area: string; name: string }): string => JSON.stringify([area, name]);

/** Writes the committed file; only when every row passed, for it says what this cluster does. */
export async function recordResults(areas: readonly Area[], passed: readonly Row[], skipped: readonly Row[]): Promise<void> {
  const expected = areas.reduce((sum, { cases }) => sum + cases.length, 0);
  if (passed.length !== expected)
    throw new Error(`Only ${passed.length} of ${expected} rows passed (${skipped.length} were skipped): nothing is recorded.`);
  await writeFile(file, `${JSON.stringify(inOrder(areas, passed), null, 2)}\n`);
}

/** Why the committed file is not what passed now; undefined when it is. Rows that could not run here are not judged. */
export async function compareResults(areas: readonly Area[], passed: readonly Row[], skipped: readonly Row[]): Promise<string | undefined> {
  const committed = JSON.parse(await readFile(file, 'utf8').catch(() => '[]')) as Row[];
  const notRun = new Set(skipped.map(keyOf));
  const judged = committed.filter((row) => !notRun.has(keyOf(row)));
  const now = inOrder(areas, passed);
  if (JSON.stringify(judged) === JSON.stringify(now)) return undefined;
  const said = new Map(judged.map((row) => [keyOf(row), JSON.stringify(row)]));
  const shown = new Map(now.map((row) => [keyOf(row), JSON.stringify(row)]));
  const lines = [
    ...judged.filter((row) => !shown.has(keyOf(row))).map(({ area, name }) => `  claimed, and did not pass: ${area}: ${name}`),
    ...now.filter((row) => !said.has(keyOf(row))).map(({ area, name }) => `  passed, and not claimed: ${area}: ${name}`),
    ...now
      .filter((row) => said.has(keyOf(row)) && said.get(keyOf(row)) !== JSON.stringify(row))
      .map(({ area, name }) => `  shows other things: ${area}: ${name}`),
  ];
  const what = lines.length > 0 ? lines.slice(0, 20).join('\n') : '  the same rows in another order';
  return `The support table is not what the passing rows make it:\n${what}\nWhen the rows are right: ${cure}`;
}
