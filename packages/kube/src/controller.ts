import { type Clock, type Logger, messageOf } from '@desp/runtime';
import { isKubeError } from './errors.ts';
import { type Change, createInformerSet, type Informer, type InformerSet } from './informer.ts';
import type { KubeClient, KubeObject, ListOptions, ResourceType } from './types.ts';
import { type BackOff, createWorkQueue } from './work-queue.ts';

/** What a controller follows, and which of its keys a change concerns. Make one with `source`. */
export interface ControllerSource {
  readonly type: ResourceType;
  readonly list: ListOptions;
  keysOf(change: Change<KubeObject>): Iterable<string>;
}

/**
 * A source of keys. `keysOf` maps a changed object (and what it was before) to the keys that must be looked at again;
 * it never decides anything from the kind of change.
 */
export function source<T extends KubeObject>(
  type: ResourceType<T>,
  keysOf: (object: T, change: Change<T>) => Iterable<string>,
  list: ListOptions = {},
): ControllerSource {
  return { type, list, keysOf: (change) => keysOf(change.object as T, change as Change<T>) };
}

export interface ReconcileContext {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** How often this key failed in a row. */
  readonly failures: number;
  /** The cache of a type that one of the sources follows, or that is followed from now on. */
  informer<T extends KubeObject>(type: ResourceType<T>, list?: ListOptions): Informer<T>;
}

/** `requeueAfterMs`: look at the key again after so long even if nothing changes. */
export type ReconcileResult = { readonly requeueAfterMs?: number } | undefined;

export interface ControllerOptions {
  readonly name: string;
  readonly client: KubeClient;
  readonly sources: readonly ControllerSource[];
  /** Called once when the controller works, with a way to add keys that no source gives. */
  readonly keys?: (add: (key: string) => void) => void;
  /**
   * Brings the world of one key nearer to what is wanted. Idempotent; knows only the key. A rejection puts the key back
   * with its own growing delay; `Conflict` (we read an old version) likewise, without a warning.
   */
  reconcile(key: string, context: ReconcileContext): Promise<ReconcileResult> | Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Every so often all keys of the first source are looked at again; absent: never. */
  readonly resyncMs?: number;
  /** Keys worked on at the same time; default 4. */
  readonly concurrency?: number;
  readonly backOff?: BackOff;
  /** Caches shared with other controllers of the process. */
  readonly informers?: InformerSet;
  readonly signal: AbortSignal;
}

/** Runs until the signal aborts, then waits for the reconciliations under way. Never rejects. */
export async function runController(options: ControllerOptions): Promise<void> {
  const { name, client, clock, signal } = options;
  if (signal.aborted) return;
  const log = options.log.child({ controller: name });
  const informers = options.informers ?? createInformerSet({ client, clock, log, signal });
  const queue = createWorkQueue(clock, options.backOff);
  signal.addEventListener('abort', () => queue.close(), { once: true });

  // All caches are filled before the first reconciliation: a reconciler must not take "not listed yet" for "not there".
  const followed = options.sources.map((each) => ({ each, informer: informers.of(each.type, each.list) }));
  try {
    await Promise.all(followed.map(({ informer }) => informer.synced));
  } catch {
    return;
  }
  const stops = followed.map(({ each, informer }) =>
    informer.onChange((change) => {
      for (const key of each.keysOf(change)) queue.add(key);
    }),
  );

  options.keys?.(queue.add);

  async function resync(everyMs: number): Promise<void> {
    const first = followed[0];
    while (!signal.aborted && first !== undefined) {
      await clock.sleep(everyMs, signal);
      for (const object of first.informer.list()) {
        for (const key of first.each.keysOf({ type: 'MODIFIED', object, previous: object })) queue.add(key);
      }
    }
  }

  async function work(): Promise<void> {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      const failures = queue.failures(key);
      try {
        const result = await options.reconcile(key, {
          client,
          clock,
          log,
          signal,
          failures,
          informer: (type, list) => informers.of(type, list),
        });
        queue.forget(key);
        if (result?.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs);
      } catch (error) {
        const delay = signal.aborted ? 0 : queue.addFailed(key);
        if (!signal.aborted && !isKubeError(error, 'Conflict')) {
          log.warn({ key, error: messageOf(error), failures: failures + 1, retryMs: delay }, 'reconciliation failed');
        }
      } finally {
        queue.done(key);
      }
    }
  }

  if (options.resyncMs !== undefined) resync(options.resyncMs).catch(() => {});
  await Promise.all(Array.from({ length: options.concurrency ?? 4 }, work));
  for (const stop of stops) stop();
}
