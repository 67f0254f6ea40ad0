import { connect } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '@desp/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../apps/platform/src/api/server.ts';
import { type RightsPlatform, startRightsPlatform } from './rights-platform.ts';

/** What a caller may send, and how long it may take. */
let walk: RightsPlatform;
let operator: string;
beforeAll(async () => {
  walk = await startRightsPlatform();
  operator = `Basic ${Buffer.from(`operator:${walk.passwords.get('operator')}`).toString('base64')}`;
});
afterAll(() => walk.close());

const post = (path: string, body: string, authorization = operator) =>
  fetch(`${walk.server}${path}`, { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body });
const mebibyte = 1024 * 1024;

test('a body has at most 1 MiB, and the caller is told', async () => {
  const answer = await post('/api/services', JSON.stringify({ name: 'x'.repeat(mebibyte) }));
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ error: { code: 'INVALID', kind: 'user' } });
  expect((await post('/api/services', JSON.stringify({ name: 'x'.repeat(mebibyte - 100) }))).status).toBe(400);
});

test('only the import of advisories takes more, up to 32 MiB', async () => {
  const batch = (size: number) =>
    JSON.stringify({ database: 'd', date: '2026-01-01T00:00:00.000Z', records: [{ text: 'x'.repeat(size) }] });
  // Read whole, and found to be no advisory.
  expect((await post('/api/advisories', batch(4 * mebibyte))).status).toBe(400);
  expect((await post('/api/advisories', batch(32 * mebibyte))).status).toBe(413);
});

test('who may not import sends nothing', async () => {
  const wrong = `Basic ${Buffer.from('provider:wrong').toString('base64')}`;
  expect((await post('/api/advisories', 'x'.repeat(2 * mebibyte), wrong)).status).toBe(401);
});

test.each([
  ['headers', 'GET /api/status HTTP/1.1\r\nhost: a\r\nx-slow: '],
  ['a body', 'POST /api/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{'],
])('%s that never come to an end do not hold a connection', async (_, text) => {
  const app = await createApi(walk.platform, join(walk.platform.data.path, 'none'), { headersMs: 300, requestMs: 600, checkMs: 50 });
  try {
    const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    const began = systemClock.monotonic();
    const heard = await new Promise<string>((resolve, reject) => {
      let all = '';
      const socket = connect(Number(address.port), address.hostname, () => socket.write(text));
      socket.setEncoding('utf8').on('data', (more) => {
        all += more;
      });
      socket.on('error', reject).on('close', () => resolve(all));
    });
    expect(heard).toMatch(/^HTTP\/1\.1 408 /);
    expect(systemClock.monotonic() - began).toBeLessThan(10_000);
  } finally {
    await app.close();
  }
});
