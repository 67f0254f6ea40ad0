/**
 * How often a deployment that could not even begin is tried again: a chart that does not render costs seconds of a processor
 * each time, and is mended by a person, not by time. What waits for something else (a kind that is not there yet) gets
 * some minutes for it.
 */
export interface RetryBudget {
  /** Milliseconds until the next try of this deployment; 0: now; undefined: given up. */
  waitMs(key: string, deploymentId: string, now: number): number | undefined;
  /** Counts a failed try. @returns as `waitMs` */
  failed(key: string, deploymentId: string, now: number): number | undefined;
  forget(key: string): void;
}

export const retryTimes = { tries: 5, firstMs: 30_000 } as const;

export function createRetryBudget({ tries, firstMs }: { readonly tries: number; readonly firstMs: number } = retryTimes): RetryBudget {
  const failures = new Map<string, { readonly deploymentId: string; readonly count: number; readonly nextAt: number }>();
  const waitMs = (key: string, deploymentId: string, now: number): number | undefined => {
    const known = failures.get(key);
    // Another deployment under the same name begins anew: a mended commit, or a person who asked for it.
    if (known?.deploymentId !== deploymentId) return 0;
    return known.count >= tries ? undefined : Math.max(0, known.nextAt - now);
  };
  return {
    waitMs,
    failed(key, deploymentId, now) {
      const known = failures.get(key);
      const count = known?.deploymentId === deploymentId ? known.count + 1 : 1;
      failures.set(key, { deploymentId, count, nextAt: now + firstMs * 2 ** (count - 1) });
      return waitMs(key, deploymentId, now);
    },
    forget: (key) => void failures.delete(key),
  };
}
