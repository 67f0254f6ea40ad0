import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCluster } from '../test-cluster.ts';

const aggregated = (version: string) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;

describe('discovery', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('the version says that this is a rehearsal', async () => {
    expect(await cluster.must('GET', '/version')).toMatchObject({
      major: '1',
      minor: '32',
      gitVersion: expect.stringMatching(/\+rehearsal$/),
    });
  });

  test('plain: versions, groups, resources', async () => {
    expect(await cluster.must('GET', '/api')).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    const { groups } = await cluster.must('GET', '/apis');
    for (const { name, preferredVersion } of groups) {
      expect((await cluster.must('GET', `/apis/${name}`)).preferredVersion).toEqual(preferredVersion);
      const list = await cluster.must('GET', `/apis/${preferredVersion.groupVersion}`);
      expect([list.kind, list.groupVersion, list.resources.length > 0]).toEqual(['APIResourceList', preferredVersion.groupVersion, true]);
    }
    const pods = (await cluster.must('GET', '/api/v1')).resources.filter((item: { name: string }) => item.name.startsWith('pods'));
    expect(pods.map((item: { name: string }) => item.name)).toEqual(
      expect.arrayContaining(['pods', 'pods/status', 'pods/log', 'pods/exec', 'pods/eviction', 'pods/binding']),
    );
    for (const path of ['/apis/none.example.com', '/apis/apps/v9', '/api/v2', '/openapi/v3/apis/none/v1']) {
      expect((await cluster.ask('GET', path)).status).toBe(404);
    }
  });

  test('aggregated, in both versions, with the type echoed', async () => {
    for (const version of ['v2', 'v2beta1']) {
      const headers = { accept: `${aggregated(version)},application/json` };
      const answer = await cluster.ask('GET', '/apis', undefined, { headers });
      expect(answer.headers['content-type']).toBe(aggregated(version));
      expect(answer.json).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}` });
      const apps = answer.json.items.find((item: { metadata: { name: string } }) => item.metadata.name === 'apps');
      expect(apps.versions[0].resources.map((item: { resource: string }) => item.resource)).toContain('deployments');
    }
    const newest = await cluster.ask('GET', '/api', undefined, { headers: { accept: `${aggregated('v2')},${aggregated('v2beta1')}` } });
    expect(newest.json.apiVersion).toBe('apidiscovery.k8s.io/v2');
  });

  test('schemas: each group-version has a document, unchanged ones answer 304', async () => {
    const { paths } = await cluster.must('GET', '/openapi/v3');
    const { serverRelativeURL } = paths['apis/apps/v1'];
    const document = await cluster.ask('GET', serverRelativeURL);
    expect(Object.keys(document.json.paths)).toContain('/apis/apps/v1/namespaces/{namespace}/deployments/{name}');
    const again = await cluster.ask('GET', serverRelativeURL, undefined, {
      headers: { 'if-none-match': String(document.headers['etag']) },
    });
    expect(again.status).toBe(304);
    const old = await cluster.ask('GET', '/openapi/v2', undefined, {
      headers: { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' },
    });
    expect([old.status, old.headers['content-type']]).toEqual([200, 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf']);
  });
});
