import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { run, runOk, systemClock } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBaseImage } from './base-image.ts';
import { type BuildRequest, buildImage, standardBuildLimits } from './confined-build.ts';
import { detectEngine, type EngineService, startEngineService } from './engine-service.ts';
import { adoptJob, type JobRequest, removeJob, runJob, standardJobLimits } from './job.ts';
import type { ImageLayout } from './oci-layout.ts';
import { podmanRun } from './podman.ts';
import { type TarItem, tarOf } from './tar-writer.ts';

const report = detectEngine();
const title = report.usable
  ? 'container engine'
  : `container engine (skipped: ${report.missing.map((part) => part.what).join(', ')} missing)`;
const mebibyte = 1024 * 1024;

let work: string;
let engine: EngineService;
let node: ImageLayout;
let jobImage: ImageLayout;
let count = 0;

beforeAll(async () => {
  if (!report.usable) return;
  work = mkdtempSync(join(tmpdir(), 'desp-e-'));
  engine = await startEngineService({ dataFolder: work });
  node = await buildBaseImage({ kind: 'node', shell: true }, join(work, 'node'));
  mkdirSync(join(work, 'cli'));
  writeFileSync(join(work, 'cli', 'main.mjs'), 'console.log(`desp ${process.argv.slice(2).join(" ")}`);\n');
  jobImage = await buildBaseImage({ kind: 'job', commandLine: join(work, 'cli') }, join(work, 'job'));
});

afterAll(async () => {
  if (!report.usable) return;
  await engine.purge();
  expect(readdirSync(work)).not.toContain('engine');
  rmSync(work, { recursive: true, force: true });
});

const file = (path: string, content: string): TarItem => ({ kind: 'file', path, mode: 0o644, content: Buffer.from(content) });

function build(dockerfile: string, options: Partial<BuildRequest> & { items?: TarItem[] } = {}) {
  const id = options.id ?? `t${count++}`;
  let log = '';
  const { items = [file('hello.txt', 'hello\n')], ...rest } = options;
  const result = buildImage(engine.podman, {
    id,
    context: Readable.from([tarOf(items)]),
    contextFolder: '',
    dockerfile,
    baseImages: { 'desp/node:24': node.layout },
    output: join(work, `out-${id}`),
    limits: { ...standardBuildLimits, timeoutMs: 60_000 },
    onLog: (text) => {
      log += text;
    },
    ...rest,
  });
  return { result, log: () => log };
}

/** All file contents of an image, as one text. */
async function contentOf(image: ImageLayout): Promise<string> {
  const { stdout } = await runOk(['skopeo', 'inspect', '--raw', `oci:${image.layout}`]);
  const { layers } = JSON.parse(stdout.toString()) as { layers: { digest: string }[] };
  return layers
    .map((layer) => readFileSync(join(image.layout, 'blobs', 'sha256', layer.digest.slice(7))))
    .map((bytes) => (bytes.readUInt16BE(0) === 0x1f8b ? gunzipSync(bytes) : bytes).toString('latin1'))
    .join('');
}

function job(script: string[], options: Partial<JobRequest> = {}) {
  const id = options.id ?? `j${count++}`;
  let log = '';
  const result = runJob(engine.podman, {
    id,
    image: jobImage,
    project: 'sample-app',
    source: Readable.from([tarOf([file('README.md', 'read me\n')])]),
    variables: {},
    before: [],
    script,
    after: [],
    secrets: [],
    limits: { ...standardJobLimits, timeoutMs: 30_000 },
    onLog: (text) => {
      log += text;
    },
    ...options,
  });
  return { id, result, log: () => log };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; turns < 400; turns++) {
    if (await condition()) return;
    await systemClock.sleep(50);
  }
  throw new Error('the awaited state did not come');
}

describe.skipIf(!report.usable)(title, () => {
  test('a second start takes over the running service', async () => {
    const pid = readFileSync(join(engine.podman.folder, 'engine.pid'), 'utf8');
    const again = await startEngineService({ dataFolder: work });
    expect(again.socket).toBe(engine.socket);
    expect(readFileSync(join(engine.podman.folder, 'engine.pid'), 'utf8')).toBe(pid);
  });

  test('base images are the same each time and name their packages', async () => {
    expect((await buildBaseImage({ kind: 'node', shell: true }, join(work, 'node-again'))).manifestDigest).toBe(node.manifestDigest);
    const content = await contentOf(node);
    expect(content).toContain('Package: libc6\n');
    expect(content).toContain('ID=debian');
  });

  test('FROM scratch, twice: the same digest', async () => {
    const dockerfile = 'FROM scratch\nADD hello.txt /hello.txt\nCMD ["/hello"]\n';
    const [first, second] = await Promise.all([build(dockerfile).result, build(dockerfile).result]);
    expect(first.manifestDigest).toBe(second.manifestDigest);
    expect(await contentOf(first)).toContain('hello\n');
  });

  test('two stages on a Node base, ARG before FROM, arguments of several lines, a folder of the repository', async () => {
    const { result, log } = build(
      'ARG BASE=none\nFROM ${BASE} AS one\nARG TEXT\nRUN node -e \'require("fs").writeFileSync("/made", process.env.TEXT)\' && echo built\nFROM desp/node:24\nCOPY --from=one /made /made\nCOPY a.txt /\n',
      {
        buildArgs: { BASE: 'desp/node:24', TEXT: 'line one\nline two' },
        contextFolder: 'images/a/',
        items: [file('images/a/a.txt', 'from a\n'), file('b.txt', '')],
      },
    );
    const content = await contentOf(await result);
    expect(log()).toContain('built');
    expect(content).toContain('line one\nline two');
    expect(content).toContain('from a\n');
  });

  test('an instruction that fails is named', async () => {
    const { result, log } = build('FROM desp/node:24\nRUN echo before; exit 3\n');
    await expect(result).rejects.toMatchObject({ code: 'BUILD_FAILED' });
    expect(log()).toContain('before');
  });

  test.each([
    [
      'a mount from a stage with a link to /',
      'FROM desp/node:24 AS x\nRUN ln -s / /l\nFROM desp/node:24\nRUN --mount=type=bind,from=x,source=/l,target=/m,rw cat /m$SECRET; echo evil > /m$TARGET\n',
    ],
    [
      'a cache mount with a path as id',
      'FROM desp/node:24\nRUN --mount=type=cache,id=../../../../../../..,target=/m cat /m$SECRET; echo evil > /m$TARGET\n',
    ],
    ['the parent of the root', 'FROM desp/node:24\nRUN cat /../../../..$SECRET /proc/1/root$SECRET; echo evil > /proc/1/root$TARGET\n'],
    ['a link in the context', 'FROM scratch\nCOPY link /copied\n'],
  ])('does not reach the host: %s', async (_title, dockerfile) => {
    const secret = join(work, 'host-secret');
    const target = join(work, 'written-by-build');
    writeFileSync(secret, 'host-secret-content');
    const { result, log } = build(dockerfile.replaceAll('$SECRET', secret).replaceAll('$TARGET', target), {
      items: [{ kind: 'symlink', path: 'link', target: secret }],
    });
    const image = await result.catch(() => undefined);
    // The build truly ran, up to the line that must not succeed.
    expect(log()).toContain('STEP');
    expect(log()).not.toContain('host-secret-content');
    if (image) expect(await contentOf(image)).not.toContain('host-secret-content');
    expect(() => statSync(target)).toThrow();
  });

  test('a build sees no process and no network of the host', async () => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.end('reached');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const code = `fetch("http://127.0.0.1:${port}").then(()=>console.log("REACHED"),()=>console.log("no way"))`;
    const { result, log } = build(
      `FROM desp/node:24\nRUN for p in /proc/[0-9]*; do cat $p/cmdline 2>/dev/null | tr '\\0' ' '; done; echo\nRUN node -e '${code}'\n`,
    );
    await result;
    server.close();
    expect(asked).toBe(0);
    expect(log()).toContain('no way');
    expect(log()).not.toMatch(/vitest|system service/);
  });

  test.each([
    ['FROM alpine:3', 'BASE_IMAGE_UNKNOWN', 1],
    ['FROM scratch\nCOPY --from=evil/image:1 / /', 'BASE_IMAGE_UNKNOWN', 2],
    ['FROM scratch\nADD http://127.0.0.1/x /x', 'DOCKERFILE_INVALID', 2],
  ])('refuses before it starts: %s', async (dockerfile, code, line) => {
    await expect(build(dockerfile).result).rejects.toMatchObject({ code, where: { file: 'Dockerfile', line } });
  });

  test.each([
    ['memory', 'RUN node -e "const a=[];for(;;)a.push(Buffer.alloc(1e7,1))"'],
    ['disk', "RUN node -e \"const f=require('fs').openSync('/x','w');for(;;)require('fs').writeSync(f,Buffer.alloc(1e6,1))\""],
    ['processes', 'RUN f() { f | f & }; f; sleep 30'],
  ])('a bomb of %s ends in bounded time', async (_kind, line) => {
    const before = systemClock.monotonic();
    const limits = { ...standardBuildLimits, memoryBytes: 600 * mebibyte, diskBytes: 400 * mebibyte, processes: 60, timeoutMs: 20_000 };
    await expect(build(`FROM desp/node:24\n${line}\n`, { limits }).result).rejects.toMatchObject({ kind: 'user' });
    expect(systemClock.monotonic() - before).toBeLessThan(40_000);
  });

  test('canceled, a build leaves nothing that blocks the next one of its id', async () => {
    const controller = new AbortController();
    const first = build('FROM desp/node:24\nRUN echo asleep; sleep 60\n', { id: 'same', signal: controller.signal });
    const outcome = first.result.catch((error: unknown) => error);
    await until(() => first.log().includes('asleep'));
    controller.abort();
    expect(await outcome).toMatchObject({ code: 'CANCELED' });
    await build('FROM scratch\nCOPY hello.txt /\n', { id: 'same' }).result;
    const left = await podmanRun(engine.podman, ['ps', '--all', '--quiet', '--filter', 'label=desp.build=same']);
    expect(left.stdout.toString()).toBe('');
  });

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

  test('the first line that fails ends the script; pipes count', async () => {
    const { result, log } = job(['false | cat', 'echo never'], { after: ['echo after $CI_JOB_STATUS'] });
    expect(await result).toMatchObject({ exitCode: 1, reason: 'finished' });
    expect(log()).not.toContain('\nnever');
    expect(log()).toContain('after failed');
  });

  test('a token is masked, plain and in base64, and stands in no argument or container record', async () => {
    const token = 'glcbt-Very.Secret_Token';
    const { id, result, log } = job(
      [
        'echo $T',
        'node -e "process.stdout.write(process.env.T.slice(0,9));setTimeout(()=>process.stdout.write(process.env.T.slice(9)),300)"',
        'node -e "console.log(btoa(process.env.T))"',
        'echo ready',
        'sleep 2',
      ],
      {
        variables: { T: token },
        secrets: [token],
      },
    );
    await until(() => log().includes('\nready'));
    const record = await podmanRun(engine.podman, ['inspect', `desp-job-${id}`]);
    const processes = await run(['ps', '-eo', 'args']);
    expect(record.stdout.toString()).not.toContain(token);
    expect(
      processes.stdout
        .toString()
        .split('\n')
        .filter((line) => line.includes('podman'))
        .join(),
    ).not.toContain(token);
    await result;
    expect(log()).not.toContain(token);
    expect(log()).not.toContain(btoa(token).slice(0, 20));
    expect(log()).toContain('[MASKED]');
  });

  test('the API socket is the only way out', async () => {
    const folder = join(work, 'api');
    mkdirSync(folder, { mode: 0o755 });
    const api = createServer((_request, response) => response.end('from the platform'));
    await new Promise<void>((resolve) => api.listen({ path: join(folder, 'api.sock'), writableAll: true }, resolve));
    const ask = `require("http").get({socketPath:process.env.DESP_JOB_API,path:"/"},r=>r.pipe(process.stdout)).on("error",e=>console.log(e.message))`;
    const { result, log } = job([`node -e '${ask}'`, 'ls /desp', 'cat /proc/net/dev | wc -l', 'touch /usr/x || echo read-only'], {
      apiSocket: join(folder, 'api.sock'),
    });
    await result;
    api.close();
    expect(log()).toContain('from the platform');
    expect(log()).toContain('\nread-only');
    expect(log()).toMatch(/wc -l\n3\n/);
  });

  test.each([
    ['timeout', ['sleep 60'], { timeoutMs: 2000 }],
    ['log', ['yes() { while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done; }', 'yes'], { logBytes: 100_000 }],
    ['memory', ['node -e "const a=[];for(;;)a.push(Buffer.alloc(1e7,1))"'], { memoryBytes: 128 * mebibyte }],
  ] as const)('a job that knows no end: %s', async (reason, script, limits) => {
    const { result } = job([...script], { limits: { ...standardJobLimits, timeoutMs: 30_000, ...limits } });
    const outcome = await result;
    expect(outcome.reason).toBe(reason);
    expect(outcome.exitCode).not.toBe(0);
  });

  test('a job that forks without end or fills its disk fails, and the next one runs', async () => {
    const limits = { ...standardJobLimits, timeoutMs: 5000, processes: 40, diskBytes: 32 * mebibyte };
    const fork = job(['f() { f | f & }; f; sleep 30'], { limits });
    expect((await fork.result).exitCode).not.toBe(0);
    const disk = job(["node -e \"const f=require('fs').openSync('x','w');for(;;)require('fs').writeSync(f,Buffer.alloc(1e6))\""], {
      limits: { ...limits, timeoutMs: 20_000 },
    });
    expect((await disk.result).exitCode).not.toBe(0);
    expect(disk.log()).toContain('ENOSPC');
    expect((await job(['true']).result).exitCode).toBe(0);
  });

  test('a running job is taken over, a lost one is reported gone', async () => {
    const first = job(['echo begun', 'sleep 3', 'echo ended']);
    await until(() => first.log().includes('\nbegun'));
    let log = '';
    const adopted = await adoptJob(engine.podman, { id: first.id, secrets: [], onLog: (text) => (log += text) });
    expect(adopted).toMatchObject({ exitCode: 0, reason: 'finished' });
    expect(log).toContain('\nbegun\n');
    expect(log).toContain('\nended\n');
    await first.result.catch(() => {});
    expect(await adoptJob(engine.podman, { id: 'never-was', secrets: [] })).toBeUndefined();
    await removeJob(engine.podman, 'never-was');
  });
});
