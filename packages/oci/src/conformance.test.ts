import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, mediaTypes } from './index.ts';
import { errorCode, startTestRegistry } from './testing-registry.ts';

/** distribution-spec 1.1.1, section by section; the names of the cases are its endpoints. */
let server: Awaited<ReturnType<typeof startTestRegistry>>;
beforeAll(async () => {
  server = await startTestRegistry();
});
afterAll(() => server.stop());

const repository = 'sample-app/image-a';
const unknownDigest = `sha256:${'0'.repeat(64)}`;

const startUpload = async () => {
  const response = await server.call('POST', `/v2/${repository}/blobs/uploads/`);
  expect(response.status).toBe(202);
  return response.headers.get('location')!;
};

describe('end-1: the version check', () => {
  it('answers 200 to who is known, and challenges who is not', async () => {
    expect((await server.call('GET', '/v2/')).status).toBe(200);
    const response = await server.call('GET', '/v2/', { as: 'nobody' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(`Bearer realm="${server.url}/service/token",service="harbor-registry"`);
    expect(await errorCode(response)).toBe('UNAUTHORIZED');
  });
});

describe('end-2, end-10: blobs', () => {
  it('are served whole, as HEAD, and in ranges', async () => {
    const bytes = Buffer.from('0123456789');
    const { digest } = await server.pushBlob(repository, bytes);
    const head = await server.call('HEAD', `/v2/${repository}/blobs/${digest}`);
    expect([head.status, head.headers.get('content-length'), head.headers.get('docker-content-digest')]).toEqual([200, '10', digest]);
    const get = async (range: string) => {
      const response = await server.call('GET', `/v2/${repository}/blobs/${digest}`, { headers: { range } });
      return [response.status, response.headers.get('content-range'), await response.text()];
    };
    expect(await get('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234']);
    expect(await get('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789']);
    expect(await get('bytes=-3')).toEqual([206, 'bytes 7-9/10', '789']);
    expect(await get('bytes=5-500')).toEqual([206, 'bytes 5-9/10', '56789']);
    expect((await get('bytes=10-12')).slice(0, 2)).toEqual([416, 'bytes */10']);
    expect(await get('bytes=0-1,4-5')).toEqual([200, null, '0123456789']);
    expect(await get('lines=1-2')).toEqual([200, null, '0123456789']);
  });

  it('keep to any range that can be asked for', async () => {
    const bytes = randomBytes(300);
    const { digest } = await server.pushBlob(repository, bytes);
    await fc.assert(
      fc.asyncProperty(fc.nat(400), fc.option(fc.nat(400)), async (start, end) => {
        const response = await server.call('GET', `/v2/${repository}/blobs/${digest}`, {
          headers: { range: `bytes=${start}-${end ?? ''}` },
        });
        const body = Buffer.from(await response.arrayBuffer());
        if (end !== null && end < start) expect(response.status).toBe(200);
        else if (start >= 300) expect(response.status).toBe(416);
        else expect(body.equals(bytes.subarray(start, (end ?? 299) + 1))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('answer BLOB_UNKNOWN, NAME_UNKNOWN and DIGEST_INVALID', async () => {
    expect(await errorCode(await server.call('GET', `/v2/${repository}/blobs/${unknownDigest}`))).toBe('BLOB_UNKNOWN');
    expect(await errorCode(await server.call('GET', `/v2/sample-app/absent/blobs/${unknownDigest}`))).toBe('NAME_UNKNOWN');
    expect(await errorCode(await server.call('GET', `/v2/${repository}/blobs/sha256:xyz`))).toBe('DIGEST_INVALID');
    expect(await errorCode(await server.call('GET', `/v2/${repository}/blobs/md5:${'0'.repeat(32)}`))).toBe('DIGEST_INVALID');
  });

  it('are seen in their repository alone', async () => {
    const { digest } = await server.pushBlob('second/private', Buffer.from('seen in one place'));
    expect((await server.call('GET', `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
  });

  it('can be deleted, unless a manifest needs them', async () => {
    const { digest } = await server.pushBlob(repository, Buffer.from('to be deleted'));
    expect((await server.call('DELETE', `/v2/${repository}/blobs/${digest}`)).status).toBe(202);
    expect((await server.call('HEAD', `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
    expect((await server.call('DELETE', `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
    const image = await server.imageManifest(repository, 'needed layer');
    await server.putManifest(repository, 'needed', image.text);
    expect((await server.call('DELETE', `/v2/${repository}/blobs/${image.layer.digest}`)).status).toBe(405);
  });

  it('may be empty', async () => {
    const { digest } = await server.pushBlob(repository, Buffer.alloc(0));
    const response = await server.call('GET', `/v2/${repository}/blobs/${digest}`);
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '0', '']);
  });
});

describe('end-4, end-5, end-6, end-13, end-14: uploads', () => {
  it('take a blob by POST and PUT', async () => {
    const bytes = Buffer.from('by post then put');
    const location = await startUpload();
    const response = await server.call('PUT', `${location}?digest=${digestOf(bytes)}`, { body: bytes });
    expect([response.status, response.headers.get('location')]).toEqual([201, `/v2/${repository}/blobs/${digestOf(bytes)}`]);
  });

  it('take chunks in order, refuse others with 416, and tell where they stand', async () => {
    const location = await startUpload();
    const chunk = (range: string | undefined, body: string) =>
      server.call('PATCH', location, { body, headers: range ? { 'content-range': range } : {} });
    const first = await chunk('0-3', 'abcd');
    expect([first.status, first.headers.get('range'), first.headers.get('location')]).toEqual([202, '0-3', location]);
    const wrong = await chunk('6-7', 'xx');
    expect([wrong.status, wrong.headers.get('range'), await errorCode(wrong)]).toEqual([416, '0-3', 'BLOB_UPLOAD_INVALID']);
    expect((await chunk('0-3', 'abcd')).status).toBe(416);
    expect((await chunk('4-9', 'ef')).status).toBe(400);
    const status = await server.call('GET', location);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-3']);
    expect((await chunk(undefined, 'ef')).headers.get('range')).toBe('0-5');
    const digest = digestOf(Buffer.from('abcdefgh'));
    const done = await server.call('PUT', `${location}?digest=${digest}`, { body: 'gh', headers: { 'content-range': '6-7' } });
    expect(done.status).toBe(201);
    expect(await (await server.call('GET', `/v2/${repository}/blobs/${digest}`)).text()).toBe('abcdefgh');
  });

  it('refuse bytes that are not what the digest says', async () => {
    const location = await startUpload();
    const response = await server.call('PUT', `${location}?digest=${unknownDigest}`, { body: 'lies' });
    expect([response.status, await errorCode(response)]).toEqual([400, 'DIGEST_INVALID']);
    expect((await server.call('HEAD', `/v2/${repository}/blobs/${unknownDigest}`)).status).toBe(404);
    expect((await server.call('PUT', await startUpload(), { body: 'none' })).status).toBe(400);
  });

  it('speak SHA-512', async () => {
    const bytes = Buffer.from('longer digest');
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
    expect((await server.call('PUT', `${await startUpload()}?digest=${digest}`, { body: bytes })).status).toBe(201);
    expect(await (await server.call('GET', `/v2/${repository}/blobs/${digest}`)).text()).toBe('longer digest');
  });

  it('can be canceled, and are then unknown', async () => {
    const location = await startUpload();
    expect((await server.call('DELETE', location)).status).toBe(204);
    const response = await server.call('GET', location);
    expect([response.status, await errorCode(response)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
  });

  it('belong to who began them', async () => {
    const location = await startUpload();
    expect((await server.call('PATCH', location, { body: 'x', as: 'bob' })).status).toBe(401);
    expect((await server.call('PATCH', location, { body: 'x', as: 'platform' })).status).toBe(404);
  });

  it('confine paths', async () => {
    for (const id of ['..%2f..%2fregistry.sqlite', '%2e%2e', 'x'.repeat(300), '00000000-0000-0000-0000-000000000000']) {
      expect((await server.call('PATCH', `/v2/${repository}/blobs/uploads/${id}`, { body: 'x' })).status).toBe(404);
    }
  });
});

describe('end-11: mounts', () => {
  it('link a blob that the caller may see, and fall back to an upload otherwise', async () => {
    const { digest } = await server.pushBlob('second/source', Buffer.from('mounted'));
    const mount = (query: string, as = 'alice', target = repository) =>
      server.call('POST', `/v2/${target}/blobs/uploads/?mount=${digest}${query}`, { as });
    const mounted = await mount('&from=second/source');
    expect([mounted.status, mounted.headers.get('location')]).toEqual([201, `/v2/${repository}/blobs/${digest}`]);
    expect((await server.call('HEAD', `/v2/${repository}/blobs/${digest}`)).status).toBe(200);
    const stolen = await mount('&from=second/source', 'bob', 'other-app/thief');
    expect(stolen.status).toBe(202);
    expect((await server.call('HEAD', `/v2/other-app/thief/blobs/${digest}`, { as: 'bob' })).status).toBe(404);
    expect((await mount('')).status).toBe(202);
    expect((await mount('&from=second/absent')).status).toBe(202);
  });
});

describe('end-3, end-7, end-9: manifests', () => {
  it('are kept byte for byte, by tag and by digest', async () => {
    const image = await server.imageManifest(repository, 'layer 1');
    const text = `${image.text.slice(0, -1)}   \n}`;
    const put = await server.putManifest(repository, 'v1', text);
    const digest = digestOf(Buffer.from(text));
    expect([put.status, put.headers.get('docker-content-digest'), put.headers.get('location')]).toEqual([
      201,
      digest,
      `/v2/${repository}/manifests/${digest}`,
    ]);
    for (const reference of ['v1', digest]) {
      const response = await server.call('GET', `/v2/${repository}/manifests/${reference}`);
      expect([response.headers.get('content-type'), await response.text()]).toEqual([mediaTypes.ociManifest, text]);
      const head = await server.call('HEAD', `/v2/${repository}/manifests/${reference}`);
      expect([head.status, head.headers.get('docker-content-digest')]).toEqual([200, digest]);
    }
    expect(await errorCode(await server.call('GET', `/v2/${repository}/manifests/absent`))).toBe('MANIFEST_UNKNOWN');
  });

  it('by a SHA-512 digest', async () => {
    const image = await server.imageManifest(repository, 'layer 512');
    const digest = `sha512:${createHash('sha512').update(image.text).digest('hex')}`;
    expect((await server.putManifest(repository, digest, image.text)).status).toBe(201);
    expect((await server.call('GET', `/v2/${repository}/manifests/${digest}`)).status).toBe(200);
  });

  it('are refused when they lie, lack parts or cannot be read', async () => {
    const image = await server.imageManifest(repository, 'layer 2');
    const refused = async (reference: string, text: string, type: string = mediaTypes.ociManifest) => {
      const response = await server.putManifest(repository, reference, text, 'alice', type);
      return [response.status, await errorCode(response)];
    };
    expect(await refused(unknownDigest, image.text)).toEqual([400, 'DIGEST_INVALID']);
    expect(await refused('bad', image.text.replaceAll(image.layer.digest, unknownDigest))).toEqual([400, 'MANIFEST_BLOB_UNKNOWN']);
    expect(await refused('bad', image.text.replace('"size":7', '"size":8'))).toEqual([400, 'MANIFEST_INVALID']);
    expect(await refused('bad', '{')).toEqual([400, 'MANIFEST_INVALID']);
    expect(await refused('bad', image.text, mediaTypes.dockerManifest)).toEqual([400, 'MANIFEST_INVALID']);
    expect(await refused('bad', image.text, 'text/plain')).toEqual([400, 'MANIFEST_INVALID']);
    expect(await refused('bad', `{"manifests":[],${image.text.slice(1)}`)).toEqual([400, 'MANIFEST_INVALID']);
    expect(await refused('bad', `{"Layers":[],${image.text.slice(1)}`)).toEqual([400, 'MANIFEST_INVALID']);
    expect(await refused('-bad', image.text)).toEqual([400, 'MANIFEST_INVALID']);
    expect((await refused('bad', ' '.repeat(4 * 1024 * 1024 + 1)))[0]).toBe(413);
    const index = (digest: string) =>
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: [{ mediaType: mediaTypes.ociManifest, digest, size: image.size }],
      });
    expect(await refused('bad', index(image.digest), mediaTypes.ociIndex)).toEqual([400, 'MANIFEST_BLOB_UNKNOWN']);
    await server.putManifest(repository, image.digest, image.text);
    expect((await server.putManifest(repository, 'index', index(image.digest), 'alice', mediaTypes.ociIndex)).status).toBe(201);
    expect((await server.call('DELETE', `/v2/${repository}/manifests/${image.digest}`)).status).toBe(405);
  });

  it('lose a tag alone, or all tags with the digest', async () => {
    const image = await server.imageManifest(repository, 'layer 3');
    for (const tag of ['one', 'two']) await server.putManifest(repository, tag, image.text);
    const status = async (method: string, reference: string) =>
      (await server.call(method, `/v2/${repository}/manifests/${reference}`)).status;
    expect(await status('DELETE', 'one')).toBe(202);
    expect([await status('GET', 'one'), await status('GET', 'two'), await status('GET', image.digest)]).toEqual([404, 200, 200]);
    expect(await status('DELETE', image.digest)).toBe(202);
    expect([await status('GET', 'two'), await status('GET', image.digest), await status('DELETE', image.digest)]).toEqual([404, 404, 404]);
  });
});

describe('end-8: tags, and the catalog', () => {
  it('come sorted and in pages', async () => {
    const image = await server.imageManifest('sample-app/tags', 'layer');
    for (const tag of ['b', 'a', 'd', 'c', 'B']) await server.putManifest('sample-app/tags', tag, image.text);
    const list = async (query: string) => {
      const response = await server.call('GET', `/v2/sample-app/tags/tags/list${query}`);
      return [((await response.json()) as { tags: string[] }).tags.join(''), response.headers.get('link')];
    };
    expect(await list('')).toEqual(['Babcd', null]);
    expect(await list('?n=2')).toEqual(['Ba', '</v2/sample-app/tags/tags/list?n=2&last=a>; rel="next"']);
    expect(await list('?n=2&last=a')).toEqual(['bc', '</v2/sample-app/tags/tags/list?n=2&last=c>; rel="next"']);
    expect(await list('?n=2&last=c')).toEqual(['d', null]);
    expect(await list('?n=0')).toEqual(['', null]);
    expect((await server.call('GET', '/v2/sample-app/tags/tags/list?n=x')).status).toBe(400);
  });

  it('show each caller their own', async () => {
    await server.pushBlob('other-app/theirs', Buffer.from('x'), 'bob');
    const catalog = async (as: string) =>
      ((await (await server.call('GET', '/v2/_catalog', { as })).json()) as { repositories: string[] }).repositories;
    expect(await catalog('bob')).toEqual(['other-app/theirs', ...(await catalog('bob')).slice(1)]);
    expect((await catalog('bob')).every((name) => name.startsWith('other-app/'))).toBe(true);
    expect((await catalog('alice')).some((name) => name.startsWith('other-app/'))).toBe(false);
  });
});

describe('end-12: referrers', () => {
  it('list what names a subject, with filter, before and after the subject', async () => {
    const name = 'sample-app/referred';
    const image = await server.imageManifest(name, 'subject');
    const subject = { mediaType: mediaTypes.ociManifest, digest: image.digest, size: image.size };
    const sbom = await server.imageManifest(name, 'sbom', {
      subject,
      artifactType: 'application/vnd.example.sbom',
      annotations: { made: 'today' },
    });
    const put = await server.putManifest(name, sbom.digest, sbom.text);
    expect([put.status, put.headers.get('oci-subject')]).toEqual([201, image.digest]);
    await server.putManifest(name, 'v1', image.text);
    const other = await server.imageManifest(name, 'other', { subject });
    await server.putManifest(name, other.digest, other.text);
    const list = async (query = '', digest: string = image.digest) => {
      const response = await server.call('GET', `/v2/${name}/referrers/${digest}${query}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, mediaTypes.ociIndex]);
      return { body: (await response.json()) as { manifests: object[] }, applied: response.headers.get('oci-filters-applied') };
    };
    expect((await list()).body).toEqual({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [
        {
          mediaType: mediaTypes.ociManifest,
          digest: sbom.digest,
          size: sbom.size,
          artifactType: 'application/vnd.example.sbom',
          annotations: { made: 'today' },
        },
        {
          mediaType: mediaTypes.ociManifest,
          digest: other.digest,
          size: other.size,
          artifactType: 'application/vnd.oci.image.config.v1+json',
        },
      ],
    });
    const filtered = await list('?artifactType=application/vnd.example.sbom');
    expect([filtered.body.manifests.length, filtered.applied]).toEqual([1, 'artifactType']);
    expect((await list('', unknownDigest)).body.manifests).toEqual([]);
    expect((await server.call('GET', `/v2/${name}/referrers/latest`)).status).toBe(400);
  });
});

describe('names', () => {
  it('of any kind get an answer that is no failure', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 40, unit: 'binary' }),
        fc.constantFrom('manifests/x', 'tags/list', `blobs/${unknownDigest}`),
        async (name, rest) => {
          const response = await server.call('GET', `/v2/${encodeURIComponent(name)}/${rest}`);
          await response.arrayBuffer();
          expect(response.status).toBeGreaterThanOrEqual(400);
          expect(response.status).toBeLessThan(500);
        },
      ),
      { numRuns: 100 },
    );
  });
});
