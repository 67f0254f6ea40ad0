import type { z } from 'zod';
import { SecurityError } from '../errors.ts';
import { GrypeReport, readGrype } from './grype.ts';
import type { OutsideReport } from './report.ts';
import { readTrivy, TrivyReport } from './trivy.ts';

/** Reads reports of outside scanners. What is not exactly a known shape is an error: an unread report never counts as a clean one. */

interface ReportReader {
  readonly name: string;
  recognises(value: object): boolean;
  read(value: unknown): OutsideReport;
}

const reader = <T>(name: string, key: string, schema: z.ZodType<T>, read: (value: T) => OutsideReport): ReportReader => ({
  name,
  recognises: (value) => key in value,
  read: (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return read(parsed.data);
    const issue = parsed.error.issues[0];
    throw new SecurityError('REPORT_INVALID', `The ${name} report has an unknown shape: ${issue?.path.join('.')}: ${issue?.message}.`, {
      cure: `Make the report with a supported version of ${name}, in JSON and unchanged.`,
    });
  },
});

/** The readers, in the order of trial; to add one, write its file beside these and a line here. */
const readers: readonly ReportReader[] = [
  reader('Trivy', 'SchemaVersion', TrivyReport, readTrivy),
  reader('Grype', 'matches', GrypeReport, readGrype),
];

const maximumCharacters = 256 << 20;

/** The report in a JSON text; throws REPORT_INVALID for anything that is no known scanner report, and VECTOR_INVALID for a bad vector in one. */
export function readReport(text: string): OutsideReport {
  if (text.length > maximumCharacters) throw new SecurityError('REPORT_INVALID', `The report has over ${maximumCharacters} characters.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SecurityError('REPORT_INVALID', 'The report is no JSON.', { cause });
  }
  const found =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? readers.find((item) => item.recognises(value)) : undefined;
  if (found) return found.read(value);
  throw new SecurityError('REPORT_INVALID', 'The report is of no known scanner.', {
    cure: `Give a JSON report of ${readers.map((item) => item.name).join(' or ')}; SARIF is not taken for vulnerabilities, since tools invent its scores.`,
  });
}
