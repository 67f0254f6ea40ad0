import type { Clock } from '@desp/runtime';
import { type Logger, messageOf } from '@desp/runtime';
import type { ApiObject } from '../object.ts';
import { deleteWithin } from '../objects/delete.ts';
import { isGone } from '../objects/write.ts';
import type { Store } from '../store/store.ts';
import { cleanupFinalizer, customResources, definitionStorage, isEstablished } from './custom.ts';
import type { Registry } from './registry.ts';

/**
 * Keeps the registry at what the stored definitions say, and empties a definition that is being deleted: its objects are
 * deleted, and when the last one is gone the definition's own finalizer goes too.
 */
export class Definitions {
  #store: Store;
  #registry: Registry;
  #clock: Clock;
  #log: Logger;
  #stops = new Map<string, () => void>();

  constructor(store: Store, registry: Registry, clock: Clock, log: Logger) {
    this.#store = store;
    this.#registry = registry;
    this.#clock = clock;
    this.#log = log;
  }

  /** Serves what is stored and follows changes from now on. */
  start(): void {
    for (const definition of this.#store.list(definitionStorage)) this.#serve(definition);
    this.#stops.set(
      '',
      this.#store.subscribe(definitionStorage, (event) => {
        if (event.type === 'DELETED') this.#forget(event.object);
        else this.#serve(event.object);
      }),
    );
  }

  stop(): void {
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
  }

  #serve(definition: ApiObject): void {
    const { name, deletionTimestamp } = definition.metadata;
    try {
      this.#registry.setCustom(name, isEstablished(definition) ? customResources(definition) : []);
    } catch (error) {
      this.#log.error({ definition: name, cause: messageOf(error) }, 'a stored definition cannot be served');
      this.#registry.removeCustom(name);
    }
    if (deletionTimestamp !== undefined) this.#empty(definition);
  }

  #forget(definition: ApiObject): void {
    const { name } = definition.metadata;
    this.#stops.get(name)?.();
    this.#stops.delete(name);
    this.#registry.removeCustom(name);
  }

  #empty(definition: ApiObject): void {
    const { name } = definition.metadata;
    const resource = this.#registry.all().find((item) => item.custom && `${item.plural}.${item.group}` === name);
    if (resource !== undefined && !this.#stops.has(name)) {
      this.#stops.set(
        name,
        this.#store.subscribe(resource.storage, () => this.#release(name, resource.storage)),
      );
    }
    const work = this.#store.transact((transaction) => {
      if (resource === undefined) return;
      for (const object of transaction.list(resource.storage)) {
        if (object.metadata.deletionTimestamp === undefined) deleteWithin(transaction, resource, object, {}, this.#clock.now());
      }
    });
    work.then(() => this.#release(name, resource?.storage)).catch((error) => this.#report(name, error));
  }

  #release(name: string, storage: string | undefined): void {
    if (storage !== undefined && this.#store.list(storage).length > 0) return;
    const work = this.#store.transact((transaction) => {
      const definition = transaction.get(definitionStorage, '', name);
      if (definition?.metadata.deletionTimestamp === undefined || !definition.metadata.finalizers?.includes(cleanupFinalizer)) return;
      const { finalizers, ...metadata } = definition.metadata;
      const rest = finalizers.filter((finalizer) => finalizer !== cleanupFinalizer);
      const next: ApiObject = { ...definition, metadata: { ...metadata, ...(rest.length > 0 ? { finalizers: rest } : {}) } };
      if (isGone(next)) transaction.remove(definitionStorage, next);
      else transaction.put(definitionStorage, next);
    });
    work.catch((error) => this.#report(name, error));
  }

  #report(name: string, error: unknown): void {
    this.#log.error({ definition: name, cause: messageOf(error) }, 'removing a definition failed');
  }
}
