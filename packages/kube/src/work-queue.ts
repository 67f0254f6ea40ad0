import type { Clock } from '@desp/runtime';

export interface BackOff {
  /** Milliseconds before the first retry; each further one doubles. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * Keys waiting to be worked on. A key is in it once however often it was added; one that is added while it is worked on
 * comes again afterwards, never at the same time. Failed keys come back with a delay of their own that doubles.
 *
 * Source of the semantics: client-go `util/workqueue`.
 */
export interface WorkQueue {
  add(key: string): void;
  addAfter(key: string, ms: number): void;
  /** Adds after the key's own back-off, and lengthens it. Returns the delay in milliseconds. */
  addFailed(key: string): number;
  /** The key's back-off begins anew. */
  forget(key: string): void;
  failures(key: string): number;
  /** The next key, as soon as there is one; undefined once the queue is closed. The caller owes `done`. */
  take(): Promise<string | undefined>;
  done(key: string): void;
  close(): void;
  readonly size: number;
}

export function createWorkQueue(clock: Clock, backOff: BackOff = { baseMs: 50, maxMs: 300_000 }): WorkQueue {
  const waiting = new Set<string>();
  const working = new Set<string>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, { at: number; stop: AbortController }>();
  const takers: ((key: string | undefined) => void)[] = [];
  let closed = false;

  function add(key: string): void {
    if (closed) return;
    if (working.has(key)) {
      again.add(key);
      return;
    }
    const taker = waiting.has(key) ? undefined : takers.shift();
    if (taker === undefined) {
      waiting.add(key);
      return;
    }
    working.add(key);
    taker(key);
  }

  function addAfter(key: string, ms: number): void {
    if (closed) return;
    if (ms <= 0) {
      add(key);
      return;
    }
    const at = clock.monotonic() + ms;
    const earlier = timers.get(key);
    if (earlier !== undefined && earlier.at <= at) return;
    earlier?.stop.abort();
    const stop = new AbortController();
    timers.set(key, { at, stop });
    clock.sleep(ms, stop.signal).then(
      () => {
        timers.delete(key);
        add(key);
      },
      () => {},
    );
  }

  return {
    add,
    addAfter,
    addFailed(key) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      const delay = Math.min(backOff.maxMs, backOff.baseMs * 2 ** Math.min(count, 30));
      addAfter(key, delay);
      return delay;
    },
    forget: (key) => {
      failures.delete(key);
    },
    failures: (key) => failures.get(key) ?? 0,
    take() {
      const [key] = waiting;
      if (closed) return Promise.resolve(undefined);
      if (key === undefined) return new Promise((resolve) => takers.push(resolve));
      waiting.delete(key);
      working.add(key);
      return Promise.resolve(key);
    },
    done(key) {
      working.delete(key);
      if (again.delete(key)) add(key);
    },
    close() {
      closed = true;
      for (const { stop } of timers.values()) stop.abort();
      timers.clear();
      waiting.clear();
      for (const taker of takers.splice(0)) taker(undefined);
    },
    get size() {
      return waiting.size + working.size;
    },
  };
}
