import type { Condition, EventRecorder, InformerSet, KubeClient, Pod } from '@desp/kube';
import type { Clock, Logger } from '@desp/runtime';

/** What every controller of this folder gets. */
export interface WorkloadContext {
  readonly client: KubeClient;
  readonly informers: InformerSet;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** A recorder that speaks for the component. */
  recorder(component: string): EventRecorder;
}

/** The time as the API writes it: whole seconds, UTC. */
export function timestamp(clock: Clock): string {
  return formatTime(clock.now());
}

export function formatTime(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * The conditions with this one set; its transition time moves only when the status does. A condition that says the same
 * as before keeps its update time too, so that an unchanged status is written unchanged.
 */
export function withCondition(conditions: readonly Condition[] | undefined, condition: Condition, now: string): Condition[] {
  const before = conditionOf(conditions, condition.type);
  if (before?.status === condition.status && before.reason === condition.reason && before.message === condition.message)
    return [...(conditions ?? [])];
  const next = { ...condition, lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : now };
  return before === undefined ? [...(conditions ?? []), next] : conditions!.map((each) => (each.type === condition.type ? next : each));
}

export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Neither ended nor being deleted. */
export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

export function isReady(pod: Pod): boolean {
  return conditionOf(pod.status?.conditions, 'Ready')?.status === 'True';
}

/** Milliseconds until the pod counts as available; 0 when it does, Infinity while it is not ready. */
export function untilAvailable(pod: Pod, minReadySeconds: number, now: Date): number {
  const ready = conditionOf(pod.status?.conditions, 'Ready');
  if (ready?.status !== 'True') return Number.POSITIVE_INFINITY;
  const since = new Date(ready.lastTransitionTime ?? 0).getTime();
  return Math.max(0, since + minReadySeconds * 1000 - now.getTime());
}

/** JSON with sorted keys, so that equal values are equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Letters and digits that spell no words. Source: apimachinery `util/rand`. */
const safeCharacters = 'bcdfghjklmnpqrstvwxz2456789';

/** A short name part made from the text: FNV-1a, written in characters that spell no words. */
export function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return [...String(hash)].map((digit) => safeCharacters[digit.charCodeAt(0) % safeCharacters.length]).join('');
}
