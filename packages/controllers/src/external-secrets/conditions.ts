import type { Clock } from '@desp/runtime';
import type { SyncCondition } from './schema.ts';

/** The conditions with this one in place of its type's earlier one, whose time stays while its status does. */
export function withCondition(
  conditions: readonly SyncCondition[] | undefined,
  condition: Omit<SyncCondition, 'lastTransitionTime'>,
  clock: Clock,
): SyncCondition[] {
  const before = conditions?.find(({ type }) => type === condition.type);
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : timestamp(clock);
  return [...(conditions ?? []).filter(({ type }) => type !== condition.type), { ...condition, lastTransitionTime }];
}

/** RFC 3339 with whole seconds, as Kubernetes writes times. */
export const timestamp = (clock: Clock): string =>
  clock
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
