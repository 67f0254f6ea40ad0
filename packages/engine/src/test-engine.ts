import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { systemClock } from '@desp/runtime';
import { expect } from 'vitest';
import { type BuildRequest, buildImage, standardBuildLimits } from './confined-build.ts';
import { storeProcesses } from './engine-processes.ts';
import { detectEngine, type EngineService, startEngineService } from './engine-service.ts';
import { type JobRequest, runJob, standardJobLimits } from './job.ts';
import type { ImageLayout } from './oci-layout.ts';
import { type TarItem, tarOf } from './tar-writer.ts';

/** What the tests with a real engine share; it holds no engine of its own. */
const report = detectEngine();
export const usable = report.usable;
const missing = report.missing.map((part) => part.what).join(', ');
export const titled = (title: string): string => (usable ? title : `${title} (skipped: ${missing} missing)`);
export const mebibyte = 1024 * 1024;

export interface TestEngine {
  readonly service: EngineService;
  readonly folder: string;
  /** Ends everything and proves that nothing is left. */
  end(): Promise<void>;
}

export async function startTestEngine(): Promise<TestEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'desp-e-'));
  const service = await startEngineService({ dataFolder: folder });
  const modes = () => [folder, tmpdir()].map((each) => statSync(each).mode & 0o7777);
  const before = modes();
  return {
    service,
    folder,
    async end() {
      // podman opens what lies above its store: that must not be the data folder.
      expect(modes()).toEqual(before);
      await service.purge();
      expect(storeProcesses(service.podman.folder)).toEqual([]);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(`${folder}/`);
      expect(existsSync(service.podman.folder)).toBe(false);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const file = (path: string, content: string): TarItem => ({ kind: 'file', path, mode: 0o644, content: Buffer.from(content) });

let count = 0;

export function startBuild(
  engine: TestEngine,
  base: ImageLayout,
  dockerfile: string,
  options: Partial<BuildRequest> & { items?: TarItem[] } = {},
) {
  const { items = [file('hello.txt', 'hello\n')], id = `t${count++}`, ...rest } = options;
  let log = '';
  const result = buildImage(engine.service.podman, {
    id,
    context: Readable.from([tarOf(items)]),
    contextFolder: '',
    dockerfile,
    baseImages: { 'desp/node:24': base.layout },
    output: join(engine.folder, `out-${id}`),
    limits: { ...standardBuildLimits, timeoutMs: 60_000 },
    onLog: (text) => {
      log += text;
    },
    ...rest,
  });
  return { id, result, log: () => log };
}

export function startJob(engine: TestEngine, image: ImageLayout, script: readonly string[], options: Partial<JobRequest> = {}) {
  const id = options.id ?? `j${count++}`;
  let log = '';
  const result = runJob(engine.service.podman, {
    id,
    image,
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

/** All file contents of an image, as one text. */
export function contentOf(image: ImageLayout): string {
  const blob = (digest: string) => readFileSync(join(image.layout, 'blobs', 'sha256', digest.slice('sha256:'.length)));
  const { layers } = JSON.parse(blob(image.manifestDigest).toString('utf8')) as { layers: { digest: string }[] };
  return layers
    .map(({ digest }) => blob(digest))
    .map((bytes) => (bytes.readUInt16BE(0) === 0x1f8b ? gunzipSync(bytes) : bytes).toString('latin1'))
    .join('');
}

/** Files that anybody on the machine may read and write: what keeps a container from them is its confinement alone. */
export function layCanary(): { readonly folder: string; readonly secret: string; check(): void; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'desp-canary-'));
  const secret = `canary-${folder.slice(-6)}-content`;
  writeFileSync(join(folder, 'secret'), secret);
  mkdirSync(join(folder, 'open'));
  for (const path of [folder, join(folder, 'open')]) chmodSync(path, 0o777);
  chmodSync(join(folder, 'secret'), 0o666);
  return {
    folder,
    secret,
    check() {
      expect(readdirSync(folder).sort()).toEqual(['open', 'secret']);
      expect(readdirSync(join(folder, 'open'))).toEqual([]);
      expect(readFileSync(join(folder, 'secret'), 'utf8')).toBe(secret);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Waits 30 s at most. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = systemClock.monotonic() + 30_000;
  while (!(await condition())) {
    if (systemClock.monotonic() > deadline) throw new Error(`It did not come to this: ${what}.`);
    await systemClock.sleep(20);
  }
}
