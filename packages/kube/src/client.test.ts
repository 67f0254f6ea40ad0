import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createKubeClient } from './client.ts';
import { isKubeError } from './errors.ts';
import { type ApiDouble, startApiDouble } from './testing/api-double.ts';
import type { KubeClient, WatchEvent } from './types.ts';
import { type ConfigMap, configMapType, deploymentType, namespaceType } from './well-known.ts';

const configMaps = '/api/v1/namespaces/a/configmaps';
let api: ApiDouble;
let client: KubeClient;

beforeEach(async () => {
  api = await startApiDouble();
  client = createKubeClient({ server: api.url, token: 'token-of-the-test', fieldManager: 'tester' });
});
afterEach(async () => {
  client.close();
  await api.close();
});

const map = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'a' },
  data,
});

describe('requests', () => {
  test('create, get, replace, patch and delete go to the paths of the API with the token', async () => {
    const created = await client.create(configMapType, map('m', { x: '1' }));
    expect(created.metadata.resourceVersion).toBeDefined();
    expect((await client.get(configMapType, 'm', 'a'))?.data).toEqual({ x: '1' });
    const replaced = await client.replace(configMapType, { ...created, data: { x: '2' } });
    expect(replaced.data).toEqual({ x: '2' });
    await client.patch(configMapType, 'm', 'a', { data: { x: '3' } }, { kind: 'merge' });
    expect(await client.delete(configMapType, 'm', 'a', { propagation: 'Foreground', uid: 'u' })).toBe(true);
    expect(api.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `POST ${configMaps}?fieldManager=tester`,
      `GET ${configMaps}/m`,
      `PUT ${configMaps}/m?fieldManager=tester`,
      `PATCH ${configMaps}/m?fieldManager=tester`,
      `DELETE ${configMaps}/m`,
    ]);
    expect(new Set(api.requests.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer token-of-the-test']));
    expect(JSON.parse(api.requests.at(-1)!.body)).toMatchObject({ propagationPolicy: 'Foreground', preconditions: { uid: 'u' } });
  });

  test.each([
    ['merge', 'application/merge-patch+json'],
    ['json', 'application/json-patch+json'],
    ['strategic', 'application/strategic-merge-patch+json'],
    ['apply', 'application/apply-patch+yaml'],
  ] as const)('a %s patch is sent as %s', async (kind, contentType) => {
    api.put(configMaps, map('m') as never);
    await client.patch(configMapType, 'm', 'a', { data: {} }, { kind, force: true, subresource: undefined });
    expect(api.requests[0]).toMatchObject({ contentType, path: `${configMaps}/m?fieldManager=tester&force=true` });
  });

  test('what is not there is undefined for get and false for delete', async () => {
    expect(await client.get(configMapType, 'none', 'a')).toBeUndefined();
    expect(await client.delete(configMapType, 'none', 'a')).toBe(false);
  });

  test('names never leave their path segment', async () => {
    await client.get(configMapType, '../secrets/x?y', 'a/b');
    expect(api.requests[0]!.path).toBe('/api/v1/namespaces/a%2Fb/configmaps/..%2Fsecrets%2Fx%3Fy');
  });

  test('a list is read page by page, and its items know their kind', async () => {
    api.pageSize = 2;
    for (const name of ['a', 'b', 'c', 'd', 'e']) api.put(configMaps, map(name) as never);
    const { items, resourceVersion } = await client.list(configMapType, { namespace: 'a', labelSelector: 'x=y' });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(items.every(({ kind, apiVersion }) => kind === 'ConfigMap' && apiVersion === 'v1')).toBe(true);
    expect(resourceVersion).toBe('6');
    expect(api.requests).toHaveLength(3);
    expect(api.requests[0]!.path).toContain('labelSelector=x%3Dy');
  });

  test('a Status becomes an error with its reason, causes and the wait that it asks for', async () => {
    const body = {
      kind: 'Status',
      reason: 'Invalid',
      message: 'no good',
      code: 422,
      details: { causes: [{ field: 'spec', message: 'required' }] },
    };
    api.answerOnce(configMaps, 422, body, { 'retry-after': '3' });
    const error = await client.create(configMapType, map('m')).catch((thrown: unknown) => thrown);
    expect(isKubeError(error, 'Invalid')).toBe(true);
    expect(error).toMatchObject({ httpStatus: 422, retryAfterMs: 3000, causes: [{ field: 'spec' }], retryable: false });
    expect((error as Error).message).toContain('no good');
  });

  test.each([
    [403, 'Forbidden'],
    [409, 'Conflict'],
    [429, 'TooManyRequests'],
    [503, 'ServiceUnavailable'],
    [599, 'Unknown'],
  ])('%i without a Status is %s', async (code, reason) => {
    api.answerOnce(configMaps, code, 'gateway page', { 'content-type': 'text/html' });
    await expect(client.list(configMapType, { namespace: 'a' })).rejects.toMatchObject({ code: reason });
  });

  test('a body that is not JSON is an invalid answer, an unreachable server is retryable', async () => {
    api.answerOnce(configMaps, 200, '{"cut');
    await expect(client.list(configMapType, { namespace: 'a' })).rejects.toMatchObject({ code: 'InvalidAnswer' });
    await api.close();
    await expect(client.list(configMapType, { namespace: 'a' })).rejects.toMatchObject({ code: 'Unreachable', retryable: true });
  });

  test('a token is asked for anew after 401, once', async () => {
    const asked: boolean[] = [];
    const renewing = createKubeClient({
      server: api.url,
      tokenSource: (refresh) => {
        asked.push(refresh);
        return refresh ? 'new' : 'old';
      },
    });
    api.answerOnce('/api/v1/namespaces', 401, { kind: 'Status', reason: 'Unauthorized', message: 'expired' });
    expect(await renewing.get(namespaceType, 'a')).toBeUndefined();
    expect(asked).toEqual([false, true]);
    expect(api.requests.map(({ authorization }) => authorization)).toEqual(['Bearer old', 'Bearer new']);
    renewing.close();
  });

  test('a token never goes over plain http to another machine', () => {
    expect(() => createKubeClient({ server: 'http://192.0.2.1:8080', token: 'secret' })).toThrow(/not usable/);
    expect(() => createKubeClient({ server: 'file:///etc/passwd' })).toThrow(/not usable/);
  });
});

describe('discovery', () => {
  const list = {
    resources: [
      { name: 'deployments', kind: 'Deployment', namespaced: true },
      { name: 'deployments/scale', kind: 'Scale', namespaced: true },
    ],
  };

  test('finds a kind once, and forgets subresources', async () => {
    api.answerOnce('/apis/apps/v1', 200, list);
    const found = await Promise.all([client.resolve('apps/v1', 'Deployment'), client.resolve('apps/v1', 'Deployment')]);
    expect(found).toEqual([deploymentType, deploymentType]);
    expect(await client.resolve('apps/v1', 'Deployment')).toEqual(deploymentType);
    expect(await client.resolve('apps/v1', 'Scale')).toBeUndefined();
    expect(api.requests).toHaveLength(1);
  });

  test('an unknown group is undefined, a refusal is an error', async () => {
    expect(await client.resolve('none.example/v1', 'Thing')).toBeUndefined();
    api.answerOnce('/apis/closed.example/v1', 403, { kind: 'Status', reason: 'Forbidden', message: 'no' });
    await expect(client.resolve('closed.example/v1', 'Thing')).rejects.toMatchObject({ code: 'Forbidden' });
  });
});

describe('watch', () => {
  async function collect(resourceVersion: string, stop: AbortSignal) {
    const events: WatchEvent<ConfigMap>[] = [];
    let wake = () => {};
    const ended = client.watch(
      configMapType,
      { namespace: 'a', resourceVersion },
      (event) => {
        events.push(event);
        wake();
      },
      stop,
    );
    const until = async (count: number) => {
      while (events.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return events.map(({ type, object }) => `${type} ${object.metadata.name}`);
    };
    return { until, ended };
  }

  test('tells of what changes after the version, until it is stopped', async () => {
    api.put(configMaps, map('old') as never);
    const stop = new AbortController();
    const { until, ended } = await collect('2', stop.signal);
    api.put(configMaps, map('new') as never);
    api.put(configMaps, map('new', { x: '1' }) as never);
    api.remove(configMaps, 'old');
    expect(await until(3)).toEqual(['ADDED new', 'MODIFIED new', 'DELETED old']);
    stop.abort();
    await ended;
  });

  test('resolves when the server ends it', async () => {
    const { until, ended } = await collect('1', new AbortController().signal);
    api.put(configMaps, map('x') as never);
    await until(1);
    api.endWatches();
    await expect(ended).resolves.toBeUndefined();
  });

  test('rejects with Expired when the version is gone', async () => {
    api.compact();
    const { ended } = await collect('1', new AbortController().signal);
    await expect(ended).rejects.toMatchObject({ code: 'Expired' });
  });

  test('a refusal before the stream is an error with its reason', async () => {
    api.answerOnce(configMaps, 403, { kind: 'Status', reason: 'Forbidden', message: 'no' });
    const { ended } = await collect('1', new AbortController().signal);
    await expect(ended).rejects.toMatchObject({ code: 'Forbidden' });
  });
});
