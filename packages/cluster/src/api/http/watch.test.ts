import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMap, configMaps, TestCluster } from '../test-cluster.ts';

const merge = { type: 'application/merge-patch+json' };
const seen = (events: { type: string; object: { metadata: { name: string } } }[]) =>
  events.map((event) => `${event.type} ${event.object.metadata.name}`);

describe('watches', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('go on from the revision of a list, without a gap', async () => {
    await cluster.must('POST', configMaps, configMap('w1'));
    const { metadata } = await cluster.must('GET', configMaps);
    await cluster.must('POST', configMaps, configMap('w2'));
    const watch = await cluster.watch(`${configMaps}?watch=true&resourceVersion=${metadata.resourceVersion}`);
    await cluster.must('PATCH', `${configMaps}/w1`, { data: { a: 'b' } }, merge);
    await cluster.must('DELETE', `${configMaps}/w2`);
    expect(seen(await watch.until(3))).toEqual(['ADDED w2', 'MODIFIED w1', 'DELETED w2']);
    const versions = watch.events.map((event) => Number(event.object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    watch.stop();
  });

  test('report what begins and what stops to match a selector', async () => {
    const { metadata } = await cluster.must('GET', configMaps);
    const path = `${configMaps}?watch=true&labelSelector=on%3Dyes&resourceVersion=${metadata.resourceVersion}`;
    const live = await cluster.watch(path);
    await cluster.must('POST', configMaps, configMap('turn'));
    await cluster.must('PATCH', `${configMaps}/turn`, { metadata: { labels: { on: 'yes' } } }, merge);
    await cluster.must('PATCH', `${configMaps}/turn`, { data: { a: '1' } }, merge);
    await cluster.must('PATCH', `${configMaps}/turn`, { metadata: { labels: { on: 'no' } } }, merge);
    await cluster.must('DELETE', `${configMaps}/turn`);
    await cluster.must('POST', configMaps, configMap('last', {}, { labels: { on: 'yes' } }));
    const expected = ['ADDED turn', 'MODIFIED turn', 'DELETED turn', 'ADDED last'];
    expect(seen(await live.until(4))).toEqual(expected);
    const replayed = await cluster.watch(path);
    expect(seen(await replayed.until(4))).toEqual(expected);
    live.stop();
    replayed.stop();
  });

  test('send the state first when asked, closed by a bookmark', async () => {
    const path = `${configMaps}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dlast`;
    const watch = await cluster.watch(path);
    const events = await watch.until(2);
    expect(seen(events.slice(0, 1))).toEqual(['ADDED last']);
    expect(events[1]).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    watch.stop();
  });

  test('come as Tables, with the columns once', async () => {
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const watch = await cluster.watch(`${configMaps}?watch=true`, { headers });
    await cluster.must('POST', configMaps, configMap('tabled'));
    const initial = watch.events.length;
    const events = await watch.until(Math.max(initial, 2));
    expect(events[0].object.columnDefinitions).toHaveLength(3);
    expect(events[1].object.columnDefinitions).toEqual([]);
    watch.stop();
  });

  test('end at their timeout', async () => {
    const watch = await cluster.watch(`${configMaps}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dnone`);
    await watch.ended;
    expect(watch.events).toEqual([]);
  });

  test('refuse the future', async () => {
    const answer = await cluster.ask('GET', `${configMaps}?watch=true&resourceVersion=999999`);
    expect(answer.json).toMatchObject({ code: 504, details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } });
  });

  test('two hundred of them see the same change', async () => {
    const { metadata } = await cluster.must('GET', configMaps);
    const path = `${configMaps}?watch=true&resourceVersion=${metadata.resourceVersion}`;
    const watches = await Promise.all(Array.from({ length: 200 }, () => cluster.watch(path)));
    await cluster.must('POST', configMaps, configMap('many'));
    const all = await Promise.all(watches.map((watch) => watch.until(1)));
    for (const events of all) expect(seen(events)).toEqual(['ADDED many']);
    for (const watch of watches) watch.stop();
  });
});
