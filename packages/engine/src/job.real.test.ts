import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { run, systemClock } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBaseImage } from './base-image.ts';
import { startEngineService } from './engine-service.ts';
import { setLures } from './host-lures.ts';
import { standardJobLimits } from './job.ts';
import type { ImageLayout } from './oci-layout.ts';
import { podmanRun } from './podman.ts';
import { type TarItem, tarOf } from './tar-writer.ts';
import { file, layCanary, mebibyte, startJob, startTestEngine, type TestEngine, titled, until, usable } from './test-engine.ts';

let engine: TestEngine;
let image: ImageLayout;

beforeAll(async () => {
  if (!usable) return;
  engine = await startTestEngine();
  mkdirSync(join(engine.folder, 'cli'));
  writeFileSync(join(engine.folder, 'cli', 'main.mjs'), 'console.log(`desp ${process.argv.slice(2).join(" ")}`);\n');
  image = await buildBaseImage({ kind: 'job', commandLine: join(engine.folder, 'cli') }, join(engine.folder, 'job'));
});
afterAll(async () => {
  if (usable) await engine.end();
});

const job = (script: readonly string[], options: Parameters<typeof startJob>[3] = {}) => startJob(engine, image, script, options);
const sourceOf = (...items: TarItem[]) => Readable.from([tarOf(items)]);
const names = async () => (await podmanRun(engine.service.podman, ['ps', '--all', '--format', '{{.Names}}'])).stdout.toString();

/** A process of its own that starts a job, as a platform would; it is killed in the middle. */
async function startKilledPlatform(id: string, script: readonly string[]): Promise<void> {
  const request = { id, image, project: 'sample-app', variables: {}, before: [], script, after: [], secrets: [] };
  const program = `
    import { Readable } from 'node:stream';
    import { preparePodman, runJob } from '${new URL('./index.ts', import.meta.url).href}';
    await runJob(preparePodman(process.argv[1]), { ...JSON.parse(process.argv[2]), source: Readable.from([Buffer.alloc(1024)]), onLog: (text) => console.log(text) });
  `;
  const platform = spawn(process.execPath, ['--input-type=module', '--eval', program, engine.folder, JSON.stringify(request)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  platform.stdout.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await until(() => log.includes('\nbegun'), 'the job runs');
  platform.kill('SIGKILL');
  await once(platform, 'close');
}

describe.skipIf(!usable)(titled('jobs'), () => {
  test('a job runs its lines in the repository, with variables, the platform command and the after script', async () => {
    const { result, log } = job(['cat README.md', 'echo "$GREETING"', 'desp version'], {
      variables: { GREETING: "it's\nfine" },
      after: ['echo after $CI_JOB_STATUS'],
    });
    expect(await result).toMatchObject({ exitCode: 0, reason: 'finished' });
    expect(log()).toBe(
      '$ cat README.md\nread me\n$ echo "$GREETING"\nit\'s\nfine\n$ desp version\ndesp version\n$ echo after $CI_JOB_STATUS\nafter success\n',
    );
  });

  test('the first line that fails ends the script; pipes count; the exit code is the script’s', async () => {
    const { result, log } = job(['false | cat', 'echo never'], { after: ['echo after $CI_JOB_STATUS'] });
    const odd = job(['exit 125']);
    expect(await result).toMatchObject({ exitCode: 1, reason: 'finished' });
    expect(log()).not.toContain('\nnever');
    expect(log()).toContain('after failed');
    expect(await odd.result).toMatchObject({ exitCode: 125, reason: 'finished' });
  });

  test('a token is masked, plain and in base64, and stands in no argument, record or file of the engine', async () => {
    const token = 'glcbt-Very.Secret_Token';
    const controller = new AbortController();
    const { id, result, log } = job(
      [
        'echo $T',
        'node -e "process.stdout.write(process.env.T.slice(0,9));setTimeout(()=>process.stdout.write(process.env.T.slice(9)),300)"',
        'node -e "console.log(btoa(process.env.T))"',
        'echo ready',
        'sleep 600',
      ],
      { variables: { T: token }, secrets: [token], signal: controller.signal },
    );
    await until(() => log().includes('\nready'), 'the job is ready');
    const record = await podmanRun(engine.service.podman, ['inspect', `desp-job-${id}`]);
    expect(record.stdout.toString()).toContain(`desp-job-${id}`);
    expect(record.stdout.toString()).not.toContain(token);
    expect((await run(['ps', '-eo', 'args'])).stdout.toString()).not.toContain(token);
    // The container's own log file holds what the script printed; nothing else does.
    const holders = await run(['grep', '-rlF', '--exclude=ctr.log', token, engine.service.podman.folder]);
    expect(holders.stdout.toString()).toBe('');
    controller.abort();
    expect(await result).toMatchObject({ reason: 'canceled' });
    expect(log()).not.toContain(token);
    expect(log()).not.toContain(btoa(token).slice(0, 20));
    expect(log().match(/\[MASKED\]/g)).toHaveLength(3);
  });

  test('escapes: files, processes, networks, capabilities; the API socket is the only way out', async () => {
    const canary = layCanary();
    const lures = await setLures();
    const folder = join(engine.folder, 'api');
    mkdirSync(folder, { mode: 0o755 });
    const api = createServer((_request, response) => response.end('from the platform\n'));
    api.listen({ path: join(folder, 'api.sock'), writableAll: true });
    await once(api, 'listening');
    process.env['DESP_TEST_PLATFORM_SECRET'] = canary.secret;
    const ask = `require("http").get({socketPath:process.env.DESP_JOB_API,path:"/"},r=>r.pipe(process.stdout)).on("error",e=>console.log(e.message))`;
    const attack = (name: string, root: string) =>
      `echo TRIED ${name}; cat ${root}${canary.folder}/secret; echo evil > ${root}${canary.folder}/open/${name}; true`;
    try {
      const { result, log } = job(
        [
          'set +e +x',
          `node -e '${ask}'`,
          'ls -a /desp',
          attack('parent', '/../../..'),
          attack('init', '/proc/1/root'),
          'cat link; echo TRIED link',
          'for p in /proc/[0-9]*; do cat $p/environ; done; echo; echo TRIED environ',
          'echo evil > /desp/file; echo evil > /usr/bin/desp; echo evil > /etc/passwd; echo TRIED write',
          '/bin/busybox mount -o remount,rw /; /bin/busybox mount -t tmpfs none /tmp; echo TRIED mount; touch /usr/x || echo read-only',
          'grep -E "^Cap(Eff|Prm|Bnd)|NoNewPrivs" /proc/self/status',
          'cat /proc/net/dev | wc -l',
          'ls /run /var/run 2>/dev/null; echo TRIED sockets',
          `node -e '${lures.attempt}'`,
          'true',
        ],
        { apiSocket: join(folder, 'api.sock'), source: sourceOf({ kind: 'symlink', path: 'link', target: join(canary.folder, 'secret') }) },
      );
      expect(await result).toMatchObject({ exitCode: 0 });
      const said = log().split('\n');
      for (const name of ['parent', 'init', 'link', 'environ', 'write', 'mount', 'sockets']) expect(said).toContain(`TRIED ${name}`);
      expect(said).toContain('from the platform');
      expect(said).toContain('read-only');
      expect(said.filter((line) => /^Cap/.test(line)).map((line) => line.split('\t')[1])).toEqual(Array(3).fill('0000000000000000'));
      expect(said).toContain('NoNewPrivs:\t1');
      expect(log()).toMatch(/wc -l\n3\n/);
      expect(log()).not.toContain(canary.secret);
      expect(readdirSync(folder)).toEqual(['api.sock']);
      canary.check();
      lures.check(log());
    } finally {
      delete process.env['DESP_TEST_PLATFORM_SECRET'];
      api.close();
      lures.remove();
      canary.remove();
    }
  });

  test('jobs that know no end are ended with the reason, all at once, and the next one runs', async () => {
    const before = systemClock.monotonic();
    const fill = "node -e \"const f=require('fs').openSync('x','w');for(;;)require('fs').writeSync(f,Buffer.alloc(1e6))\"";
    const start = (script: string, limits: Partial<typeof standardJobLimits>) =>
      job(['echo TRIED', script], { limits: { ...standardJobLimits, timeoutMs: 40_000, ...limits } });
    const bombs = {
      timeout: start('sleep 600', { timeoutMs: 6000 }),
      log: start('while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done', { logBytes: 100_000 }),
      memory: start('node -e "const a=[];for(;;)a.push(Buffer.alloc(1e7,1))"', { memoryBytes: 128 * mebibyte }),
      disk: start(fill, { diskBytes: 32 * mebibyte }),
      processes: start('while :; do sleep 100 & done', { processes: 40 }),
      forks: start('f() { f | f & }; f; sleep 600', { processes: 40, timeoutMs: 6000 }),
    };
    const ends = Object.fromEntries(
      await Promise.all(Object.entries(bombs).map(async ([name, { result }]) => [name, await result] as const)),
    );
    expect(Object.fromEntries(Object.entries(ends).map(([name, { reason }]) => [name, reason]))).toMatchObject({
      timeout: 'timeout',
      log: 'log',
      memory: 'memory',
      disk: 'finished',
      processes: 'finished',
    });
    for (const [name, { log }] of Object.entries(bombs)) {
      expect(log(), name).toContain('\nTRIED\n');
      expect(ends[name]?.exitCode, name).not.toBe(0);
    }
    expect(bombs.disk.log()).toContain('ENOSPC');
    expect(bombs.processes.log()).toMatch(/can't fork/);
    expect((await job(['true']).result).exitCode).toBe(0);
    expect(systemClock.monotonic() - before).toBeLessThan(40_000);
  });

  test('a repository larger than the disk is said so', async () => {
    const source = sourceOf(file('big', 'x'.repeat(8 * mebibyte)));
    const limits = { ...standardJobLimits, diskBytes: 4 * mebibyte };
    await expect(job(['true'], { source, limits }).result).rejects.toMatchObject({ code: 'LIMIT_REACHED', kind: 'user' });
  });

  test('what a killed platform left under way is cleared away, so that it can run anew', async () => {
    await startKilledPlatform('lost', ['echo begun', 'sleep 600']);
    expect(await names()).toContain('desp-job-lost');
    await startEngineService({ dataFolder: engine.folder });
    expect(readdirSync(join(engine.service.podman.folder, 'work')).filter((entry) => entry.startsWith('job-'))).toEqual([]);
    expect(await names()).toBe('');
  });
});
