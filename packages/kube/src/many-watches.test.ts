import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKubeClient, podType } from './index.ts';

/** A server that never ends a watch: what every open informer looks like. */
const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  if (request.url?.includes('watch=')) response.flushHeaders();
  else response.end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: [] }));
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test('a hundred open watches leave a connection for the next request', async () => {
  const client = createKubeClient({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const stop = new AbortController();
  const watches = Array.from({ length: 100 }, () => client.watch(podType, { resourceVersion: '1' }, () => {}, stop.signal).catch(() => {}));
  expect((await client.list(podType)).items).toEqual([]);
  stop.abort();
  await Promise.all(watches);
  client.close();
});
