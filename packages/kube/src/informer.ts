import { type Clock, type Logger, messageOf } from '@desp/runtime';
import { isKubeError } from './errors.ts';
import { keyOf } from './keys.ts';
import type { KubeClient, KubeObject, ListOptions, ResourceType, WatchEvent } from './types.ts';

/** A change of the cache; `previous` is what it held before. */
export interface Change<T extends KubeObject> extends WatchEvent<T> {
  readonly previous?: T;
}

/**
 * A cache of all objects of one type that follows the server. What it returns is shared: treat it as read-only
 * (`structuredClone` before changing). `metadata.managedFields` is left out of the cache, for it is half of an object's
 * bytes and no reconciler reads it; a PUT without it leaves the server's as it is.
 */
export interface Informer<T extends KubeObject> {
  readonly type: ResourceType<T>;
  /** The object of a key of `keyOf`. */
  get(key: string): T | undefined;
  list(namespace?: string): T[];
  /** Objects for which the index function named `index` gave `value`. */
  byIndex(index: string, value: string): T[];
  /** Adds an index over what is cached and what will be; a second one of the same name is ignored. */
  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void;
  /** Calls `handler` for each change from now on, and with ADDED for all that is cached. Returns how to stop that. */
  onChange(handler: (change: Change<T>) => void): () => void;
  /** Resolves once the first list is cached; rejects when the signal aborts before that. */
  readonly synced: Promise<void>;
}

export interface InformerOptions<T extends KubeObject> extends ListOptions {
  readonly client: KubeClient;
  readonly type: ResourceType<T>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Milliseconds between tries while the server does not answer: the first, and the most. */
const retryMs = { first: 100, most: 15_000 };

/**
 * Lists, then watches; after a lost connection it goes on from the last version seen, after 410 it lists anew and
 * reports the difference.
 */
export function startInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  const { client, type, clock, log, signal } = options;
  const cache = new Map<string, T>();
  const handlers = new Set<(change: Change<T>) => void>();
  const indexes = new Map<string, { valuesOf: (object: T) => readonly string[]; keys: Map<string, Set<string>> }>();
  let markSynced = () => {};
  let failSynced = (_reason: unknown) => {};
  const synced = new Promise<void>((resolve, reject) => {
    markSynced = resolve;
    failSynced = reject;
  });
  synced.catch(() => {});
  if (signal.aborted) failSynced(signal.reason);
  signal.addEventListener('abort', () => failSynced(signal.reason), { once: true });

  function reindex(key: string, before: T | undefined, after: T | undefined): void {
    for (const { valuesOf, keys } of indexes.values()) {
      for (const value of before === undefined ? [] : valuesOf(before)) {
        const set = keys.get(value);
        set?.delete(key);
        if (set?.size === 0) keys.delete(value);
      }
      for (const value of after === undefined ? [] : valuesOf(after)) {
        const set = keys.get(value);
        if (set === undefined) keys.set(value, new Set([key]));
        else set.add(key);
      }
    }
  }

  function apply(event: WatchEvent<T>): void {
    const { object } = event;
    delete object.metadata.managedFields;
    const key = keyOf(object);
    const previous = cache.get(key);
    const gone = event.type === 'DELETED';
    if (gone) cache.delete(key);
    else cache.set(key, object);
    reindex(key, previous, gone ? undefined : object);
    if (gone && previous === undefined) return;
    tell({ type: gone ? 'DELETED' : previous === undefined ? 'ADDED' : 'MODIFIED', object, previous });
  }

  function tell(change: Change<T>): void {
    for (const handler of handlers) {
      try {
        handler(change);
      } catch (error) {
        log.error({ err: error, kind: type.kind, key: keyOf(change.object) }, 'a handler of changes failed');
      }
    }
  }

  async function relist(): Promise<string> {
    const { items, resourceVersion } = await client.list(type, options);
    const present = new Set<string>();
    for (const object of items) {
      const key = keyOf(object);
      present.add(key);
      if (cache.get(key)?.metadata.resourceVersion !== object.metadata.resourceVersion) apply({ type: 'MODIFIED', object });
    }
    for (const [key, object] of [...cache]) if (!present.has(key)) apply({ type: 'DELETED', object });
    return resourceVersion;
  }

  async function follow(): Promise<void> {
    let version: string | undefined;
    let delay = retryMs.first;
    while (!signal.aborted) {
      try {
        version ??= await relist();
        markSynced();
        await client.watch(
          type,
          { ...options, resourceVersion: version, onBookmark: (seen) => (version = seen || version) },
          (event) => {
            delay = retryMs.first;
            version = event.object.metadata.resourceVersion ?? version;
            apply(event);
          },
          signal,
        );
        // A server that ends watches at once must not make us spin.
        await clock.sleep(retryMs.first, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isKubeError(error, 'Expired', 'Gone')) {
          version = undefined;
        } else {
          log.warn({ kind: type.kind, error: messageOf(error), retryMs: delay }, 'following the server failed');
          if (!isKubeError(error, 'Unreachable')) version = undefined;
        }
        await clock.sleep(delay, signal).catch(() => {});
        delay = Math.min(retryMs.most, delay * 2);
      }
    }
  }

  follow().catch((error) => {
    if (!signal.aborted) log.error({ err: error, kind: type.kind }, 'the informer ended');
  });

  return {
    type,
    synced,
    get: (key) => cache.get(key),
    list: (namespace) => {
      const all = [...cache.values()];
      return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
    },
    byIndex(name, value) {
      const index = indexes.get(name);
      if (index === undefined) throw new TypeError(`The informer of ${type.plural} has no index ${name}.`);
      return [...(index.keys.get(value) ?? [])].map((key) => cache.get(key)!);
    },
    addIndex(name, valuesOf) {
      if (indexes.has(name)) return;
      const keys = new Map<string, Set<string>>();
      indexes.set(name, { valuesOf, keys });
      for (const [key, object] of cache) {
        for (const value of valuesOf(object)) keys.set(value, (keys.get(value) ?? new Set()).add(key));
      }
    },
    onChange(handler) {
      handlers.add(handler);
      for (const object of [...cache.values()]) handler({ type: 'ADDED', object });
      return () => handlers.delete(handler);
    },
  };
}

/** Informers by type and selection, each started once: controllers of one process share their caches and watches. */
export interface InformerSet {
  of<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Informer<T>;
  /** Resolves when all that were asked for have their first list. */
  synced(): Promise<void>;
}

export function createInformerSet(options: { client: KubeClient; clock: Clock; log: Logger; signal: AbortSignal }): InformerSet {
  const started = new Map<string, Informer<KubeObject>>();
  return {
    of<T extends KubeObject>(type: ResourceType<T>, list: ListOptions = {}): Informer<T> {
      const key = [type.group, type.version, type.plural, list.namespace, list.labelSelector, list.fieldSelector].join('\n');
      const known = started.get(key);
      // The key holds the type, so the cached informer is one of T.
      if (known !== undefined) return known as unknown as Informer<T>;
      const informer = startInformer({ ...options, ...list, type });
      started.set(key, informer as unknown as Informer<KubeObject>);
      return informer;
    },
    synced: async () => {
      await Promise.all([...started.values()].map((informer) => informer.synced));
    },
  };
}
