import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { copyImage, createRegistryClient, digestOf, harborPrevented, mediaTypes } from '../index.ts';
import { startTestRegistry } from '../testing-registry.ts';
import { parseChallenge } from './credentials.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const start = async (options: Parameters<typeof startTestRegistry>[0] = {}) => {
  const server = await startTestRegistry(options);
  cleanups.push(() => server.stop());
  const client = createRegistryClient({ url: server.url, credentials: { username: 'platform', password: 'platform-password' } });
  cleanups.push(() => client.close());
  return { server, client };
};

/** A registry that misbehaves as the test wants. */
const serve = async (listener: RequestListener) => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe('the client', () => {
  it('pushes and pulls through the token service, and looks before it sends', async () => {
    const { client } = await start();
    const bytes = Buffer.alloc(3_000_000, 7);
    const blob = { digest: digestOf(bytes), size: bytes.length };
    await client.ping();
    expect(await client.pushBlob('sample-app/a', blob, () => Readable.from([bytes]))).toBe('pushed');
    expect(await client.pushBlob('sample-app/a', blob, () => Readable.from([bytes]))).toBe('present');
    expect(await client.pushBlob('second/b', blob, () => Readable.from([bytes]), { mountFrom: 'sample-app/a' })).toBe('mounted');
    expect((await buffer(await client.pullBlob('sample-app/a', blob))).equals(bytes)).toBe(true);
    await expect(
      client.pushBlob('sample-app/a', { ...blob, digest: digestOf(Buffer.from('x')) }, () => Readable.from([bytes])),
    ).rejects.toThrow();
    expect(await client.resolve('sample-app/a', 'absent')).toBeUndefined();
  });

  it.each([
    ['no JSON', 200, {}, '<html>'],
    ['JSON of another shape', 200, {}, '{"tags":[1]}'],
    ['a redirect to no address', 302, { location: 'http://[' }, ''],
    ['a next page at no address', 200, { link: '<http://[>; rel="next"' }, '{"tags":["1"]}'],
  ])('a registry that answers with %s is the registry’s fault', async (_what, status, headers, body) => {
    const url = await serve((_request, response) => response.writeHead(status, headers).end(body));
    const client = createRegistryClient({ url });
    cleanups.push(() => client.close());
    await expect(client.listTags('sample-app/a')).rejects.toMatchObject({ code: 'UPSTREAM_PROTOCOL' });
  });

  it('copies an image with its index and its referrers, checks everything, and does nothing twice', async () => {
    const { server, client } = await start();
    const from = 'sample-app/source';
    const image = await server.imageManifest(from, 'layer');
    await server.putManifest(from, image.digest, image.text);
    const child = { mediaType: mediaTypes.ociManifest, digest: image.digest, size: image.size };
    const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] });
    await server.putManifest(from, 'v1', index, 'alice', mediaTypes.ociIndex);
    const root = digestOf(Buffer.from(index));
    const sbom = await server.imageManifest(from, 'sbom', { subject: child, artifactType: 'application/vnd.example.sbom' });
    await server.putManifest(from, sbom.digest, sbom.text);
    const other = await start({ name: 'e2e' });
    const request = {
      from: { client, repository: from },
      to: { client: other.client, repository: 'releases/a' },
      digest: root,
      tags: ['1.0.0'],
    };
    expect(await copyImage(request)).toEqual({ digest: root, manifests: 3, blobs: { pushed: 3, mounted: 0, present: 1 } });
    expect(await copyImage(request)).toEqual({ digest: root, manifests: 3, blobs: { pushed: 0, mounted: 0, present: 4 } });
    expect((await other.client.resolve('releases/a', '1.0.0'))?.digest).toBe(root);
    expect(
      (await other.client.referrers('releases/a', image.digest, { artifactType: 'application/vnd.example.sbom' })).map(
        ({ digest }) => digest,
      ),
    ).toEqual([sbom.digest]);
    expect((await client.listTags(from)).join()).toBe('v1');
  });

  it("tells a policy's refusal from an absence", async () => {
    const { server } = await start({ beforePull: () => harborPrevented({ count: 1, severity: 'Critical' }) });
    const image = await server.imageManifest('sample-app/a', 'layer');
    await server.putManifest('sample-app/a', 'v1', image.text);
    const alice = createRegistryClient({ url: server.url, credentials: { username: 'alice', password: 'alice-password' } });
    cleanups.push(() => alice.close());
    await expect(alice.resolve('sample-app/a', 'v1')).rejects.toMatchObject({
      code: 'PROJECTPOLICYVIOLATION',
      message: expect.stringContaining('1 vulnerability'),
    });
    await expect(alice.getManifest('releases/a', 'v1')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('refuses content that is not what it asked for', async () => {
    const url = await serve((_request, response) => response.end('something else'));
    const client = createRegistryClient({ url });
    cleanups.push(() => client.close());
    const digest = digestOf(Buffer.from('wanted'));
    await expect(client.getManifest('a/b', digest)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' });
    await expect(client.pullBlob('a/b', { digest, size: 14 }).then(buffer)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' });
    await expect(client.pullBlob('a/b', { digest, size: 5 }).then(buffer)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' });
  });

  it('follows a redirect to another host without credentials', async () => {
    const seen: (string | undefined)[] = [];
    const bytes = Buffer.from('from a store');
    const store = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end(bytes);
    });
    const url = await serve((request, response) => {
      if (!request.headers.authorization) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else response.writeHead(307, { location: `${store}/elsewhere` }).end();
    });
    const client = createRegistryClient({ url, credentials: { username: 'alice', password: 'alice-password' } });
    cleanups.push(() => client.close());
    expect((await buffer(await client.pullBlob('a/b', { digest: digestOf(bytes), size: bytes.length }))).equals(bytes)).toBe(true);
    expect(seen).toEqual([undefined]);
  });

  it('tells what was refused, and to whom, without what may be a key to it', async () => {
    const storage = await serve((_request, response) => response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"too late"}]}'));
    const url = await serve((request, response) => {
      if (request.url?.startsWith('/v2/open/')) response.writeHead(307, { location: `${storage}/blob?signature=secret` }).end();
      else if (request.url?.startsWith('/token')) response.writeHead(401).end();
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="${url}/token",service="here"` }).end();
    });
    const client = createRegistryClient({ url, credentials: { username: 'alice', password: 'wrong' } });
    cleanups.push(() => client.close());
    await expect(client.getManifest('open/a', 'v1')).rejects.toMatchObject({
      code: 'DENIED',
      refused: { method: 'GET', url: `${storage}/blob`, status: 403, errors: [{ code: 'DENIED', message: 'too late' }] },
    });
    await expect(client.getManifest('closed/a', 'v1')).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      refused: {
        url: `${url}/token?scope=repository%3Aclosed%2Fa%3Apull&service=here`,
        status: 401,
        errors: [],
        wanted: { method: 'GET', url: `${url}/v2/closed/a/manifests/v1` },
      },
    });
  });

  it('takes up a pull that broke off', async () => {
    const bytes = Buffer.alloc(500_000, 3);
    let requests = 0;
    const url = await serve((request, response) => {
      requests += 1;
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, { 'content-length': bytes.length - start });
      if (requests > 1) response.end(bytes.subarray(start));
      else response.write(bytes.subarray(0, 200_000), () => response.destroy());
    });
    const client = createRegistryClient({ url });
    cleanups.push(() => client.close());
    expect((await buffer(await client.pullBlob('a/b', { digest: digestOf(bytes), size: bytes.length }))).equals(bytes)).toBe(true);
    expect(requests).toBe(2);
  });

  it('falls back to the referrers tag of older registries', async () => {
    const digest = digestOf(Buffer.from('subject'));
    const descriptor = { mediaType: mediaTypes.ociManifest, digest, size: 7, artifactType: 'a/b' };
    const url = await serve((request, response) => {
      if (request.url?.endsWith(`/manifests/${digest.replace(':', '-')}`))
        response.end(JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
      else response.writeHead(404).end();
    });
    const client = createRegistryClient({ url });
    cleanups.push(() => client.close());
    expect(await client.referrers('a/b', digest, { artifactType: 'a/b' })).toEqual([descriptor]);
    expect(await client.referrers('a/b', digestOf(Buffer.from('none')))).toEqual([]);
  });
});

it('reads challenges', () => {
  expect(parseChallenge('Bearer realm="https://a/t",service="x, y",scope="repository:a/b:pull,push"')).toEqual({
    scheme: 'bearer',
    parameters: { realm: 'https://a/t', service: 'x, y', scope: 'repository:a/b:pull,push' },
  });
  expect(parseChallenge('Basic realm=plain')).toEqual({ scheme: 'basic', parameters: { realm: 'plain' } });
});
