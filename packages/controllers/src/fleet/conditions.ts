import type { Condition } from '@desp/fleet';
import type { KubeClient, KubeObject, ResourceType } from '@desp/kube';

export interface NewCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
}

const messageLimit = 4096;

/** The conditions with `changes` laid over; a time moves only where something else does. */
export function withConditions(conditions: readonly Condition[] | undefined, changes: readonly NewCondition[], now: Date): Condition[] {
  const result = new Map((conditions ?? []).map((condition) => [condition.type, condition]));
  const at = now.toISOString().replace(/\.\d+Z$/, 'Z');
  for (const { message: text, ...change } of changes) {
    const message = text === undefined || text === '' ? undefined : text.slice(0, messageLimit);
    const before = result.get(change.type);
    if (before && before.status === change.status && before.message === message && before.reason === change.reason) continue;
    const lastTransitionTime = before?.status === change.status ? (before.lastTransitionTime ?? at) : at;
    result.set(change.type, { ...change, ...(message ? { message } : {}), lastTransitionTime, lastUpdateTime: at });
  }
  return [...result.values()];
}

/**
 * Writes the status where it differs from what the object has. The object's resourceVersion guards it: who read an old one gets
 * `Conflict` and looks again.
 */
export async function writeStatus<T extends KubeObject & { readonly status?: unknown }>(
  client: KubeClient,
  type: ResourceType<T>,
  object: T,
  status: NonNullable<T['status']>,
): Promise<T> {
  if (isSame(object.status, status)) return object;
  return client.replace(type, { ...object, status }, { subresource: 'status' });
}

/** Equal as JSON, whatever the order of keys; fields without value do not count. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [first, second] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return [...new Set([...Object.keys(first), ...Object.keys(second)])].every((key) => isSame(first[key], second[key]));
}
