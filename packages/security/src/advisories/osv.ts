import { type Instant, instantOf, type Score, type Severity } from '@desp/model';
import { z } from 'zod';
import { SecurityError } from '../errors.ts';
import { scoreVector } from './score.ts';

/**
 * Advisories in the OSV schema (ossf.github.io/osv-schema, 1.x). Strict where a misreading would open the gate
 * (identity, dates, ranges, vectors), tolerant of further fields.
 */
const text = z.string().min(1).max(500);
const texts = z.array(text).max(2000).nullish();

const event = z
  .strictObject({ introduced: text.optional(), fixed: text.optional(), last_affected: text.optional(), limit: text.optional() })
  .refine((value) => Object.values(value).filter((item) => item !== undefined).length === 1, 'an event has exactly one kind');

const severity = z
  .array(z.object({ type: text, score: text }))
  .max(50)
  .nullish();
const labels = z.object({ severity: z.unknown().optional(), urgency: z.unknown().optional() }).nullish();

const record = z.object({
  schema_version: z.string().regex(/^1\./, 'schema version 1.x is read').optional(),
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{1,199}$/),
  modified: z.iso.datetime(),
  published: z.iso.datetime().optional(),
  withdrawn: z.iso.datetime().nullish(),
  aliases: texts,
  upstream: texts,
  summary: z.string().max(10_000).nullish(),
  severity,
  database_specific: labels,
  affected: z
    .array(
      z.object({
        package: z.object({ ecosystem: text, name: text }).optional(),
        severity,
        ranges: z
          .array(z.object({ type: z.enum(['SEMVER', 'ECOSYSTEM', 'GIT']), events: z.array(event).min(1).max(2000) }))
          .max(500)
          .nullish(),
        versions: z.array(text).max(100_000).nullish(),
        ecosystem_specific: labels,
        database_specific: labels,
      }),
    )
    .max(20_000)
    .nullish(),
});

export type RangeEvent = { readonly kind: 'introduced' | 'fixed' | 'last_affected' | 'limit'; readonly version: string };

export interface AffectedPackage {
  readonly ecosystem: string;
  readonly name: string;
  /** Ranges that an order of versions can decide. */
  readonly ranges: readonly (readonly RangeEvent[])[];
  readonly versions: readonly string[];
  /** True when it names only Git commits, so that a version cannot be placed. */
  readonly commitsOnly: boolean;
  readonly scores: readonly Score[];
  readonly labels: readonly Severity[];
}

export interface Advisory {
  readonly database: string;
  readonly id: string;
  readonly modified: Instant;
  readonly published?: Instant;
  readonly withdrawn: boolean;
  /** Other names of the same weakness, without its own id. */
  readonly aliases: readonly string[];
  /** Names of weaknesses that it reports on for a distribution; their scores count here too. */
  readonly upstream: readonly string[];
  readonly summary: string;
  readonly affected: readonly AffectedPackage[];
  readonly scores: readonly Score[];
  readonly labels: readonly Severity[];
}

const severityWords: Readonly<Record<string, Severity>> = {
  none: 'none',
  unimportant: 'low',
  negligible: 'low',
  low: 'low',
  moderate: 'medium',
  medium: 'medium',
  important: 'high',
  high: 'high',
  critical: 'critical',
};

/** The severity of a label word, whatever its case; undefined for words that grade nothing (`not yet assigned`). */
export const severityOf = (word: unknown): Severity | undefined =>
  typeof word === 'string' && Object.hasOwn(severityWords, word.toLowerCase()) ? severityWords[word.toLowerCase()] : undefined;

const vectorTypes = new Set(['CVSS_V2', 'CVSS_V3', 'CVSS_V4']);

function gradesOf(source: string, list: readonly { type: string; score: string }[]): { scores: Score[]; labels: Severity[] } {
  const scores: Score[] = [];
  const labels: Severity[] = [];
  for (const item of list) {
    if (vectorTypes.has(item.type)) scores.push({ source, ...scoreVector(item.score) });
    else {
      const label = severityOf(item.score);
      if (label) labels.push(label);
    }
  }
  return { scores, labels };
}

const defined = <T>(values: readonly (T | undefined)[]): T[] => values.filter((value) => value !== undefined);
const maximumBytes = 8 << 20;

/** Reads one OSV record of the database `database`. Throws ADVISORY_INVALID, or VECTOR_INVALID for a vector that cannot be scored. */
export function parseOsvRecord(database: string, value: unknown): Advisory {
  const parsed = record.safeParse(value);
  if (!parsed.success) {
    const id = typeof value === 'object' && value !== null && 'id' in value ? String(value.id).slice(0, 100) : 'without id';
    const issue = parsed.error.issues[0];
    throw new SecurityError(
      'ADVISORY_INVALID',
      `The advisory ${id} of ${database} is no OSV record: ${issue?.path.join('.')}: ${issue?.message}.`,
      {
        cure: 'Import records of the OSV schema 1.x, unchanged as the database publishes them.',
      },
    );
  }
  const osv = parsed.data;
  const own = gradesOf(database, osv.severity ?? []);
  const instant = (moment: string): Instant => instantOf(new Date(moment));
  return {
    database,
    id: osv.id,
    modified: instant(osv.modified),
    ...(osv.published ? { published: instant(osv.published) } : {}),
    withdrawn: Boolean(osv.withdrawn),
    aliases: (osv.aliases ?? []).filter((alias) => alias !== osv.id),
    upstream: osv.upstream ?? [],
    summary: osv.summary ?? '',
    scores: own.scores,
    labels: [...own.labels, ...defined([severityOf(osv.database_specific?.severity)])],
    affected: (osv.affected ?? []).flatMap((item) => {
      if (!item.package) return [];
      const grades = gradesOf(database, item.severity ?? []);
      const ranges = item.ranges ?? [];
      const words = [item.ecosystem_specific, item.database_specific].flatMap((field) => [field?.severity, field?.urgency]);
      return [
        {
          ecosystem: item.package.ecosystem,
          name: item.package.name,
          ranges: ranges
            .filter((range) => range.type !== 'GIT')
            .map((range) =>
              range.events.flatMap((one) => Object.entries(one).map(([kind, version]) => ({ kind: kind as RangeEvent['kind'], version }))),
            ),
          versions: item.versions ?? [],
          commitsOnly: ranges.every((range) => range.type === 'GIT') && !item.versions?.length,
          scores: grades.scores,
          labels: [...grades.labels, ...defined(words.map(severityOf))],
        },
      ];
    }),
  };
}

/** Reads the text of one OSV file: one record. */
export function parseOsvText(database: string, json: string): Advisory {
  if (json.length > maximumBytes)
    throw new SecurityError('ADVISORY_INVALID', `An advisory of ${database} has over ${maximumBytes} characters.`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new SecurityError('ADVISORY_INVALID', `An advisory of ${database} is no JSON.`, { cause });
  }
  return parseOsvRecord(database, value);
}
