import type { Clock } from '@desp/runtime';
import type { JsonObject } from '../../schema/index.ts';
import type { ApiObject } from '../object.ts';
import type { Registry } from '../resources/registry.ts';
import type { Resource, WriteContext } from '../resources/resource.ts';
import type { Store, Transaction } from '../store/store.ts';
import type { UserInfo } from '../types.ts';

/** What the write handlers work with. */
export interface ObjectsContext {
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  /** A new uid. */
  readonly newUid: () => string;
  /** Five random characters for `generateName`. */
  readonly newSuffix: () => string;
  /** Refuses a write of roles and bindings that would give its author more than they have. */
  readonly preventEscalation: (user: UserInfo, resource: Resource, object: ApiObject, old: ApiObject | undefined) => void;
}

/** One write as its sender asked for it. */
export interface WriteRequest {
  readonly resource: Resource;
  readonly namespace: string;
  readonly user: UserInfo;
  /** `status`, `scale`, `finalize`, or undefined for the object itself. */
  readonly subresource?: string;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  /** Takes sentences for the `Warning:` header. */
  readonly warn: (sentence: string) => void;
}

/** Our objects are JSON; the schema room calls them so. */
export const asJson = (object: ApiObject): JsonObject => object as unknown as JsonObject;
export const asObject = (json: JsonObject): ApiObject => json as unknown as ApiObject;

export function writeContext(transaction: Transaction, now: Date): WriteContext {
  return {
    now,
    list: (storage, namespace) => transaction.list(storage, namespace),
    get: (storage, namespace, name) => transaction.get(storage, namespace, name),
  };
}

/** Carries the answer of a dry run out of a transaction that must leave no trace. */
class DryRunResult extends Error {
  readonly value: unknown;

  constructor(value: unknown) {
    super('dry run');
    this.value = value;
  }
}

/** Runs `work` in a transaction; a dry run does all of it and stores nothing. */
export async function transact<T>(store: Store, dryRun: boolean, work: (transaction: Transaction) => T): Promise<T> {
  if (!dryRun) return await store.transact(work);
  try {
    return await store.transact<T>((transaction) => {
      throw new DryRunResult(work(transaction));
    });
  } catch (error) {
    if (error instanceof DryRunResult) return error.value as T;
    throw error;
  }
}
