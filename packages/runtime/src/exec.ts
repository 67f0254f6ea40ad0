import { spawn } from 'node:child_process';
import { DespError } from './errors.ts';
import { mask } from './mask.ts';

export interface RunOptions {
  readonly cwd?: string;
  /** The child's whole environment besides PATH, HOME and LANG; nothing else of ours is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** Milliseconds until the child and its group are killed; default 60,000. */
  readonly timeoutMs?: number;
  /** Bytes of standard output and of standard error that are kept, each; more ends the child. Default 16 MiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** Sees standard output and error as they come, in pieces. */
  readonly onOutput?: (chunk: Buffer, stream: 'stdout' | 'stderr') => void;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export class ExecError extends DespError<'NOT_FOUND' | 'FAILED' | 'TIMEOUT' | 'TOO_MUCH_OUTPUT' | 'CANCELED'> {}

/**
 * Runs a program by its argument list, never through a shell, in a process group of its own.
 *
 * @throws ExecError NOT_FOUND, TIMEOUT, TOO_MUCH_OUTPUT, CANCELED; a non-zero exit code is an answer, not an error: see `runOk`.
 */
export function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  const [program, ...args] = argv;
  const limit = options.maxBytes ?? 16 * 1024 * 1024;
  return new Promise((resolve, reject) => {
    const { PATH = '/usr/sbin:/usr/bin:/sbin:/bin', HOME = '/root', LANG = 'C.UTF-8' } = process.env;
    const child = spawn(program, args, { cwd: options.cwd, env: { PATH, HOME, LANG, ...options.env }, stdio: 'pipe', detached: true });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const size = { stdout: 0, stderr: 0 };
    let failure: ExecError | undefined;
    const end = (error: ExecError) => {
      failure ??= error;
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It is gone already.
      }
    };
    const timeoutMs = options.timeoutMs ?? 60_000;
    const timer = setTimeout(
      () => end(new ExecError('TIMEOUT', `${program} did not end within ${timeoutMs / 1000} s.`, { kind: 'upstream', retryable: true })),
      timeoutMs,
    );
    const cancel = () => end(new ExecError('CANCELED', `${program} was canceled.`, { kind: 'user' }));
    if (options.signal?.aborted) cancel();
    options.signal?.addEventListener('abort', cancel, { once: true });
    const take = (stream: 'stdout' | 'stderr', into: Buffer[]) => (chunk: Buffer) => {
      size[stream] += chunk.length;
      options.onOutput?.(chunk, stream);
      if (size[stream] > limit) end(new ExecError('TOO_MUCH_OUTPUT', `${program} printed more than ${limit} bytes.`, { kind: 'user' }));
      else into.push(chunk);
    };
    child.stdout.on('data', take('stdout', out));
    child.stderr.on('data', take('stderr', err));
    child.stdin.on('error', () => {});
    child.on('error', (cause: NodeJS.ErrnoException) => {
      failure ??=
        cause.code === 'ENOENT'
          ? new ExecError('NOT_FOUND', `The program ${program} is not on this machine.`, {
              kind: 'user',
              cure: `Install ${program} and try again.`,
              cause,
            })
          : new ExecError('FAILED', `${program} could not be started: ${cause.message}`, { kind: 'bug', cause });
      if (child.pid === undefined) settle(-1);
    });
    let settled = false;
    const settle = (code: number) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', cancel);
      if (failure) reject(failure);
      else resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('utf8') });
    };
    child.on('close', (code, signal) => settle(code ?? (signal ? 128 : -1)));
    child.stdin.end(options.stdin);
  });
}

/** As `run`, but a non-zero exit code is an error that shows the end of standard error, masked. */
export async function runOk(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  const result = await run(argv, options);
  if (result.code !== 0) {
    const tail = mask(result.stderr.trim().split('\n').slice(-5).join('\n'));
    throw new ExecError('FAILED', `${argv.slice(0, 2).join(' ')} ended with ${result.code}: ${tail}`, { kind: 'upstream' });
  }
  return result;
}
