import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { renderBuildArguments } from './build-arguments.ts';
import { readDockerfile } from './dockerfile.ts';
import { EngineError } from './errors.ts';
import { loadImage } from './image-store.ts';
import { receiveLayout } from './layout-reader.ts';
import { LogText } from './log-text.ts';
import { type ImageLayout, writeImageLayout } from './oci-layout.ts';
import { ended, type Podman, removeContainer, spawnPodman } from './podman.ts';
import { type TarItem, tarOf } from './tar-writer.ts';

/**
 * Builds of untrusted Dockerfiles.
 *
 * Principle: buildah runs *inside* a throw-away container with its own user namespace, no network and no writable path of
 * the host; the context goes in as a tar stream on standard input, the image comes out as one on standard output, and
 * what comes out is checked like anything else from a stranger. On the host, buildah and podman of Debian 12 give a
 * hostile Dockerfile the host's files (CVE-2024-1753, CVE-2024-9407, CVE-2024-9675): rejected. A container shares the
 * kernel: this is no virtual machine.
 */
export interface BuildLimits {
  readonly memoryBytes: number;
  readonly processes: number;
  readonly cpus: number;
  /** Bytes of everything the build keeps on its memory-backed disk; counts as memory too. */
  readonly diskBytes: number;
  readonly timeoutMs: number;
  readonly logBytes: number;
}

export const standardBuildLimits: BuildLimits = {
  memoryBytes: 1536 * 1024 * 1024,
  processes: 200,
  cpus: 2,
  diskBytes: 1200 * 1024 * 1024,
  timeoutMs: 10 * 60_000,
  logBytes: 4 * 1024 * 1024,
};

export interface BuildRequest {
  /** Unique among running builds; letters, digits, dashes. A former build of this id is cleared away first. */
  readonly id: string;
  /** The repository's files, uncompressed. */
  readonly context: Readable;
  /** Folder in `context` that is the build's context, as DOCKER_BUILDPATH; `''` for the whole. */
  readonly contextFolder: string;
  /** The Dockerfile's text: read by the caller from the same commit, so that it is checked before anything starts. */
  readonly dockerfile: string;
  /** How messages call it; default `contextFolder/Dockerfile`. */
  readonly dockerfileName?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Every name that FROM, COPY --from and RUN --mount=from may use → an OCI layout folder. */
  readonly baseImages: Readonly<Record<string, string>>;
  /** Folder that will hold the image; its parent exists. */
  readonly output: string;
  /** Hidden in the log. */
  readonly secrets?: readonly string[];
  readonly limits?: BuildLimits;
  readonly onLog?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs as the container's only program; every variable part arrives as an argument or a mounted file, never as shell text
 * of a stranger. Base images get the very names that the Dockerfile uses, so it is built as written and its log shows them.
 * Their layers lie in the result as links: they are neither packed again nor sent out, for the outside has them.
 */
const buildScript = `set -e
exec 3>&1 1>&2
folder=$1
bases=$2
shift 2
mkdir -p /work/c /work/s /work/r /work/out/image/blobs/sha256
tar -x -C /work/c --no-same-owner --no-same-permissions -f -
cd /work/c
B="/usr/bin/buildah --root /work/s --runroot /work/r --storage-driver overlay"
i=0
while [ "$i" -lt "$bases" ]; do
  image=$($B pull --quiet "oci:/base/$i")
  $B tag "$image" "$1"
  ln -sf /base/$i/blobs/sha256/* /work/out/image/blobs/sha256/
  shift
  i=$((i+1))
done
case "$(cd "./$folder" && pwd -P)/" in /work/c/*) ;; *) echo "The build folder leads out of the repository." ; exit 65 ;; esac
(
  cd "./$folder"
  set -- $B bud --pull-never --isolation chroot --format oci --timestamp 0 --identity-label=false --no-cache --tag desp.invalid/result -f /desp/Dockerfile
  . /desp/arguments
  exec "$@" .
)
$B push --quiet --disable-compression desp.invalid/result oci:/work/out/image:latest
cd /work/out/image
find oci-layout index.json blobs -type f | tar -c -f - --format=ustar --no-recursion -T - >&3
`;

const builderFolders = [
  'base',
  'ctx',
  'desp',
  'dev',
  'etc',
  'etc/containers',
  'proc',
  'run',
  'sys',
  'tmp',
  'usr',
  'var',
  'var/cache',
  'var/tmp',
  'work',
  'root',
];
const builderItems: readonly TarItem[] = [
  ...builderFolders.map((path): TarItem => ({ kind: 'folder', path, mode: path.endsWith('tmp') ? 0o1777 : 0o755 })),
  { kind: 'symlink', path: 'bin', target: 'usr/bin' },
  { kind: 'symlink', path: 'sbin', target: 'usr/sbin' },
  { kind: 'symlink', path: 'lib', target: 'usr/lib' },
  { kind: 'symlink', path: 'lib64', target: 'usr/lib64' },
  {
    kind: 'file',
    path: 'etc/containers/policy.json',
    mode: 0o644,
    content: Buffer.from('{"default":[{"type":"insecureAcceptAnything"}]}'),
  },
  {
    kind: 'file',
    path: 'etc/containers/registries.conf',
    mode: 0o644,
    content: Buffer.from('unqualified-search-registries = ["localhost"]\n'),
  },
  { kind: 'file', path: 'etc/passwd', mode: 0o644, content: Buffer.from('root:x:0:0:root:/root:/bin/sh\n') },
  { kind: 'file', path: 'etc/group', mode: 0o644, content: Buffer.from('root:x:0:\n') },
];

/**
 * Builds one image.
 *
 * @throws EngineError DOCKERFILE_INVALID, BASE_IMAGE_UNKNOWN before anything starts; BUILD_FAILED when an instruction
 *   failed; LIMIT_REACHED for time, memory, disk, log; CANCELED; RESULT_INVALID
 */
export async function buildImage(podman: Podman, request: BuildRequest): Promise<ImageLayout> {
  const { limits = standardBuildLimits, buildArgs = {} } = request;
  if (!/^[A-Za-z0-9-]{1,60}$/.test(request.id)) throw new EngineError('BUILD_FAILED', 'The build id is not well-formed.', { kind: 'bug' });
  const folder = request.contextFolder.replace(/^(?:\.?\/)+|\/+$/g, '');
  const file = request.dockerfileName ?? `${folder === '' ? '' : `${folder}/`}Dockerfile`;
  const needed = readDockerfile(request.dockerfile, file, buildArgs, Object.keys(request.baseImages));
  const bases = needed.map((base) => request.baseImages[base] as string);
  const buildArguments = renderBuildArguments(buildArgs);
  const name = `desp-build-${request.id}`;
  const work = join(podman.folder, 'work', `build-${request.id}`);
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true, mode: 0o711 });
  try {
    const builder = await loadBuilder(podman);
    const dockerfile = await ownFile(join(work, 'Dockerfile'), request.dockerfile);
    const argumentFile = await ownFile(join(work, 'arguments'), buildArguments);
    const readOnly = (source: string, target: string) => ['--mount', `type=bind,src=${source},dst=${target},ro`];
    const tmpfs = (path: string, size: number | string, mode: string) => ['--tmpfs', `${path}:size=${size},mode=${mode}`];
    const argv = [
      ...['run', '--rm', '--replace', '--interactive', '--name', name, '--label', `desp.build=${request.id}`, '--log-driver', 'none'],
      ...['--network', 'none', '--hostname', 'build', '--no-hosts', '--read-only', '--read-only-tmpfs=false', '--cap-add', 'sys_admin'],
      ...['--memory', String(limits.memoryBytes), '--memory-swap', String(limits.memoryBytes), '--pids-limit', String(limits.processes)],
      ...['--cpus', String(limits.cpus), '--timeout', String(Math.ceil(limits.timeoutMs / 1000) + 5)],
      ...['--uidmap', `0:${firstUser}:65536`, '--gidmap', `0:${firstUser}:65536`],
      ...tmpfs('/work', limits.diskBytes, '755'),
      ...tmpfs('/var/tmp', limits.diskBytes, '1777'),
      ...tmpfs('/tmp', '64m', '1777'),
      ...tmpfs('/run', '16m', '755'),
      ...tmpfs('/root', '1m', '700'),
      ...tmpfs('/var/cache', '1m', '755'),
      ...readOnly('/usr', '/usr'),
      ...readOnly(dockerfile, '/desp/Dockerfile'),
      ...readOnly(argumentFile, '/desp/arguments'),
      ...bases.flatMap((base, index) => readOnly(base, `/base/${index}`)),
      ...[builder, '/bin/sh', '-c', buildScript, 'build', folder, String(needed.length), ...needed],
    ];
    return await runBuild(podman, argv, bases, name, work, request, limits);
  } finally {
    await removeContainer(podman, name).catch(() => {});
    await rm(work, { recursive: true, force: true });
  }
}

/** The container's user name space begins at this user of the host, whom nothing on it belongs to. */
const firstUser = 200_000;

/** A file that the build may read and no other user of the machine. */
async function ownFile(path: string, content: string): Promise<string> {
  await writeFile(path, content, { mode: 0o400 });
  await chown(path, firstUser, firstUser);
  return path;
}

/** The builder's empty root: programs come from the host's `/usr`, read-only. Made once a data folder. */
async function loadBuilder(podman: Podman): Promise<string> {
  const folder = join(podman.folder, 'work', `builder-${randomUUID()}`);
  try {
    return await loadImage(podman, await writeImageLayout(folder, tarOf(builderItems), {}), 'desp-builder');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runBuild(
  podman: Podman,
  argv: readonly string[],
  bases: readonly string[],
  name: string,
  work: string,
  request: BuildRequest,
  limits: BuildLimits,
): Promise<ImageLayout> {
  const child = spawnPodman(podman, argv, work);
  let failed: EngineError | undefined;
  const end = (error: EngineError) => {
    failed ??= error;
    void removeContainer(podman, name).catch(() => child.kill('SIGKILL'));
  };
  const timer = setTimeout(
    () =>
      end(
        new EngineError('LIMIT_REACHED', `The build took longer than ${limits.timeoutMs / 1000} s.`, {
          kind: 'user',
          cure: 'Make it smaller.',
        }),
      ),
    limits.timeoutMs,
  );
  const cancel = () => end(new EngineError('CANCELED', 'The build was canceled.', { kind: 'user' }));
  if (request.signal?.aborted) cancel();
  request.signal?.addEventListener('abort', cancel, { once: true });
  let logged = 0;
  let tail = '';
  const log = new LogText(request.secrets ?? [], (text) => {
    tail = (tail + text).slice(-2000);
    request.onLog?.(text);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    logged += chunk.length;
    if (logged > limits.logBytes)
      return end(
        new EngineError('LIMIT_REACHED', `The build printed more than ${limits.logBytes} bytes.`, {
          kind: 'user',
          cure: 'Make it print less.',
        }),
      );
    log.push(chunk);
  });
  child.stdin.on('error', () => {});
  request.context.on('error', () => child.stdin.end());
  request.context.pipe(child.stdin);
  const exit = ended(child);
  const out = child.stdout.pipe(new PassThrough());
  const received = receiveLayout(out, request.output, limits.diskBytes + 64 * 1024 * 1024, bases).then(
    (layout) => ({ layout }),
    (error: unknown) => {
      child.stdout.resume();
      return { error };
    },
  );
  const code = await exit;
  clearTimeout(timer);
  request.signal?.removeEventListener('abort', cancel);
  const result = await received;
  log.end();
  if (failed) throw failed;
  if (code !== 0) throw failure(code, tail, work, limits);
  if ('error' in result) throw result.error;
  return result.layout;
}

/** Says in one sentence why a build ended; the log has the rest. */
function failure(code: number, tail: string, work: string, limits: BuildLimits): EngineError {
  const mebibytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`;
  if (existsSync(join(work, 'oom')) || code === 137)
    return new EngineError('LIMIT_REACHED', `The build needed more memory than ${mebibytes(limits.memoryBytes)} and was ended.`, {
      kind: 'user',
      cure: 'Make the build or its files smaller.',
    });
  if (/no space left on device/i.test(tail))
    return new EngineError('LIMIT_REACHED', `The build needed more disk than ${mebibytes(limits.diskBytes)}.`, {
      kind: 'user',
      cure: 'Make the image smaller.',
    });
  if (/resource temporarily unavailable|can't fork|cannot fork/i.test(tail))
    return new EngineError('LIMIT_REACHED', `The build started more than ${limits.processes} processes.`, {
      kind: 'user',
      cure: 'Start fewer.',
    });
  const last = tail
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .slice(-2)
    .join(' ');
  return new EngineError('BUILD_FAILED', `The build failed: ${last}`, { kind: 'user', cure: 'Read the log above the error.' });
}
