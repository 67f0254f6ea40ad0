import { mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Container, Pod } from '@desp/kube';
import { systemClock } from '@desp/runtime';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseQuantity } from '../quantity.ts';
import { writeAtomically } from './atomic-files.ts';
import { containerConfig } from './container-config.ts';
import type { EngineContainer } from './engine.ts';
import { environmentOf, expand, type PodSources } from './environment.ts';
import { parseDockerConfig } from './images.ts';
import { attemptLabel, type ContainerView, podStatus } from './pod-status.ts';
import { createProbes } from './probes.ts';
import { droppedCapabilities, refusalOf } from './refusals.ts';
import { createVolumes } from './volumes.ts';

const container: Container = { name: 'c', image: 'i:1' };
const pod = (spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', uid: 'u-1', labels: { app: 'x' }, annotations: { note: 'a "b"' } },
  spec: { containers: [container], ...spec },
});
const sources = (of: Pod = pod()): PodSources => ({
  pod: of,
  podIp: '10.0.0.5',
  nodeName: 'rehearsal',
  hostIp: '10.0.0.1',
  allocatable: { cpu: '4', memory: '2Gi' },
  services: [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'my-db', namespace: 'n' },
      spec: { clusterIP: '10.1.0.9', ports: [{ port: 5432, name: 'sql' }] },
    },
  ],
  configMap: async (name) =>
    name === 'conf' ? { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: '1', b: '2' } } : undefined,
  secret: async (name) =>
    name === 'sec'
      ? { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: { k: Buffer.from('geheim').toString('base64') } }
      : undefined,
});
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'desp-node-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('environment', () => {
  const values = async (extra: Partial<Container>) => Object.fromEntries(await environmentOf({ ...container, ...extra }, sources()));

  test('takes values from everywhere, later ones winning', async () => {
    const found = await values({
      envFrom: [
        { configMapRef: { name: 'conf' } },
        { prefix: 'S_', secretRef: { name: 'sec' } },
        { configMapRef: { name: 'none', optional: true } },
      ],
      env: [
        { name: 'b', value: 'own' },
        { name: 'REF', value: '$(b)-$(S_k)-$(none)-$$(b)' },
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
        { name: 'ASKED', valueFrom: { resourceFieldRef: { resource: 'requests.cpu' } } },
        { name: 'GONE', valueFrom: { secretKeyRef: { name: 'sec', key: 'none', optional: true } } },
      ],
      resources: { limits: { memory: '64Mi' } },
    });
    expect(found).toMatchObject({
      a: '1',
      b: 'own',
      S_k: 'geheim',
      REF: 'own-geheim-$(none)-$(b)',
      NODE: 'rehearsal',
      IP: '10.0.0.5',
      LABEL: 'x',
      MEM: '64',
      // No limit of its own: all that the node gives to pods.
      CPU: '4000',
      ASKED: '0',
      HOSTNAME: 'p',
    });
    expect(found).toMatchObject({
      MY_DB_SERVICE_HOST: '10.1.0.9',
      MY_DB_SERVICE_PORT_SQL: '5432',
      MY_DB_PORT_5432_TCP: 'tcp://10.1.0.9:5432',
    });
    expect(found).not.toHaveProperty('GONE');
  });

  test.each([
    [{ secretKeyRef: { name: 'none', key: 'k' } }, 'secret "none" not found'],
    [{ secretKeyRef: { name: 'sec', key: 'constructor' } }, "couldn't find key constructor in Secret n/sec"],
    [{ configMapKeyRef: { name: 'conf', key: 'z' } }, "couldn't find key z in ConfigMap n/conf"],
    [{ fieldRef: { fieldPath: 'spec.secret' } }, 'unsupported fieldPath: spec.secret'],
  ])('%j is missing in the kubelet’s words', async (valueFrom, message) => {
    await expect(values({ env: [{ name: 'X', valueFrom }] })).rejects.toThrow(message);
  });

  test('expansion ends, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => typeof expand(text, new Map([['A', '$(A)']])) === 'string'),
      { numRuns: 200 },
    );
    expect(expand('$(A)', new Map([['A', '$(A)']]))).toBe('$(A)');
  });
});

describe('files of a volume', () => {
  const file = (path: string, content: string, mode = 0o644) => ({ path, content: Buffer.from(content), mode });

  test('change all at once, through one symlink', async () => {
    expect(await writeAtomically(folder, [file('a', '1'), file('sub/b', '2')], undefined)).toBe(true);
    const before = await readlink(join(folder, '..data'));
    expect(await writeAtomically(folder, [file('a', '1'), file('sub/b', '2')], undefined)).toBe(false);
    expect(await writeAtomically(folder, [file('a', '3')], undefined)).toBe(true);
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('3');
    await expect(readFile(join(folder, 'sub/b'))).rejects.toThrow();
    expect(await readlink(join(folder, '..data'))).not.toBe(before);
    await expect(readFile(join(folder, before, 'a'))).rejects.toThrow();
  });

  test.each(['../x', '/etc/passwd', 'a/../../b', '..data', ''])('the path %j is refused', async (path) => {
    await expect(writeAtomically(folder, [file(path, '')], undefined)).rejects.toThrow('not within the volume');
  });

  test('a subPath cannot lead out of a volume that a container writes', async () => {
    const volumes = createVolumes({} as never, { pods: folder, run: folder, persistent: folder }, async () => '');
    const volume = { path: join(folder, 'v'), readOnly: false, untrusted: true };
    await mkdir(volume.path);
    await symlink('/etc', join(volume.path, 'trap'));
    const mount = { name: 'v', mountPath: '/v' };
    await expect(volumes.resolve(volume, mount, 'trap/passwd')).rejects.toThrow('is a symlink');
    await expect(volumes.resolve(volume, mount, '../other')).rejects.toThrow('leads out of the volume');
    await expect(volumes.resolve(volume, mount, '/etc')).rejects.toThrow('leads out of the volume');
    expect(await volumes.resolve(volume, mount, 'deep/er')).toBe(join(volume.path, 'deep/er'));
    await writeFile(join(volume.path, 'deep/er/x'), '');
  });
});

describe('what the rehearsal refuses', () => {
  test.each<[string, Partial<Pod['spec']>]>([
    ['hostNetwork', { hostNetwork: true }],
    ['hostPID', { hostPID: true }],
    ['hostPath', { volumes: [{ name: 'v', hostPath: { path: '/' } }] }],
    ['a kind that', { volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec: {} } } }] }],
    ['privileged', { containers: [{ ...container, securityContext: { privileged: true } }] }],
    ['privileged', { initContainers: [{ ...container, securityContext: { privileged: true } }] }],
    ['SYS_ADMIN', { containers: [{ ...container, securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }] }],
    ['another host', { containers: [{ ...container, livenessProbe: { httpGet: { host: '127.0.0.1', port: 5432 } } }] }],
    ['hostPort', { containers: [{ ...container, ports: [{ containerPort: 80, hostPort: 80 }] }] }],
  ])('%s', (word, spec) => {
    expect(refusalOf(pod(spec))).toContain(word);
  });

  test('an ordinary pod is not refused, and never has privileges that it can gain', () => {
    expect(refusalOf(pod())).toBeUndefined();
    const config = containerConfig({
      pod: pod(),
      container,
      imageId: 'i',
      imageUser: '',
      sandboxId: 's',
      environment: new Map(),
      labels: {},
      mounts: [],
    });
    expect(config.HostConfig).toMatchObject({ SecurityOpt: ['no-new-privileges'], NetworkMode: 'container:s' });
    expect(config.HostConfig?.CapAdd).toBeUndefined();
    expect(config.HostConfig?.Privileged).toBeUndefined();
    expect(config.HostConfig?.PidsLimit).toBeGreaterThan(0);
  });

  test('capabilities are only ever taken away', () => {
    expect(droppedCapabilities(undefined)).toEqual(['AUDIT_WRITE', 'MKNOD', 'NET_RAW']);
    expect(droppedCapabilities({ capabilities: { drop: ['ALL'] } })).toEqual(['ALL']);
    const some = droppedCapabilities({ capabilities: { drop: ['ALL'], add: ['CAP_NET_BIND_SERVICE'] } });
    expect(some).not.toContain('NET_BIND_SERVICE');
    expect(some).toContain('SETUID');
  });

  test('who the processes are: the pod says, else the image; runAsNonRoot must be shown to hold', () => {
    const userOf = (imageUser: string, securityContext: Container['securityContext'], podSecurity = {}) =>
      containerConfig({
        pod: pod({ securityContext: podSecurity }),
        container: { ...container, securityContext },
        imageId: 'i',
        imageUser,
        sandboxId: 's',
        environment: new Map(),
        labels: {},
        mounts: [],
      }).User;
    expect(userOf('', {})).toBeUndefined();
    expect(userOf('www', {})).toBeUndefined();
    expect(userOf('www', { runAsUser: 7 })).toBe('7');
    expect(userOf('1000:1000', { runAsGroup: 9 })).toBe('1000:9');
    expect(userOf('', { runAsGroup: 9 })).toBe('0:9');
    expect(userOf('1000', {}, { runAsNonRoot: true })).toBeUndefined();
    expect(userOf('', { runAsNonRoot: false }, { runAsNonRoot: true })).toBeUndefined();
    expect(() => userOf('', { runAsNonRoot: true })).toThrow('image will run as root');
    expect(() => userOf('0:0', { runAsNonRoot: true })).toThrow('image will run as root');
    expect(() => userOf('1000', { runAsUser: 0, runAsNonRoot: true })).toThrow('image will run as root');
    expect(() => userOf('www', {}, { runAsNonRoot: true })).toThrow('non-numeric user (www)');
  });

  test('a signal of the pod’s own ends its containers', () => {
    const stopping = { ...container, lifecycle: { stopSignal: 'SIGUSR1' } };
    const input = {
      pod: pod(),
      container: stopping,
      imageId: 'i',
      imageUser: '',
      sandboxId: 's',
      environment: new Map(),
      labels: {},
      mounts: [],
    };
    expect(containerConfig(input).StopSignal).toBe('SIGUSR1');
  });
});

describe('a pod’s status', () => {
  const at = new Date('2026-11-22T10:00:00Z');
  const attempt = (state: 'running' | 'exited', exitCode = 0, number = 0): EngineContainer => ({
    id: `id-${number}`,
    name: 'x',
    labels: { [attemptLabel]: String(number) },
    image: 'abc',
    state,
    exitCode,
    startedAt: at,
    finishedAt: at,
    pid: 1,
    addresses: {},
    tty: false,
  });
  const view = (attempts: EngineContainer[], extra: Partial<ContainerView> = {}): ContainerView => ({
    spec: container,
    attempts,
    started: true,
    ready: true,
    ...extra,
  });
  const status = (
    main: ContainerView[],
    policy: Pod['spec']['restartPolicy'] = 'Always',
    init: ContainerView[] = [],
    killed: string[] = [],
  ) =>
    podStatus(
      pod({ restartPolicy: policy }),
      { init, main, podIp: '10.0.0.5', hostIp: '10.0.0.1', sandboxReady: true },
      (id) => killed.includes(id),
      at,
    );

  test.each([
    ['Running', [view([attempt('running')])], 'Always'],
    ['Succeeded', [view([attempt('exited', 0)])], 'Never'],
    ['Failed', [view([attempt('exited', 1)])], 'Never'],
    ['Running', [view([attempt('exited', 1)])], 'OnFailure'],
    ['Running', [view([attempt('exited', 0)])], 'Always'],
    ['Pending', [view([])], 'Always'],
  ] as const)('is %s', (phase, main, policy) => {
    expect(status([...main], policy).phase).toBe(phase);
  });

  test('an init container that fails for good fails the pod', () => {
    expect(status([view([])], 'Never', [view([attempt('exited', 2)])]).phase).toBe('Failed');
    expect(status([view([])], 'Always', [view([attempt('exited', 2)])]).phase).toBe('Pending');
  });

  test('Ready needs every readiness gate', () => {
    const gated = pod({ readinessGates: [{ conditionType: 'example.com/warm' }] });
    const seen = { init: [], main: [view([attempt('running')])], podIp: '10.0.0.2', hostIp: '10.0.0.1', sandboxReady: true };
    const readyOf = (conditions: NonNullable<Pod['status']>['conditions']) =>
      podStatus({ ...gated, status: { conditions } }, seen, () => false, at).conditions?.find(({ type }) => type === 'Ready');
    expect(readyOf([])).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' });
    expect(readyOf([{ type: 'example.com/warm', status: 'True' }])).toMatchObject({ status: 'True' });
  });

  test('Ready needs every container', () => {
    const ready = (views: ContainerView[]) => status(views).conditions?.find(({ type }) => type === 'Ready');
    expect(ready([view([attempt('running')])])?.status).toBe('True');
    expect(ready([view([attempt('running')], { ready: false })])).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [c]',
    });
  });

  test('a kill for memory is told from one that was ours', () => {
    const limited = { spec: { ...container, resources: { limits: { memory: '16Mi' } } } };
    const reason = (killed: string[]) =>
      status([view([attempt('exited', 137)], limited)], 'Never', [], killed).containerStatuses?.[0]?.state?.terminated?.reason;
    expect(reason([])).toBe('OOMKilled');
    expect(reason(['id-0'])).toBe('Error');
  });

  test('a waiting container shows its last end', () => {
    const [shown] =
      status([view([attempt('exited', 7, 2), attempt('exited', 6, 1)], { waiting: { reason: 'CrashLoopBackOff' } })]).containerStatuses ??
      [];
    expect(shown).toMatchObject({
      restartCount: 2,
      ready: false,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 7 } },
    });
  });
});

describe('probes', () => {
  test('hold readiness back, give it, take it away, and kill at the threshold', async () => {
    let answer = 500;
    const server = createServer((_, response) => response.writeHead(answer).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const failures: string[] = [];
    // Periods of a hundredth of a second: the clock of the probes, not the machine's, decides.
    const clock = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 100, signal) };
    const probes = createProbes({ clock, onChange: () => {}, onFailure: (_, kind, message) => failures.push(`${kind}: ${message}`) });
    const probe = { httpGet: { path: '/', port: 'http' }, periodSeconds: 1, failureThreshold: 2 };
    const probed = { ...container, ports: [{ name: 'http', containerPort: port }], readinessProbe: probe };
    probes.sync('n/p', [{ podKey: 'n/p', container: probed, containerId: 'x', podIp: '127.0.0.1' }]);
    expect(probes.verdict('x')).toEqual({ started: true, ready: false, killed: undefined });
    await vi.waitFor(() => expect(failures).toContain('readiness: HTTP probe failed with statuscode: 500'));
    answer = 204;
    await vi.waitFor(() => expect(probes.verdict('x')?.ready).toBe(true));
    answer = 503;
    await vi.waitFor(() => expect(probes.verdict('x')?.ready).toBe(false));
    probes.sync('n/p', []);
    expect(probes.verdict('x')).toBeUndefined();
    server.close();
    server.closeAllConnections();

    const dead = { ...container, livenessProbe: { tcpSocket: { port }, periodSeconds: 1, failureThreshold: 2 } };
    probes.sync('n/p', [{ podKey: 'n/p', container: dead, containerId: 'y', podIp: '127.0.0.1' }]);
    await vi.waitFor(() => expect(probes.verdict('y')?.killed).toBe('liveness probe'));
    expect(failures.at(-1)).toContain('connect: connection refused');
    probes.stop();
  });
});

test('a pull secret gives its credentials, a broken one none', () => {
  const secret = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
  const auth = Buffer.from('robot$x:p:w').toString('base64');
  expect(parseDockerConfig(secret({ auths: { 'r.example': { auth } } }))).toEqual([
    { registry: 'r.example', username: 'robot$x', password: 'p:w' },
  ]);
  expect(parseDockerConfig(secret({ auths: { 'r.example': { username: 'u', password: 'p' } } }))).toHaveLength(1);
  for (const broken of [undefined, 'xx', secret(null), secret({ auths: 3 }), secret({ auths: { r: { auth: 'Og==' } } })])
    expect(parseDockerConfig(broken)).toEqual([]);
});

test.each([
  ['500m', 0.5],
  ['64Mi', 67_108_864],
  ['1e3', 1000],
  ['1.5Gi', 1_610_612_736],
  [2, 2],
  ['.5', 0.5],
  ['nonsense', 0],
  ['1E', 1e18],
])('the quantity %s is %d', (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});
