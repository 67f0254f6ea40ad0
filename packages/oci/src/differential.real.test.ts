import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from './index.ts';
import { basic, startTestRegistry } from './testing-registry.ts';

const present = spawnSync('docker-registry', ['--version']).status === 0;

/** The same requests to Debian's docker-registry and to ours: same status, same telling headers. */
describe.skipIf(!present)(`docker-registry${present ? '' : ' (skipped: it is not on this machine)'}`, () => {
  let folder: string;
  let theirs: string;
  let stop: () => void = () => {};
  let server: Awaited<ReturnType<typeof startTestRegistry>>;

  beforeAll(async () => {
    server = await startTestRegistry();
    folder = await mkdtemp(join(tmpdir(), 'oci-differential-'));
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as { port: number };
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    const config = join(folder, 'config.yml');
    await writeFile(
      config,
      `version: 0.1\nlog: { level: error }\nstorage: { delete: { enabled: true }, filesystem: { rootdirectory: ${folder}/data } }\nhttp: { addr: "127.0.0.1:${port}" }\n`,
    );
    const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
    stop = () => child.kill('SIGKILL');
    theirs = `http://127.0.0.1:${port}`;
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if ((await fetch(`${theirs}/v2/`).catch(() => undefined))?.ok) return;
      await systemClock.sleep(50);
    }
    throw new Error('docker-registry did not answer within 10 s.');
  });
  afterAll(async () => {
    stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('answers alike along a push, a pull and a deletion', async () => {
    const story = async (base: string) => {
      const seen: unknown[] = [];
      const call = async (method: string, path: string, body?: Uint8Array | string, headers: Record<string, string> = {}) => {
        const response = await fetch(new URL(path, base), {
          method,
          headers: { authorization: basic('alice'), ...headers },
          ...(body === undefined ? {} : { body: body as BodyInit }),
        });
        const digest = response.headers.get('docker-content-digest');
        seen.push([method, response.status, digest, method === 'HEAD' && response.ok ? response.headers.get('content-length') : null]);
        await response.arrayBuffer();
        return response.headers.get('location') ?? '';
      };
      const blob = async (bytes: Buffer) => {
        const location = new URL(await call('POST', '/v2/sample-app/d/blobs/uploads/'), base);
        location.searchParams.set('digest', digestOf(bytes));
        await call('PUT', location.href, bytes);
        await call('HEAD', `/v2/sample-app/d/blobs/${digestOf(bytes)}`);
        return { digest: digestOf(bytes), size: bytes.length };
      };
      const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
      const config = { mediaType: 'application/vnd.docker.container.image.v1+json', ...(await blob(Buffer.from('{}'))) };
      const layers = [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', ...(await blob(Buffer.from('layer'))) }];
      const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers });
      const digest = digestOf(Buffer.from(manifest));
      const type = { 'content-type': mediaType, accept: mediaType };
      await call('PUT', '/v2/sample-app/d/manifests/v1', manifest, type);
      for (const method of ['HEAD', 'GET']) {
        for (const reference of ['v1', digest, 'absent']) await call(method, `/v2/sample-app/d/manifests/${reference}`, undefined, type);
      }
      await call('GET', '/v2/sample-app/d/tags/list');
      await call('GET', `/v2/sample-app/d/blobs/${config.digest}`);
      await call('GET', `/v2/sample-app/d/blobs/sha256:${'0'.repeat(64)}`);
      await call('PUT', '/v2/sample-app/d/manifests/v2', manifest.replace(layers[0]!.digest, `sha256:${'0'.repeat(64)}`), type);
      await call('PUT', '/v2/sample-app/d/manifests/v2', '{', type);
      await call('DELETE', await call('POST', '/v2/sample-app/d/blobs/uploads/'));
      await call('DELETE', `/v2/sample-app/d/manifests/${digest}`);
      await call('GET', `/v2/sample-app/d/manifests/${digest}`, undefined, type);
      return seen;
    };
    expect(await story(server.url)).toEqual(await story(theirs));
  });
});
