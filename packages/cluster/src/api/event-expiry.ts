import type { Clock, Logger } from '@desp/runtime';
import { textAt } from './object.ts';
import type { Store } from './store/store.ts';

export const eventLifetimeMs = 3600_000;
const every = 5 * 60_000;

/** Events are news, not records: an hour after their last word they go, as in the real server. */
export class EventExpiry {
  #store: Store;
  #clock: Clock;
  #log: Logger;
  #stopped = new AbortController();

  constructor(store: Store, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.sweep().catch((error) => this.#log.error({ cause: String(error) }, 'removing old events failed'));
      await this.#clock.sleep(every, signal).catch(() => {});
    }
  }

  async sweep(): Promise<void> {
    const oldest = this.#clock.now().getTime() - eventLifetimeMs;
    const old = this.#store.list('events').filter((event) => {
      const last = textAt(event, 'series', 'lastObservedTime') ?? textAt(event, 'lastTimestamp') ?? event.metadata.creationTimestamp;
      return last !== undefined && Date.parse(last) < oldest;
    });
    if (old.length === 0) return;
    await this.#store.transact((transaction) => {
      for (const { metadata } of old) {
        const event = transaction.get('events', metadata.namespace ?? '', metadata.name);
        if (event?.metadata.resourceVersion === metadata.resourceVersion) transaction.remove('events', event!);
      }
    });
  }
}
