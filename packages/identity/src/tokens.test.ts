import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { instantOf } from '@desp/model';
import { mask, SteppingClock } from '@desp/runtime';
import { type Database, openDatabase } from '@desp/storage';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { bootstrapPeople, createTokens, findPersonBySubject, findSubject, type Tokens, verifyPassword } from './index.ts';

const issuer = 'http://127.0.0.1:7300/oidc';
const day = 86_400_000;
const everywhere = ['api', 'git', 'registry'] as const;
let folder: string;
let database: Database;
let clock: SteppingClock;
let tokens: Tokens;
let made: { person: string; password: string }[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'desp-identity-'));
  database = await openDatabase(`pglite:${join(folder, 'db')}`);
  made = await bootstrapPeople(database.sql, issuer, new SteppingClock());
  const now = instantOf(new Date());
  await database.sql
    .insertInto('services')
    .values({ name: 'sample-app', company: 'acme', repository: 'r', created_by: 'provider', created_at: now, ready_at: now })
    .execute();
});
beforeEach(() => {
  clock = new SteppingClock('2026-01-01T00:00:00Z');
  tokens = createTokens(database.sql, clock);
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true });
});

const job = { service: 'sample-app', delivery: 7, job: 'build', pushedBy: 'provider' };

test('the rehearsal has one person a role and one of a second company; a second start makes nobody and gives no password away', async () => {
  expect(made.map(({ person }) => person)).toEqual(['provider', 'other-provider', 'ivv', 'security', 'operator', 'executive']);
  expect(new Set(made.map(({ password }) => password)).size).toBe(made.length);
  expect(await bootstrapPeople(database.sql, issuer, clock)).toEqual([]);
});

test('first passwords are stored hashed only', async () => {
  const rows = await database.sql.selectFrom('people').select(['name', 'password']).execute();
  for (const { person, password } of made) {
    const stored = rows.find((row) => row.name === person)?.password ?? undefined;
    expect(stored).not.toContain(password);
    expect(await verifyPassword(password, stored)).toBe(true);
  }
});

test('a subject means a person only with the issuer that spoke of it', async () => {
  expect(await findPersonBySubject(database.sql, issuer, 'provider')).toMatchObject({
    name: 'provider',
    company: 'acme',
    roles: ['provider'],
  });
  expect(await findPersonBySubject(database.sql, 'https://elsewhere.example.com', 'provider')).toBeUndefined();
  expect(await findPersonBySubject(database.sql, issuer, 'nobody')).toBeUndefined();
  expect(await findSubject(database.sql, 'https://elsewhere.example.com', 'provider')).toBeUndefined();
});

test("a personal token is its person's, with the roles of now, until its last day", async () => {
  const token = await tokens.createPersonal('provider', 'laptop', 30, everywhere);
  clock.step(30 * day - 1);
  expect(await tokens.verify(token, 'api')).toEqual({ kind: 'person', name: 'provider', company: 'acme', roles: ['provider'] });
  clock.step(1);
  expect(await tokens.verify(token, 'api')).toBeUndefined();
});

test('a clock that is set back does not wake a token that is over, once it was revoked', async () => {
  const token = await tokens.createPersonal('provider', 'laptop', 1, everywhere);
  await tokens.revoke(token);
  clock.setWall('2025-01-01T00:00:00Z');
  expect(await tokens.verify(token, 'api')).toBeUndefined();
});

test('a revoked token is nobody, and revoking takes no other with it', async () => {
  const [first, second] = [
    await tokens.createPersonal('provider', 'a', 1, everywhere),
    await tokens.createPersonal('provider', 'b', 1, everywhere),
  ];
  await tokens.revoke(first);
  await tokens.revoke('dpat_unknown');
  expect(await tokens.verify(first, 'api')).toBeUndefined();
  expect(await tokens.verify(second, 'api')).toBeDefined();
});

test("a job's token dies with its job, and only with its own", async () => {
  const token = await tokens.createJob(job, 7_200);
  const other = await tokens.createJob({ ...job, job: 'test' }, 7_200);
  expect(await tokens.verify(token, 'api')).toEqual({ kind: 'job', ...job });
  await tokens.endJob(job.delivery, job.job);
  expect(await tokens.verify(token, 'api')).toBeUndefined();
  expect(await tokens.verify(other, 'api')).toMatchObject({ kind: 'job', job: 'test' });
  clock.step(7_200_000);
  expect(await tokens.verify(other, 'api')).toBeUndefined();
});

test("a job's or robot's token is not for its holder to revoke", async () => {
  const held = [await tokens.createJob({ ...job, delivery: 8 }, 60), await tokens.createRobot('sample-app', 'pull e2e', 1)];
  for (const token of held) {
    await tokens.revoke(token);
    expect(await tokens.verify(token, 'api')).toBeDefined();
  }
});

test('tokens are stored as hashes, and masked wherever they might be printed', async () => {
  const token = await tokens.createRobot('sample-app', 'pull e2e', 1);
  expect(await tokens.verify(token, 'api')).toEqual({ kind: 'robot', service: 'sample-app', name: 'pull e2e' });
  expect(JSON.stringify(await database.sql.selectFrom('tokens').selectAll().execute())).not.toContain(token);
  expect(mask(`auth=${token}`)).toBe('auth=[masked]');
});

test.each(['', 'dpat_', `dpat_${'x'.repeat(43)}`, `dpat_${'x'.repeat(100_000)}`, "dpat_' or 1=1 --", 'Bearer dpat_x'])(
  '%.40s is nobody',
  async (token) => expect(await tokens.verify(token, 'api')).toBeUndefined(),
);

test('a personal token is good where it says, and nowhere else', async () => {
  const places = ['api', 'git', 'registry', 'kubernetes:e2e', 'kubernetes:prod'] as const;
  const goodAt = async (token: string) => {
    const good: string[] = [];
    for (const place of places) if (await tokens.verify(token, place)) good.push(place);
    return good;
  };
  for (const place of places) expect(await goodAt(await tokens.createPersonal('provider', 'one', 1, [place]))).toEqual([place]);
  expect(await goodAt(await tokens.createPersonal('provider', 'two', 1, ['git', 'registry']))).toEqual(['git', 'registry']);
  expect(await goodAt(await tokens.createPersonal('provider', 'none', 1, []))).toEqual([]);
});

test("at a cluster a job's and a robot's token are nobody's", async () => {
  for (const token of [await tokens.createJob(job, 60), await tokens.createRobot('sample-app', 'pull', 1)])
    expect(await tokens.verify(token, 'kubernetes:e2e')).toBeUndefined();
});
