import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminToken, configMap, configMaps, TestCluster } from './test-cluster.ts';

describe('objects over HTTP', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('creates with the server’s metadata, reads, updates, deletes', async () => {
    const created = await cluster.must('POST', configMaps, configMap('life', { a: '1' }));
    expect(created.metadata).toMatchObject({ name: 'life', namespace: 'default', uid: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const updated = await cluster.must('PUT', `${configMaps}/life`, { ...created, data: { a: '2' } });
    expect(Number(updated.metadata.resourceVersion)).toBeGreaterThan(Number(created.metadata.resourceVersion));
    expect((await cluster.must('GET', `${configMaps}/life`)).data).toEqual({ a: '2' });
    expect(await cluster.must('DELETE', `${configMaps}/life`)).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'life' },
    });
    expect((await cluster.ask('GET', `${configMaps}/life`)).json).toMatchObject({
      kind: 'Status',
      reason: 'NotFound',
      code: 404,
      message: 'configmaps "life" not found',
      details: { name: 'life', kind: 'configmaps' },
    });
  });

  test('refuses a second creation and a stale update', async () => {
    const created = await cluster.must('POST', configMaps, configMap('twice'));
    expect((await cluster.ask('POST', configMaps, configMap('twice'))).json).toMatchObject({ code: 409, reason: 'AlreadyExists' });
    await cluster.must('PUT', `${configMaps}/twice`, { ...created, data: { x: 'y' } });
    const stale = await cluster.ask('PUT', `${configMaps}/twice`, { ...created, data: { x: 'z' } });
    expect(stale.json).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(stale.json.message).toContain('the object has been modified');
  });

  test('an update that changes nothing keeps the resourceVersion', async () => {
    const created = await cluster.must('POST', configMaps, configMap('same', { a: '1' }));
    const again = await cluster.must('PUT', `${configMaps}/same`, created);
    const patched = await cluster.must('PATCH', `${configMaps}/same`, { data: { a: '1' } }, { type: 'application/merge-patch+json' });
    expect([again, patched].map((object) => object.metadata.resourceVersion)).toEqual(Array(2).fill(created.metadata.resourceVersion));
  });

  test('generateName makes names of its own', async () => {
    const names = await Promise.all(
      [1, 2, 3].map(async () => (await cluster.must('POST', configMaps, { metadata: { generateName: 'gen-' } })).metadata.name),
    );
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^gen-[a-z0-9]{5}$/);
  });

  test('a dry run says what would be, and does nothing', async () => {
    const dry = await cluster.must('POST', `${configMaps}?dryRun=All`, configMap('dry'));
    expect(dry.metadata.name).toBe('dry');
    expect((await cluster.ask('GET', `${configMaps}/dry`)).status).toBe(404);
    expect((await cluster.ask('POST', `${configMaps}?dryRun=maybe`, configMap('dry'))).status).toBe(400);
  });

  test('finalizers hold a deleted object until the last one goes', async () => {
    await cluster.must('POST', configMaps, configMap('held', {}, { finalizers: ['example.com/hold'] }));
    const waiting = await cluster.must('DELETE', `${configMaps}/held`);
    expect(waiting.metadata.deletionTimestamp).toBeDefined();
    const more = await cluster.ask(
      'PATCH',
      `${configMaps}/held`,
      { metadata: { finalizers: ['example.com/hold', 'example.com/new'] } },
      { type: 'application/merge-patch+json' },
    );
    expect(more.json).toMatchObject({ code: 422, reason: 'Invalid' });
    await cluster.must('PATCH', `${configMaps}/held`, { metadata: { finalizers: null } }, { type: 'application/merge-patch+json' });
    expect((await cluster.ask('GET', `${configMaps}/held`)).status).toBe(404);
  });

  test('deletion heeds its preconditions', async () => {
    const { metadata } = await cluster.must('POST', configMaps, configMap('guarded'));
    const wrong = await cluster.ask('DELETE', `${configMaps}/guarded`, { preconditions: { uid: 'another' } });
    expect(wrong.json).toMatchObject({ code: 409, reason: 'Conflict' });
    await cluster.must('DELETE', `${configMaps}/guarded`, {
      preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion },
    });
  });

  test('a propagation policy leaves its finalizer for the garbage collector', async () => {
    await cluster.must('POST', configMaps, configMap('owner'));
    const waiting = await cluster.must('DELETE', `${configMaps}/owner`, { propagationPolicy: 'Foreground' });
    expect(waiting.metadata.finalizers).toEqual(['foregroundDeletion']);
    expect((await cluster.ask('DELETE', `${configMaps}/owner`, { propagationPolicy: 'Sideways' })).status).toBe(400);
  });

  test('pages of a list show one state, whatever happens meanwhile', async () => {
    const space = '/api/v1/namespaces/pages/configmaps';
    await cluster.must('POST', '/api/v1/namespaces', { metadata: { name: 'pages' } });
    for (const name of ['a', 'b', 'c', 'd', 'e']) await cluster.must('POST', space, configMap(name));
    const first = await cluster.must('GET', `${space}?limit=2`);
    expect(first.metadata.remainingItemCount).toBe(3);
    await cluster.must('DELETE', `${space}/c`);
    const second = await cluster.must('GET', `${space}?limit=2&continue=${first.metadata.continue}`);
    expect(second.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['c', 'd']);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    const last = await cluster.must('GET', `${space}?limit=2&continue=${second.metadata.continue}`);
    expect(last.items).toHaveLength(1);
    expect(last.metadata.continue).toBeUndefined();
    const lost = Buffer.from('999.1').toString('base64url');
    expect((await cluster.ask('GET', `${space}?limit=2&continue=${lost}`)).json).toMatchObject({ code: 410, reason: 'Expired' });
  });

  test('selectors choose in lists and in deletions of collections', async () => {
    for (const [name, tier] of [
      ['s1', 'x'],
      ['s2', 'x'],
      ['s3', 'y'],
    ] as const) {
      await cluster.must('POST', configMaps, configMap(name, {}, { labels: { tier } }));
    }
    const names = (list: { items: { metadata: { name: string } }[] }) => list.items.map((item) => item.metadata.name);
    expect(names(await cluster.must('GET', `${configMaps}?labelSelector=tier%3Dx`))).toEqual(['s1', 's2']);
    expect(names(await cluster.must('GET', `${configMaps}?fieldSelector=metadata.name%3Ds3`))).toEqual(['s3']);
    await cluster.must('DELETE', `${configMaps}?labelSelector=tier%3Dx`);
    expect(names(await cluster.must('GET', `${configMaps}?labelSelector=tier`))).toEqual(['s3']);
  });

  test('nothing is made in a namespace that is missing or on its way out', async () => {
    expect((await cluster.ask('POST', '/api/v1/namespaces/nowhere/configmaps', configMap('x'))).json).toMatchObject({
      code: 404,
      reason: 'NotFound',
    });
    await cluster.must('POST', '/api/v1/namespaces', { metadata: { name: 'leaving' } });
    const leaving = await cluster.must('DELETE', '/api/v1/namespaces/leaving');
    expect(leaving.status.phase).toBe('Terminating');
    const refused = await cluster.ask('POST', '/api/v1/namespaces/leaving/configmaps', configMap('x'));
    expect(refused.json).toMatchObject({ code: 403, reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } });
    await cluster.must('PUT', '/api/v1/namespaces/leaving/finalize', { ...leaving, spec: { finalizers: [] } });
    expect((await cluster.ask('GET', '/api/v1/namespaces/leaving')).status).toBe(404);
    expect((await cluster.ask('DELETE', '/api/v1/namespaces/default')).status).toBe(403);
  });

  test('the object leaves the status alone, /status all the rest, /scale everything but the replicas', async () => {
    const path = '/apis/apps/v1/namespaces/default/deployments';
    const template = { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const made = await cluster.must('POST', path, {
      metadata: { name: 'd' },
      spec: { selector: { matchLabels: { app: 'd' } }, template },
      status: { replicas: 9 },
    });
    expect(made.status).toEqual({});
    expect(made.metadata.generation).toBe(1);
    const merge = { type: 'application/merge-patch+json' };
    const status = await cluster.must('PATCH', `${path}/d/status`, { spec: { replicas: 7 }, status: { replicas: 1 } }, merge);
    expect([status.spec.replicas, status.status.replicas, status.metadata.generation]).toEqual([1, 1, 1]);
    const spec = await cluster.must('PATCH', `${path}/d`, { spec: { replicas: 3 }, status: { replicas: 8 } }, merge);
    expect([spec.spec.replicas, spec.status.replicas, spec.metadata.generation]).toEqual([3, 1, 2]);
    const scale = await cluster.must('GET', `${path}/d/scale`);
    expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 3 }, status: { replicas: 1, selector: 'app=d' } });
    await cluster.must('PUT', `${path}/d/scale`, { ...scale, spec: { replicas: 5 } });
    expect((await cluster.must('GET', `${path}/d`)).spec.replicas).toBe(5);
    expect((await cluster.ask('PATCH', `${path}/d/scale`, { spec: { replicas: -1 } }, merge)).status).toBe(422);
  });

  test('says no in the real server’s words', async () => {
    const cases: [string, string, unknown, object, number, string][] = [
      ['POST', configMaps, '{"metadata":', {}, 400, 'BadRequest'],
      ['POST', configMaps, { kind: 'Secret', metadata: { name: 'x' } }, {}, 400, 'BadRequest'],
      ['POST', configMaps, { apiVersion: 'v2', metadata: { name: 'x' } }, {}, 400, 'BadRequest'],
      ['POST', configMaps, { metadata: {} }, {}, 422, 'Invalid'],
      ['POST', configMaps, { metadata: { name: 'x', namespace: 'other' } }, {}, 400, 'BadRequest'],
      ['POST', `${configMaps}?fieldValidation=Strict`, { metadata: { name: 'x' }, datta: {} }, {}, 400, 'BadRequest'],
      ['POST', configMaps, 'a=b', { type: 'text/csv' }, 415, 'UnsupportedMediaType'],
      ['PATCH', `${configMaps}/x`, '{}', { type: 'application/json' }, 415, 'UnsupportedMediaType'],
      ['PUT', configMaps, {}, {}, 405, 'MethodNotAllowed'],
      ['POST', '/api/v1/configmaps', configMap('x'), {}, 405, 'MethodNotAllowed'],
      ['GET', '/apis/nothing.example.com/v1/things', undefined, {}, 404, 'NotFound'],
      ['GET', '/api/v1/namespaces/default/configmaps/%2e%2e', undefined, {}, 400, 'BadRequest'],
      ['GET', configMaps, undefined, { headers: { accept: 'text/html' } }, 406, 'NotAcceptable'],
      ['POST', configMaps, `{"metadata":{"name":"deep"},"data":${'['.repeat(400)}${']'.repeat(400)}}`, {}, 400, 'BadRequest'],
      ['PATCH', `${configMaps}/x?force=true`, '{}', { type: 'application/apply-patch+yaml' }, 422, 'Invalid'],
      ['PATCH', `${configMaps}/x?fieldManager=m`, 'a: &a [*a]', { type: 'application/apply-patch+yaml' }, 400, 'BadRequest'],
    ];
    for (const [method, path, body, options, status, reason] of cases) {
      const answer = await cluster.ask(method, path, body, options);
      expect([method, path, answer.status, answer.json?.reason], answer.text).toEqual([method, path, status, reason]);
    }
  });

  test('a body over 3 MiB is refused before it is read', async () => {
    const answer = await cluster.ask('POST', configMaps, configMap('big', { a: 'x'.repeat(3 * 1024 * 1024) }));
    expect(answer.json).toMatchObject({ code: 413, reason: 'RequestEntityTooLarge' });
  });

  test('unknown fields are dropped with a warning unless the client is strict', async () => {
    const answer = await cluster.ask('POST', configMaps, { metadata: { name: 'extra' }, datta: {} });
    expect(answer.status).toBe(201);
    expect(answer.headers['warning']).toBe('299 - "unknown field \\"datta\\""');
    expect(answer.json.datta).toBeUndefined();
  });

  test('what is stored and not acted upon is said', async () => {
    const template = { metadata: { labels: { app: 's' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { selector: { matchLabels: { app: 's' } }, serviceName: 's', template };
    const answer = await cluster.ask('POST', '/apis/apps/v1/namespaces/default/statefulsets', { metadata: { name: 's' }, spec });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.headers['warning']).toContain('runs no StatefulSet controller');
  });

  test('Tables and metadata in place of objects', async () => {
    await cluster.must('POST', configMaps, configMap('shown', { a: '1', b: '2' }));
    const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
    const list = await cluster.ask('GET', `${configMaps}?fieldSelector=metadata.name%3Dshown`, undefined, { headers: table });
    expect(list.headers['content-type']).toBe('application/json;as=Table;v=v1;g=meta.k8s.io');
    expect(list.json.columnDefinitions.map((column: { name: string }) => column.name)).toEqual(['Name', 'Data', 'Age']);
    expect(list.json.rows[0].cells.slice(0, 2)).toEqual(['shown', 2]);
    expect(list.json.rows[0].object.kind).toBe('PartialObjectMetadata');
    const metadata = { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' };
    const one = await cluster.must('GET', `${configMaps}/shown`, undefined, { headers: metadata });
    expect(Object.keys(one)).toEqual(['kind', 'apiVersion', 'metadata']);
  });

  test('large answers are gzipped for who takes it', async () => {
    for (let index = 0; index < 3; index += 1) await cluster.must('POST', configMaps, configMap(`fat-${index}`, { a: 'x'.repeat(80_000) }));
    const plain = await cluster.ask('GET', configMaps);
    const packed = await cluster.ask('GET', configMaps, undefined, { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(Number(packed.headers['content-length'])).toBeLessThan(Number(plain.headers['content-length']) / 10);
  });

  test('the same folder holds the same cluster again', async () => {
    const first = await TestCluster.start();
    await first.must('POST', configMaps, configMap('stays', { a: '1' }));
    const { certificateAuthority } = first.server;
    await first.stop(true);
    const second = await TestCluster.start({ dataFolder: first.folder });
    expect((await second.must('GET', `${configMaps}/stays`)).data).toEqual({ a: '1' });
    expect(second.server.certificateAuthority).toBe(certificateAuthority);
    await expect(TestCluster.start({ dataFolder: first.folder })).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    expect(second.server.kubeconfig({ token: adminToken, user: 'admin' })).toContain(second.url);
    await second.stop();
  });
});
