import type { Clock } from '@desp/runtime';
import { timestamp } from '../external-secrets/conditions.ts';
import type { CertificateCondition } from './types.ts';

/** The conditions with this one in place of its type's earlier one, whose time stays while its status does. */
export function withCondition(
  conditions: readonly CertificateCondition[] | undefined,
  condition: Omit<CertificateCondition, 'lastTransitionTime'>,
  clock: Clock,
): CertificateCondition[] {
  const before = conditions?.find(({ type }) => type === condition.type);
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : timestamp(clock);
  return [...(conditions ?? []).filter(({ type }) => type !== condition.type), { ...condition, lastTransitionTime }];
}
