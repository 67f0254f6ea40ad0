import { writeSync } from 'node:fs';
import { instantOf } from '@desp/model';
import { messageOf, silentLogger, systemClock } from '@desp/runtime';
import { createJobs, openDatabase, openDataFolder, type Sql } from '@desp/storage';
import { changeDelivery, changeJob, insertDelivery, savePlan } from '../../../apps/platform/src/deliveries/records.ts';

/**
 * What `kill-loop.test.ts` kills: storage and durable jobs as the server composes them, with deliveries that are accepted in one
 * transaction with their job, and a handler that ends each in one transaction. It tells its parent, a line of JSON each and at
 * once, what it found at its start, and what it acknowledges. Arguments: data folder, a number for this run, `work` or `finish`.
 */
export interface Row {
  readonly id: number;
  readonly delivery: string;
  readonly jobs: readonly string[];
  readonly effects: number;
}
export type Line =
  | { readonly found: readonly Row[] }
  | { readonly up: true }
  | { readonly accepted: number }
  | { readonly done: number }
  | { readonly finished: readonly Row[]; readonly open: number }
  | { readonly broken: string };

const tell = (line: Line) => writeSync(1, `${JSON.stringify(line)}\n`);
const [folder = '', run = '0', mode = 'work'] = process.argv.slice(2);

async function rows(sql: Sql): Promise<Row[]> {
  const [deliveries, jobs, effects] = await Promise.all([
    sql.selectFrom('deliveries').select(['id', 'state']).orderBy('id').execute(),
    sql.selectFrom('delivery_jobs').select(['delivery', 'state']).execute(),
    sql.selectFrom('audit').select('target').where('action', '=', 'effect').execute(),
  ]);
  return deliveries.map(({ id, state }) => ({
    id,
    delivery: state,
    jobs: jobs.filter((job) => job.delivery === id).map((job) => job.state),
    effects: effects.filter(({ target }) => target === String(id)).length,
  }));
}

try {
  const clock = systemClock;
  const data = openDataFolder(folder, { leastFreeBytes: 0 });
  const database = await openDatabase(`pglite:${data.file('database')}`);
  const { sql } = database;
  const now = () => instantOf(clock.now());
  await sql
    .insertInto('companies')
    .values({ name: 'acme', title: 'Acme', created_at: now() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await sql
    .insertInto('services')
    .values({ name: 'app', company: 'acme', repository: 'app', created_by: 'p', created_at: now(), ready_at: now() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  tell({ found: await rows(sql) });

  const jobs = await createJobs(database, { clock, log: silentLogger });
  let handled = 0;
  jobs.define('work', { concurrency: 3, retries: 5, expireSeconds: 60 }, async (key) => {
    const id = Number(key);
    const turn = handled++;
    // As deliveries do: a look that asks for the next one, a handler that sometimes fails at first, work that takes a while.
    if (turn % 2 === 0) await jobs.send('work', key);
    if (mode === 'work' && turn % 4 === 0) throw new Error('not this time');
    await new Promise((resolve) => setTimeout(resolve, turn % 20));
    const changed = await sql.transaction().execute(async (transaction) => {
      if (!(await changeJob(transaction, id, 'only', { state: 'success', reason: 'Done.', endedAt: clock.now() }, ['pending'])))
        return false;
      await changeDelivery(transaction, id, { state: 'passed' }, clock);
      await transaction
        .insertInto('audit')
        .values({ at: now(), who: 'worker', action: 'effect', target: key, outcome: 'done', previous: '', hash: '' })
        .execute();
      return true;
    });
    if (changed) tell({ done: id });
  });
  await jobs.start();
  tell({ up: true });

  if (mode === 'finish') {
    const settled = async () => {
      const all = await rows(sql);
      const { length } = all.filter(({ delivery }) => delivery !== 'passed');
      return length === 0 ? all : undefined;
    };
    const deadline = clock.monotonic() + 30_000;
    let all = await settled();
    while (!all && clock.monotonic() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      all = await settled();
    }
    const last = all ?? (await rows(sql));
    tell({ finished: last, open: last.filter(({ delivery }) => delivery !== 'passed').length });
    await jobs.stop();
    await database.close();
    data.release();
  } else {
    for (let count = 0; ; count++) {
      const id = await sql.transaction().execute(async (transaction) => {
        const push = { service: 'app', ref: 'refs/heads/main', commit: `${run}-${count}`, title: '', pushedBy: 'p' };
        const inserted = await insertDelivery(transaction, push, clock);
        if (inserted === undefined) throw new Error(`${push.commit} was there already.`);
        const plan = { name: 'only', stage: 'build' } as never;
        await savePlan(transaction, inserted, { includes: [] } as never, [{ plan, state: 'pending', reason: '' }]);
        await jobs.send('work', String(inserted), { transaction });
        return inserted;
      });
      tell({ accepted: id });
    }
  }
} catch (error) {
  tell({ broken: messageOf(error) });
  process.exit(1);
}
