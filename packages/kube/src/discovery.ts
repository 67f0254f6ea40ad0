import { isKubeError } from './errors.ts';
import type { KubeClient, ResourceType } from './types.ts';

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs?: readonly string[];
  }[];
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

/**
 * Every type that the server stores and that knows these verbs, in the version that its group prefers.
 *
 * A group whose server does not answer is left out; the caller asks again later.
 */
export async function listResourceTypes(client: KubeClient, verbs: readonly string[]): Promise<ResourceType[]> {
  interface Groups {
    readonly groups?: readonly {
      readonly preferredVersion?: { readonly groupVersion: string };
      readonly versions: readonly { readonly groupVersion: string }[];
    }[];
  }
  const { groups = [] } = (await client.raw('GET', '/apis')) as Groups;
  const versions = ['v1', ...groups.map((group) => group.preferredVersion?.groupVersion ?? group.versions[0]?.groupVersion ?? '')].filter(
    Boolean,
  );
  const lists = await Promise.all(
    versions.map(async (groupVersion) => {
      const path = groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
      try {
        return { groupVersion, list: (await client.raw('GET', path)) as ResourceList };
      } catch (error) {
        if (isKubeError(error, 'NotFound', 'ServiceUnavailable')) return { groupVersion, list: {} };
        throw error;
      }
    }),
  );
  return lists.flatMap(({ groupVersion, list }) => {
    const [version, group = ''] = groupVersion.split('/').reverse();
    return (list.resources ?? [])
      .filter((resource) => !resource.name.includes('/') && verbs.every((verb) => resource.verbs?.includes(verb)))
      .map(({ name, kind, namespaced }) => ({ group, version: version!, plural: name, kind, namespaced }));
  });
}
