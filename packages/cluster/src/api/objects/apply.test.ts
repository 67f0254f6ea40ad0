import { SteppingClock } from '@desp/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configMaps, TestCluster } from '../test-cluster.ts';

let cluster: TestCluster;
const clock = new SteppingClock('2026-11-22T12:00:00Z');
beforeAll(async () => {
  cluster = await TestCluster.start({ clock });
});
afterAll(async () => {
  await cluster.stop();
});

const body = (value: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: "${value}"}\n`;
const apply = (manager: string, value: string, query = '') =>
  cluster.ask('PATCH', `${configMaps}/c?fieldManager=${manager}${query}`, body(value), { type: 'application/apply-patch+yaml' });

test('an apply creates, then changes; a later one that changes nothing moves neither revision nor time', async () => {
  const first = await apply('one', '1');
  expect([first.status, first.json.metadata.managedFields]).toMatchObject([
    201,
    [{ manager: 'one', operation: 'Apply', time: '2026-11-22T12:00:00Z' }],
  ]);
  clock.step(2000);
  await cluster.must('PATCH', `${configMaps}/c?fieldManager=two`, { data: { b: '2' } }, { type: 'application/merge-patch+json' });
  const before = await cluster.must('GET', `${configMaps}/c`);
  clock.step(2000);
  const again = await apply('one', '1');
  expect([again.status, again.json]).toEqual([200, before]);
});

test('a field of another manager is a conflict until forced', async () => {
  const refused = await apply('three', '9');
  expect(refused.json).toMatchObject({
    code: 409,
    reason: 'Conflict',
    details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.a' }] },
  });
  expect((await apply('three', '9', '&force=true')).json.data).toEqual({ a: '9', b: '2' });
});
