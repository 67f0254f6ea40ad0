import { SteppingClock, silentLogger, systemClock } from '@desp/runtime';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createKubeClient } from './client.ts';
import { runController, source } from './controller.ts';
import { createEventRecorder } from './event-recorder.ts';
import { createInformerSet, startInformer } from './informer.ts';
import { keyOf } from './keys.ts';
import { optionsFromKubeconfig } from './kubeconfig.ts';
import { formatSelector } from './selector.ts';
import { type ApiDouble, startApiDouble } from './testing/api-double.ts';
import type { KubeClient } from './types.ts';
import { type ConfigMap, configMapType, type KubeEvent } from './well-known.ts';
import { createWorkQueue } from './work-queue.ts';

const configMaps = '/api/v1/namespaces/a/configmaps';
let api: ApiDouble;
let client: KubeClient;
let stop: AbortController;

beforeEach(async () => {
  api = await startApiDouble();
  client = createKubeClient({ server: api.url });
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  client.close();
  await api.close();
});

const map = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'a', labels },
  data,
});
const put = (object: ConfigMap) => api.put(configMaps, object as never);
const common = () => ({ client, clock: systemClock, log: silentLogger, signal: stop.signal });

describe('informer', () => {
  test('follows the server over ended watches and expired versions', async () => {
    put(map('a'));
    put(map('b'));
    const informer = startInformer({ ...common(), type: configMapType });
    await informer.synced;
    const names = () =>
      informer
        .list()
        .map(({ metadata }) => metadata.name)
        .toSorted();
    expect(names()).toEqual(['a', 'b']);
    const seen: string[] = [];
    informer.onChange(({ type, object }) => seen.push(`${type} ${object.metadata.name}`));
    expect(seen).toEqual(['ADDED a', 'ADDED b']);

    put(map('c'));
    await vi.waitFor(() => expect(names()).toEqual(['a', 'b', 'c']));
    api.endWatches();
    put(map('d'));
    await vi.waitFor(() => expect(names()).toContain('d'));
    // What happens while the version expires is found by the new list: one gone, one new.
    api.endWatches();
    api.remove(configMaps, 'a');
    put(map('e'));
    api.compact();
    await vi.waitFor(() => expect(names()).toEqual(['b', 'c', 'd', 'e']), { timeout: 5000 });
    expect(seen).toContain('DELETED a');
  });

  test('indexes follow changes', async () => {
    put(map('a', { team: 'x' }));
    const informer = startInformer({ ...common(), type: configMapType });
    informer.addIndex('team', (object) => [object.data?.['team'] ?? '']);
    await informer.synced;
    expect(informer.byIndex('team', 'x').map(keyOf)).toEqual(['a/a']);
    put(map('a', { team: 'y' }));
    await vi.waitFor(() => expect(informer.byIndex('team', 'y').map(keyOf)).toEqual(['a/a']));
    expect(informer.byIndex('team', 'x')).toEqual([]);
    expect(() => informer.byIndex('none', 'x')).toThrow(/no index/);
  });

  test('one set starts one informer a type and selection', () => {
    const set = createInformerSet(common());
    expect(set.of(configMapType)).toBe(set.of(configMapType));
    expect(set.of(configMapType)).not.toBe(set.of(configMapType, { namespace: 'a' }));
  });
});

describe('work queue', () => {
  test('a key waits once, and comes again when it was added while worked on', async () => {
    const queue = createWorkQueue(new SteppingClock());
    queue.add('k');
    queue.add('k');
    expect(await queue.take()).toBe('k');
    queue.add('k');
    const second = queue.take();
    queue.add('other');
    expect(await second).toBe('other');
    queue.done('k');
    expect(await queue.take()).toBe('k');
    expect(queue.size).toBe(2);
  });

  test('failures come back later and later, until forgotten', async () => {
    const clock = new SteppingClock();
    const queue = createWorkQueue(clock, { baseMs: 10, maxMs: 35 });
    expect([queue.addFailed('k'), queue.addFailed('k'), queue.addFailed('k'), queue.addFailed('k')]).toEqual([10, 20, 35, 35]);
    const taken = queue.take();
    clock.step(9);
    expect(queue.size).toBe(0);
    clock.step(1);
    expect(await taken).toBe('k');
    queue.forget('k');
    expect(queue.addFailed('k')).toBe(10);
  });

  test('closing wakes the takers', async () => {
    const queue = createWorkQueue(new SteppingClock());
    const taken = queue.take();
    queue.close();
    expect(await taken).toBeUndefined();
    queue.add('k');
    expect(await queue.take()).toBeUndefined();
  });

  test('no key is ever worked on twice at the same time, and none is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('add a', 'add b', 'take', 'done'), { maxLength: 60 }), async (steps) => {
        const queue = createWorkQueue(new SteppingClock());
        const working: string[] = [];
        const wanted = new Set<string>();
        for (const step of steps) {
          if (step.startsWith('add')) {
            queue.add(step.slice(4));
            wanted.add(step.slice(4));
          } else if (step === 'take' && queue.size > working.length) {
            const key = await queue.take();
            expect(working).not.toContain(key);
            working.push(key!);
            wanted.delete(key!);
          } else if (step === 'done' && working.length > 0) queue.done(working.shift()!);
        }
        for (const key of working) queue.done(key);
        while (queue.size > 0) {
          const key = (await queue.take())!;
          wanted.delete(key);
          queue.done(key);
        }
        expect([...wanted]).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('controller', () => {
  test('reconciles every key, again after a failure, and again when it asks for it', async () => {
    put(map('a'));
    put(map('b'));
    const calls: string[] = [];
    const running = runController({
      ...common(),
      name: 'test',
      sources: [source(configMapType, (object) => [keyOf(object)])],
      backOff: { baseMs: 1, maxMs: 5 },
      reconcile: async (key, context) => {
        calls.push(`${key} ${context.failures}`);
        if (key === 'a/a' && context.failures < 2) throw new Error('not yet');
        return key === 'a/b' && calls.filter((call) => call.startsWith('a/b')).length < 3 ? { requeueAfterMs: 1 } : undefined;
      },
    });
    await vi.waitFor(() => expect(calls.toSorted()).toEqual(['a/a 0', 'a/a 1', 'a/a 2', 'a/b 0', 'a/b 0', 'a/b 0']));
    put(map('c'));
    await vi.waitFor(() => expect(calls).toContain('a/c 0'));
    stop.abort();
    await running;
  });
});

describe('event recorder', () => {
  test('counts the same event up and keeps others apart', async () => {
    const clock = new SteppingClock('2026-11-22T10:00:00Z');
    const recorder = createEventRecorder({ client, component: 'kubelet', host: 'node', clock, log: silentLogger });
    const about = { ...map('m'), metadata: { name: 'm', namespace: 'a', uid: 'u1' } };
    recorder.event(about, 'Warning', 'BackOff', 'again');
    recorder.event(about, 'Warning', 'BackOff', 'again');
    clock.step(60_000);
    recorder.event(about, 'Warning', 'BackOff', 'again');
    recorder.event(about, 'Normal', 'Started', 'ok', 'spec.containers{c}');
    await recorder.flushed();
    const { items } = await client.list<KubeEvent>(
      { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true },
      { namespace: 'a' },
    );
    expect(items.map(({ reason, count, firstTimestamp, lastTimestamp }) => [reason, count, firstTimestamp, lastTimestamp])).toEqual([
      ['BackOff', 3, '2026-11-22T10:00:00Z', '2026-11-22T10:01:00Z'],
      ['Started', 1, '2026-11-22T10:01:00Z', '2026-11-22T10:01:00Z'],
    ]);
    expect(items[1]!.involvedObject).toMatchObject({ kind: 'ConfigMap', name: 'm', uid: 'u1', fieldPath: 'spec.containers{c}' });
  });

  test('an object that reports without end is held back', async () => {
    const recorder = createEventRecorder({ client, component: 'x', clock: new SteppingClock(), log: silentLogger });
    for (let index = 0; index < 100; index += 1) recorder.event(map('m'), 'Normal', 'Noise', `number ${index}`);
    await recorder.flushed();
    expect(api.requests.filter(({ method }) => method === 'POST')).toHaveLength(25);
  });
});

test('selectors are written as a query takes them', () => {
  const matchExpressions = [
    { key: 'b', operator: 'In', values: ['1', '2'] },
    { key: 'c', operator: 'DoesNotExist' },
  ];
  expect(formatSelector({ matchLabels: { a: '1' }, matchExpressions })).toBe('a=1,b in (1,2),!c');
});

describe('kubeconfig', () => {
  const config = (user: string, cluster = 'server: https://c:6443, certificate-authority-data: Q0E=') =>
    `current-context: x\nclusters: [{ name: c, cluster: { ${cluster} } }]\nusers: [{ name: u, user: { ${user} } }]\ncontexts: [{ name: x, context: { cluster: c, user: u, namespace: n } }]\n`;

  test('gives address, authority, token and namespace', () => {
    expect(optionsFromKubeconfig(config('token: t'))).toMatchObject({ server: 'https://c:6443', ca: 'CA', token: 't', namespace: 'n' });
    const certificate = optionsFromKubeconfig(config('client-certificate-data: Q0VSVA==, client-key-data: S0VZ'));
    expect(certificate).toMatchObject({ clientCertificate: 'CERT', clientKey: 'KEY' });
  });

  test.each([
    ['a program that logs in', config('exec: { command: sh }'), /exec/],
    ['verification switched off', config('token: t', 'server: https://c, insecure-skip-tls-verify: true'), /without verifying/],
    ['a file of this machine in a foreign text', config('tokenFile: /etc/shadow'), /names the file/],
    ['an unknown context', config('token: t').replace('current-context: x', 'current-context: y'), /no context "y"/],
    ['no YAML', '\t: [', /cannot be understood/],
  ])('refuses %s', (_, text, message) => {
    expect(() => optionsFromKubeconfig(text).tokenSource?.(false)).toThrow(message);
  });
});
