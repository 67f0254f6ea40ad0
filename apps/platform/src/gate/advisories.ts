import { type Instant, instantOf } from '@desp/model';
import type { Clock } from '@desp/runtime';
import { type AdvisoryDatabase, AdvisorySet, parseOsvRecord, rehearsalAdvisories } from '@desp/security';
import type { Sql } from '@desp/storage';
import { PlatformError } from '../platform-error.ts';

/** The advisories that verdicts use: the dated rehearsal set that comes with the product, and what was imported since. */
export interface Advisories {
  current(): Promise<AdvisorySet>;
  /** Adds records of a database as of a date; those with a known id are replaced. */
  add(database: string, date: Instant, records: readonly Record<string, unknown>[]): Promise<number>;
}

export function createAdvisories(db: Sql, clock: Clock): Advisories {
  const shipped = rehearsalAdvisories();
  let cached: AdvisorySet | undefined;
  return {
    async current() {
      if (cached) return cached;
      const rows = await db.selectFrom('advisories').select(['database', 'record', 'imported_at']).orderBy('id').execute();
      const imported = Map.groupBy(rows, (row) => row.database);
      const databases: AdvisoryDatabase[] = [...imported].map(([name, own]) => {
        const records = own.map((row) => parseOsvRecord(name, row.record));
        const ecosystems = [...new Set(records.flatMap((record) => record.affected.map((affected) => affected.ecosystem)))];
        return { name, date: own.map((row) => row.imported_at).sort()[0] as Instant, ecosystems, records };
      });
      cached = new AdvisorySet([...shipped, ...databases]);
      return cached;
    },
    async add(database, date, records) {
      // Parsed before anything is written: one bad record refuses the batch with its name.
      const parsed = records.map((record) => ({ advisory: parseOsvRecord(database, record), record }));
      if (Date.parse(date) > clock.now().getTime() + 5 * 60_000)
        throw new PlatformError('INVALID', `The date ${date} is after now (${instantOf(clock.now())}).`, {
          kind: 'user',
          cure: 'Set the clock right, or give the date on which the records were taken.',
        });
      await db.transaction().execute(async (transaction) => {
        for (const { advisory, record } of parsed) {
          const row = { id: `${database}/${advisory.id}`, database, record: JSON.stringify(record), imported_at: date };
          await transaction
            .insertInto('advisories')
            .values(row)
            .onConflict((conflict) => conflict.column('id').doUpdateSet({ record: row.record, imported_at: date }))
            .execute();
        }
        await transaction.updateTable('advisories').set({ imported_at: date }).where('database', '=', database).execute();
      });
      cached = undefined;
      return parsed.length;
    },
  };
}
