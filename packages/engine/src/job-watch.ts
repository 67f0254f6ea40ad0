import type { ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { EngineError } from './errors.ts';
import type { JobLimits, JobRequest, JobResult } from './job.ts';
import { readyLine } from './job-script.ts';
import { LogText } from './log-text.ts';
import { ended, type Podman, podmanRun, removeContainer } from './podman.ts';

/** `canceled` and the limits are decided by us; otherwise the script's exit code speaks. */
export type JobReason = 'finished' | 'timeout' | 'memory' | 'log' | 'canceled';

/** A container that does not end within this time after it was told to is removed by force. */
const endWithinMs = 10_000;

export interface WatchedContainer {
  readonly request: Pick<JobRequest, 'id' | 'secrets' | 'onLog' | 'signal'>;
  readonly name: string;
  /** Where the engine leaves its mark that memory ran out. */
  readonly work: string;
  readonly limits: JobLimits;
  /** Called once, when the container has said that it is there. */
  onReady(): Promise<void>;
}

/**
 * Follows a job's container to its end through `child`, whose output and exit code are the container's, and keeps its limits.
 * @throws EngineError ENGINE_FAILED; whatever `onReady` throws
 */
export async function watchContainer(
  podman: Podman,
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  container: WatchedContainer,
): Promise<JobResult> {
  const { request, name, limits } = container;
  let reason: JobReason = 'finished';
  let failure: unknown;
  const timers: NodeJS.Timeout[] = [];
  const after = (ms: number, act: () => void) => timers.push(setTimeout(act, ms));
  const kill = () => {
    void podmanRun(podman, ['kill', name], { timeoutMs: endWithinMs }).catch(() => {});
    after(endWithinMs, () => void removeContainer(podman, name).catch(() => {}));
    after(2 * endWithinMs, () => child.kill('SIGKILL'));
  };
  const stop = (why: JobReason) => {
    if (reason !== 'finished') return;
    reason = why;
    kill();
  };
  after(limits.timeoutMs, () => stop('timeout'));
  const cancel = () => stop('canceled');
  request.signal?.addEventListener('abort', cancel, { once: true });

  const log = new LogText(request.secrets, (text) => request.onLog?.(text));
  let ready: Promise<void> | undefined;
  let head = Buffer.alloc(0);
  let bytes = 0;
  const take = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limits.logBytes) stop('log');
    else log.push(chunk);
  };
  child.stdout.on('data', (chunk: Buffer) => {
    if (ready) return take(chunk);
    head = Buffer.concat([head, chunk]);
    if (head.length < readyLine.length) return;
    // A signal that was aborted earlier finds a container only now.
    if (request.signal?.aborted) cancel();
    ready = container.onReady().catch((error: unknown) => {
      failure = error;
      kill();
    });
    take(head.subarray(readyLine.length));
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-1000);
  });
  child.stdin.on('error', () => {});
  child.stdin.end();
  try {
    const code = await ended(child);
    await ready;
    log.end();
    if (reason === 'finished' && failure !== undefined) throw failure;
    if ((!ready || code < 0) && reason === 'finished')
      throw new EngineError('ENGINE_FAILED', `The job ${request.id} could not be followed to its end: ${errors.trim()}`, {
        kind: 'upstream',
        retryable: true,
      });
    if (reason === 'finished' && existsSync(join(container.work, 'oom'))) reason = 'memory';
    return { exitCode: reason !== 'finished' && code <= 0 ? 137 : code, reason, message: describe(reason, code, limits) };
  } finally {
    for (const timer of timers) clearTimeout(timer);
    request.signal?.removeEventListener('abort', cancel);
  }
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
