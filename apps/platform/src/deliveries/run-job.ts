import { CommitId } from '@desp/model';
import type { PlannedJob } from '@desp/pipeline';
import { messageOf } from '@desp/runtime';
import type { Platform } from '../platform.ts';
import { refreshStops } from './advance.ts';
import { openJobSocket } from './job-socket.ts';
import { queues } from './queues.ts';
import { appendLog, changeJob, clearLog, loadDelivery } from './records.ts';

const defaultTimeoutSeconds = 3_600;
/** A job token outlives its job by nothing; this is the ceiling should the platform die and never come back. */
const tokenSeconds = 7_200;
const logFlushMs = 250;
const maxLogBytes = 4 * 1024 * 1024;

export const runsAnew = 'The platform was stopped while this job ran: it runs anew, from the beginning.\n';

/**
 * Runs one pipeline job. After a process was killed in the middle, the next runs it anew, from the beginning, with a log that
 * says so: what a job does to the platform goes through verbs that may be repeated (decision 2026-11-22-killed-jobs).
 */
export async function runDeliveryJob(platform: Platform, key: string, signal: AbortSignal): Promise<void> {
  const [idText = '', ...rest] = key.split('/');
  const [id, name] = [Number(idText), rest.join('/')];
  const { sql } = platform.database;
  const delivery = await loadDelivery(sql, id);
  const plan = delivery.plans.get(name);
  const job = delivery.view.jobs.find((one) => one.name === name);
  if (!plan || !job) return;
  const attempt = job.attempt + (job.state === 'pending' ? 1 : 0);
  const startedAt = platform.clock.now();
  if (
    !(await changeJob(sql, id, name, { state: 'running', reason: 'Running.', startedAt, endedAt: null, attempt }, ['pending', 'running']))
  )
    return;
  await clearLog(sql, id, name);
  if (job.state === 'running') await appendLog(sql, id, name, runsAnew);
  await refreshStops(platform, await loadDelivery(sql, id));

  const canceled = new AbortController();
  const stopWatching = platform.announcer.listen((changed) => {
    if (changed === id) void isCanceled(platform, id).then((yes) => yes && canceled.abort(new Error('The delivery was canceled.')));
  });
  let outcome: { state: 'success' | 'failed' | 'canceled'; reason: string };
  try {
    outcome = await execute(
      platform,
      { id, name, plan, service: delivery.view.service, commit: delivery.view.commit, pushedBy: delivery.view.pushedBy },
      AbortSignal.any([signal, canceled.signal]),
    );
  } catch (error) {
    if (signal.aborted) throw error;
    outcome = { state: 'failed', reason: messageOf(error) };
    await appendLog(sql, id, name, `${messageOf(error)}\n`);
  } finally {
    stopWatching();
    await platform.tokens.endJob(id, name);
  }
  if (canceled.signal.aborted) outcome = { state: 'canceled', reason: 'Canceled.' };
  await changeJob(sql, id, name, { ...outcome, endedAt: platform.clock.now() }, ['running']);
  await platform.jobs.send(queues.advance.name, String(id));
}

interface JobContext {
  readonly id: number;
  readonly name: string;
  readonly plan: PlannedJob;
  readonly service: string;
  readonly commit: string;
  readonly pushedBy: string;
}

async function execute(platform: Platform, job: JobContext, signal: AbortSignal): Promise<{ state: 'success' | 'failed'; reason: string }> {
  const { builder } = platform;
  if ('missing' in builder) return { state: 'failed', reason: builder.missing };
  const { sql } = platform.database;
  const { repository } = await sql.selectFrom('services').select('repository').where('name', '=', job.service).executeTakeFirstOrThrow();
  const reader = await platform.source.at(repository, job.commit);
  const token = await platform.tokens.createJob(
    { service: job.service, delivery: job.id, job: job.name, pushedBy: job.pushedBy },
    tokenSeconds,
  );
  const log = createLogWriter(platform, job.id, job.name);
  const socket = await openJobSocket(platform, { ...job, token, repository });
  try {
    const result = await builder.run({
      id: `d${job.id}-${job.plan.name}`
        .toLowerCase()
        .replace(/[^a-z0-9-]/g, '-')
        .slice(0, 50),
      project: job.service,
      before: job.plan.beforeScript,
      script: job.plan.script,
      after: job.plan.afterScript,
      env: { ...job.plan.variables, CI_JOB_TOKEN: token, CI_JOB_NAME: job.name },
      secrets: [token],
      source: await reader.archive(CommitId.parse(job.commit)),
      socket: socket.path,
      timeoutSeconds: job.plan.timeoutSeconds ?? defaultTimeoutSeconds,
      onLog: log.write,
      signal,
    });
    if (result.exitCode === 0) return { state: 'success', reason: 'Done.' };
    return { state: 'failed', reason: socket.refusal() ?? result.reason };
  } finally {
    await socket.close();
    await log.end();
  }
}

const isCanceled = async (platform: Platform, id: number): Promise<boolean> =>
  (await platform.database.sql.selectFrom('deliveries').select('state').where('id', '=', id).executeTakeFirst())?.state === 'canceled';

/** Gathers what a job prints and writes it in pieces, so that a chatty job does not make a row a line. */
function createLogWriter(platform: Platform, id: number, name: string): { write: (text: string) => void; end: () => Promise<void> } {
  let pending = '';
  let bytes = 0;
  let last: Promise<unknown> = Promise.resolve();
  const flush = () => {
    const text = pending;
    pending = '';
    if (text)
      last = last
        .then(() => appendLog(platform.database.sql, id, name, text))
        .catch((error) => platform.log.warn({ error: messageOf(error) }, 'A log piece was not written.'));
  };
  const timer = setInterval(flush, logFlushMs);
  return {
    write(text) {
      if (bytes > maxLogBytes) return;
      bytes += text.length;
      pending += bytes > maxLogBytes ? '\n[the log is cut here: over 4 MiB]\n' : text;
    },
    async end() {
      clearInterval(timer);
      flush();
      await last;
    },
  };
}
