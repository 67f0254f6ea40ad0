import { instantOf } from '@desp/model';
import { silentLogger, systemClock } from '@desp/runtime';
import { expect, test, vi } from 'vitest';
import { createJobs, type Database } from './index.ts';

/** What both databases must hold alike. */
export function storageSuite(open: () => Database): void {
  const now = instantOf(new Date('2026-01-01T00:00:00Z'));

  test('a query beside an open transaction stays outside it', async () => {
    let inside: Promise<unknown> | undefined;
    await expect(
      open()
        .sql.transaction()
        .execute(async (transaction) => {
          await transaction.insertInto('companies').values({ name: 'gone', title: 'Gone', created_at: now }).execute();
          inside = open().sql.insertInto('companies').values({ name: 'kept', title: 'Kept', created_at: now }).execute();
          throw new Error('roll back');
        }),
    ).rejects.toThrow('roll back');
    await inside;
    expect(await open().sql.selectFrom('companies').select('name').execute()).toEqual([{ name: 'kept' }]);
  });

  test('the audit log refuses to be changed', async () => {
    await open()
      .sql.insertInto('audit')
      .values({ at: now, who: 'a', action: 'b', target: 'c', outcome: 'd', previous: '', hash: 'h' })
      .execute();
    await expect(open().sql.updateTable('audit').set({ who: 'x' }).execute()).rejects.toThrow('append-only');
    await expect(open().sql.deleteFrom('audit').execute()).rejects.toThrow('append-only');
  });

  test('jobs: sent in a transaction, run, retried, not doubled, gone with a rollback', async () => {
    const jobs = await createJobs(open(), { clock: systemClock, log: silentLogger });
    const seen: string[] = [];
    jobs.define('work', { concurrency: 2, retries: 3, expireSeconds: 60 }, async (key) => {
      seen.push(key);
      if (key === 'twice' && seen.filter((other) => other === key).length < 2) throw new Error('once more');
    });
    await jobs.start();
    await open()
      .sql.transaction()
      .execute(async (transaction) => {
        await jobs.send('work', 'rolled back', { transaction });
        throw new Error('no');
      })
      .catch(() => {});
    await open()
      .sql.transaction()
      .execute((transaction) => jobs.send('work', 'kept', { transaction }));
    await jobs.send('work', 'twice');
    await vi.waitFor(() => expect(seen.filter((key) => key === 'twice')).toHaveLength(2), { timeout: 10_000 });
    expect(seen.filter((key) => key === 'kept')).toHaveLength(1);
    expect(seen).not.toContain('rolled back');
    await jobs.stop();
  });

  test('jobs: a queue is shared out evenly, however much one has in it', async () => {
    const jobs = await createJobs(open(), { clock: systemClock, log: silentLogger });
    const order: string[] = [];
    const begun = Promise.withResolvers<void>();
    const crowded = Promise.withResolvers<void>();
    jobs.define('shared', { concurrency: 1, retries: 0, expireSeconds: 60 }, async (key) => {
      order.push(key);
      begun.resolve();
      await crowded.promise;
    });
    await jobs.start();
    const send = (key: string) => jobs.send('shared', key, { share: key.slice(0, 1) });
    await send('a0');
    await begun.promise;
    for (const key of ['a1', 'a2', 'a3', 'a4', 'b0', 'b1', 'c0']) await send(key);
    crowded.resolve();
    await vi.waitFor(() => expect(order).toHaveLength(8), { timeout: 15_000 });
    expect(order).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'a2', 'a3', 'a4']);
    await jobs.stop();
  });
}
