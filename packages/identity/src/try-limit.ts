import type { Clock } from '@desp/runtime';
import { IdentityError } from './identity-error.ts';

/** Bounds how often something may be guessed. */
export interface TryLimit {
  /**
   * Counts one try for `key`, before it is checked: tries that run side by side all count.
   *
   * @throws IdentityError TOO_MANY_TRIES when the window is used up; the try must then not be checked.
   */
  take(key: string): void;
  /** Forgets the tries of a key that has shown the right thing. */
  forget(key: string): void;
}

/** Keys that are remembered at once; beyond that the oldest go, one by one, so that a flood of names opens no other. */
const mostKeys = 10_000;

/** `count` tries a key within `perMs` milliseconds of the first; then none until that window is over. */
export function createTryLimit(limit: { readonly count: number; readonly perMs: number }, clock: Clock): TryLimit {
  const windows = new Map<string, { count: number; since: number }>();
  return {
    take(key) {
      const now = clock.monotonic();
      const known = windows.get(key);
      const window = known && now - known.since < limit.perMs ? known : { count: 0, since: now };
      if (window.count >= limit.count) {
        const seconds = Math.max(1, Math.ceil((window.since + limit.perMs - now) / 1000));
        throw new IdentityError('TOO_MANY_TRIES', `Too many wrong tries: ${limit.count} within ${limit.perMs / 1000} s.`, {
          kind: 'user',
          retryable: true,
          cure: `Wait ${seconds} s and try again.`,
        });
      }
      windows.delete(key);
      windows.set(key, { count: window.count + 1, since: window.since });
      if (windows.size > mostKeys) windows.delete(windows.keys().next().value as string);
    },
    forget(key) {
      windows.delete(key);
    },
  };
}
