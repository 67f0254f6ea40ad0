import { type Clock, type Logger, messageOf } from '@desp/runtime';
import { isKubeError } from './errors.ts';
import type { KubeClient, KubeObject } from './types.ts';
import { eventType, type KubeEvent } from './well-known.ts';

/** Tells of what happened to an object, where `kubectl describe` shows it. */
export interface EventRecorder {
  /** Never rejects and never blocks: an event that could not be stored is logged. `fieldPath` names a container. */
  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string): void;
  /** Resolves when all that was recorded so far is stored or given up. */
  flushed(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** Who reports: `kubelet`, `deployment-controller`. */
  readonly component: string;
  readonly host?: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Remembered events, beyond which the oldest begins a count of its own again. */
const remembered = 4096;
/** The API server takes longer messages for invalid. */
const maxMessage = 1024;
/** Each object may cause so many events at once, and then one in so many milliseconds (client-go's spam filter). */
const burst = { size: 25, refillMs: 300_000 };

/**
 * Counts up like the real recorder: the same reason and message about the same object is one Event whose `count` and
 * `lastTimestamp` move. Source: client-go `tools/record/events_cache.go`.
 */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, log } = options;
  const known = new Map<string, { name: string; count: number }>();
  const tokens = new Map<string, { left: number; at: number }>();
  let tail: Promise<void> = Promise.resolve();
  let sequence = 0n;

  function allowed(uid: string): boolean {
    const now = clock.monotonic();
    const bucket = tokens.get(uid) ?? { left: burst.size, at: now };
    const refill = Math.floor((now - bucket.at) / burst.refillMs);
    if (refill > 0) {
      bucket.left = Math.min(burst.size, bucket.left + refill);
      bucket.at = now;
    }
    tokens.delete(uid);
    tokens.set(uid, bucket);
    forgetOldest(tokens);
    if (bucket.left <= 0) return false;
    bucket.left -= 1;
    return true;
  }

  async function store(
    about: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    fieldPath: string | undefined,
    at: Date,
  ) {
    const { name, namespace = 'default', uid, resourceVersion } = about.metadata;
    const key = [uid, type, reason, message, fieldPath].join('\n');
    const now = at.toISOString().replace(/\.\d+Z$/, 'Z');
    const before = known.get(key);
    if (before !== undefined) {
      const count = before.count + 1;
      try {
        await client.patch(eventType, before.name, namespace, { count, lastTimestamp: now }, { kind: 'merge' });
        known.delete(key);
        known.set(key, { name: before.name, count });
        return;
      } catch (error) {
        // It aged out of the server; a new one begins.
        if (!isKubeError(error, 'NotFound')) throw error;
      }
    }
    sequence += 1n;
    const event: KubeEvent = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${(BigInt(at.getTime()) * 1_000_000n + sequence).toString(16)}`, namespace },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name,
        namespace: about.metadata.namespace,
        uid,
        resourceVersion,
        fieldPath,
      },
      reason,
      message: message.slice(0, maxMessage),
      type,
      source: { component: options.component, host: options.host },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      reportingComponent: options.component,
      reportingInstance: options.host ?? '',
    };
    await client.create(eventType, event);
    known.set(key, { name: event.metadata.name, count: 1 });
    forgetOldest(known);
  }

  return {
    event(about, type, reason, message, fieldPath) {
      if (!allowed(about.metadata.uid ?? about.metadata.name)) return;
      const at = clock.now();
      tail = tail
        .then(() => store(about, type, reason, message, fieldPath, at))
        // A namespace that is being deleted takes no new events; that is no news to anybody.
        .catch((error) => log.debug({ reason, about: about.metadata.name, error: messageOf(error) }, 'an event was not stored'));
    },
    flushed: () => tail,
  };
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= remembered) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
