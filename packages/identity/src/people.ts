import { instantOf, type Role } from '@desp/model';
import type { Clock } from '@desp/runtime';
import type { Sql } from '@desp/storage';
import { generatePassword, hashPassword } from './passwords.ts';
import type { Principal } from './permissions.ts';

export interface Person {
  readonly name: string;
  readonly title: string;
  readonly company: string | undefined;
  readonly roles: readonly Role[];
}

/** The rehearsal's companies: two providers, so that what one may not see of the other shows. */
const rehearsalCompanies = [
  { name: 'acme', title: 'Acme Earth Services' },
  { name: 'other', title: 'Other Provider' },
];

/** The rehearsal's people: one a role, and one of a second company. */
const rehearsalPeople: readonly Person[] = [
  { name: 'provider', title: 'Paula Provider', company: 'acme', roles: ['provider'] },
  { name: 'other-provider', title: 'Otto Other', company: 'other', roles: ['provider'] },
  { name: 'ivv', title: 'Ivo Verifier', company: undefined, roles: ['ivv'] },
  { name: 'security', title: 'Selma Security', company: undefined, roles: ['security'] },
  { name: 'operator', title: 'Olga Operator', company: undefined, roles: ['operator'] },
  { name: 'executive', title: 'Emil Executive', company: undefined, roles: ['executive'] },
];

/**
 * Makes the rehearsal's companies and people where they are missing. Returns the first passwords of those it made, for the
 * caller to keep where only the operator reads; they are stored hashed and shown nowhere else.
 */
export async function bootstrapPeople(db: Sql, issuer: string, clock: Clock): Promise<{ person: string; password: string }[]> {
  const now = instantOf(clock.now());
  const made: { person: string; password: string }[] = [];
  for (const company of rehearsalCompanies)
    await db
      .insertInto('companies')
      .values({ ...company, created_at: now })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  for (const person of rehearsalPeople) {
    if (await findPerson(db, person.name)) continue;
    const password = generatePassword();
    await db
      .insertInto('people')
      .values({
        name: person.name,
        title: person.title,
        company: person.company ?? null,
        roles: JSON.stringify(person.roles),
        issuer,
        subject: person.name,
        password: await hashPassword(password),
        created_at: now,
      })
      .execute();
    made.push({ person: person.name, password });
  }
  return made;
}

const toPerson = (row: { name: string; title: string; company: string | null; roles: Role[] }): Person => ({
  name: row.name,
  title: row.title,
  company: row.company ?? undefined,
  roles: row.roles,
});

export async function findPerson(db: Sql, name: string): Promise<Person | undefined> {
  const row = await db.selectFrom('people').select(['name', 'title', 'company', 'roles']).where('name', '=', name).executeTakeFirst();
  return row && toPerson(row);
}

/** Whom an identity provider's token speaks of; roles and company are our own records, never the token's. */
export async function findPersonBySubject(db: Sql, issuer: string, subject: string): Promise<Person | undefined> {
  const row = await db
    .selectFrom('people')
    .select(['name', 'title', 'company', 'roles'])
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return row && toPerson(row);
}

/** What our provider calls a person, by name; undefined for one whom another provider speaks for. */
export async function findSubject(db: Sql, issuer: string, name: string): Promise<string | undefined> {
  const row = await db.selectFrom('people').select('subject').where('issuer', '=', issuer).where('name', '=', name).executeTakeFirst();
  return row?.subject;
}

/** A person as a caller. */
export const principalOf = ({ name, company, roles }: Person): Principal => ({ kind: 'person', name, company, roles });

export async function listPeople(db: Sql): Promise<Person[]> {
  const rows = await db.selectFrom('people').select(['name', 'title', 'company', 'roles']).orderBy('name').execute();
  return rows.map(toPerson);
}
