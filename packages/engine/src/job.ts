import { readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { EngineError } from './errors.ts';
import { loadImage } from './image-store.ts';
import { type JobScript, jobFiles, renderJobScript, startScript, unpackScript, waitScript } from './job-script.ts';
import { type JobReason, watchContainer } from './job-watch.ts';
import type { ImageLayout } from './oci-layout.ts';
import { ended, type Podman, removeContainer, spawnPodman } from './podman.ts';

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

export interface JobRequest extends JobScript {
  readonly id: string;
  /** Hidden in the log. */
  readonly secrets: readonly string[];
  readonly limits?: JobLimits;
  /** The log from its beginning, masked. */
  readonly onLog?: (text: string) => void;
  readonly signal?: AbortSignal;
  readonly image: ImageLayout;
  /** Folder of the project below `/builds`, as `sample-app`. */
  readonly project: string;
  /** The repository's files, uncompressed tar. */
  readonly source: Readable;
  /** Unix socket of the job's own API, alone in its folder; appears as `/desp/NAME`. It is the only way out. */
  readonly apiSocket?: string;
}

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
 * @throws EngineError JOB_INVALID, LIMIT_REACHED when the repository does not fit, ENGINE_FAILED; a script that fails is an answer
 */
export async function runJob(podman: Podman, request: JobRequest): Promise<JobResult> {
  const { limits = standardJobLimits, id } = request;
  const name = containerName(id);
  checkRequest(request);
  const folder = `/builds/${request.project}`;
  const variables = {
    CI_PROJECT_DIR: folder,
    ...(request.apiSocket ? { DESP_JOB_API: `/desp/${basename(request.apiSocket)}` } : {}),
    ...request.variables,
  };
  const script = jobFiles(renderJobScript({ ...request, variables }, folder));
  const work = workFolder(podman, id);
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  try {
    const image = await loadImage(podman, request.image, 'desp-job');
    const child = spawnPodman(podman, containerArguments(request, limits, name, image), work);
    return await watchContainer(podman, child, {
      request,
      name,
      work,
      limits,
      async onReady() {
        await copyInto(podman, name, unpackScript, folder, request.source, work);
        await copyInto(podman, name, startScript, '/run', Readable.from([script]), work);
      },
    });
  } finally {
    request.source.destroy();
    await removeJob(podman, id);
  }
}

/** Ends a job and removes its traces; nothing happens when there is none. */
export async function removeJob(podman: Podman, id: string): Promise<void> {
  await removeContainer(podman, containerName(id));
  await rm(workFolder(podman, id), { recursive: true, force: true });
}

function containerArguments(request: JobRequest, limits: JobLimits, name: string, image: string): string[] {
  const tmpfs = (path: string, bytes: number, mode: string) => ['--tmpfs', `${path}:size=${bytes},mode=${mode}`];
  return [
    ...['run', '--replace', '--name', name, '--label', `desp.job=${request.id}`, '--sig-proxy=false', '--pull', 'never'],
    ...['--hostname', 'job', '--no-hosts', '--network', 'none', '--uidmap', '0:300000:65536', '--gidmap', '0:300000:65536'],
    ...['--cap-drop', 'all', '--security-opt', 'no-new-privileges', '--read-only', '--read-only-tmpfs=false'],
    ...['--memory', String(limits.memoryBytes), '--memory-swap', String(limits.memoryBytes)],
    ...['--pids-limit', String(limits.processes), '--cpus', String(limits.cpus)],
    ...['--timeout', String(Math.ceil(limits.timeoutMs / 1000) + 5), '--log-opt', `max-size=${limits.logBytes * 4}`],
    ...tmpfs('/builds', limits.diskBytes, '755'),
    ...tmpfs('/tmp', limits.diskBytes, '1777'),
    ...tmpfs('/run', 16 * 1024 * 1024, '755'),
    ...(request.apiSocket ? ['--mount', `type=bind,src=${dirname(request.apiSocket)},dst=/desp,ro`] : []),
    ...['--env', 'HOME=/tmp', image, '/bin/sh', '-c', waitScript],
  ];
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
async function copyInto(podman: Podman, name: string, shell: string, folder: string, source: Readable, cwd: string): Promise<void> {
  const child = spawnPodman(podman, ['exec', '--interactive', name, '/bin/sh', '-c', shell, 'sh', folder], cwd);
  let errors = '';
  let broken: Error | undefined;
  child.stdout.resume();
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-1000);
  });
  child.stdin.on('error', () => source.resume());
  source.on('error', (error) => {
    broken = error;
    child.kill('SIGKILL');
  });
  source.pipe(child.stdin);
  const code = await ended(child);
  if (code === 0) return;
  const full = /no space left/i.test(errors);
  throw new EngineError(
    full ? 'LIMIT_REACHED' : 'ENGINE_FAILED',
    full
      ? "The repository is larger than the job's disk."
      : `The repository could not be put into the job: ${broken?.message ?? errors.trim()}`,
    { kind: full ? 'user' : 'upstream', retryable: !full, ...(broken ? { cause: broken } : {}) },
  );
}
