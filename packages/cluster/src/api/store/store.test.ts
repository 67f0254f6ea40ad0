import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ApiObject } from '../object.ts';
import { Store, type StoreEvent } from './store.ts';

const thing = (name: string, value = ''): ApiObject => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name, namespace: 'n' }, value });

describe('the store', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cluster-store-'));
    file = join(folder, 'cluster.sqlite');
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('gives each change the next revision, and keeps it over a restart', async () => {
    const store = new Store({ file });
    const first = await store.transact((transaction) => transaction.put('things', thing('a', '1')));
    const second = await store.transact((transaction) => transaction.put('things', thing('a', '2')));
    await store.transact((transaction) => transaction.put('things', thing('b')));
    await store.transact((transaction) => transaction.remove('things', thing('b')));
    expect([first, second].map((object) => object.metadata.resourceVersion)).toEqual(['1', '2']);
    store.close();
    const again = new Store({ file });
    expect(again.revision).toBe(4);
    expect(again.get('things', 'n', 'a')?.['value']).toBe('2');
    expect(again.get('things', 'n', 'b')).toBeUndefined();
    again.close();
  });

  test('a transaction that throws leaves no trace, and those beside it in the same commit stand', async () => {
    const store = new Store({ file });
    const seen: StoreEvent[] = [];
    store.subscribe('things', (event) => seen.push(event));
    const results = await Promise.allSettled([
      store.transact((transaction) => transaction.put('things', thing('a'))),
      store.transact((transaction) => {
        transaction.put('things', thing('a', 'changed'));
        transaction.put('things', thing('b'));
        throw new Error('no');
      }),
      store.transact((transaction) => transaction.put('things', thing('c'))),
    ]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(store.list('things').map((object) => [object.metadata.name, object['value']])).toEqual([
      ['a', ''],
      ['c', ''],
    ]);
    expect(seen.map((event) => [event.type, event.revision])).toEqual([
      ['ADDED', 1],
      ['ADDED', 2],
    ]);
    store.close();
  });

  test('replays what happened after a revision, each with what was before', async () => {
    const store = new Store({ file });
    await store.transact((transaction) => transaction.put('things', thing('a', '1')));
    await store.transact((transaction) => transaction.put('things', thing('a', '2')));
    await store.transact((transaction) => transaction.put('others', thing('x')));
    await store.transact((transaction) => transaction.remove('things', thing('a', '2')));
    const events = [...store.replay('things', 1)];
    expect(events.map((event) => [event.type, event.revision, event.previous?.['value']])).toEqual([
      ['MODIFIED', 2, '1'],
      ['DELETED', 4, '2'],
    ]);
    store.close();
  });

  test('forgets the oldest changes, and says how far', async () => {
    const store = new Store({ file, retain: 100 });
    for (let index = 0; index < 130; index += 1)
      await store.transact((transaction) => transaction.put('things', thing('a', String(index))));
    expect(store.compacted).toBeGreaterThan(0);
    expect(store.revision - store.compacted).toBeGreaterThanOrEqual(100);
    const { compacted } = store;
    store.close();
    const again = new Store({ file, retain: 100 });
    expect(again.compacted).toBe(compacted);
    again.close();
  });

  test('refuses a file that another store has open', () => {
    const store = new Store({ file });
    expect(() => new Store({ file })).toThrow(expect.objectContaining({ code: 'STORE_LOCKED' }));
    store.close();
  });

  test('loses no acknowledged write to kill -9', async () => {
    let acknowledged = 0;
    for (let round = 0; round < 4; round += 1) {
      acknowledged = Math.max(acknowledged, await writeUntilKilled(file, acknowledged, 150));
      const store = new Store({ file });
      const values = store.list('things').map((object) => Number(object['value']));
      expect(values.length).toBeGreaterThanOrEqual(acknowledged);
      expect(new Set(values).size).toBe(values.length);
      for (let index = 0; index < acknowledged; index += 1) expect(values).toContain(index);
      expect([...store.replay('things', 0)].length).toBe(store.revision);
      acknowledged = values.length;
      store.close();
    }
  });
});

/** Starts a writer, kills it after so many acknowledgements, and returns the number of values acknowledged in all. */
function writeUntilKilled(file: string, start: number, count: number): Promise<number> {
  const program = `
    import { Store } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)};
    const store = new Store({ file: ${JSON.stringify(file)} });
    let next = ${start};
    for (;;) {
      const batch = Array.from({ length: 5 }, () => next++);
      await Promise.all(batch.map((value) => store.transact((t) => t.put('things', { apiVersion: 'v1', kind: 'Thing', metadata: { name: 't' + value, namespace: 'n' }, value }))));
      process.stdout.write(batch.at(-1) + '\\n');
    }`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
    let last = start - 1;
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors += String(chunk);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      last = Math.max(last, Number(line));
      if (last - start >= count) child.kill('SIGKILL');
    });
    child.on('close', (_code, signal) => (signal === 'SIGKILL' ? resolve(last + 1) : reject(new Error(errors))));
  });
}
