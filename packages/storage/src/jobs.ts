import { type Clock, type Logger, messageOf } from '@desp/runtime';
import { sql } from 'kysely';
import { type fromPglite, PgBoss } from 'pg-boss';
import type { Database, Sql, SqlTransaction } from './database.ts';

/**
 * Durable work: a job is a queue's name and a small key; its handler finds the rest in the records, may be killed at any
 * instant and is then called again. Sending in a transaction makes the job exist exactly when the caller's rows do.
 */
export interface Jobs {
  /** Registers what a queue does; before `start`. Handlers run at most `concurrency` at once in this process. */
  define(queue: string, options: QueueOptions, handler: (key: string, signal: AbortSignal) => Promise<void>): void;
  /** Enqueues; a key that already waits in the queue is not enqueued twice. */
  send(queue: string, key: string, options?: SendOptions): Promise<void>;
  /** Starts the workers; what a killed process had under way is taken up at once. */
  start(): Promise<void>;
  /** Lets handlers end within `graceMs`, then leaves the rest to the next start. */
  stop(graceMs?: number): Promise<void>;
}

export interface SendOptions {
  /** The job exists when this is committed, and not otherwise. */
  readonly transaction?: SqlTransaction;
  readonly afterSeconds?: number;
  /** On whose behalf: the queue is shared out evenly among those who have something in it, however much each has. */
  readonly share?: string;
}

export interface QueueOptions {
  readonly concurrency: number;
  /** How often a failing handler is called again, with growing pauses from 1 s. */
  readonly retries: number;
  /** Seconds after which a handler is given up; it sees its signal aborted. */
  readonly expireSeconds: number;
}

/** Opens the queues' tables, and makes them at the first time; nothing is worked on before `start`. */
export async function createJobs(database: Database, context: { clock: Clock; log: Logger }): Promise<Jobs> {
  const { log } = context;
  const boss = new PgBoss({
    ...database.jobs,
    backend: database.kind === 'pglite' ? 'pglite' : 'postgres',
    schema: 'jobs',
    useListenNotify: true,
    schedule: false,
    superviseIntervalSeconds: 60,
    monitorVacuum: false,
    reindex: false,
  });
  boss.on('error', (error) => log.error({ error: messageOf(error) }, 'The job queue met an error.'));
  await boss.start();
  const queues = new Map<string, { options: QueueOptions; handler: (key: string, signal: AbortSignal) => Promise<void> }>();

  /** pg-boss talks SQL through this when a caller's transaction must hold the job. */
  const within = (transaction: SqlTransaction): ReturnType<typeof fromPglite> => ({
    async executeSql(text: string, values: unknown[] = []) {
      const parts = text.split(/\$(\d+)/);
      const chunks: ReturnType<typeof sql>[] = [];
      for (const [index, part] of parts.entries()) chunks.push(index % 2 ? sql`${values[Number(part) - 1]}` : sql.raw(part));
      const result = await sql.join(chunks, sql.raw('')).execute(transaction);
      return { rows: result.rows as unknown[] as Record<string, unknown>[] };
    },
  });

  return {
    define(queue, options, handler) {
      queues.set(queue, { options, handler });
    },
    async send(queue, key, options = {}) {
      await boss.send(
        queue,
        { key },
        {
          singletonKey: key,
          ...(options.afterSeconds ? { startAfter: options.afterSeconds } : {}),
          ...(options.transaction ? { db: within(options.transaction) } : {}),
          ...(options.share === undefined
            ? {}
            : { group: { id: options.share }, priority: -(await startTag(options.transaction ?? database.sql, queue, options.share)) }),
        },
      );
    },
    async start() {
      const made = new Set((await boss.getQueues()).map(({ name }) => name));
      for (const [name, { options, handler }] of queues) {
        if (!made.has(name))
          await boss.createQueue(name, {
            policy: 'stately',
            retryLimit: options.retries,
            retryDelay: 1,
            retryBackoff: true,
            expireInSeconds: options.expireSeconds,
            notify: true,
          });
        await takeUp(database, name);
        await boss.work<{ key: string }>(
          name,
          { localConcurrency: options.concurrency, pollingIntervalSeconds: 1, notifyPollingIntervalSeconds: 1 },
          async ([job]) => {
            if (!job) return;
            try {
              await handler(job.data.key, job.signal);
            } catch (error) {
              log.warn({ queue: name, key: job.data.key, error: messageOf(error) }, 'A job failed.');
              throw error;
            }
          },
        );
      }
    },
    async stop(graceMs = 5_000) {
      await boss.stop({ graceful: true, timeout: graceMs, close: false }).catch(() => {});
    },
  };
}

/**
 * Start-time fair queueing (Goyal, Vin, Cheng 1996) with every job of one size: a job's tag is one above its share's last, and
 * not below that of the job that was started last; the lowest tag goes first. Work is conserved: who is alone has the whole
 * queue, and who comes later waits for the jobs at work, never for another's backlog. Rejected: at most N at once for a share,
 * which leaves workers idle and, with more shares than workers, still lets a backlog go before a newcomer.
 */
async function startTag(on: Sql | SqlTransaction, queue: string, share: string): Promise<number> {
  const { rows } = await sql<{ tag: number | null }>`select greatest(
      (select max(-priority) from jobs.job where name = ${queue} and state >= 'active'),
      (select max(-priority) + 1 from jobs.job where name = ${queue} and group_id = ${share})) as tag`.execute(on);
  return Math.max(0, Number(rows[0]?.tag ?? 0));
}

/**
 * Gives what was under way at a kill back to its queue, for now and as if it had never begun: a kill is no failure of the job,
 * and counts as no try. A key that was at work while a failed try of it waited has two rows of which the queue allows one such;
 * the waiting one stands for both. (Found by testing/conformance/hostile/kill-loop.test.ts: such a queue could not start again.)
 */
async function takeUp(database: Database, queue: string): Promise<void> {
  await database.sql.transaction().execute(async (transaction) => {
    await sql`delete from jobs.job running using jobs.job waiting
      where running.name = ${queue} and running.state = 'active' and waiting.name = running.name and waiting.state = 'retry'
        and waiting.singleton_key is not distinct from running.singleton_key`.execute(transaction);
    await sql`update jobs.job set state = 'retry', start_after = now(), started_on = null
      where name = ${queue} and state in ('active', 'retry')`.execute(transaction);
  });
}
