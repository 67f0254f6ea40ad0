import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, runOk } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBaseImage } from './base-image.ts';
import { startEngineService } from './engine-service.ts';
import { loadImage } from './image-store.ts';
import { podmanOk } from './podman.ts';
import { startTestEngine, type TestEngine, titled, until, usable } from './test-engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  if (usable) engine = await startTestEngine();
});
afterAll(async () => {
  if (usable) await engine.end();
});

const answers = (argv: readonly [string, ...string[]]) =>
  run(argv).then(
    ({ code }) => code === 0,
    () => false,
  );
const docker = usable && (await answers(['docker', '--version']));
const client: [string, ...string[]] = docker ? ['docker'] : ['podman', '--remote'];
const clientUsable = docker || (usable && (await answers(['podman', '--version'])));

describe.skipIf(!usable)(titled('the engine service'), () => {
  test('a second start takes over the running service', async () => {
    const pidFile = join(engine.folder, 'engine.pid');
    const pid = readFileSync(pidFile, 'utf8');
    const again = await startEngineService({ dataFolder: engine.folder });
    expect(again.socket).toBe(engine.service.socket);
    expect(readFileSync(pidFile, 'utf8')).toBe(pid);
  });

  test.skipIf(!clientUsable)(
    `${client[0]} builds as the procedure writes it${clientUsable ? '' : ' (skipped: neither docker nor podman here)'}`,
    async () => {
      const folder = join(engine.folder, 'images', 'app-backend');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY hello.txt /\n');
      writeFileSync(join(folder, 'hello.txt'), 'hello\n');
      const url = `unix://${engine.service.socket}`;
      const env = { DOCKER_HOST: url, CONTAINER_HOST: url, DOCKER_BUILDKIT: '0', HOME: engine.folder };
      await runOk([...client, 'build', './images/app-backend/', '-t', 'app-backend:v0.1'], { cwd: engine.folder, env });
      const listed = await podmanOk(engine.service.podman, ['images', '--format', '{{.Repository}}:{{.Tag}}']);
      expect(listed.stdout.toString()).toContain('app-backend:v0.1');
    },
  );

  test('a build of a platform that was killed is cleared away at the next start; a pod’s container stays', async () => {
    const { podman } = engine.service;
    const base = await buildBaseImage({ kind: 'node', shell: true }, join(engine.folder, 'node'));
    const program = `
      import { Readable } from 'node:stream';
      import { buildImage, preparePodman } from '${new URL('./index.ts', import.meta.url).href}';
      const [folder, layout] = process.argv.slice(1);
      await buildImage(preparePodman(folder), { id: 'lost', context: Readable.from([Buffer.alloc(1024)]), contextFolder: '', dockerfile: 'FROM desp/node:24\\nRUN echo begun; sleep 600\\n',
        baseImages: { 'desp/node:24': layout }, output: folder + '/lost', onLog: (text) => console.log(text) });
    `;
    const platform = spawn(process.execPath, ['--input-type=module', '--eval', program, engine.folder, base.layout], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let log = '';
    platform.stdout.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    await until(() => log.includes('\nbegun'), 'the build runs');
    platform.kill('SIGKILL');
    await once(platform, 'close');
    // A network of its own, as a cluster's, so that the purge at the end has something to remove.
    await podmanOk(podman, ['network', 'create', '--subnet', '10.213.7.0/29', '--internal', 'pods']);
    const image = await loadImage(podman, base, 'test-pod');
    await podmanOk(podman, [
      'run',
      '--detach',
      '--name',
      'pod',
      '--label',
      'io.kubernetes.pod=x',
      '--network',
      'none',
      image,
      '/bin/sleep',
      '600',
    ]);
    const names = async () =>
      (await podmanOk(podman, ['ps', '--all', '--format', '{{.Names}}'])).stdout.toString().split('\n').filter(Boolean).sort();
    await startEngineService({ dataFolder: engine.folder });
    expect(await names()).toEqual(['pod']);
  });
});
