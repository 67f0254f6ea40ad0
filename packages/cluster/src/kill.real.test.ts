import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientFromKubeconfig, type Pod, podType } from '@desp/kube';
import { silentLogger, systemClock } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startEmbeddedCluster } from './embedded-cluster.ts';
import { startTestEngine, type TestEngine, testImage, whyNoEngine } from './node/test-engine.ts';

const missing = whyNoEngine();

describe.skipIf(missing !== undefined)(`a killed cluster${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await startTestEngine();
  });
  afterAll(() => engine?.stop());

  test('leaves its pods running, and takes them on as they are', async () => {
    const options = {
      name: 'killed',
      dataFolder: join(await mkdtemp(join(tmpdir(), 'desp-killed-')), 'data'),
      port: 0,
      podSubnet: '10.235.3.0/24',
      serviceSubnet: '10.235.4.0/24',
      engineSocket: engine.socket,
    };
    const admission = { admit: async () => ({ pullReference: testImage }) };
    const child = spawn(process.execPath, ['--input-type=module', '-e', program(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const kubeconfig = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += chunk;
        if (text.endsWith('\0')) resolve(text.slice(0, -1));
      });
      child.on('exit', () => reject(new Error('the cluster ended before it was ready')));
    });
    const first = clientFromKubeconfig(kubeconfig);
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'default' },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'x:1', command: ['httpd', '-f'] }] },
    };
    await first.create(podType, pod);
    const running = async (client: typeof first) => {
      const live = await client.get(podType, 'p', 'default');
      expect(live?.status?.phase).toBe('Running');
      return live!.status!.containerStatuses![0]!;
    };
    const before = await vi.waitFor(() => running(first), { timeout: 20_000, interval: 100 });
    first.close();
    child.kill('SIGKILL');
    await new Promise((resolve) => child.on('close', resolve));
    const id = before.containerID!.replace('podman://', '');
    expect((await engine.engine.inspect(id))?.state).toBe('running');

    const cluster = await startEmbeddedCluster({ ...options, admission, clock: systemClock, log: silentLogger });
    try {
      await cluster.nodeReady();
      const after = await vi.waitFor(() => running(cluster.client), { timeout: 10_000, interval: 100 });
      expect(after).toMatchObject({ containerID: before.containerID, restartCount: 0 });
      // One sandbox and one container: nothing was started twice.
      expect(await engine.engine.list({})).toHaveLength(2);
      expect(await cluster.client.delete(podType, 'p', 'default')).toBe(true);
      await vi.waitFor(async () => expect(await engine.engine.list({})).toEqual([]), { timeout: 15_000, interval: 100 });
    } finally {
      await cluster.purge();
    }
  });
});

/** Runs a cluster of its own and prints its kubeconfig, ended by a zero byte, once the node is ready. */
function program(options: object): string {
  const module = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  return `
    import { startEmbeddedCluster } from ${module('./embedded-cluster.ts')};
    import { silentLogger, systemClock } from ${JSON.stringify(import.meta.resolve('@desp/runtime'))};
    const admission = { admit: async () => ({ pullReference: ${JSON.stringify(testImage)} }) };
    const cluster = await startEmbeddedCluster({ ...${JSON.stringify(options)}, admission, clock: systemClock, log: silentLogger });
    await cluster.nodeReady();
    process.stdout.write(cluster.kubeconfig() + '\\0');
  `;
}
