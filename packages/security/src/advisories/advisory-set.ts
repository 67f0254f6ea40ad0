import { Instant, type Score, type Severity } from '@desp/model';
import { z } from 'zod';
import { SecurityError } from '../errors.ts';
import { pythonName } from '../sbom/purls.ts';
import { ecosystemFamily } from '../versions/order.ts';
import { type Advisory, parseOsvRecord } from './osv.ts';

/** One published collection of advisories as it stood on a day. */
export interface AdvisoryDatabase {
  readonly name: string;
  /** When it was taken from its publisher. */
  readonly date: Instant;
  /** What it speaks for, as OSV names it (`npm`, `Debian:12`); a package of another ecosystem is not assessed by it. */
  readonly ecosystems: readonly string[];
  readonly records: readonly Advisory[];
}

const lookupKey = (ecosystem: string, name: string): string =>
  `${ecosystem}\n${ecosystemFamily(ecosystem) === 'PyPI' ? pythonName(name) : name}`;

/** All advisories that a judgement uses, found by ecosystem and package name. Immutable. */
export class AdvisorySet {
  readonly databases: readonly { readonly name: string; readonly date: Instant; readonly records: number }[];
  readonly #covered: ReadonlyMap<string, string>;
  readonly #byPackage = new Map<string, Advisory[]>();
  readonly #byName = new Map<string, Advisory[]>();

  constructor(databases: readonly AdvisoryDatabase[]) {
    this.databases = databases.map(({ name, date, records }) => ({ name, date, records: records.length }));
    this.#covered = new Map(
      databases.flatMap((database) =>
        database.records.length > 0 ? database.ecosystems.map((ecosystem) => [ecosystem, database.name] as const) : [],
      ),
    );
    for (const advisory of databases.flatMap((database) => database.records)) {
      if (advisory.withdrawn) continue;
      for (const key of new Set(advisory.affected.map((item) => lookupKey(item.ecosystem, item.name))))
        append(this.#byPackage, key, advisory);
      for (const name of new Set([advisory.id, ...advisory.aliases])) append(this.#byName, name, advisory);
    }
  }

  /** True when some database speaks for the ecosystem. */
  covers(ecosystem: string): boolean {
    return this.#covered.has(ecosystem);
  }

  /** Advisories that name the package, withdrawn ones left out. */
  about(ecosystem: string, name: string): readonly Advisory[] {
    return this.#byPackage.get(lookupKey(ecosystem, name)) ?? [];
  }

  /** Scores and labels that any record of the set gives the same weakness under one of these names. */
  gradesOf(names: readonly string[]): { scores: Score[]; labels: Severity[] } {
    const records = new Set(names.flatMap((name) => this.#byName.get(name) ?? []));
    return { scores: [...records].flatMap((item) => item.scores), labels: [...records].flatMap((item) => item.labels) };
  }
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

const file = z.strictObject({
  database: z.strictObject({
    name: z.string().min(1).max(200),
    date: Instant,
    ecosystems: z.array(z.string().min(1).max(100)).min(1).max(100),
    source: z.string().max(500),
    note: z.string().max(2000).optional(),
  }),
  records: z.array(z.unknown()).min(1).max(1_000_000),
});

/** Reads one file of a committed or exported set: `{database: {name, date, ecosystems, source}, records: [OSV …]}`. */
export function parseAdvisoryFile(value: unknown): AdvisoryDatabase {
  const parsed = file.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SecurityError('ADVISORY_INVALID', `The advisory file is malformed: ${issue?.path.join('.')}: ${issue?.message}.`);
  }
  const { name, date, ecosystems } = parsed.data.database;
  return { name, date, ecosystems, records: parsed.data.records.map((record) => parseOsvRecord(name, record)) };
}
