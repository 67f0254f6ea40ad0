import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, systemClock } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBaseImage } from './base-image.ts';
import { standardBuildLimits } from './confined-build.ts';
import { setLures } from './host-lures.ts';
import type { ImageLayout } from './oci-layout.ts';
import { podmanRun } from './podman.ts';
import {
  contentOf,
  file,
  layCanary,
  mebibyte,
  startBuild,
  startTestEngine,
  type TestEngine,
  titled,
  until,
  usable,
} from './test-engine.ts';

let engine: TestEngine;
let node: ImageLayout;

beforeAll(async () => {
  if (!usable) return;
  engine = await startTestEngine();
  node = await buildBaseImage({ kind: 'node', shell: true }, join(engine.folder, 'node'));
});
afterAll(async () => {
  if (usable) await engine.end();
});

const build: typeof startBuild extends (engine: TestEngine, base: ImageLayout, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never = (...rest) => startBuild(engine, node, ...rest);

describe.skipIf(!usable)(titled('confined builds'), () => {
  test('base images are the same each time and name their packages', async () => {
    const again = await buildBaseImage({ kind: 'node', shell: true }, join(engine.folder, 'node-again'));
    expect(again.manifestDigest).toBe(node.manifestDigest);
    const before = systemClock.monotonic();
    expect(await buildBaseImage({ kind: 'node', shell: true }, again.layout)).toEqual(again);
    expect(systemClock.monotonic() - before).toBeLessThan(1000);
    expect(contentOf(node)).toContain('Package: libc6\n');
    expect(contentOf(node)).toContain('ID=debian');
  });

  test('FROM scratch, twice: the same digest', async () => {
    const dockerfile = 'FROM scratch\nADD hello.txt /hello.txt\nCMD ["/hello"]\n';
    const [first, second] = await Promise.all([build(dockerfile).result, build(dockerfile).result]);
    expect(first.manifestDigest).toBe(second.manifestDigest);
    expect(contentOf(first)).toContain('hello\n');
  });

  test('stages, ARG before FROM, mounts, arguments of several lines, a folder of the repository; the log has the names as written', async () => {
    const secret = 'argument-That.is-secret';
    const { result, log } = build(
      `ARG BASE=none
FROM \${BASE} AS one
ARG TEXT
ARG HOME
RUN node -e 'require("fs").writeFileSync("/made", process.env.TEXT + process.env.HOME)' && echo built && sleep 1
FROM desp/node:24
RUN --mount=type=bind,from=one,source=/made,target=/m --mount=type=bind,from=desp/node:24,target=/b cat /m && test -e /b/usr/bin/node && echo mounted
COPY --from=one /made /made
COPY a.txt /
`,
      {
        buildArgs: { BASE: 'desp/node:24', TEXT: `line 'one'\n${secret}\n`, HOME: '/odd $(id)' },
        secrets: [secret],
        contextFolder: 'images/a/',
        items: [file('images/a/a.txt', 'from a\n'), file('b.txt', '')],
      },
    );
    await until(() => log().includes('\nbuilt'), 'the build runs');
    expect((await run(['ps', '-eo', 'args'])).stdout.toString()).not.toContain(secret);
    const content = contentOf(await result);
    expect(log()).toContain('FROM desp/node:24 AS one');
    expect(log()).toContain('mounted');
    expect(log()).toContain('[MASKED]');
    expect(log()).not.toContain(secret);
    expect(content).toContain(`line 'one'\n${secret}\n/odd $(id)`);
    expect(content).toContain('from a\n');
  });

  test('an instruction that fails is named', async () => {
    const { result, log } = build('FROM desp/node:24\nRUN echo before; exit 3\n');
    await expect(result).rejects.toMatchObject({ code: 'BUILD_FAILED', message: expect.stringContaining('exit') });
    expect(log()).toContain('before');
  });

  test('escapes: mounts of a link to /, cache ids that are paths, the roots of other processes, what others share', async () => {
    const canary = layCanary();
    const lures = await setLures();
    const indexBefore = readFileSync(join(node.layout, 'index.json'), 'utf8');
    // Each attempt says that it runs, then reads and writes the canary below the place it hopes to be the host's root.
    const attack = (name: string, root: string) =>
      `echo TRIED ${name}; cat ${root}${canary.folder}/secret; echo evil > ${root}${canary.folder}/open/${name}; mkdir -p ${root}${canary.folder}/open/${name}.d; true`;
    const { result, log } = build(
      `FROM desp/node:24 AS trap
RUN ln -s / /root-link && ln -s /proc/1/root /proc-link && echo TRIED links
FROM desp/node:24
RUN --mount=type=bind,from=trap,source=/root-link,target=/m,rw ${attack('bind', '/m')}
RUN --mount=type=cache,id=../../../../../../..,target=/c ${attack('cache', '/c')}
RUN --mount=type=cache,source=../../../../..,target=/s ${attack('cachesource', '/s')}
RUN --mount=type=bind,source=/../../../..,target=/x,rw ${attack('context', '/x')}
RUN ${attack('parent', '/../../../..')}; ${attack('init', '/proc/1/root')}; for p in /proc/[0-9]*; do cat $p/root${canary.folder}/secret; done; true
RUN busybox mount -o remount,rw,bind /proc/1/root/base/0; echo evil > /proc/1/root/base/0/index.json; echo evil >> /proc/1/root/desp/Dockerfile; echo TRIED base
RUN mkdir /h; for d in /dev/sda /dev/vda /dev/sda1 /dev/vda1; do busybox mount -o ro $d /h && ls /h; done; echo TRIED disks
COPY dir /copied
RUN echo TRIED copied; cat /copied/link; true
RUN node -e '${lures.attempt}'
`.replaceAll('busybox', '/bin/busybox'),
      { items: [{ kind: 'symlink', path: 'dir/link', target: join(canary.folder, 'secret') }, file('dir/a', 'a')] },
    );
    const image = await result.catch((error: unknown) => error);
    try {
      expect(
        log()
          .split('\n')
          .filter((line) => /^TRIED \w+$/.test(line)),
      ).toEqual(
        ['links', 'bind', 'cache', 'cachesource', 'context', 'parent', 'init', 'base', 'disks', 'copied'].map((name) => `TRIED ${name}`),
      );
      expect(image).not.toBeInstanceOf(Error);
      expect(log()).not.toContain(canary.secret);
      expect(contentOf(image as ImageLayout)).not.toContain(canary.secret);
      canary.check();
      lures.check(log());
      expect(readFileSync(join(node.layout, 'index.json'), 'utf8')).toBe(indexBefore);
      expect(readdirSync(node.layout).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    } finally {
      lures.remove();
      canary.remove();
    }
  });

  test.each([
    ['a link in the context is not followed out of it', 'COPY link /copied', ''],
    ['a link as build folder is not followed out of it', 'RUN echo never', 'folder'],
  ])('%s', async (_title, line, contextFolder) => {
    const canary = layCanary();
    const { result, log } = build(`FROM desp/node:24\nRUN echo TRIED\n${line}\n`, {
      contextFolder,
      items: [
        { kind: 'symlink', path: 'link', target: join(canary.folder, 'secret') },
        { kind: 'symlink', path: 'folder', target: '/usr/share' },
      ],
    });
    await expect(result).rejects.toMatchObject({ code: 'BUILD_FAILED' });
    expect(log()).toContain(contextFolder === '' ? '\nTRIED\n' : 'leads out of the repository');
    expect(log()).not.toContain(canary.secret);
    canary.check();
    canary.remove();
  });

  test('bombs end in bounded time with the limit as reason, while a build beside them goes on', async () => {
    const before = systemClock.monotonic();
    const limits = { ...standardBuildLimits, memoryBytes: 600 * mebibyte, diskBytes: 400 * mebibyte, processes: 60 };
    const bomb = (line: string, own: Partial<typeof limits> = {}) =>
      build(`FROM desp/node:24\nRUN echo TRIED; ${line}\n`, { limits: { ...limits, timeoutMs: 40_000, ...own } });
    const bombs = [
      ['memory', bomb('node -e "const a=[];for(;;)a.push(Buffer.alloc(1e7,1))"', { diskBytes: 300 * mebibyte })],
      [
        'disk',
        bomb("node -e \"const f=require('fs').openSync('/x','w');for(;;)require('fs').writeSync(f,Buffer.alloc(1e6,1))\"", {
          memoryBytes: 900 * mebibyte,
        }),
      ],
      ['processes', bomb('while :; do sleep 100 & done')],
      // In place of the shell: a fork for it may be refused by then, and the build would end for that.
      ['took longer', bomb('f() { f | f & }; f; exec sleep 100', { timeoutMs: 14_000 })],
      ['printed more', bomb('while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done', { logBytes: 100_000 })],
    ] as const;
    const beside = build('FROM scratch\nCOPY hello.txt /\n');
    const ends = await Promise.all(bombs.map(([, { result }]) => result.catch((error: unknown) => error)));
    for (const [index, [reason, { log }]] of bombs.entries()) {
      expect(log(), reason).toContain('\nTRIED\n');
      expect(ends[index], reason).toMatchObject({ code: 'LIMIT_REACHED', kind: 'user', message: expect.stringContaining(reason) });
    }
    await beside.result;
    expect(systemClock.monotonic() - before).toBeLessThan(45_000);
  });

  test('canceled, a build leaves nothing that blocks the next one of its id', async () => {
    const controller = new AbortController();
    const first = build('FROM desp/node:24\nRUN echo asleep; sleep 600\n', { id: 'same', signal: controller.signal });
    const outcome = first.result.catch((error: unknown) => error);
    await until(() => first.log().includes('\nasleep'), 'the build runs');
    controller.abort();
    expect(await outcome).toMatchObject({ code: 'CANCELED' });
    await build('FROM scratch\nCOPY hello.txt /\n', { id: 'same' }).result;
    const left = await podmanRun(engine.service.podman, ['ps', '--all', '--quiet', '--filter', 'label=desp.build']);
    expect(left.stdout.toString()).toBe('');
    expect(readdirSync(join(engine.service.podman.folder, 'work')).filter((entry) => /^(build|builder|load)-/.test(entry))).toEqual([]);
  });
});
