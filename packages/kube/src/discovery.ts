import { isKubeError } from './errors.ts';
import type { ResourceType } from './types.ts';

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** How often a group version that lacks a kind is asked again: a CRD may just have been created. */
const missMs = 500;

/**
 * Where kinds are served, one request a group version, kept for the client's life: a kind never changes its plural or
 * scope while it is served. What was not found is asked for again, at most twice a second.
 */
export function createDiscovery(get: (path: string) => Promise<unknown>) {
  const known = new Map<string, { types: Map<string, ResourceType>; at: number }>();
  const running = new Map<string, Promise<Map<string, ResourceType>>>();

  async function load(apiVersion: string): Promise<Map<string, ResourceType>> {
    const [version, group] = apiVersion.includes('/') ? apiVersion.split('/').reverse() : [apiVersion, ''];
    const types = new Map<string, ResourceType>();
    try {
      const path =
        group === '' ? `/api/${encodeURIComponent(version!)}` : `/apis/${encodeURIComponent(group!)}/${encodeURIComponent(version!)}`;
      const list = (await get(path)) as ResourceList;
      for (const { name, kind, namespaced } of list.resources ?? []) {
        if (!name.includes('/')) types.set(kind, { group: group!, version: version!, plural: name, kind, namespaced });
      }
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
    }
    known.set(apiVersion, { types, at: performance.now() });
    return types;
  }

  return {
    async resolve(apiVersion: string, kind: string): Promise<ResourceType | undefined> {
      const entry = known.get(apiVersion);
      const type = entry?.types.get(kind);
      if (type !== undefined || (entry !== undefined && performance.now() - entry.at < missMs)) return type;
      let loading = running.get(apiVersion);
      if (loading === undefined) {
        loading = load(apiVersion).finally(() => running.delete(apiVersion));
        running.set(apiVersion, loading);
      }
      return (await loading).get(kind);
    },
  };
}
