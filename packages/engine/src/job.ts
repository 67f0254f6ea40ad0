import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { EngineError } from './errors.ts';
import { loadImage } from './image-store.ts';
import { type JobScript, jobFiles, renderJobScript, waitScript } from './job-script.ts';
import { MaskingStream } from './masking-stream.ts';
import type { ImageLayout } from './oci-layout.ts';
import { type Podman, podmanArgv, podmanOk, podmanRun } from './podman.ts';

export interface JobLimits {
  readonly memoryBytes: number;
  readonly processes: number;
  readonly cpus: number;
  /** Bytes below `/builds` and `/tmp`, each; memory-backed. */
  readonly diskBytes: number;
  readonly timeoutMs: number;
  readonly logBytes: number;
}

export const standardJobLimits: JobLimits = {
  memoryBytes: 512 * 1024 * 1024,
  processes: 100,
  cpus: 1,
  diskBytes: 256 * 1024 * 1024,
  timeoutMs: 30 * 60_000,
  logBytes: 4 * 1024 * 1024,
};

/** What one needs to follow a job, started now or by a former process. */
export interface JobWatch {
  readonly id: string;
  /** Hidden in the log. */
  readonly secrets: readonly string[];
  readonly limits?: JobLimits;
  /** The log from its beginning, masked; after `adoptJob` it is told anew. */
  readonly onLog?: (text: string) => void;
  readonly signal?: AbortSignal;
}

export interface JobRequest extends JobWatch, JobScript {
  readonly image: ImageLayout;
  /** Folder of the project below `/builds`, as `sample-app`. */
  readonly project: string;
  /** The repository's files, uncompressed tar. */
  readonly source: Readable;
  /** Unix socket of the job's own API, alone in its folder; appears as `/desp/NAME`. It is the only way out. */
  readonly apiSocket?: string;
}

/** `canceled` and the limits are decided by us; otherwise the script's exit code speaks. */
export type JobReason = 'finished' | 'timeout' | 'memory' | 'log' | 'canceled';

export interface JobResult {
  readonly exitCode: number;
  readonly reason: JobReason;
  /** One sentence. */
  readonly message: string;
}

const containerName = (id: string): string => {
  if (!/^[A-Za-z0-9-]{1,60}$/.test(id)) throw new EngineError('JOB_INVALID', 'The job id is not well-formed.', { kind: 'bug' });
  return `desp-job-${id}`;
};
const workFolder = (podman: Podman, id: string): string => join(podman.folder, 'work', `job-${id}`);

/**
 * Runs a pipeline job in a container of its own: own user namespace, no network, no capability, read-only root, no path of
 * the host but the folder of its API socket. A job of that id that was left behind is cleared away first.
 *
 * @throws EngineError JOB_INVALID, ENGINE_FAILED; a script that fails is an answer
 */
export async function runJob(podman: Podman, request: JobRequest): Promise<JobResult> {
  const { limits = standardJobLimits, id } = request;
  const name = containerName(id);
  checkRequest(request);
  await removeJob(podman, id);
  const work = workFolder(podman, id);
  await mkdir(work, { recursive: true });
  const image = await loadImage(podman, request.image, 'desp-job');
  const tmpfs = (path: string, bytes: number, mode: string) => ['--tmpfs', `${path}:size=${bytes},mode=${mode}`];
  const create = [
    ...['create', '--name', name, '--label', `desp.job=${id}`, '--init=false', '--hostname', 'job', '--no-hosts', '--network', 'none'],
    ...['--uidmap', '0:300000:65536', '--gidmap', '0:300000:65536', '--cap-drop', 'all', '--security-opt', 'no-new-privileges'],
    ...['--read-only', '--read-only-tmpfs=false', '--memory', String(limits.memoryBytes), '--memory-swap', String(limits.memoryBytes)],
    ...[
      '--pids-limit',
      String(limits.processes),
      '--cpus',
      String(limits.cpus),
      '--timeout',
      String(Math.ceil(limits.timeoutMs / 1000) + 5),
    ],
    ...['--log-opt', `max-size=${limits.logBytes * 4}`],
    ...tmpfs('/builds', limits.diskBytes, '755'),
    ...tmpfs('/tmp', limits.diskBytes, '1777'),
    ...tmpfs('/run', 16 * 1024 * 1024, '755'),
    ...(request.apiSocket ? ['--mount', `type=bind,src=${dirname(request.apiSocket)},dst=/desp,ro`] : []),
    ...['--env', 'HOME=/tmp', image, '/bin/sh', '-c', waitScript],
  ];
  const cwd = { cwd: work };
  try {
    await podmanOk(podman, create, cwd);
    await podmanOk(podman, ['start', name], cwd);
    await copyInto(podman, name, `/builds/${request.project}`, request.source, work);
    const variables = {
      CI_PROJECT_DIR: `/builds/${request.project}`,
      ...(request.apiSocket ? { DESP_JOB_API: `/desp/${basename(request.apiSocket)}` } : {}),
      ...request.variables,
    };
    const script = renderJobScript({ ...request, variables }, `/builds/${request.project}`);
    await copyInto(podman, name, '/run', Readable.from([jobFiles(script)]), work);
  } catch (error) {
    await removeJob(podman, id);
    throw error;
  }
  return follow(podman, request, limits);
}

/** Follows a job that a former process started. @returns its result, or undefined when there is no such job: start it again */
export async function adoptJob(podman: Podman, watch: JobWatch): Promise<JobResult | undefined> {
  const name = containerName(watch.id);
  const started = await podmanRun(podman, ['exec', name, '/bin/sh', '-c', 'test -e /run/desp/start']);
  const state = await podmanRun(podman, ['inspect', '--format', '{{.State.Status}}', name]);
  const ended = state.stdout.toString().trim() === 'exited';
  if (state.code !== 0 || (started.code !== 0 && !ended)) {
    // Killed before the script arrived: nothing of it ran.
    await removeJob(podman, watch.id);
    return undefined;
  }
  return follow(podman, watch, watch.limits ?? standardJobLimits);
}

/** Ends a job and removes its traces; nothing happens when there is none. */
export async function removeJob(podman: Podman, id: string): Promise<void> {
  await podmanRun(podman, ['rm', '--force', '--ignore', '--time', '0', containerName(id)]);
  await rm(workFolder(podman, id), { recursive: true, force: true });
}

function checkRequest(request: JobRequest): void {
  const invalid = (what: string) => new EngineError('JOB_INVALID', `Job ${request.id} cannot start: ${what}.`, { kind: 'user' });
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(request.project)) throw invalid('its project name is not well-formed');
  for (const [name, value] of Object.entries(request.variables)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw invalid(`the variable ${JSON.stringify(name)} has no well-formed name`);
    if (value.includes('\0')) throw invalid(`the variable ${name} holds a zero byte`);
  }
  if (request.apiSocket && readdirSync(dirname(request.apiSocket)).some((entry) => entry !== basename(request.apiSocket as string)))
    throw invalid('the folder of its API socket holds something else too');
}

/** Unpacks a tar stream inside the container, so that its links mean nothing outside. */
async function copyInto(podman: Podman, name: string, folder: string, source: Readable, cwd: string): Promise<void> {
  const [program, ...args] = podmanArgv(podman, [
    'exec',
    '--interactive',
    name,
    '/bin/sh',
    '-c',
    'mkdir -p "$1" && exec /bin/busybox tar -x -o -C "$1" -f -',
    'sh',
    folder,
  ]);
  const child = spawn(program, args, { cwd, env: { PATH: process.env['PATH'], ...podman.environment }, stdio: ['pipe', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-1000);
  });
  child.stdin.on('error', () => source.resume());
  source.on('error', () => child.kill('SIGKILL'));
  source.pipe(child.stdin);
  const code = await new Promise<number>((resolve) => {
    child.on('error', () => resolve(-1));
    child.on('close', (status) => resolve(status ?? -1));
  });
  if (code === 0) return;
  const full = /no space left/i.test(errors);
  throw new EngineError(
    full ? 'LIMIT_REACHED' : 'ENGINE_FAILED',
    full ? "The repository is larger than the job's disk." : `The repository could not be put into the job: ${errors.trim()}`,
    {
      kind: full ? 'user' : 'upstream',
      retryable: !full,
    },
  );
}

async function follow(podman: Podman, watch: JobWatch, limits: JobLimits): Promise<JobResult> {
  const name = containerName(watch.id);
  let reason: JobReason = 'finished';
  const stop = (why: JobReason) => {
    if (reason !== 'finished') return;
    reason = why;
    void podmanRun(podman, ['kill', name]).catch(() => {});
  };
  const startedAt = await podmanOk(podman, ['inspect', '--format', '{{.State.StartedAt.Unix}}', name]);
  const left = Math.max(0, limits.timeoutMs - Math.max(0, Date.now() - Number(startedAt.stdout.toString().trim()) * 1000));
  const timer = setTimeout(() => stop('timeout'), left);
  const cancel = () => stop('canceled');
  if (watch.signal?.aborted) cancel();
  watch.signal?.addEventListener('abort', cancel, { once: true });
  try {
    const logs = followLog(podman, name, watch, limits.logBytes, () => stop('log'));
    const waited = await podmanOk(podman, ['wait', name], { timeoutMs: limits.timeoutMs + 60_000 });
    await logs;
    const exitCode = Number(waited.stdout.toString().trim());
    if (reason === 'finished' && existsSync(join(workFolder(podman, watch.id), 'oom'))) reason = 'memory';
    return { exitCode: reason !== 'finished' && exitCode === 0 ? 137 : exitCode, reason, message: describe(reason, exitCode, limits) };
  } finally {
    clearTimeout(timer);
    watch.signal?.removeEventListener('abort', cancel);
    await removeJob(podman, watch.id);
  }
}

function followLog(podman: Podman, name: string, watch: JobWatch, maxBytes: number, onTooMuch: () => void): Promise<void> {
  const [program, ...args] = podmanArgv(podman, ['logs', '--follow', name]);
  const child = spawn(program, args, { env: { PATH: process.env['PATH'], ...podman.environment }, stdio: ['ignore', 'pipe', 'ignore'] });
  const masking = new MaskingStream(watch.secrets);
  const decoder = new StringDecoder('utf8');
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    if (bytes > maxBytes) return;
    bytes += chunk.length;
    watch.onLog?.(masking.push(decoder.write(chunk)));
    if (bytes > maxBytes) {
      onTooMuch();
      child.kill('SIGKILL');
    }
  });
  return new Promise((resolve) => {
    child.on('error', () => resolve());
    child.on('close', () => {
      watch.onLog?.(masking.push(decoder.end()) + masking.end());
      resolve();
    });
  });
}

function describe(reason: JobReason, exitCode: number, limits: JobLimits): string {
  switch (reason) {
    case 'finished':
      return exitCode === 0 ? 'The job succeeded.' : `The job failed: its script ended with ${exitCode}.`;
    case 'timeout':
      return `The job took longer than ${limits.timeoutMs / 1000} s and was ended.`;
    case 'memory':
      return `The job needed more memory than ${Math.round(limits.memoryBytes / 1024 / 1024)} MiB and was ended.`;
    case 'log':
      return `The job printed more than ${limits.logBytes} bytes and was ended.`;
    case 'canceled':
      return 'The job was canceled.';
  }
}
