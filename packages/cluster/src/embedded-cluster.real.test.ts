import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namespaceType, persistentVolumeClaimType, podType, serviceType } from '@desp/kube';
import { run, silentLogger, systemClock } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type EmbeddedCluster, startEmbeddedCluster } from './embedded-cluster.ts';
import { mountsUnder } from './node/index.ts';
import { startTestEngine, type TestEngine, testImage, whyNoEngine } from './node/test-engine.ts';

const missing = whyNoEngine();

describe.skipIf(missing !== undefined)(
  `kubectl against the embedded cluster with its node${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let engine: TestEngine;
    let cluster: EmbeddedCluster;
    let folder: string;
    let files = 0;

    const start = () =>
      startEmbeddedCluster({
        name: 'test',
        dataFolder: join(folder, 'data'),
        port: 0,
        podSubnet: '10.235.1.0/24',
        serviceSubnet: '10.235.2.0/24',
        engineSocket: engine.socket,
        admission: {
          admit: async ({ image }) => {
            if (image !== 'bb:1') throw new Error(`The image ${image} has no passing verdict.`);
            return { pullReference: testImage };
          },
        },
        clock: systemClock,
        log: silentLogger,
      });

    beforeAll(async () => {
      engine = await startTestEngine();
      folder = await mkdtemp(join(tmpdir(), 'desp-cluster-'));
      cluster = await start();
      await writeFile(join(folder, 'kubeconfig'), cluster.kubeconfig(), { mode: 0o600 });
      await cluster.nodeReady();
    });
    afterAll(async () => {
      await cluster?.purge();
      await engine?.stop();
    });

    async function kubectl(...args: string[]): Promise<{ code: number; out: string }> {
      const env = { KUBECONFIG: join(folder, 'kubeconfig'), KUBECACHEDIR: join(folder, 'cache'), HOME: folder };
      const { code, stdout, stderr } = await run(['kubectl', ...args], { env, timeoutMs: 60_000 });
      return { code, out: stdout.toString('utf8') + stderr };
    }
    async function ok(...args: string[]): Promise<string> {
      const { code, out } = await kubectl(...args);
      expect(code, `kubectl ${args.join(' ')}: ${out}`).toBe(0);
      return out;
    }
    async function apply(...manifests: object[]): Promise<void> {
      files += 1;
      const file = join(folder, `${files}.json`);
      await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }));
      await ok('apply', '-f', file);
    }
    const pod = (name: string, script: string, extra: object = {}, spec: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'c', image: 'bb:1', command: ['sh', '-c', script], ...extra }],
        ...spec,
      },
    });
    const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 200 });

    test('a Deployment rolls out, answers by its Service, gives logs and takes commands', async () => {
      await apply(
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's3' }, stringData: { access: 'accessForS3' } },
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf' }, data: { greeting: 'hello' } },
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'web' },
          spec: {
            replicas: 2,
            selector: { matchLabels: { app: 'web' } },
            template: {
              metadata: { labels: { app: 'web' } },
              spec: {
                terminationGracePeriodSeconds: 1,
                initContainers: [
                  {
                    name: 'init',
                    image: 'bb:1',
                    command: ['sh', '-c', 'echo "$(GREETING) from init" > /data/index.html'],
                    env: [{ name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'conf', key: 'greeting' } } }],
                    volumeMounts: [{ name: 'data', mountPath: '/data' }],
                  },
                ],
                containers: [
                  {
                    name: 'web',
                    image: 'bb:1',
                    command: ['sh', '-c', 'echo started; exec httpd -f -p 8080 -h /data'],
                    env: [{ name: 'S3', valueFrom: { secretKeyRef: { name: 's3', key: 'access' } } }],
                    ports: [{ name: 'http', containerPort: 8080 }],
                    readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
                    livenessProbe: { exec: { command: ['cat', '/data/index.html'] }, periodSeconds: 2 },
                    volumeMounts: [
                      { name: 'data', mountPath: '/data' },
                      { name: 'conf', mountPath: '/conf' },
                    ],
                  },
                ],
                volumes: [
                  { name: 'data', emptyDir: {} },
                  { name: 'conf', configMap: { name: 'conf' } },
                ],
              },
            },
          },
        },
      );
      await ok('rollout', 'status', 'deploy/web', '--timeout=40s');
      expect(await ok('logs', 'deploy/web', '-c', 'web')).toContain('started');
      expect(await ok('exec', 'deploy/web', '-c', 'web', '--', 'sh', '-c', 'echo $S3')).toContain('accessForS3');
      expect((await kubectl('exec', 'deploy/web', '-c', 'web', '--', 'sh', '-c', 'exit 3')).code).not.toBe(0);

      await ok('expose', 'deploy', 'web', '--port=80', '--target-port=http');
      const answer = async () => {
        const address = (await cluster.client.get(serviceType, 'web', 'default'))!.spec.clusterIP!;
        return httpGet(address, 80);
      };
      await until(async () => expect(await answer()).toContain('hello from init'));
      expect(cluster.resolveService('web.default.svc')).toMatchObject({ port: 8080 });
      expect(cluster.resolveService('none.default.svc')).toBeUndefined();
      // Pods find it by name, through the cluster's own DNS; nothing outside resolves.
      expect(await ok('exec', 'deploy/web', '-c', 'web', '--', 'nslookup', 'web.default.svc.cluster.local')).toContain('10.235.2.');
      expect((await kubectl('exec', 'deploy/web', '-c', 'web', '--', 'nslookup', 'example.org')).code).not.toBe(0);

      // A changed ConfigMap reaches the running pod.
      await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf' }, data: { greeting: 'changed' } });
      await until(async () => expect(await ok('exec', 'deploy/web', '-c', 'web', '--', 'cat', '/conf/greeting')).toContain('changed'));
    });

    test('rollout restart, undo and history follow the revisions', async () => {
      const before = await ok('get', 'rs', '-l', 'app=web', '-o', 'name');
      await ok('rollout', 'restart', 'deploy/web');
      await ok('rollout', 'status', 'deploy/web', '--timeout=40s');
      await ok('rollout', 'undo', 'deploy/web');
      await ok('rollout', 'status', 'deploy/web', '--timeout=40s');
      expect(await ok('rollout', 'history', 'deploy/web')).toMatch(/2[\s\S]*3/);
      expect(before.trim().split('\n')).toHaveLength(1);
    });

    test('pods that cannot run say why, and go on once they can', async () => {
      await apply(
        pod('noimage', '', { image: 'other:1' }),
        pod('big', '', { resources: { requests: { memory: '900Gi' } } }),
        pod('host', '', {}, { hostNetwork: true }),
        pod('path', '', {}, { volumes: [{ name: 'v', hostPath: { path: '/etc' } }] }),
        pod('later', 'exec sleep 1000', { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'later', key: 'k' } } }] }),
      );
      await until(async () => expect(await ok('describe', 'pod', 'noimage')).toContain('The image other:1 has no passing verdict.'));
      await until(async () => expect(await ok('get', 'pod', 'noimage')).toContain('ImagePullBackOff'));
      await until(async () => expect(await ok('describe', 'pod', 'big')).toContain('Insufficient memory'));
      await until(async () => expect(await ok('describe', 'pod', 'host')).toContain('hostNetwork is not allowed'));
      await until(async () => expect(await ok('describe', 'pod', 'path')).toContain('hostPath volumes are not allowed'));
      await until(async () => expect(await ok('describe', 'pod', 'later')).toContain('secret "later" not found'));
      await ok('create', 'secret', 'generic', 'later', '--from-literal=k=v');
      await ok('wait', '--for=condition=Ready', 'pod/later', '--timeout=20s');
      await ok('delete', 'pod', 'noimage', 'big', 'host', 'path', 'later');
    });

    test('containers that end are started again with back-off; memory and exit codes are told', async () => {
      await apply(
        pod('crash', 'echo attempt; exit 7'),
        pod('oom', 'x=a; while true; do x=$x$x; done', { resources: { limits: { memory: '16Mi' } } }, { restartPolicy: 'Never' }),
        pod(
          'locked',
          'id; touch /x; cat /proc/self/status',
          { securityContext: { runAsUser: 1234, runAsGroup: 99, readOnlyRootFilesystem: true } },
          { restartPolicy: 'Never' },
        ),
      );
      await until(async () => expect(await ok('get', 'pod', 'crash')).toContain('CrashLoopBackOff'));
      expect(await ok('logs', 'crash', '--previous')).toContain('attempt');
      await until(async () => expect(await ok('get', 'pod', 'oom')).toContain('OOMKilled'));
      await until(async () => expect((await cluster.client.get(podType, 'locked', 'default'))?.status?.phase).toMatch(/Succeeded|Failed/));
      const locked = await ok('logs', 'locked');
      expect(locked).toMatch(/uid=1234\S* gid=99/);
      expect(locked).toContain('Read-only file system');
      expect(locked).toMatch(/NoNewPrivs:\s+1/);
      expect(locked).toMatch(/CapEff:\s+0{16}/);
      await ok('delete', 'pod', 'crash', 'oom', 'locked');
    });

    test('Jobs complete and fail as they should', async () => {
      const job = (name: string, script: string, spec: object) => ({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name },
        spec: {
          ...spec,
          template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'bb:1', command: ['sh', '-c', script] }] } },
        },
      });
      await apply(job('good', 'exit 0', { completions: 2, parallelism: 2 }), job('bad', 'exit 1', { backoffLimit: 0 }));
      await ok('wait', '--for=condition=complete', 'job/good', '--timeout=30s');
      await ok('wait', '--for=condition=failed', 'job/bad', '--timeout=30s');
      expect(await ok('get', 'job', 'good')).toContain('2/2');
      await ok('delete', 'job', 'good', 'bad');
      await until(async () => expect(await ok('get', 'pods', '-l', 'job-name=good')).toContain('No resources found'));
    });

    test('a kind that nobody acts upon says so', async () => {
      const template = { metadata: { labels: { app: 's' } }, spec: { containers: [{ name: 'c', image: 'bb:1' }] } };
      await apply({
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 's' },
        spec: { serviceName: 's', selector: { matchLabels: { app: 's' } }, template },
      });
      await until(async () =>
        expect(await ok('describe', 'statefulset', 's')).toContain('The rehearsal stores a StatefulSet and runs no pods for it'),
      );
      await ok('delete', 'statefulset', 's');
    });

    test('a namespace goes with all that is in it', async () => {
      await ok('create', 'namespace', 'gone');
      await apply({ ...pod('p', 'exec httpd -f'), metadata: { name: 'p', namespace: 'gone' } });
      await ok('-n', 'gone', 'wait', '--for=condition=Ready', 'pod/p', '--timeout=30s');
      await ok('delete', 'namespace', 'gone', '--timeout=50s');
      expect(await cluster.client.get(namespaceType, 'gone')).toBeUndefined();
    });

    test('Endpoints of a Service Provider do not lead to the loopback of the platform, the platform’s own do', async () => {
      const leadTo = (name: string) => [
        { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 8200 }] } },
        {
          apiVersion: 'v1',
          kind: 'Endpoints',
          metadata: { name },
          subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port: 8200 }] }],
        },
      ];
      await ok('create', 'namespace', 'vault');
      await ok('create', 'namespace', 'provider');
      for (const namespace of ['vault', 'provider']) {
        files += 1;
        const file = join(folder, `${files}.json`);
        await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: leadTo('vault') }));
        await ok('-n', namespace, 'apply', '-f', file);
      }
      await until(async () => expect(cluster.resolveService('vault.vault.svc')).toEqual({ address: '127.0.0.1', port: 8200 }));
      expect(cluster.resolveService('vault.provider.svc')).toBeUndefined();
    });

    test('a claim’s folder is mounted, for the group of the pod; one that lies elsewhere is not', async () => {
      const claim = (name: string, path: string) => [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name },
          spec: {
            capacity: { storage: '1Mi' },
            accessModes: ['ReadWriteOnce'],
            storageClassName: 'test',
            persistentVolumeReclaimPolicy: 'Retain',
            hostPath: { path },
            claimRef: { namespace: 'default', name },
          },
        },
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name },
          spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'test', volumeName: name, resources: { requests: { storage: '1Mi' } } },
        },
      ];
      await mkdir(join(cluster.volumesFolder, 'mine'));
      await apply(...claim('mine', join(cluster.volumesFolder, 'mine')), ...claim('theirs', '/etc'));
      // The provisioner is another's: here the test says that the claims are bound.
      for (const name of ['mine', 'theirs']) {
        await cluster.client.patch(
          persistentVolumeClaimType,
          name,
          'default',
          { status: { phase: 'Bound' } },
          { kind: 'merge', subresource: 'status' },
        );
      }
      const using = (claimName: string) => ({
        ...pod(claimName, ''),
        spec: {
          ...pod(claimName, '').spec,
          securityContext: { fsGroup: 2000 },
          volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }],
          containers: [
            {
              name: 'c',
              image: 'bb:1',
              command: ['sh', '-c', 'id > /data/who; exec sleep 100'],
              securityContext: { runAsUser: 1000 },
              volumeMounts: [{ name: 'v', mountPath: '/data' }],
            },
          ],
        },
      });
      await apply(using('mine'), using('theirs'));
      await ok('wait', '--for=condition=Ready', 'pod/mine', '--timeout=20s');
      await until(async () => expect(await readFile(join(cluster.volumesFolder, 'mine', 'who'), 'utf8')).toMatch(/uid=1000.*2000/));
      await until(async () => expect(await ok('describe', 'pod', 'theirs')).toContain('does not lie where the rehearsal keeps volumes'));
      await ok('delete', 'pod', 'mine', 'theirs');
    });

    test('stop and purge leave nothing of the cluster behind', async () => {
      const routes = () => run(['ip', 'route', 'show', 'table', 'local', 'dev', 'lo']);
      expect((await routes()).stdout.toString()).toContain('10.235.2.');
      await cluster.purge();
      const after = await routes();
      expect(after.stdout.toString()).not.toContain('10.235.2.');
      expect(await engine.engine.list({})).toEqual([]);
      expect(await mountsUnder(join(folder, 'data'))).toEqual([]);
    });
  },
);

/** A request by hand: the proxy's address is new at each run, and only the body counts. */
function httpGet(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let text = '';
    socket.setTimeout(3000, () => socket.destroy(new Error('no answer')));
    socket.on('connect', () => socket.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`));
    socket.on('data', (chunk) => (text += chunk));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}
