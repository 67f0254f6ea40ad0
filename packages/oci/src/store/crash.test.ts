import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SteppingClock } from '@desp/runtime';
import { expect, it } from 'vitest';
import { digestOf, openRegistryStore } from '../index.ts';
import { basic, startTestRegistry } from '../testing-registry.ts';

it('survives kill -9 in the middle of an upload: what was acknowledged stays, what was not is resumed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'oci-crash-'));
  const source = `
    import { startTestRegistry } from ${JSON.stringify(new URL('../testing-registry.ts', import.meta.url).href)};
    console.log((await startTestRegistry({ folder: process.argv[1] })).url);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve) => child.stdout.once('data', (line) => resolve(String(line).trim())));
  const headers = { authorization: basic('alice') };
  const whole = Buffer.alloc(3_000_000, 1);
  const acknowledged: string[] = [];
  for (let index = 0; index < 20; index += 1) {
    const bytes = Buffer.from(`blob ${index}`);
    const response = await fetch(`${url}/v2/sample-app/a/blobs/uploads/?digest=${digestOf(bytes)}`, {
      method: 'POST',
      body: bytes,
      headers,
    });
    if (response.status === 201) acknowledged.push(digestOf(bytes));
  }
  const location = (await fetch(`${url}/v2/sample-app/a/blobs/uploads/`, { method: 'POST', headers })).headers.get('location')!;
  await fetch(url + location, { method: 'PATCH', body: whole.subarray(0, 2_000_000), headers });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;

  const server = await startTestRegistry({ folder });
  try {
    expect(acknowledged).toHaveLength(20);
    for (const digest of acknowledged) expect((await server.call('GET', `/v2/sample-app/a/blobs/${digest}`)).status).toBe(200);
    expect((await server.call('GET', location)).headers.get('range')).toBe('0-1999999');
    const rest = await server.call('PATCH', location, { body: whole.subarray(2_000_000), headers: { 'content-range': '2000000-2999999' } });
    expect(rest.status).toBe(202);
    expect((await server.call('PUT', `${location}?digest=${digestOf(whole)}`)).status).toBe(201);
    expect((await server.call('HEAD', `/v2/sample-app/a/blobs/${digestOf(whole)}`)).headers.get('content-length')).toBe('3000000');
  } finally {
    await server.stop();
  }
});

it('collects uploads and blobs that nobody can reach, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'oci-collect-'));
  const server = await startTestRegistry({ folder });
  const image = await server.imageManifest('sample-app/a', 'kept');
  await server.putManifest('sample-app/a', 'v1', image.text);
  const loose = await server.pushBlob('sample-app/a', Buffer.from('loose'));
  const location = (await server.call('POST', '/v2/sample-app/a/blobs/uploads/')).headers.get('location')!;
  expect(await server.store.collect()).toEqual({ uploads: 0, links: 0, blobs: 0 });
  await server.stop(true);
  const later = await openRegistryStore({ folder, clock: new SteppingClock(new Date(Date.now() + 2 * 24 * 3600 * 1000)) });
  expect(await later.collect()).toEqual({ uploads: 1, links: 1, blobs: 1 });
  await later.close();
  const again = await startTestRegistry({ folder });
  const status = async (path: string) => (await again.call('GET', path)).status;
  expect([
    await status(`/v2/sample-app/a/blobs/${loose.digest}`),
    await status(`/v2/sample-app/a/blobs/${image.layer.digest}`),
    await status(location),
  ]).toEqual([404, 200, 404]);
  await again.stop();
  await rm(folder, { recursive: true, force: true });
});
