import type { Pod } from '@desp/kube';
import { parseQuantity } from '../quantity.ts';

export type Amounts = Readonly<Record<string, number>>;

/** What a pod asks for: the sum of its containers, or the largest init container where that is more; `pods` counts itself. */
export function requestsOf(pod: Pod): Amounts {
  const total: Record<string, number> = { pods: 1 };
  for (const { resources } of pod.spec.containers) {
    for (const [name, value] of Object.entries(resources?.requests ?? {})) total[name] = (total[name] ?? 0) + parseQuantity(value);
  }
  for (const { resources } of pod.spec.initContainers ?? []) {
    for (const [name, value] of Object.entries(resources?.requests ?? {})) total[name] = Math.max(total[name] ?? 0, parseQuantity(value));
  }
  return total;
}

/** The scheduler's words for each resource that there is not enough of; empty when the pod fits. */
export function fits(wanted: Amounts, others: readonly Amounts[], allocatable: Readonly<Record<string, string>>): string[] {
  const lacking: string[] = [];
  for (const [name, amount] of Object.entries(wanted)) {
    if (amount === 0) continue;
    const used = others.reduce((sum, other) => sum + (other[name] ?? 0), 0);
    if (used + amount > parseQuantity(allocatable[name] ?? 0)) lacking.push(name === 'pods' ? 'Too many pods' : `Insufficient ${name}`);
  }
  return lacking;
}
